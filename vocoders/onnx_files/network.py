"""Any ONNX network from a log mel to a waveform, run by OpenVINO in windows; beside the mel it may take what our own export adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vocoders.audio import check_mono
from vocoders.features import Features
from vocoders.hifigan.openvino_generator import SETTINGS, openvino_core
from vocoders.hifigan.windows import windows
from vocoders.onnx_files.metadata import CONTEXT, read_metadata, recipe_in
from vocoders.onnx_files.side_inputs import KNOWN_NAMES, SideInputs, side_inputs
from vocoders.recipes.recipe import MelRecipe

MAX_BYTES = 600_000_000
DEFAULT_CONTEXT_FRAMES = 64  # to each side of a window, where a file does not say how far its network reaches
WINDOW_FRAMES = 512  # that a window keeps
_PROBE_FRAMES = 96  # with which a new network is tried


@dataclass(frozen=True)
class OnnxFacts:
    """bands, hop: found by running it. recipe: of its metadata. context: frames."""

    bands: int
    hop: int
    tail: int  # samples that the waveform is shorter than frames * hop
    context: int
    recipe: MelRecipe | None
    side: SideInputs


class OnnxNetwork:
    """Log mel (bands, frames) -> samples. Errors of the constructor: ValueError with a sentence about the file."""

    def __init__(self, path: Path) -> None:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(
                f"{path.name} has {path.stat().st_size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read"
            )
        metadata = read_metadata(path)
        try:
            model = openvino_core().read_model(path)
            self._network = openvino_core().compile_model(model, "CPU", {**SETTINGS, "INFERENCE_PRECISION_HINT": "f32"})
        except RuntimeError as error:
            raise ValueError(
                f"{path.name} holds operators that cannot be run ({str(error).splitlines()[0][:120]})"
            ) from error
        self._name = path.name
        try:
            recipe = recipe_in(metadata)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
        self._bands, self._side = self._inputs(metadata)
        self.facts = self._probe(metadata, recipe)

    def run(self, mel: np.ndarray) -> np.ndarray:
        """(bands, frames) float32 -> (samples,) float32. Errors: ValueError where the network fails."""
        return self.over(mel)(0, mel.shape[1])

    def over(self, mel: np.ndarray) -> Callable[[int, int], np.ndarray]:
        """(bands, frames) float32 -> a function from the frames [start, stop), run alone, to their samples (n,) float32.

        Errors, of that function: ValueError where the network fails.
        """
        beside = self._side.beside(mel)

        def between(start: int, stop: int) -> np.ndarray:
            inputs: dict[int | str, np.ndarray] = {0: np.ascontiguousarray(mel[:, start:stop], np.float32)[None]}
            try:
                return np.asarray(self._network(inputs | beside(start, stop))[0]).reshape(-1)
            except RuntimeError as error:
                raise ValueError(
                    f"{self._name} failed on {stop - start} frames ({str(error).splitlines()[0][:120]})"
                ) from error

        return between

    def _inputs(self, metadata: dict[str, str]) -> tuple[int, SideInputs]:
        """How many bands it takes, and what beside the mel."""
        inputs, outputs = self._network.inputs, self._network.outputs
        shape: Any = inputs[0].partial_shape if inputs else None
        names = [min(each.get_names(), default="") for each in inputs[1:]]
        known = bool(inputs) and names in KNOWN_NAMES
        one = known and len(outputs) == 1 and shape.rank.is_static and len(shape) == 3
        if not (one and shape[1].is_static):
            wanted = "one input (1, bands, frames), perhaps with a guide and noise, and one output"
            raise ValueError(
                f"{self._name} has {len(inputs)} inputs, the first {shape}, and {len(outputs)} outputs; {wanted} are read"
            )
        if shape[2].is_static:
            raise ValueError(
                f"{self._name} takes exactly {shape[2].get_length()} frames; export it with a dynamic axis"
            )
        bands = shape[1].get_length()
        try:
            return bands, side_inputs(names, bands, metadata)
        except ValueError as error:
            raise ValueError(f"{self._name}, which takes {' and '.join(names)} beside the mel: {error}") from error

    def _probe(self, metadata: dict[str, str], recipe: MelRecipe | None) -> OnnxFacts:
        bands = self._bands
        long, short = (
            len(self.run(np.full((bands, frames), -5, np.float32))) for frames in (_PROBE_FRAMES, _PROBE_FRAMES // 2)
        )
        hop = (long - short) * 2 // _PROBE_FRAMES
        tail = _PROBE_FRAMES * hop - long
        if hop < 1 or not 0 <= tail <= hop:
            raise ValueError(
                f"{self._name} gives {long} samples of {_PROBE_FRAMES} frames and {short} of {_PROBE_FRAMES // 2}; that is no waveform"
            )
        context = metadata.get(CONTEXT, str(DEFAULT_CONTEXT_FRAMES))
        reach = int(context) if context.isdecimal() and len(context) <= 3 else DEFAULT_CONTEXT_FRAMES
        return OnnxFacts(bands, hop, tail, reach, recipe, self._side)


class OnnxVocoder:
    """With the recipe it was found to take -> float32 at the recipe's rate."""

    def __init__(self, path: Path, recipe: MelRecipe) -> None:
        self.expects, self.rate = recipe.log_kind, recipe.rate
        self._network = OnnxNetwork(path)

    def __call__(self, features: Features, on_progress: Callable[[float], None] = lambda fraction: None) -> np.ndarray:
        """Errors: `FeatureMismatch` for another kind; ValueError for samples that are not numbers."""
        mel = features.require(self.expects, by="this ONNX network")
        facts, frames, parts = self._network.facts, mel.shape[1], []
        samples_between = self._network.over(mel)
        for window in windows(frames, WINDOW_FRAMES, facts.context):
            samples = samples_between(window.start, window.stop)
            parts.append(samples[(window.first - window.start) * facts.hop : (window.last - window.start) * facts.hop])
            on_progress(window.last / frames)
        samples = np.concatenate(parts)
        check_mono(samples, "the output of this ONNX network")
        return samples
