"""A folder of recordings through many systems: `python -m eval compare`.

One task per recording: resynthesize, write, measure, leave a record of it in DIR/clips. Tasks run side by side through
joblib, in any order, on any machine that sees the files; a record that fits what is asked is not made again, so an
interrupted comparison goes on where it was.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from common.durable import write_durably, write_text_durably
from common.memory import with_peak_memory
from eval.compare.measurement import Failure, Row, as_it_lies_at, attempt, measure, placed
from eval.compare.native.placing import placed_native
from eval.compare.output_folder import AnySystem, OutputFolder, check_ids
from eval.compare.overlap import on_timeline
from eval.jobs import side_by_side
from eval.metrics.metric import Metric
from eval.metrics.registry import choose_metrics
from eval.metrics.set_distances import available
from vocoders.analysis import Analysis, synthesize, synthesize_native
from vocoders.audio import SAMPLE_RATE, Recording, Waveform, write_wav
from vocoders.catalogue import checkpoint_path, find_systems, split_items
from vocoders.hifigan.engine import in_precision, precision_of
from vocoders.hifigan.precision import PrecisionChoice
from vocoders.recordings.reader import AudioError, Limits, read_recording
from vocoders.systems import System
from vocoders.upper_band import FILE as UPPER_BAND

FORMAT = 4  # of a record; another one is made again
CLIP_LIMITS = Limits(max_seconds=600, max_megabytes=1000)
REFERENCE = "reference"


@dataclass(frozen=True)
class Task:
    """One recording; text and values, so that it can travel to another process."""

    name: str  # below the folder, without suffix
    path: str
    systems: str  # comma-separated; may be empty
    metrics: str  # comma-separated
    out: str
    outputs: tuple[OutputFolder, ...] = ()  # with this recording alone
    any_length: bool = False  # also of outputs that are far longer or shorter than the recording
    rate: int = SAMPLE_RATE  # Hz, of metrics of any rate
    precision: PrecisionChoice = "exact"


def compare_clips(
    clips: dict[Path, Path],
    items: str,
    metrics: Sequence[Metric],
    out: Path,
    outputs: Sequence[OutputFolder] = (),
    jobs: int | None = 1,
    on_clip: Callable[[], None] = lambda: None,
    any_length: bool = False,
    rate: int = SAMPLE_RATE,
    precision: PrecisionChoice = "exact",
) -> list[Row]:
    """Rows in the order of `clips` and of the systems, one for each pair; what failed carries its reason.

    clips: {name: file}; items: the systems as `find_systems` reads them; outputs: those made elsewhere, behind them; jobs: as of
    `eval.jobs.side_by_side`; rate: Hz, of metrics of any rate.
    """
    names = ",".join(metric.name for metric in metrics)
    items = ",".join(map(_absolute, split_items(items)))
    tasks = [
        Task(
            *(str(name), str(path.resolve()), items, names, str(out.resolve()), _of_clip(outputs, str(name))),
            any_length=any_length,
            rate=rate,
            precision=precision,
        )
        for name, path in clips.items()
    ]
    found: dict[int, list[Row]] = {}
    for index, rows in side_by_side(run_task, tasks, jobs):
        found[index] = rows
        on_clip()
    return [row for index in range(len(tasks)) for row in found[index]]


def _of_clip(outputs: Sequence[OutputFolder], clip: str) -> tuple[OutputFolder, ...]:
    return tuple(folder.of_clip(clip) for folder in outputs)


def systems_of(items: str, outputs: Sequence[OutputFolder], precision: PrecisionChoice = "exact") -> list[AnySystem]:
    """Errors: those of `find_systems`; ValueError for two systems of one id."""
    here = find_systems(items) if items else []
    systems: list[AnySystem] = [*(in_precision(system, precision) for system in here), *outputs]
    check_ids(systems)
    return systems


def _absolute(item: str) -> str:
    """A system's id as it is, a checkpoint's path so that another process finds it."""
    path, recipe = checkpoint_path(item)
    return "@".join(filter(None, (str(path.absolute()), recipe))) if path.is_file() else item


def run_task(task: Task) -> list[Row]:
    """One recording through every system; at least one row, none of them an exception."""
    systems = systems_of(task.systems, task.outputs, task.precision)
    record = _record(Path(task.out), task.name)
    try:
        key = _key(task, systems)
        if known := _known(record, key, task, systems):
            return known
        recording = read_recording(task.path, CLIP_LIMITS, task.path)
    except (AudioError, OSError) as error:
        return unread(task.name, systems, error)
    return measure_clip(task.name, recording, systems, task.metrics, Path(task.out), key, task.any_length, task.rate)


def unread(clip: str, systems: Sequence[AnySystem], error: Exception) -> list[Row]:
    """The rows of a clip whose recording cannot be used."""
    return [Row(clip, system.id, 0.0, 0.0, {}, str(error)) for system in systems]


def measure_clip(
    clip: str,
    recording: Recording,
    systems: Sequence[AnySystem],
    metrics_wanted: str,
    out: Path,
    key: str = "",
    any_length: bool = False,
    rate: int = SAMPLE_RATE,
    tell: Callable[[str], None] = lambda title: None,
) -> list[Row]:
    """One row for each system. Outputs, embeddings and a record of this, under `key`, are written into `out`.

    metrics_wanted: comma-separated; rate: Hz, of metrics of any rate; tell: called with the title of each system before its turn.
    """
    analysis = Analysis(recording.samples, recording.own)
    metrics, record = choose_metrics(metrics_wanted), _record(out, clip)
    heard, rows = {REFERENCE: recording.samples}, []
    embeddings = _embedded(heard)
    about: dict[str, Any] = {"history": recording.history, "notices": recording.notices}
    about |= {"rate": rate} if rate != SAMPLE_RATE else {}
    for system in systems:
        tell(system.title)
        row = Row(clip, system.id, recording.seconds, 0.0, {}, **about)
        if isinstance(system, OutputFolder):
            made = attempt(functools.partial(_given_output, system, recording, metrics, row, any_length, rate))
        else:
            made = attempt(functools.partial(_own_output, system, analysis, recording, metrics, row, rate))
        if isinstance(made, Failure):
            rows.append(replace(row, error=made.reason))
            continue
        output = output_path(out, system.id, clip)
        write_wav(output, made.native.samples, made.native.rate)
        embeddings |= made.embeddings
        heard[system.id] = made.samples
        rows.append(replace(made.row, sha256=hashlib.sha256(output.read_bytes()).hexdigest()))
    embeddings |= _embedded(heard, batched=True)
    _write(record, {"key": key, "rows": [row.as_json() for row in rows]}, embeddings)
    return rows


class _Made(NamedTuple):
    row: Row
    native: Waveform
    samples: np.ndarray  # (n,) at 22 050 Hz, as long as the recording
    embeddings: dict[str, np.ndarray]


def _given_output(
    folder: OutputFolder, recording: Recording, metrics: Sequence[Metric], row: Row, any_length: bool, rate: int
) -> _Made:
    """row: what is known before the file is read."""
    output = folder.read(row.clip, CLIP_LIMITS)
    pair = placed(recording, output, any_length, rate=rate)
    row = replace(row.with_measurement(measure(pair, metrics)), output_history=output.history)
    samples = on_timeline(output.samples, pair.moved, len(recording.samples))
    return _Made(row, placed_native(recording, output, pair.moved), samples, _embedded({folder.id: samples}))


def _own_output(
    system: System, analysis: Analysis, recording: Recording, metrics: Sequence[Metric], row: Row, rate: int
) -> _Made:
    """row: what is known before the system runs."""
    samples, peak = with_peak_memory(functools.partial(synthesize, system, analysis))
    native = synthesize_native(system, analysis)
    found = measure(as_it_lies_at(rate, recording, samples, native), metrics)
    cost = replace(row, compute_seconds=analysis.seconds(system), peak_bytes=peak, precision=precision_of(system))
    return _Made(cost.with_measurement(found), native, samples, _embedded({system.id: samples}))


def _embedded(heard: dict[str, np.ndarray], batched: bool = False) -> dict[str, np.ndarray]:
    """{system, or `REFERENCE`: samples} -> {"embedding/system": (windows, d)}, of the embeddings that gain from batches, or of those
    that do not."""
    return {
        f"{name}/{system}": found
        for name, embedding in available().items()
        if embedding.gains_from_batches is batched
        for system, found in zip(heard, embedding.compute(list(heard.values())))
    }


def _record(out: Path, name: str) -> Path:
    """A clip's name may hold anything; the record's does not."""
    return out / "clips" / f"{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}.json"


def output_path(out: Path, system: str, name: str) -> Path:
    """Where the system's output of the clip of this name lies."""
    return out / system / f"{name}.wav"


def stored_embeddings(out: Path, clips: Sequence[str]) -> dict[str, list[np.ndarray]]:
    """{"embedding/system", where system may be "reference": arrays (n, d) of each clip that has them}."""
    found: dict[str, list[np.ndarray]] = {}
    for name in clips:
        path = _record(out, name).with_suffix(".npz")
        if path.is_file():
            with np.load(path, allow_pickle=False) as file:
                for key in file.files:
                    found.setdefault(key, []).append(file[key])
    return found


def _key(task: Task, systems: Sequence[AnySystem]) -> str:
    """Of everything a record depends on: the recording, the systems and what they are made of, files made elsewhere, the
    metrics and their rate."""
    content = hashlib.sha256(Path(task.path).read_bytes())
    content.update(json.dumps([FORMAT, task.metrics, task.rate, sorted(available())]).encode())
    content.update(UPPER_BAND.read_bytes())
    for item, system in zip(split_items(task.systems), systems):
        file = checkpoint_path(item)[0]
        weights = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
        about = [system.id, system.about, [step.name for step in system.steps], repr(system.refinement), weights]
        about.append(repr(system.describe()))
        content.update(json.dumps(about).encode())
    for folder in task.outputs:
        files = [_digest(Path(path)) for _, path in folder.files]
        content.update(json.dumps([folder.id, files, folder.missing]).encode())
    if task.any_length:  # older records, of tasks that had no choice, hold
        content.update(b"any length")
    if task.precision != "exact":  # as they all were
        content.update(task.precision.encode())
    return content.hexdigest()


def _digest(path: Path) -> str:
    """SHA-256 of a file; empty where it cannot be read, which its own row says."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _known(record: Path, key: str, task: Task, systems: Sequence[AnySystem]) -> list[Row] | None:
    """The rows of an earlier run, where they fit and their files still exist."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        rows = [Row(**row) for row in content["rows"]]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    missing = {folder.id: dict(folder.missing).get(task.name) for folder in task.outputs}
    complete = all(
        row.error == missing.get(row.system)
        if row.error
        else output_path(Path(task.out), row.system, task.name).is_file()
        for row in rows
    )
    return rows if content.get("key") == key and complete and len(rows) == len(systems) else None


def _write(record: Path, content: dict, embeddings: dict[str, np.ndarray]) -> None:
    """The record last and at once: where it is, everything is."""
    record.parent.mkdir(parents=True, exist_ok=True)
    if embeddings:
        buffer = io.BytesIO()
        np.savez(buffer, **cast(dict[str, Any], embeddings))  # to mypy, any of them might be `allow_pickle`
        write_durably(record.with_suffix(".npz"), buffer.getbuffer())
    write_text_durably(record, json.dumps(content, ensure_ascii=False))
