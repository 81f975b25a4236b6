"""The fixed set that a run is validated on: voices that are not in its training data."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from eval.metrics.spectral import m_stft_distance
from train.config import M_STFT, MEL_L1, TrainConfig
from train.data.guide import Guides
from train.data.pack import Clip, Pack, PackError
from vocoders.audio import SAMPLE_RATE
from vocoders.checkpoints.trial import is_soundless
from vocoders.harmonic_noise.noise import noise
from vocoders.hifigan.generator_input import generator_input
from vocoders.mel import HOP, HW2, MelSpectrogram, log_mel, recipe_named

MAX_CLIP_SECONDS = 3.0


@dataclass(frozen=True)
class ValidationResult:
    """`mel_l1` is the mean |difference| of log-power hw2 mels over the set, the homework's validation mel loss; `m_stft` the
    mean M-STFT.

    soundless: every clip came out as silence or a constant; such a generator is never the best, however low its losses.
    """

    mel_l1: float
    m_stft: float
    waveforms: list[Tensor]  # (n,) of each clip, on the CPU
    soundless: bool = False

    def judged(self, config: TrainConfig) -> float:
        """The loss that decides which generator is the best."""
        return {MEL_L1: self.mel_l1, M_STFT: self.m_stft}[config.judged_by]


class ValidationSet:
    """Errors: `PackError` when the pack holds nothing out."""

    def __init__(self, pack: Pack, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self.recipe = recipe_named(config.recipe)
        self.input_mel = MelSpectrogram(self.recipe).to(device)
        self.loss_mel = MelSpectrogram(HW2).to(device)
        chosen = chosen_clips(pack, config.validation_seconds)
        self.waveforms = [torch.from_numpy(pack.samples(clip, length)).to(device) for clip, length in chosen]
        self.guides = [None] * len(chosen)
        if config.generator.is_guided:
            made = Guides(pack, config.generator.guide_iterations)
            self.guides = [torch.from_numpy(made.samples(clip, length)).to(device)[None] for clip, length in chosen]

    @torch.inference_mode()
    def evaluate(self, weights: dict[str, Tensor]) -> ValidationResult:
        """The outputs of a generator with these plain weights for the set, and its losses. Clips weigh as long as they are."""
        generator = self.config.generator.build().to(self.device).eval()
        generator.load_state_dict(weights)
        mel = m_stft = frames = 0.0
        estimates = []
        for target, guide in zip(self.waveforms, self.guides):
            log = log_mel(self.input_mel(target))[None]
            drawn = torch.from_numpy(noise(0, target.shape[-1])).to(self.device)[None]
            features = generator_input(log, self.config.generator.input_channels, self.recipe, guide, drawn)
            estimate = generator(features)[0, 0]
            wanted, found = log_mel(self.loss_mel(target)), log_mel(self.loss_mel(estimate))
            mel += F.l1_loss(found, wanted).item() * wanted.shape[-1]
            m_stft += m_stft_distance(target, estimate).item() * wanted.shape[-1]
            frames += wanted.shape[-1]
            estimates.append(estimate.cpu())
        pairs = zip(estimates, self.waveforms)
        soundless = all(is_soundless(estimate.numpy(), target.cpu().numpy()) for estimate, target in pairs)
        return ValidationResult(mel / frames, m_stft / frames, estimates, soundless)


def chosen_clips(pack: Pack, seconds: float) -> list[tuple[Clip, int]]:
    """Clips spread evenly over the validation split, and their samples when cut to `MAX_CLIP_SECONDS` and to whole frames.

    Errors: `PackError` when nothing is held out.
    """
    clips = pack.split("validation")
    if not clips:
        raise PackError(f"{pack.root} holds nothing out to validate on; prepare it with --validation above 0.")
    lengths = [min(clip.samples, round(MAX_CLIP_SECONDS * SAMPLE_RATE)) // HOP * HOP for clip in clips]
    every = max(1, round(sum(lengths) / SAMPLE_RATE / seconds))
    return list(zip(clips, lengths))[::every]
