"""Tests of what is computed in bfloat16, on any processor."""

from __future__ import annotations

import pytest

from vocoders.hifigan import openvino_generator
from vocoders.hifigan.precision import BFLOAT16, FLOAT32, HINTS


def take_for_able(monkeypatch: pytest.MonkeyPatch) -> None:
    """This processor counts as one that multiplies bfloat16. One that does not computes in float32 under that name: which precision
    is chosen, told and kept is the same."""
    if not openvino_generator.multiplies_bfloat16():
        monkeypatch.setitem(HINTS, BFLOAT16, HINTS[FLOAT32])
        monkeypatch.setattr(openvino_generator, "multiplies_bfloat16", lambda: True)
