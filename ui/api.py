"""The app as a service for programs: compare and score, JSON in and out, through Gradio's own client or plain HTTP."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

import gradio as gr
from gradio import FileData

from eval.compare.recording import quick_first
from eval.compare.score import score_recordings
from eval.reports.bundle import finite
from server.executor import ComputeError, Executor
from server.results import ResultStore
from ui.compare.job import CompareJob
from ui.compare.made_elsewhere import read_outputs
from ui.compare.running import Running
from ui.compare.tab import QUEUE, require_both
from vocoders.audio import Recording
from vocoders.catalogue import COMPARED
from vocoders.hifigan.precision import PrecisionChoice
from vocoders.recordings.contained import read_recording_contained
from vocoders.recordings.passage import Passage
from vocoders.recordings.reader import AudioError, Limits
from vocoders.systems import System

SCORE_STALL_TIMEOUT_SECONDS = 900.0  # CREPE takes more than a second per second of audio, for each of two recordings


def api_endpoints(
    systems: Sequence[System],
    store: ResultStore,
    limits: Limits,
    compute: Executor,
    precision: PrecisionChoice = "exact",
) -> None:
    """`/compare_json` and `/score`; bad input comes back as one sentence."""

    def compare_json(
        audio: FileData,
        systems_wanted: list[str] | None = None,
        start: float = 0.0,
        end: float | None = None,
        outputs: list[FileData] | None = None,
    ) -> dict:
        """Every output for a recording, or for a passage of it, with its metrics.

        Audio is at the rate of its file or vocoder; metrics are computed at 22 050 Hz.

        Args:
            audio: the recording, in any usual format
            systems_wanted: ids, such as "griffin-lim"; none: all that are compared by default
            start: of the passage, in seconds
            end: of the passage, in seconds; none: that of the recording
            outputs: files made elsewhere from the same recording or passage; each is a system "file-STEM"

        Returns:
            {"recording": {name, seconds, history, sample_rate},
            "takes": {id: {title, audio, sample_rate, lufs, metrics, compute_seconds, notes, precision}},
            "failed": {id: why}, "archive": address of a zip with everything}.
            sample_rate is in Hz, lufs the loudness, compute_seconds null for what was made elsewhere, a metric null where it
            is not defined, precision "float32" or "bfloat16", null where no network of the lab computed. Addresses, of audio too, are relative to the app's and live for two hours.
        """
        known = {system.id: system for system in systems if not system.why_not()}
        if unknown := set(systems_wanted or ()) - known.keys():
            raise gr.Error(
                f"unknown systems: {', '.join(sorted(unknown))}; known: {', '.join(known)}", print_exception=False
            )
        chosen = [known[system_id] for system_id in systems_wanted or COMPARED if system_id in known]
        recording = _read(audio, limits, start, end)
        require_both("given", chosen)
        try:
            given = read_outputs(
                [_path(file) for file in outputs or ()], recording, limits, [system.title for system in chosen]
            )
        except AudioError as error:
            raise gr.Error(str(error), print_exception=False) from error
        folder = store.new()
        job = CompareJob(recording, [*given, *quick_first(chosen)], folder, compute, precision=precision)
        view = deque(filter(None, Running().follow("a program", job.run)), maxlen=1).pop()
        if view.archive is None:
            raise gr.Error(view.player["status"]["text"], print_exception=False)
        tracks = {track["id"]: track for track in view.player["tracks"]}
        return {
            "recording": {
                "name": recording.name,
                "seconds": round(recording.seconds, 3),
                "history": recording.history,
                "sample_rate": recording.native.rate,
            },
            "takes": {
                output.system.id: {
                    "title": output.system.title,
                    "audio": tracks[output.system.id]["audio"]["url"],
                    "sample_rate": output.native.rate,
                    "lufs": finite(output.lufs),
                    "compute_seconds": finite(round(output.compute_seconds, 3)),
                    "metrics": {name: finite(value) for name, value in output.metrics.items()},
                    "notes": list(output.notes),
                    "precision": output.precision or None,
                }
                for output in view.outputs
            },
            "failed": {system_id: track["error"] for system_id, track in tracks.items() if track["state"] == "failed"},
            "archive": view.archive,
        }

    def score(reference: FileData, estimate: FileData, metrics: str | None = None) -> dict:
        """Metrics of one file against another, over what both have in common.

        An estimate that is late by up to a second is moved onto its reference; one that is more than 2 % longer or shorter,
        silence around it not counted, is refused.

        Args:
            reference: a recording, in any usual format
            estimate: what was made of it
            metrics: their names, with commas between; none: those that are fast and say most

        Returns:
            {name of a metric: its value, null where it is not defined}.
            "notes": [sentences] stands beside the metrics where anything was noticed: delay, length, polarity, level, clipping,
            bandwidth, DC, integers written as floats.
        """
        pair = [_read(file, limits) for file in (reference, estimate)]
        try:
            found = compute.run(score_recordings, *pair, metrics, stall_timeout=SCORE_STALL_TIMEOUT_SECONDS)
        except (ValueError, ComputeError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        return found.values | ({"notes": list(found.notes)} if found.notes else {})

    gr.api(compare_json, api_name="compare_json", **QUEUE)
    gr.api(score, api_name="score", **QUEUE)


def _read(file: FileData, limits: Limits, start: float = 0.0, end: float | None = None) -> Recording:
    path = _path(file)
    try:
        passage = Passage(start, end) if start or end is not None else None
        return read_recording_contained(path, limits, path.name, passage)
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from error


def _path(file: FileData) -> Path:
    """In Gradio's cache: it refuses what is no upload."""
    return Path(file["path"] if isinstance(file, dict) else file.path)
