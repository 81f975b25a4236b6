"""A run's curves: one CSV that grows with the run, one picture drawn from it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from common.durable import write_durably

CSV, PICTURE = "curves.csv", "curves.png"
VALIDATION, VALIDATION_M_STFT = "validation mel", "validation M-STFT"
_PANELS = (  # title, columns drawn in it
    ("total generator loss", ("total",)),
    ("mel loss", ("mel",)),
    ("validation mel loss", (VALIDATION,)),
    ("validation M-STFT", (VALIDATION_M_STFT,)),
    ("discriminator losses", ("d/mpd", "d/msd", "d/mrd")),
)

Row = Mapping[str, float]


class Curves:
    """Rows by step; opening it for a resumed run drops rows that the run will write again."""

    def __init__(self, run: Path, columns: Sequence[str], step: int) -> None:
        self.path = run / CSV
        self.columns = list(columns)
        rows = [row for row in read_curves(run) if row["step"] <= step] if step else []
        write_durably(self.path, _as_csv(self.columns, rows).encode())

    def add(self, row: Row) -> None:
        """Appends one row to the file."""
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(_as_csv(self.columns, [row], header=False))


def read_curves(run: Path) -> list[dict[str, float]]:
    """Every row of a run's CSV, without its empty cells; nothing when there is none yet."""
    path = run / CSV
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{name: value for name, value in row.items() if value} for row in csv.DictReader(file)]
    return [{name: float(value) for name, value in row.items()} for row in rows if "step" in row]


def _as_csv(columns: Sequence[str], rows: Sequence[Row], header: bool = True) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, extrasaction="ignore", lineterminator="\n")
    if header:
        writer.writeheader()
    for row in rows:
        writer.writerow({name: f"{value:.6g}" for name, value in row.items()})
    return buffer.getvalue()


def draw_curves(run: Path, title: str) -> Path | None:
    """Write the picture of a run's curves; None while there are none."""
    from matplotlib.figure import Figure

    rows = read_curves(run)
    panels = [(name, [c for c in columns if any(c in row for row in rows)]) for name, columns in _PANELS]
    panels = [(name, columns) for name, columns in panels if columns]
    if not panels:
        return None
    figure = Figure(figsize=(3.6 * len(panels), 3.0), layout="constrained", dpi=110)
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    for axis, (name, columns) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        for column in columns:
            steps, values = zip(*[(row["step"], row[column]) for row in rows if column in row])
            dense = len(values) > 60
            (line,) = axis.plot(steps, values, linewidth=0.8, alpha=0.35 if dense else 1.0, marker="" if dense else ".")
            if dense:
                axis.plot(steps, _smooth(values), color=line.get_color(), linewidth=1.6)
            line.set_label(column)
        axis.set_title(name, fontsize=10)
        axis.set_xlabel("step")
        axis.grid(alpha=0.25)
        if len(columns) > 1:
            axis.legend(fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_durably(run / PICTURE, buffer.getbuffer())
    return run / PICTURE


def _smooth(values: Sequence[float]) -> list[float]:
    """Exponential average over a fiftieth of the curve, corrected for its start."""
    keep = 1 - 1 / max(2, len(values) / 50)
    smoothed, total, weight = [], 0.0, 0.0
    for value in values:
        if math.isfinite(value):
            total, weight = keep * total + value, keep * weight + 1
        smoothed.append(total / weight if weight else math.nan)
    return smoothed
