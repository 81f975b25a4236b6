"""`python -m eval speed --against REVISION`, `--memory`: measure, print tables in Markdown as they come, give everything as JSON."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from common.command import note
from common.paths import ROOT
from eval.benchmarks.revisions.checkout import Revision, checked_out
from eval.benchmarks.revisions.memory import Memory, measure_memory
from eval.benchmarks.revisions.parts import PARTS, systems
from eval.benchmarks.revisions.ratios import (
    COVERAGE,
    MIN_CHANGE,
    MIN_CHANGE_IF_SHORT,
    SHORT_SECONDS,
    Ratio,
    coverage_of,
)
from eval.benchmarks.revisions.side import Missing, Side
from eval.benchmarks.revisions.turns import Compared, Spent, compare_pages, compare_task
from eval.benchmarks.speed import clip, machine
from eval.reports.revision import revision
from vocoders.catalogue import COMPARED

HEAD = """\
| | processor, s: before | now | times as fast | wall clock: times as fast | | outputs |
|---|---|---|---|---|---|---|"""
PAGE = "the page"  # the name by which `chosen` knows the whole comparison


def report_revisions(
    against: str,
    rounds: int,
    seconds: float,
    chosen: Sequence[str],
    lengths: Sequence[float],
    root: Path = ROOT,
) -> dict:
    """against: a revision; rounds: turns of either side that count; seconds: of the clip; chosen: names of tasks, all where empty;
    lengths: of recordings whose memory is measured too, in seconds; root: this tree, a git checkout, changed or not.

    Errors: those of `checked_out`, and ValueError for an unknown task or a revision that has none of them.
    """
    with tqdm(unit="turn", disable=None, leave=False) as bar, checked_out(against, root) as there:
        bar.set_description_str(f"the systems of {there.commit}")
        theirs = _systems_of(there)
        tasks = _tasks(theirs, chosen)
        _begin(f"against `{against}` ({there.commit}), {seconds:g} s of singing, {rounds} turns of either side")
        _show(HEAD)
        bar.reset(2 * (rounds + 1) * len(tasks))
        rows = []
        for row in _measured((root, there.folder), there.commit, theirs, tasks, rounds, seconds, bar):
            rows.append(row)
            _show(line(row))
            for side, why in row.missing.items():
                note(f"{row.name}: not there in {'this tree' if side == 'here' else there.commit}: {why}")
        if not any(row.processor or row.wall for row in rows):
            raise ValueError(f"{against} and this tree have nothing in common that can be measured")
        _show(f"\n{explanation(rounds)}")
        memory = _memory({"now": root, there.commit: there.folder}, tasks, lengths) if lengths else {}
        return {
            "machine": machine(),
            "here": revision(),
            "there": there.commit,
            "seconds": seconds,
            "rounds": rounds,
            "tasks": {row.name: _as_json(row) for row in rows},
            "memory": memory,
        }


def report_memory(lengths: Sequence[float], chosen: Sequence[str]) -> dict:
    """Of this tree alone. lengths: seconds. Errors: ValueError for an unknown system."""
    if unknown := set(chosen) - set(systems()):
        raise ValueError(f"unknown system {sorted(unknown)[0]!r}; known: {', '.join(systems())}")
    _begin("memory")
    return {"machine": machine(), "here": revision(), "memory": _memory({"now": ROOT}, chosen or systems(), lengths)}


def _show(text: str) -> None:
    """On stdout, now and above the bar."""
    tqdm.write(text)
    sys.stdout.flush()


def _begin(about: str) -> None:
    print(f"{machine()}\n{revision()}, {about}\n", flush=True)


def _systems_of(there: Revision) -> list[str]:
    """Ids of a revision's systems; none where it has no catalogue."""
    with Side(there.commit, there.folder) as side:
        try:
            return side.ask("names")["systems"]
        except Missing:
            return []


def _tasks(theirs: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """Parts, the systems of either revision and the page, or those of them that are wanted. Errors: ValueError for others."""
    known = list(dict.fromkeys([*PARTS, *systems(), *theirs, PAGE]))
    if unknown := set(chosen) - set(known):
        raise ValueError(f"unknown task {sorted(unknown)[0]!r}; known: {', '.join(known)}")
    return [name for name in known if name in chosen or not chosen]


def _measured(
    folders: tuple[Path, Path],
    commit: str,
    theirs: Sequence[str],
    tasks: Sequence[str],
    rounds: int,
    seconds: float,
    bar: tqdm,
) -> Iterator[Compared]:
    samples = clip(seconds)
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "recording.npy"
        np.save(recording, samples)
        with Side("this tree", folders[0]) as here, Side(commit, folders[1]) as other:
            for name in (name for name in tasks if name != PAGE):
                bar.set_description_str(name)
                yield compare_task((here, other), name, recording, rounds, bar.update)
        if PAGE in tasks:
            bar.set_description_str(PAGE)
            shown = [system for system in COMPARED if system in theirs]
            yield from compare_pages(folders, samples, shown, rounds, Path(folder), bar.update)


def line(row: Compared) -> str:
    """A row of the table."""

    def seconds(spent: Spent | None) -> str:
        return "-" if spent is None else f"{spent.processor:.3f}" if spent.processor is not None else "?"

    verdict = next((ratio.verdict for ratio in (row.processor, row.wall) if ratio), "")
    cells = (row.name, seconds(row.there), seconds(row.here), _ratio(row.processor), _ratio(row.wall))
    marked = f"**{verdict}**" if verdict else ""
    return f"| {' | '.join(cells)} | {marked} | {row.outputs} |"


def _ratio(ratio: Ratio | None) -> str:
    return "-" if ratio is None else f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"


def explanation(rounds: int) -> str:
    """What the table's intervals and marks mean, in sentences."""
    coverage = coverage_of(rounds)
    about = (
        f"Medians of paired ratios, before / now, with intervals that cover the median with {100 * coverage:.1f} %. Marked is "
        f"a change of more than {100 * MIN_CHANGE:.0f} % of processor time ({100 * MIN_CHANGE_IF_SHORT:.0f} % of less than "
        f"{SHORT_SECONDS:g} s) whose interval leaves out 1."
    )
    if coverage < COVERAGE:
        about += f" So few turns mark nothing: {100 * COVERAGE:.0f} % take six."
    return about + " Outputs are those of the turn before the first that counts."


def _as_json(row: Compared) -> dict[str, Any]:
    content = dataclasses.asdict(row)
    for name in ("processor", "wall"):
        if ratio := getattr(row, name):
            content[name]["verdict"] = ratio.verdict
    return content


def _memory(folders: dict[str, Path], names: Sequence[str], lengths: Sequence[float]) -> dict[str, dict[str, Any]]:
    """{system: {revision: as JSON, or why not}}; prints the table. folders: {revision: its files}."""
    wanted = [name for name in names if name not in PARTS and name != PAGE]
    heads = [f"{seconds:g} s" for seconds in sorted(lengths)]
    _show(f"\n| MB | revision | loaded | {' | '.join(heads)} | per second of sound | |\n|{'---|' * (len(heads) + 5)}")
    found: dict[str, dict[str, Any]] = {}
    with tqdm(total=len(wanted) * len(folders), unit="system", disable=None, leave=False) as bar:
        for system in wanted:
            bar.set_description_str(system)
            for name, folder in folders.items():
                memory = measure_memory(name, folder, system, lengths)
                bar.update()
                _show(memory_line(system, name, memory, len(heads)))
                found.setdefault(system, {})[name] = (
                    {"missing": memory}
                    if isinstance(memory, str)
                    else {**dataclasses.asdict(memory), "slope": memory.slope, "is_flat": memory.is_flat}
                )
    _show("\nPeaks are what the process held beyond the loaded system.")
    return found


def memory_line(system: str, name: str, memory: Memory | str, columns: int) -> str:
    """A row of the table of memory. columns: of peaks."""
    if isinstance(memory, str):
        note(f"{system}: not there in {name}: {memory}")
        return f"| {system} | {name} |{' - |' * (columns + 2)} |"
    peaks = " | ".join(f"{peak / 1e6:.0f}" for peak in memory.peaks)
    slope = f"{memory.slope / 1e6:.2f} | {'flat' if memory.is_flat else 'grows'}"
    return f"| {system} | {name} | {memory.loaded / 1e6:.0f} | {peaks} | {slope} |"
