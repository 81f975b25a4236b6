"""`python -m eval compare` from the first clip to the last file."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from common.command import note
from common.durable import write_text_durably
from eval.compare.clip_task import compare_clips, stored_embeddings, systems_of
from eval.compare.measurement import Row
from eval.compare.output_folder import AnySystem, OutputFolder
from eval.compare.summary import Summary, common_clips, summarise
from eval.metrics.metric import Metric
from eval.reports.bundle import versions
from eval.reports.comparison import write_report
from vocoders.audio import SAMPLE_RATE
from vocoders.hifigan.precision import BFLOAT16, PrecisionChoice
from vocoders.systems import Unavailable


@dataclass(frozen=True)
class Written:
    """outside: clips whose sound report.html has only with its folder of clips beside it."""

    summary: Summary
    outside: Sequence[str]


def compare_folder(
    clips: dict[Path, Path],
    items: str,
    out: Path,
    *,
    baseline: str | None,
    metrics: Sequence[Metric],
    outputs: Sequence[OutputFolder] = (),
    jobs: int = 1,
    dask: str | None = None,
    any_length: bool = False,
    rate: int = SAMPLE_RATE,
    precision: PrecisionChoice = "exact",
) -> list[str]:
    """Writes report.html, results.json and rows.csv into `out`, beside the outputs; returns what failed, one line each.

    items: systems that run here, as `find_systems` reads them, or empty; outputs: systems that ran elsewhere; jobs: clips at a time,
    as of `eval.jobs.divide`; dask: a cluster's address instead; any_length: also measure outputs that are far longer or shorter
    than their recordings; rate: Hz, of metrics of any rate.

    Errors: ValueError for an unknown system or baseline, and when nothing worked; `Unavailable`.
    """
    from tqdm import tqdm

    systems = systems_of(items, outputs, precision)
    baseline = checked_baseline(systems, baseline)
    usable, undefined = usable_metrics(metrics)
    for folder in outputs:
        folder.note_mismatches()
    with _backend(dask), tqdm(total=len(clips), unit="clip", disable=None) as bar:
        at_a_time = None if dask else jobs
        rows = compare_clips(clips, items, usable, out, outputs, at_a_time, bar.update, any_length, rate, precision)
    if all(row.error for row in rows):
        raise ValueError(rows[0].error)
    for clip, row in {row.clip: row for row in rows}.items():
        for notice in row.notices:
            note(f"{clip}: {notice}")
    for row in rows:
        for noticed in row.notes:
            note(f"{row.clip}: {row.system}: {noticed}")
    sources = {str(name): path for name, path in clips.items()}
    write_comparison(out, rows, systems, sources, usable, undefined, baseline, rate)
    return sorted({f"{row.clip}: {row.system}: {row.error}" for row in rows if row.error})


def checked_baseline(systems: Sequence[AnySystem], baseline: str | None) -> str:
    """The id of the system that the others are compared with: the first where none is named.

    Errors: ValueError for one that is not there; `Unavailable` for a system that cannot run here.
    """
    for system in systems:
        if reason := system.why_not():
            raise Unavailable(f"{system.id}: {reason}")
    baseline = baseline or systems[0].id
    if baseline not in {system.id for system in systems}:
        raise ValueError(f"the baseline {baseline!r} is not among --vocoders and --system")
    return baseline


def usable_metrics(metrics: Sequence[Metric]) -> tuple[list[Metric], dict[str, str]]:
    """Those that can be computed here, and {name: why not} of the others. Errors: ValueError where none can."""
    undefined = {metric.name: reason for metric in metrics if (reason := metric.why_not())}
    usable = [metric for metric in metrics if metric.name not in undefined]
    if not usable:
        raise ValueError("; ".join(f"{name}: {reason}" for name, reason in undefined.items()))
    return usable, undefined


def write_comparison(
    out: Path,
    rows: Sequence[Row],
    systems: Sequence[AnySystem],
    sources: Mapping[str, Path],
    metrics: Sequence[Metric],
    undefined: Mapping[str, str],
    baseline: str,
    rate: int = SAMPLE_RATE,
) -> Written:
    """The three files, in `out`, where `eval.compare.clip_task` left the outputs.

    sources: {clip: the recording}; rate: Hz, of metrics of any rate.
    """
    embeddings = stored_embeddings(out, common_clips(rows))
    summary = summarise(rows, [metric.name for metric in metrics], baseline, embeddings)
    unused = {
        system.id: list(system.unused) for system in systems if isinstance(system, OutputFolder) and system.unused
    }
    rates = {} if rate == SAMPLE_RATE else {metric.name: metric.rate(rate) for metric in metrics}
    _write_csv(out / "rows.csv", rows, rates)
    outside = write_report(out / "report.html", rows, summary, systems, sources, out, rates)
    about: dict[str, object] = {"rate": rate, "metric_rates": rates} if rates else {}
    content = json.dumps(about | as_json(rows, summary, undefined, unused), indent=2, ensure_ascii=False)
    write_text_durably(out / "results.json", content + "\n")  # the last: where it is, all is done
    return Written(summary, outside)


@contextlib.contextmanager
def _backend(dask: str | None) -> Iterator[None]:
    """The cluster at that address instead of processes here."""
    if dask is None:
        yield
        return
    try:
        from dask.distributed import Client
    except ImportError as error:
        raise ValueError("--dask needs the package distributed: pip install distributed") from error
    import joblib

    with Client(dask) as client, joblib.parallel_config(backend="dask", client=client):
        yield


def as_json(
    rows: Sequence[Row], summary: Summary, undefined: Mapping[str, str], unused: Mapping[str, list[str]]
) -> dict:
    """Means are over the clips that every system has, see `eval.compare.summary.common_clips`; "n" says how many, per metric.
    unused: {system: files of its folder that belong to no clip}."""
    metrics = {
        system: {name: None if e is None else e.mean for name, e in summary.means[system].items()}
        | summary.sets[system]
        | {"real-time factor": summary.speed[system], "peak memory": summary.memory[system]}
        for system in summary.systems
    }
    return {
        "metrics": metrics,
        "n": summary.n,
        "failed": [{"clip": row.clip, "system": row.system, "reason": row.error} for row in rows if row.error],
        "unused": unused,
        "intervals": {s: {m: e and asdict(e) for m, e in values.items()} for s, values in summary.means.items()},
        "baseline": summary.baseline,
        "against_baseline": {
            s: {m: e and asdict(e) for m, e in values.items()} for s, values in summary.against.items()
        },
        "undefined": {**undefined, **summary.reasons},
        "embeddings": summary.embeddings,
        "precision": {system: list(found) for system, found in summary.precisions.items() if found},
        "clips": [row.as_json() for row in rows],
        "versions": versions(),
    }


def _write_csv(path: Path, rows: Sequence[Row], rates: Mapping[str, int]) -> None:
    """One line per clip, system and metric. rates: {metric: Hz}, a column of their own; empty where all are at 22 050 Hz. Precisions
    have one where they differ from float32."""
    file = io.StringIO()
    writer = csv.writer(file)
    last = [
        *(["rate"] if rates else []),
        *(["precision"] if (mixed := any(row.precision == BFLOAT16 for row in rows)) else []),
    ]
    writer.writerow(["clip", "system", "seconds", "compute_seconds", "metric", "value", *last])
    for row in rows:
        for name, value in row.metrics.items():
            at = [*([rates[name]] if rates else []), *([row.precision] if mixed else [])]
            writer.writerow([row.clip, row.system, row.seconds, row.compute_seconds, name, value, *at])
    write_text_durably(path, file.getvalue())
