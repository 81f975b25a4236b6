"""`python -m eval homework`: the table this project started from, measured again on your recordings, and explained.

The numbers of the original are facts of that report (DeepMIR 2023, HW2, on its M4Singer validation set); everything else
is measured.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

COLUMNS = ("M-STFT", "log2f0_mean", "FAD")
FAD_SUBSTITUTE = "FAD-distillmos"  # for FAD, whose embedding needs weights that no package ships; another scale


@dataclass(frozen=True)
class Line:
    """A system, what the homework called it and measured for it (None: it had no such row), and what explains it."""

    system: str
    title: str
    homework: tuple[float, float, float] | None
    why: str


LINES = (
    Line(
        "griffin-lim-oracle",
        "Griffin & Lim",
        (0.322, 0.0618, 0.0217),
        "The homework's Griffin-Lim was given the recording's own STFT magnitudes, 513 numbers a frame, and had only the phase to "
        "find. No vocoder that starts from 80 mel bands can be compared with that; it is a bound.",
    ),
    Line(
        "hifigan-hw2",
        "HiFi-GAN (hw2 mel, own training)",
        (1.120, 0.176, 0.320),
        "A HiFi-GAN V1 trained on that mel. The homework trained one for 50 000 steps. Its real weakness was pitch: partials waver, "
        "which is audible as jitter. This project's was fine-tuned from UNIVERSAL_V1, towards pitch above all, and wavers less.",
    ),
    Line(
        "hifigan-original-mismatch",
        "HiFi-GAN (original)",
        (9.274, 6.465, 8.585),
        "The original weights on a mel they were not trained on: linear power in HTK bands where they expect log magnitudes in Slaney bands. "
        "The row measures a wrong input, not a vocoder.",
    ),
    Line(
        "griffin-lim",
        "Griffin-Lim from the mel",
        None,
        "What Griffin-Lim gets from the same 80 bands as everyone else, inverted to a spectrum, with a linear guess above 8 kHz. Its "
        "pitch is right, because the mel says where the partials are; its texture is metallic, which M-STFT does not show.",
    ),
    Line(
        "hifigan-original",
        "HiFi-GAN (original) on its own mel",
        None,
        "The same weights as two rows up, on the mel they were trained on.",
    ),
    Line(
        "hifigan-original-bridged",
        "HiFi-GAN (original), bridged",
        None,
        "The hw2 mel turned into HiFi-GAN's own by inverting it first: nearly as good as its own mel, without any training. So the "
        "homework's third row was the mismatch.",
    ),
    Line(
        "hifigan-original-refined",
        "HiFi-GAN (original), bridged and refined",
        None,
        "The bridged output corrected towards the mel and given a consistent phase: the pitch of Griffin-Lim with the timbre of HiFi-GAN.",
    ),
    Line(
        "hifigan-hw2-refined",
        "HiFi-GAN (hw2 mel, own training), refined",
        None,
        "The same for this project's own model.",
    ),
    Line(
        "hifigan-hw2-guided",
        "HiFi-GAN (hw2 mel, own training), guided",
        None,
        "This project's model again, conditioned on a guide beside the mel: Griffin-Lim from that same mel, which gives the phase of "
        "every partial. So its pitch does not waver, without refinement.",
    ),
)


def systems() -> str:
    """Comma-separated, as `find_systems` reads them."""
    return ",".join(line.system for line in LINES)


def as_text(metrics: Mapping[str, Mapping[str, float | None]], clips: int) -> str:
    """The table, the homework's numbers beside ours, and a paragraph on every row."""
    fad = COLUMNS[2] if any(metrics[line.system].get(COLUMNS[2]) is not None for line in LINES) else FAD_SUBSTITUTE
    columns = (*COLUMNS[:2], fad)
    out = [f"{clips} clips. In brackets: what the homework reported, on its own clips; its FAD was VGGish's.", ""]
    out.append(f"{'':44}" + "".join(f"{name:>22}" for name in columns))
    for line in LINES:
        cells = ""
        for index, name in enumerate(columns):
            value = metrics[line.system].get(name)
            theirs = f" ({line.homework[index]:g})" if line.homework else ""
            cells += f"{('n/a' if value is None else f'{value:.3f}') + theirs:>22}"
        out.append(f"{line.title:44}{cells}")
    for line in LINES:
        out += ["", line.title, textwrap.fill(line.why, 100, initial_indent="  ", subsequent_indent="  ")]
    return "\n".join(out)
