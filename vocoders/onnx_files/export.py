"""A generator as an ONNX file: log mel (1, bands, frames) -> waveform (1, 1, samples), for any number of frames.

A guided one has the guide (1, frames * 256) as a second input: the Griffin-Lim waveform of `vocoders.hifigan.guide`, which is no
network and stays outside; GUIDE in the metadata says how many iterations it was trained with. Inside it would start anew in every
window that is run, where a guide goes on from the frames before.
A harmonic-plus-noise generator has its noise (1, frames * 256) as a third: that of `vocoders.harmonic_noise.noise`, with the seed
of NOISE, is a function of its position, where random numbers of ONNX are another's in every runtime and window. Any normal noise
of variance 1 sounds alike.

Its mel recipe travels in the metadata, and the file is written only when ONNX's arithmetic gives PyTorch's samples.
"""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from common.durable import write_durably
from vocoders.checkpoints.contents import Checkpoint
from vocoders.harmonic_noise.noise import SEED
from vocoders.hifigan.generator_input import WITH_GUIDE_AND_NOISE, generator_input
from vocoders.hifigan.openvino_generator import openvino_core
from vocoders.onnx_files.metadata import CONTEXT, FAMILY, GUIDE, NOISE, RECIPE

OPSET = 17
MAX_DIFFERENCE = 1e-4  # of the samples, whose full scale is 1


def export_onnx(checkpoint: Checkpoint, path: Path) -> float:
    """Write the file; the largest difference from PyTorch that was found, on inputs of two lengths.

    Errors: ValueError for a generator that ONNX cannot hold, or a difference beyond `MAX_DIFFERENCE`.
    """
    config = checkpoint.config
    if config.is_enriched and not config.is_guided:
        raise ValueError("this generator takes an inverted spectrum beside the mel; ONNX holds the network alone")
    content = _onnx_bytes(checkpoint)
    difference = _difference(checkpoint, content)
    if difference > MAX_DIFFERENCE:
        raise ValueError(f"ONNX gives samples that differ by {difference:.2g}; at most {MAX_DIFFERENCE:g} is allowed")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, content)
    return difference


def _onnx_bytes(checkpoint: Checkpoint) -> bytes:
    import onnx

    buffer, inputs = io.BytesIO(), _inputs(checkpoint, 32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that traces is the one whose files every runtime reads
        torch.onnx.export(
            _network(checkpoint),
            tuple(inputs.values()),
            buffer,
            input_names=list(inputs),
            output_names=["waveform"],
            dynamic_axes={
                "mel": {2: "frames"},
                "guide": {1: "guide_samples"},
                "noise": {1: "noise_samples"},
                "waveform": {2: "samples"},
            },
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load_model_from_string(buffer.getvalue())
    facts = {
        RECIPE: json.dumps(checkpoint.recipe.as_dict()),
        CONTEXT: str(checkpoint.config.context),
        FAMILY: checkpoint.config.family,
        **({GUIDE: str(checkpoint.config.guide_iterations)} if checkpoint.config.is_guided else {}),
        **({NOISE: str(SEED)} if "noise" in inputs else {}),
        **{name: value for name, value in checkpoint.about.items() if name in ("licence", "steps", "preset")},
    }
    for name, value in facts.items():
        model.metadata_props.add(key=name, value=value)
    return model.SerializeToString()


def _difference(checkpoint: Checkpoint, content: bytes) -> float:
    core = openvino_core()
    network = core.compile_model(core.read_model(content), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    generator, largest = _network(checkpoint), 0.0
    for frames in (32, 75):
        inputs = _inputs(checkpoint, frames)
        with torch.inference_mode():
            wanted = generator(*inputs.values()).numpy()
        found = network([value.numpy() for value in inputs.values()])[0]
        largest = max(largest, float(np.abs(found - wanted).max()) if found.shape == wanted.shape else np.inf)
    return largest


class _Guided(nn.Module):
    """The network of two or three inputs: a guided generator's own one has all as channels."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.generator, self._recipe = checkpoint.generator(), checkpoint.recipe
        self._channels = checkpoint.config.input_channels

    def forward(self, mel: Tensor, guide: Tensor, noise: Tensor | None = None) -> Tensor:
        return self.generator(generator_input(mel, self._channels, self._recipe, guide, noise))


def _network(checkpoint: Checkpoint) -> nn.Module:
    return _Guided(checkpoint) if checkpoint.config.is_guided else checkpoint.generator()


def _inputs(checkpoint: Checkpoint, frames: int) -> dict[str, Tensor]:
    """Log mels that a voice may have, and noise as loud as one for the guide."""
    config, random = checkpoint.config, torch.Generator().manual_seed(frames)
    inputs = {"mel": torch.randn(1, config.bands, frames, generator=random) * 2 - 5}
    if config.is_guided:
        inputs["guide"] = 0.1 * torch.randn(1, frames * config.hop, generator=random)
    if config.input_channels == WITH_GUIDE_AND_NOISE:
        inputs["noise"] = torch.randn(1, frames * config.hop, generator=random)
    return inputs
