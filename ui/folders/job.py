"""One comparison of folders: files are decoded in processes of their own, clips measured in the computing process, one by one."""

from __future__ import annotations

import functools
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval.compare.clip_task import measure_clip, unread
from eval.compare.folder import Written, checked_baseline, usable_metrics, write_comparison
from eval.compare.measurement import Row
from eval.compare.output_folder import AnySystem, OutputFolder, check_ids
from eval.compare.summary import Summary
from eval.metrics.registry import choose_metrics
from server.executor import Executor
from server.results import ResultFolder
from ui.background import Finished, followed
from ui.folders.layout import FoldersError
from ui.folders.material import Material, read_output
from ui.folders.packing import pack_comparison
from vocoders.audio import SAMPLE_RATE, Recording, write_wav
from vocoders.recordings.contained import read_recording_contained
from vocoders.recordings.reader import AudioError, Limits
from vocoders.systems import System

MAX_CLIPS = 60
MAX_TOTAL_SECONDS = 3600.0  # of recordings and outputs
MAX_MINUTES = 15.0  # of computing; what is measured by then is shown
TABLES = {"report.html": "Report", "results.json": "Results (JSON)", "rows.csv": "Every value (CSV)"}
PACKED = "comparison.zip"
FILES = TABLES | {PACKED: "Everything with audio (zip)"}
REFERENCE = "reference"  # folder for the recordings as they were decoded, for the report


@dataclass(frozen=True)
class Progress:
    """done: of `clips`; text: what is computed."""

    done: int
    clips: int
    text: str


@dataclass(frozen=True)
class Compared:
    """stopped: a sentence where not all clips were measured. outside: clips whose sound is in the zip, not in the report alone."""

    rows: Sequence[Row]
    summary: Summary
    systems: Sequence[AnySystem]
    material: Material
    stopped: str = ""
    outside: Sequence[str] = ()


class _Stopped(Exception):
    """The flag was set."""


class FoldersJob:
    """Runs on demand; see `run`."""

    def __init__(
        self,
        material: Material,
        own: Sequence[System],
        folder: ResultFolder,
        limits: Limits,
        compute: Executor,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """own: systems that run here, on the recordings; folder: gets the files `FILES`; now: seconds of a clock.

        Errors: `FoldersError` for too many clips, and for what cannot be compared.
        """
        if not material.has_reference:
            raise FoldersError("Choose the folder of the recordings first: outputs are measured against them.")
        if len(material.clips) > MAX_CLIPS:
            raise FoldersError(f"There are {len(material.clips)} recordings; at most {MAX_CLIPS} are compared here.")
        self._systems: list[AnySystem] = [*material.systems, *own]
        try:
            check_ids(self._systems)
            self._baseline = checked_baseline(self._systems, None)
            usable, self._undefined = usable_metrics(choose_metrics(None))
        except ValueError as error:
            raise FoldersError(f"{error}.") from error
        self._names = ",".join(metric.name for metric in usable)
        self._material, self._folder = material, folder
        self._limits, self._compute, self._now = limits, compute, now
        self._seconds_left = MAX_TOTAL_SECONDS

    def run(self, stop: threading.Event) -> Generator[Progress | Compared, None, None]:
        """`Progress` as it goes, and `Compared` last, of the clips that were done by then. Setting `stop` ends the measuring.

        Errors: `FoldersError` where nothing was measured; `ComputeError`.
        """
        with tempfile.TemporaryDirectory(dir=self._folder.path) as work:

            def compared(report: Callable[[Progress], None]) -> Compared:
                return self._work(Path(work), report, stop)

            for event in followed(compared):
                yield event.result if isinstance(event, Finished) else event

    def _work(self, work: Path, report: Callable[[Progress], None], stop: threading.Event) -> Compared:
        rows: list[Row] = []
        clips, end, reason = self._material.clips, self._now() + 60 * MAX_MINUTES, ""

        def tell(done: int, text: str) -> None:
            if stop.is_set():
                raise _Stopped("Stopped")
            if self._now() > end:
                raise _Stopped(f"Ended after {MAX_MINUTES:g} minutes, which is the limit")
            if self._seconds_left < 0:
                raise _Stopped(f"Ended after {MAX_TOTAL_SECONDS / 60:g} minutes of sound, which is the limit")
            report(Progress(done, len(clips), text))

        try:
            for done, clip in enumerate(clips):
                rows += self._measured(clip, work, functools.partial(tell, done))
        except _Stopped as stopped:
            reason = f"{stopped}: {len({row.clip for row in rows})} of {len(clips)} clips were measured."
        if not rows:
            raise FoldersError(reason)
        if all(row.error for row in rows):
            raise FoldersError(rows[0].error)
        report(Progress(len(clips), len(clips), "Writing the report"))
        written = self._compute.run(
            _write, work, rows, self._systems, self._sources(work), self._names, self._undefined, self._baseline
        )
        for name in FILES:
            shutil.move(work / name, self._folder.path / name)
        return Compared(rows, written.summary, self._systems, self._material, reason, written.outside)

    def _measured(self, clip: str, work: Path, tell: Callable[[str], None]) -> list[Row]:
        """The clip's rows. A file that cannot be used is a sentence in its row, and takes nothing from the others."""
        tell(f"{clip}: reading")
        path = self._material.clips[clip]
        try:
            recording = self._read(path, clip + path.suffix)
        except AudioError as error:
            return unread(clip, self._systems, error)
        systems: list[AnySystem] = []
        for system in self._systems:
            systems.append(read_output(system, clip, self._read) if isinstance(system, OutputFolder) else system)
            tell(f"{clip}: reading")
        write_wav(self._sources(work)[clip], recording.native.samples, recording.native.rate)
        return self._compute.run(
            measure_clip,
            clip,
            recording,
            systems,
            self._names,
            work,
            "",
            False,
            SAMPLE_RATE,
            on_report=lambda title: tell(f"{clip}: {title}"),
        )

    def _sources(self, work: Path) -> dict[str, Path]:
        """{clip: its recording as it was decoded}: the report decodes nothing that came from outside."""
        return {clip: work / REFERENCE / f"{clip}.wav" for clip in self._material.clips}

    def _read(self, path: Path, name: str) -> Recording:
        recording = read_recording_contained(
            path, replace(self._limits, max_seconds=self._limits.max_seconds + 2), name
        )
        self._seconds_left -= recording.seconds
        return recording


def _write(
    work: Path,
    rows: Sequence[Row],
    systems: Sequence[AnySystem],
    sources: dict[str, Path],
    metrics: str,
    undefined: dict[str, str],
    baseline: str,
    report: Callable[[], None],
) -> Written:
    """In the computing process: the files `FILES`."""
    report()
    written = write_comparison(work, rows, systems, sources, choose_metrics(metrics), undefined, baseline)
    pack_comparison(work / PACKED, work, TABLES, rows, sources, report)
    return written
