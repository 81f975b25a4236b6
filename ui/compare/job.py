"""One comparison on its way to the page: runs in a thread, leaves files in a folder, and yields what to show."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from common.memory import give_back
from eval.compare.mel import GivenMel, compare_mel
from eval.compare.recording import Cancelled, Event, Failed, Measured, Progress, Take, compare_again
from eval.metrics.alignment import residual
from eval.metrics.loudness import Level, loudness, match_levels, true_peak
from eval.reports.bundle import write_bundle, write_mel_bundle
from eval.reports.spectrogram import difference_png, level, level_png
from server.executor import ComputeError, Executor, InlineExecutor
from server.results import ResultFolder
from ui.player import Track, player_value
from vocoders.audio import Recording, write_wav
from vocoders.systems import System

_DONE = object()
RESIDUAL = "--residual"  # behind the id of a take
PROGRESS_EVERY = 0.15  # seconds; what is shown more often costs the computation itself


@dataclass(frozen=True)
class View:
    """What the page shows after something happened. `archive` is the zip's URL once everything is there."""

    player: dict
    takes: tuple[Take, ...]
    levels: dict[str, Level]
    clipped: dict[str, int]
    archive: str | None = None
    has_reference: bool = True


def residual_id(system: System) -> str:
    return system.id + RESIDUAL


class CompareJob:
    def __init__(
        self,
        source: Recording | GivenMel,
        systems: Sequence[System],
        folder: ResultFolder,
        compute: Executor = InlineExecutor(),
        residuals: bool = False,
    ) -> None:
        """compute: where takes are made and measured. residuals: give every take a second track, of what is left when the
        recording is taken away. Of a mel alone there is neither that, nor a track of the recording, nor a difference from it."""
        self._source, self._systems, self._folder, self._compute = source, systems, folder, compute
        self._recording = source if isinstance(source, Recording) else None
        self._takes: list[Take] = []
        self._measured: dict[str, tuple[float, float]] = {}  # id: LUFS, dBTP
        self._clipped: dict[str, int] = {}
        self._wavs: dict[str, Path] = {}
        self._reference_level = level(self._recording.samples) if self._recording else None
        self._stem = re.sub(r"[^A-Za-z0-9]+", "-", source.name).strip("-")[:40] or "recording"
        self._tracks = {"reference": self._reference_track(self._recording)} if self._recording else {}
        for system in systems:
            self._tracks[system.id] = Track(system.id, system.title, system.about, "waiting")
            if residuals and self._recording:
                id = residual_id(system)
                self._tracks[id] = Track(id, f"{system.title} − recording", "The residual.", "waiting")

    def run(self, stop: threading.Event) -> Iterator[View]:
        """Views as things happen, the last one final. Setting `stop`, or closing the iterator, ends the work."""
        events: queue.Queue = queue.Queue()
        worker = threading.Thread(target=self._work, args=(events, stop), daemon=True)
        worker.start()
        try:
            yield self._view("running", "Starting")
            while (event := self._newest(events)) is not _DONE:
                if isinstance(event, ComputeError):
                    yield self._view("cancelled", str(event))
                    return
                if isinstance(event, BaseException):
                    raise event
                yield self._view("running", self._apply(event))
            if stop.is_set():
                yield self._view("cancelled", f"Stopped after {len(self._takes)} of {len(self._systems)} systems")
                return
            yield self._view("running", "Writing the figure and the downloads")
            yield self._view("done", self._summary(), archive=self._bundle())
        finally:
            stop.set()
            give_back()

    def _work(self, events: queue.Queue, stop: threading.Event) -> None:
        shown = 0.0

        def on_event(event: Event) -> None:
            nonlocal shown
            if stop.is_set():
                raise Cancelled
            if isinstance(event, Progress) and time.monotonic() - shown < PROGRESS_EVERY:
                return
            shown = time.monotonic()
            events.put(event)

        try:
            work = compare_again if self._recording else compare_mel
            self._compute.run(work, self._source, self._systems, on_report=on_event)
        except Cancelled:
            pass
        except BaseException as error:  # shown by the page's own handler; a lost thread would leave it waiting
            events.put(error)
            return
        events.put(_DONE)

    @staticmethod
    def _newest(events: queue.Queue) -> object:
        """The next event; of several waiting progress reports only the newest."""
        event = events.get()
        while isinstance(event, Progress) and not events.empty():
            event = events.get()
        return event

    def _apply(self, event: Event) -> str:
        """Take note of an event; what the status line says about it."""
        system = event.system
        track = self._tracks[system.id]
        if isinstance(event, Progress):
            self._tracks[system.id] = replace(track, state="running", progress=event.fraction)
            return f"{system.title}: {event.fraction:.0%}"
        if isinstance(event, Failed):
            for id in {system.id, residual_id(system)} & self._tracks.keys():
                self._tracks[id] = replace(self._tracks[id], state="failed", error=event.reason)
            return f"{system.title} failed"
        if isinstance(event, Measured):
            self._takes = [event.added_to(take) if take.system.id == system.id else take for take in self._takes]
            return f"{system.title} is measured"
        self._add(event)
        return f"{system.title} is ready"

    def _add(self, take: Take) -> None:
        id = take.system.id
        found = level(take.samples)
        self._takes = [other for other in self._takes if other.system.id != id] + [take]  # it may come again
        self._measured[id] = take.lufs, take.true_peak
        ready = self._write(id, take.samples, found)
        self._tracks[id] = replace(self._tracks[id], state="ready", difference=self._difference(id, found), **ready)
        if residual_id(take.system) in self._tracks:
            self._add_residual(take)

    def _add_residual(self, take: Take) -> None:
        id = residual_id(take.system)
        samples, power = residual(self._recording.samples, take.samples, take.alignment)
        about = f"The residual, {power:+.1f} dB against the recording, at its take’s gain.".replace("-", "−")
        ready = self._write(id, samples, level(samples))
        self._tracks[id] = replace(self._tracks[id], state="ready", about=about, **ready)

    def _difference(self, id: str, found: np.ndarray) -> str | None:
        """The URL of a picture of how a take's level differs from the recording's, where there is one."""
        if self._reference_level is None:
            return None
        name = f"{id}-difference.png"
        (self._folder.path / name).write_bytes(difference_png(found - self._reference_level))
        return self._folder.url(name)

    def _reference_track(self, recording: Recording) -> Track:
        samples = recording.samples
        self._measured["reference"] = loudness(samples), true_peak(samples)
        ready = self._write("reference", samples, self._reference_level)
        return Track("reference", "Recording", recording.history, "ready", **ready)

    def _write(self, id: str, samples: np.ndarray, decibels: np.ndarray) -> dict[str, str]:
        """The wav and the spectrogram of a track in the folder; the track's fields that point there."""
        (self._folder.path / f"{id}.png").write_bytes(level_png(decibels))
        name = f"{self._stem}__{id}.wav"
        self._wavs[id] = self._folder.path / name
        self._clipped[id] = write_wav(self._wavs[id], samples)
        return {"audio": self._folder.url(name), "image": self._folder.url(f"{id}.png"), "download": name}

    def _view(self, state: str, text: str, archive: str | None = None) -> View:
        levels = match_levels(self._measured)
        tracks = [
            replace(track, gain=levels[take].gain) if (take := track.id.removesuffix(RESIDUAL)) in levels else track
            for track in self._tracks.values()
        ]
        if state == "cancelled":
            tracks = [
                replace(t, state="failed", error="Stopped.") if t.state in ("waiting", "running") else t for t in tracks
            ]
        player = player_value(
            self._folder.token, self._source.seconds, tracks, state, text, has_reference=self._recording is not None
        )
        return View(player, tuple(self._takes), levels, dict(self._clipped), archive, self._recording is not None)

    def _summary(self) -> str:
        failed = len(self._systems) - len(self._takes)
        return f"{len(self._takes)} {'system' if len(self._takes) == 1 else 'systems'} ready" + (
            f", {failed} failed" if failed else ""
        )

    def _bundle(self) -> str:
        levels, wavs = match_levels(self._measured), [*self._wavs.values()]
        write = write_bundle if self._recording else write_mel_bundle
        return self._folder.url(write(self._folder.path, self._source, self._takes, levels, wavs).name)
