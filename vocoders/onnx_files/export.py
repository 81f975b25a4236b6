"""A generator as an ONNX file: log mel (1, bands, frames) -> waveform (1, 1, samples), for any number of frames.

Its mel recipe travels in the metadata, and the file is written only when ONNX's arithmetic gives PyTorch's samples.
"""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path

import numpy as np
import torch

from common.durable import write_durably
from vocoders.checkpoints.contents import Checkpoint
from vocoders.hifigan.openvino_generator import openvino_core
from vocoders.onnx_files.metadata import CONTEXT, FAMILY, RECIPE

OPSET = 17
MAX_DIFFERENCE = 1e-4  # of the samples, whose full scale is 1


def export_onnx(checkpoint: Checkpoint, path: Path) -> float:
    """Write the file; the largest difference from PyTorch that was found, on mels of two lengths.

    Errors: ValueError for a generator that takes more than a mel, or a difference beyond `MAX_DIFFERENCE`.
    """
    if checkpoint.config.is_enriched:
        raise ValueError(
            "this generator takes a Griffin-Lim waveform or an inverted spectrum beside the mel; ONNX holds the network alone"
        )
    content = _onnx_bytes(checkpoint)
    difference = _difference(checkpoint, content)
    if difference > MAX_DIFFERENCE:
        raise ValueError(f"ONNX gives samples that differ by {difference:.2g}; at most {MAX_DIFFERENCE:g} is allowed")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, content)
    return difference


def _onnx_bytes(checkpoint: Checkpoint) -> bytes:
    import onnx

    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that traces is the one whose files every runtime reads
        torch.onnx.export(
            checkpoint.generator(),
            (_mel(checkpoint, 32),),
            buffer,
            input_names=["mel"],
            output_names=["waveform"],
            dynamic_axes={"mel": {2: "frames"}, "waveform": {2: "samples"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_model_from_string(buffer.getvalue())
    facts = {
        RECIPE: json.dumps(checkpoint.recipe.as_dict()),
        CONTEXT: str(checkpoint.config.context),
        FAMILY: checkpoint.config.family,
        **{name: value for name, value in checkpoint.about.items() if name in ("licence", "steps", "preset")},
    }
    for name, value in facts.items():
        model.metadata_props.add(key=name, value=value)
    return model.SerializeToString()


def _difference(checkpoint: Checkpoint, content: bytes) -> float:
    core = openvino_core()
    network = core.compile_model(core.read_model(content), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    generator, largest = checkpoint.generator(), 0.0
    for frames in (32, 75):
        mel = _mel(checkpoint, frames)
        with torch.inference_mode():
            wanted = generator(mel).numpy()
        found = network(mel.numpy())[0]
        largest = max(largest, float(np.abs(found - wanted).max()) if found.shape == wanted.shape else np.inf)
    return largest


def _mel(checkpoint: Checkpoint, frames: int) -> torch.Tensor:
    """Log mels that a voice may have."""
    torch_generator = torch.Generator().manual_seed(frames)
    return torch.randn(1, checkpoint.config.bands, frames, generator=torch_generator) * 2 - 5
