"""The files of a comparison: a wav and a picture for every track, and the zip of everything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.compare.mel import GivenMel
from eval.compare.recording import Output
from eval.metrics.alignment import residual
from eval.metrics.loudness import Level
from eval.reports.bundle import write_bundle, write_mel_bundle
from eval.reports.spectrogram import difference_png, level, level_png
from server.results import ResultFolder
from ui.compare.state import REFERENCE, residual_id
from vocoders.audio import Recording, write_wav


@dataclass(frozen=True)
class TrackFiles:
    """audio, image, difference: addresses; download: the name under which the wav is saved; clipped: samples that had to be, in
    the wav; power: dB of a residual against the recording."""

    audio: str
    image: str
    download: str
    clipped: int
    difference: str | None = None
    power: float | None = None


class ComparisonFiles:
    """Writes into `folder`. tracks: {track: its files}, of what is there so far."""

    def __init__(self, folder: ResultFolder, source: Recording | GivenMel) -> None:
        self.folder = folder
        self.tracks: dict[str, TrackFiles] = {}
        self._source = source
        self._stem = re.sub(r"[^A-Za-z0-9]+", "-", source.name).strip("-")[:40] or "recording"
        self._reference_level = None
        if isinstance(source, Recording):
            self._reference_level = level(source.samples)
            self.tracks[REFERENCE] = self._write(REFERENCE, source.samples, self._reference_level)

    def add(self, output: Output, residuals: bool) -> None:
        """An output's wav, spectrogram and difference from the recording; with `residuals` the residual's too."""
        id, found = output.system.id, level(output.samples)
        files = self._write(id, output.samples, found)
        self.tracks[id] = replace(files, difference=self._write_difference(id, found))
        if residuals and isinstance(self._source, Recording):
            left, power = residual(self._source.samples, output.samples, output.alignment)
            id = residual_id(output.system)
            self.tracks[id] = replace(self._write(id, left, level(left)), power=power)

    def bundle(self, outputs: Sequence[Output], levels: dict[str, Level]) -> str:
        """Writes the figure, results.json and the zip of everything; returns its address."""
        wavs = [self.folder.path / files.download for files in self.tracks.values()]
        write = write_bundle if isinstance(self._source, Recording) else write_mel_bundle
        return self.folder.url(write(self.folder.path, self._source, outputs, levels, wavs).name)

    def _write(self, id: str, samples: np.ndarray, decibels: np.ndarray) -> TrackFiles:
        picture, wav = f"{id}.png", f"{self._stem}__{id}.wav"
        (self.folder.path / picture).write_bytes(level_png(decibels))
        clipped = write_wav(self.folder.path / wav, samples)
        return TrackFiles(self.folder.url(wav), self.folder.url(picture), wav, clipped)

    def _write_difference(self, id: str, found: np.ndarray) -> str | None:
        """A picture of how an output's level differs from the recording's, where there is one."""
        if self._reference_level is None:
            return None
        name = f"{id}-difference.png"
        (self.folder.path / name).write_bytes(difference_png(found - self._reference_level))
        return self.folder.url(name)
