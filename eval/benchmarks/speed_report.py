"""The text that `python -m eval speed` prints, and its JSON."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from tqdm import tqdm

from eval.benchmarks.other_families import other_families
from eval.benchmarks.page_speed import PageTimes, peak_of_long_file, time_page
from eval.benchmarks.plain_inference import PlainSystems, original_generators
from eval.benchmarks.speed import Row, clip, machine, matrix_product, measure, stages, whole_systems

MEMORY_MEASURED = ("griffin-lim", "hifigan-original", "hifigan-original-refined")  # whose memory is measured


def report_speed(rounds: int, seconds: float, long_minutes: float) -> dict:
    """Measure, print as it comes, and give everything as JSON."""
    samples = clip(seconds)
    print(f"{machine()}\na matrix product reaches {matrix_product():.0f} GFLOP/s")
    print(f"{seconds:g} s of singing, medians of {rounds}\n")
    print(f"{'':32} {'plain, s':>9} {'ours, s':>9} {'times':>6} {'x real time':>12}")
    with tqdm(bar_format="{desc}", disable=None, leave=False) as bar, tempfile.TemporaryDirectory() as folder:
        rows, generators = [], original_generators()
        for pair in [
            *stages(samples, Path(folder)),
            *other_families(samples, Path(folder)),
            *whole_systems(samples, generators),
        ]:
            rows += measure([pair], seconds, rounds, bar.set_description_str)
            tqdm.write(line(rows[-1]))
        page, row = time_page(samples, PlainSystems(generators), rounds, bar.set_description_str)
        rows.append(row)
        tqdm.write(line(row))
        tqdm.write(describe(page))
        memory = {}
        for system in MEMORY_MEASURED if long_minutes else ():
            bar.set_description_str(f"{long_minutes:g} minutes through {system}")
            speed, peak = peak_of_long_file(system, long_minutes)
            memory[system] = {"minutes": long_minutes, "real_time_factor": round(speed, 2), "peak_bytes": peak}
            tqdm.write(f"{long_minutes:g} min through {system}: {speed:.1f} x real time, {peak / 1e6:.0f} MB at most")
    return {
        "machine": machine(),
        "seconds": seconds,
        "rounds": rounds,
        "stages": {row.name: {**dataclasses.asdict(row), "ratio": row.ratio} for row in rows},
        "page": dataclasses.asdict(page),
        "long": memory,
    }


def line(row: Row) -> str:
    """One row of the printed table."""
    plain, ratio = (f"{row.plain:9.3f}", f"{row.ratio:6.2f}") if row.plain else (f"{'-':>9}", f"{'-':>6}")
    return f"{row.name:32} {plain} {row.ours:9.3f} {ratio} {row.audio / row.ours:12.1f}  {row.note}".rstrip()


def describe(page: PageTimes) -> str:
    """The speed of the page, and its memory, in sentences."""
    resident = f"; the answering process held at most {page.resident / 1e6:.0f} MB" if page.resident else ""
    return (
        f"app: {page.start:.1f} s from its start to a page that answers; from the click to the first output {page.first_warm:.2f} s "
        f"({page.first_cold:.2f} s for the first click of a fresh app, which takes {page.whole_cold:.1f} s in all){resident}"
    )
