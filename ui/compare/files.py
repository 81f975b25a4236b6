"""The files of a comparison: a wav and a picture for every track, and the zip of everything."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.compare.mel import GivenMel
from eval.compare.native.placing import at_common_rate
from eval.compare.recording import Output
from eval.metrics.alignment import align, residual
from eval.metrics.loudness import Level, level_of
from eval.reports.bundle import write_bundle, write_mel_bundle
from eval.reports.player.value import Picture
from eval.reports.spectrogram import difference_png, level, level_png
from server.results import ResultFolder
from ui.compare.state import REFERENCE, residual_id
from vocoders.audio import SAMPLE_RATE, Recording, Waveform, write_wav


@dataclass(frozen=True)
class TrackFiles:
    """audio: an address; download: the name under which the wav is saved; clipped: samples that had to be, in the wav; power: dB of
    a residual against the recording."""

    audio: str
    image: Picture
    download: str
    clipped: int
    difference: Picture | None = None
    power: float | None = None


@dataclass(frozen=True)
class PartFiles:
    """Of an output that is under way: addresses of its sound, with silence in the place of the rest, and of its picture. gain: dB, that
    brings its beginning to the loudness of the recording's; number: of the part."""

    audio: str
    image: Picture
    gain: float
    number: int


class ComparisonFiles:
    """Writes into `folder`. tracks: {track: its files}, of what is there so far; parts: {track: files of its beginning}, of what is
    under way; stem: of the names under which they are saved."""

    def __init__(self, folder: ResultFolder, source: Recording | GivenMel) -> None:
        self.folder = folder
        self.tracks: dict[str, TrackFiles] = {}
        self.parts: dict[str, PartFiles] = {}
        self._source = source
        self.stem = re.sub(r"[^A-Za-z0-9]+", "-", source.name).strip("-")[:40] or "recording"
        self._reference_levels: dict[int, np.ndarray] = {}  # by rate
        if isinstance(source, Recording):
            native = source.native
            self._reference_levels[native.rate] = level(native.samples, native.rate)
            self.tracks[REFERENCE] = self._write(REFERENCE, native, self._reference_levels[native.rate])

    def add(self, output: Output, residuals: bool) -> None:
        """An output's wav, spectrogram and difference from the recording; with `residuals` the residual's too."""
        track_id, native = output.system.id, output.native
        self.drop_part(track_id)
        found = level(native.samples, native.rate)
        files = self._write(track_id, native, found)
        if not isinstance(self._source, Recording):
            self.tracks[track_id] = files
            return
        wanted, samples, rate = at_common_rate(self._source, output)
        if rate != native.rate:
            found = level(samples, rate)
        self.tracks[track_id] = replace(files, difference=self._write_difference(track_id, wanted, found, rate))
        if residuals:
            alignment = output.alignment if rate == SAMPLE_RATE else align(wanted, samples, rate)
            left, power = residual(wanted, samples, alignment)
            track_id = residual_id(output.system)
            self.tracks[track_id] = replace(self._write(track_id, Waveform(left, rate), level(left, rate)), power=power)

    def add_part(self, track_id: str, part: Waveform) -> None:
        """The beginning of an output, which can be played beside the others until it is whole."""
        before = self.parts.get(track_id)
        number = before.number + 1 if before else 1
        whole = np.zeros(max(len(part.samples), round(self._source.seconds * part.rate)), np.float32)
        whole[: len(part.samples)] = part.samples
        picture, wav = (f"{track_id}--part-{number}.{suffix}" for suffix in ("png", "wav"))
        (self.folder.path / picture).write_bytes(level_png(level(whole, part.rate)))
        write_wav(self.folder.path / wav, whole, part.rate)
        image = Picture(self.folder.url(picture), part.rate / 2)
        self.drop_part(track_id)
        self.parts[track_id] = PartFiles(self.folder.url(wav), image, self._gain_of_part(part), number)

    def drop_part(self, track_id: str) -> None:
        """Its files stay for a page that is about to fetch them, and go with the folder."""
        self.parts.pop(track_id, None)

    def _gain_of_part(self, part: Waveform) -> float:
        """Against the recording's gain. Of a mel alone there is nothing to match."""
        if not isinstance(self._source, Recording):
            return 0.0
        native = self._source.native
        beginning = native.samples[: round(len(part.samples) / part.rate * native.rate)]
        wanted, found = level_of(Waveform(beginning, native.rate))[0], level_of(part)[0]
        return wanted - found if math.isfinite(wanted - found) else 0.0

    def bundle(self, outputs: Sequence[Output], levels: dict[str, Level]) -> str:
        """Writes the figure, results.json and the zip of everything; returns its address."""
        wavs = [self.folder.path / files.download for files in self.tracks.values()]
        if isinstance(self._source, Recording):
            archive = write_bundle(self.folder.path, self._source, outputs, levels, wavs)
        else:
            archive = write_mel_bundle(self.folder.path, self._source, outputs, levels, wavs)
        return self.folder.url(archive.name)

    def _write(self, track_id: str, waveform: Waveform, decibels: np.ndarray) -> TrackFiles:
        picture, wav = f"{track_id}.png", f"{self.stem}__{track_id}.wav"
        (self.folder.path / picture).write_bytes(level_png(decibels))
        clipped = write_wav(self.folder.path / wav, waveform.samples, waveform.rate)
        return TrackFiles(self.folder.url(wav), Picture(self.folder.url(picture), waveform.rate / 2), wav, clipped)

    def _write_difference(self, track_id: str, wanted: np.ndarray, found: np.ndarray, rate: int) -> Picture:
        """A picture of how an output's level, `found`, differs from that of the recording's samples, at their common rate."""
        if rate not in self._reference_levels:
            self._reference_levels[rate] = level(wanted, rate)
        name = f"{track_id}-difference.png"
        (self.folder.path / name).write_bytes(difference_png(found - self._reference_levels[rate]))
        return Picture(self.folder.url(name), rate / 2)
