"""The precision in which a network computes: float32, or bfloat16 where a person or a measurement chose it.

Some processors multiply bfloat16 about twice as fast as float32. What its 8 significant bits do to an output differs from network to
network: a guided generator's keeps an SNR of 49 dB to float32, while the phases of a plain HiFi-GAN drift. So `auto` takes it only for
networks that `python -m eval precision` has measured to be close, and only where it is faster.
"""

from __future__ import annotations

import argparse
import functools
import json
from collections.abc import Mapping
from typing import Any, Literal, get_args

from common.paths import ASSETS

PrecisionChoice = Literal["exact", "fast", "auto"]
CHOICES: tuple[PrecisionChoice, ...] = get_args(PrecisionChoice)
ABOUT_CHOICES = (
    "exact: float32; fast: bfloat16 where the processor multiplies it; auto: bfloat16 for networks measured to be close in it, "
    "where it is faster here"
)
Precision = Literal["float32", "bfloat16"]
FLOAT32: Precision = "float32"
BFLOAT16: Precision = "bfloat16"
HINTS = {FLOAT32: "f32", BFLOAT16: "bf16"}  # as OpenVINO names them
MEASURED = ASSETS / "checkpoints" / "in-bfloat16.json"  # {digest of a network: how its output in bfloat16 differs}


@functools.cache
def measured_in_bfloat16() -> Mapping[str, Mapping[str, Any]]:
    """What `python -m eval precision` wrote: {digest of a network: {"close", "systems": {system that uses it: differences}}}, see
    `vocoders.hifigan.openvino_generator.digest`."""
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def differences_of(system: str) -> Mapping[str, Any] | None:
    """How the outputs of the system of this id differ in bfloat16; None where that was not measured."""
    return next((m["systems"][system] for m in measured_in_bfloat16().values() if system in m["systems"]), None)


def add_precision(parser: argparse.ArgumentParser, default: PrecisionChoice = "exact") -> None:
    """The option --precision."""
    parser.add_argument(
        "--precision", choices=CHOICES, default=default, help=f"of networks; {ABOUT_CHOICES} ({default})"
    )
