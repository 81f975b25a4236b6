"""Random training segments, drawn and augmented on the device that trains.

Everything random at a step comes from a generator seeded by (seed, rank, step): a run needs no data position or random
state to be saved, and continues exactly as if it had never stopped.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from train.config import TrainConfig
from train.data.guide import Guides
from train.data.pack import Clip, Pack, PackError
from vocoders.audio import SAMPLE_RATE
from vocoders.hifigan.generator_input import generator_input
from vocoders.mel import HOP, PAD, MelSpectrogram, log_mel, recipe_named

MARGIN_SAMPLES = 2 * HOP  # around a segment, so that its mel has real sound and not padding in every frame
assert MARGIN_SAMPLES >= PAD
TAPS_PER_SIDE = 16  # of the resampling filter
MIN_TRAINING_SECONDS = 20.0  # of audio; with less a run is refused


@dataclass(frozen=True)
class Batch:
    """The input and the target of one training step."""

    features: Tensor  # (batch, input channels, segment / 256 and the generator's margin at both ends), its input
    target: Tensor  # (batch, 1, segment) in [-1, 1]


class Crops:
    """Segments of the training split, of those clips that are long enough; all their starts are equally likely.

    Errors: `PackError` when there is too little audio, or no clip as long as the longest segment.
    """

    def __init__(self, pack: Pack, config: TrainConfig, device: torch.device, rank: int = 0) -> None:
        self.config, self.device, self.rank = config, device, rank
        generator = config.generator
        self._margin = MARGIN_SAMPLES + generator.margin_frames * HOP
        self.recipe = recipe_named(config.recipe)
        self.mel = MelSpectrogram(self.recipe).to(device)
        clips = pack.split("train")
        seconds = sum(clip.seconds for clip in clips)
        if seconds < MIN_TRAINING_SECONDS:
            raise PackError(
                f"{pack.root} has {seconds:.1f} s to train on; at least {MIN_TRAINING_SECONDS:g} s are needed."
            )
        self._lengths = (config.segment, config.long_segment)
        self._places = {length: _places(clips, self._span(length), device) for length in self._lengths}
        if not all(total for *_, total in self._places.values()):
            longest = max(clip.seconds for clip in clips)
            raise PackError(
                f"the longest clip of {pack.root} has {longest:.2f} s, and a segment of this preset needs "
                f"{self._span(max(self._lengths)) / SAMPLE_RATE:.2f} s; choose a shorter --segment."
            )
        signals = [pack.audio, Guides(pack, generator.guide_iterations).audio] if generator.is_guided else [pack.audio]
        self.audio, self.guide = (*_on_device(signals, device), None)[:2]

    def draw(self, step: int, segment: int, batch: int) -> Batch:
        """The batch of this step; the same whenever it is asked for."""
        seed = np.random.SeedSequence([self.config.seed, self.rank, step]).generate_state(1)
        random = torch.Generator().manual_seed(int(seed[0]))
        start, ratio, gain = self._choose(random, segment, batch)
        length = segment + 2 * self._margin
        waveform = resampled_crops(self.audio, start, ratio, length) * gain
        scale = 1 / waveform.abs().amax(dim=1, keepdim=True).clamp(min=1)  # a gain never clips
        if self.guide is None:
            return self.batch_of(waveform * scale)
        # Shifted like its target: nearly what Griffin-Lim would make of the shifted mel, and nothing to compute
        guide = resampled_crops(self.guide, start, ratio, length)[:, MARGIN_SAMPLES:-MARGIN_SAMPLES] * gain
        # On the CPU, so that a run draws the same noise on every device
        noise = torch.randn(guide.shape, generator=random).to(self.device)
        return self.batch_of(waveform * scale, guide * scale, noise)

    def batch_of(self, waveform: Tensor, guide: Tensor | None = None, noise: Tensor | None = None) -> Batch:
        """(batch, segment and margins), and guide and noise of its middle -> `Batch` of the middle, its mel framed as inside a
        longer recording."""
        mel = log_mel(self.mel(waveform))[..., MARGIN_SAMPLES // HOP : -(MARGIN_SAMPLES // HOP)]
        features = generator_input(mel, self.config.generator.input_channels, self.recipe, guide, noise)
        return Batch(features, waveform[:, None, self._margin : -self._margin])

    def _span(self, segment: int) -> int:
        """Samples of a clip that a segment may need."""
        return math.ceil((segment + 2 * self._margin) * 2 ** (self.config.pitch_shift / 12)) + 2 * TAPS_PER_SIDE

    def _choose(self, random: torch.Generator, segment: int, batch: int) -> tuple[Tensor, Tensor, Tensor]:
        """Where each crop starts in the pack, by how much it is sped up, and its gain; (batch,), (batch,), (batch, 1)."""
        first, offsets, total = self._places[segment]
        drawn = torch.randint(total, (batch,), generator=random).to(self.device)
        clip = torch.searchsorted(offsets, drawn, right=True) - 1
        shift, level = torch.rand(2, batch, generator=random).to(self.device)
        ratio = 2 ** ((2 * shift - 1) * self.config.pitch_shift / 12)
        low, high = self.config.gain
        gain = 10 ** ((low + (high - low) * level) / 20)
        return first[clip] + drawn - offsets[clip], ratio, gain[:, None]


def _places(clips: Sequence[Clip], span: int, device: torch.device) -> tuple[Tensor, Tensor, int]:
    """Of the clips with room for `span` samples: their first sample, how many starts there are before each, and in all."""
    rooms = [(clip.start, clip.samples - span + 1) for clip in clips if clip.samples >= span]
    first = torch.tensor([start for start, _ in rooms], dtype=torch.int64)
    room = torch.tensor([count for _, count in rooms], dtype=torch.int64)
    return first.to(device), (room.cumsum(0) - room).to(device), int(room.sum())


def _on_device(maps: Sequence[np.memmap], device: torch.device) -> list[Tensor]:
    """The whole pack where training happens if it takes at most half of that memory; else where it is mapped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the maps are read-only, and nothing here writes to them
        tensors = [torch.from_numpy(samples) for samples in maps]
    if device.type == "cuda" and sum(tensor.nbytes for tensor in tensors) < torch.cuda.mem_get_info(device)[0] / 2:
        return [tensor.to(device) for tensor in tensors]
    return tensors


def resampled_crops(audio: Tensor, start: Tensor, ratio: Tensor, length: int) -> Tensor:
    """Crops read at `ratio` times the speed, so that their pitch rises by 12 log2(ratio) semitones.

    audio: int16 (n,); start, ratio: (batch,) -> float32 (batch, length). A crop reads from its start up to
    ratio * length + 2 TAPS samples. Windowed sinc with 2 TAPS taps, cut off below either Nyquist frequency.
    """
    if (ratio == 1).all():
        index = start[:, None] + TAPS_PER_SIDE + torch.arange(length, device=start.device)
        return _samples(audio, index)
    position = TAPS_PER_SIDE + ratio.double()[:, None] * torch.arange(length, device=start.device)
    whole = position.floor().long()
    taps = torch.arange(1 - TAPS_PER_SIDE, TAPS_PER_SIDE + 1, device=start.device)
    distance = (taps - (position - whole)[..., None]).float()  # (batch, length, 2 TAPS), in input samples
    cutoff = (1 / ratio).clamp(max=1).float()[:, None, None]
    kernel = cutoff * torch.sinc(cutoff * distance) * torch.cos(distance * (math.pi / 2 / TAPS_PER_SIDE)) ** 2
    samples = _samples(audio, start[:, None, None] + whole[..., None] + taps)
    return (samples * kernel).sum(-1)


def _samples(audio: Tensor, index: Tensor) -> Tensor:
    return audio[index.to(audio.device)].to(index.device).float() / 32768
