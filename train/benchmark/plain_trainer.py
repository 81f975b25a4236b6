"""The usual structure of a HiFi-GAN trainer, as the yardstick of `train.benchmark.throughput`.

Written as most people write it after the original: a dataset that opens one file per item, a mel filterbank built at
every call, period and scale discriminators, real and fake in passes of their own, and gradients computed for the
discriminators' weights also where only the generator learns. It computes the same losses as the `paper` presets.
"""

from __future__ import annotations

import itertools
import random
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from train.config import TrainConfig
from train.data.pack import Pack
from train.networks.discriminators import Discriminators
from train.networks.generator import new_generator
from train.networks.losses import adversarial_loss, discriminator_loss, feature_loss
from vocoders.audio import write_wav
from vocoders.mel import F_MAX, HOP, LOG_FLOOR, N_FFT, N_MELS, PAD, filterbank

WAV_FILES = 64  # of the pack, written out as the WAV files such a trainer reads


def _mel(waveform: Tensor) -> Tensor:
    """(batch, samples) -> log-power mel (batch, 80, frames), everything it needs made on the spot."""
    bank = torch.tensor(filterbank.__wrapped__("htk", False, N_MELS, N_FFT, F_MAX)).float().to(waveform.device)
    window = torch.hann_window(N_FFT).to(waveform.device)
    spectrum = torch.stft(F.pad(waveform, (PAD, PAD)), N_FFT, HOP, window=window, center=False, return_complex=True)
    return (bank @ spectrum.abs().square()).clamp(min=LOG_FLOOR).log()


class _Files(Dataset):
    """A random segment and its mel, from a file opened for it."""

    def __init__(self, files: list[Path], segment: int) -> None:
        self.files, self.segment = files, segment

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        with wave.open(str(self.files[index]), "rb") as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / 32768
        start = random.randint(0, len(samples) - self.segment)
        waveform = torch.from_numpy(samples[start : start + self.segment])[None]
        return _mel(waveform)[0], waveform


class PlainTrainer:
    """`step()` trains on one batch. `folder` gets the recordings as files."""

    def __init__(self, pack: Pack, config: TrainConfig, device: torch.device, folder: Path) -> None:
        self.config, self.device = config, device
        clips = [clip for clip in pack.split("train") if clip.samples > config.segment][:WAV_FILES]
        files = []
        for number, clip in enumerate(clips):
            files.append(folder / f"{number}.wav")
            write_wav(files[-1], pack.samples(clip))
        files = (files * -(-config.batch // len(files)))[: max(len(files), config.batch)]
        self.batches = self._forever(files)
        self.generator = new_generator(config.generator).to(device)
        self.discriminators = Discriminators(config).to(device)
        self.optimizers = [
            torch.optim.AdamW(module.parameters(), config.lr, config.betas)
            for module in (self.generator, self.discriminators)
        ]

    def _forever(self, files: list[Path]) -> Iterator:
        loader = DataLoader(
            _Files(files, self.config.segment),
            self.config.batch,
            shuffle=True,
            drop_last=True,
            num_workers=1,
            persistent_workers=True,
            pin_memory=self.device.type == "cuda",
        )
        return itertools.chain.from_iterable(itertools.repeat(loader))

    def step(self) -> None:
        """One step of the original's training loop, discriminators first, on the next batch."""
        mel, target = (tensor.to(self.device) for tensor in next(self.batches))
        estimate = self.generator(mel)
        real, fake = self.discriminators(target), self.discriminators(estimate.detach())
        self._learn(1, sum(discriminator_loss(real[name], fake[name]) for name in real))
        real, fake = self.discriminators(target), self.discriminators(estimate)
        loss = self.config.mel_weight * F.l1_loss(_mel(estimate[:, 0]), _mel(target[:, 0]))
        for name in real:
            loss = (
                loss + adversarial_loss(fake[name]) + self.config.feature_weight * feature_loss(real[name], fake[name])
            )
        self._learn(0, loss)

    def _learn(self, which: int, loss: Tensor) -> None:
        self.optimizers[which].zero_grad()
        loss.backward()
        self.optimizers[which].step()
