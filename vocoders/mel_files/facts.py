"""Certain conclusions from the numbers of a mel, before any likelihood: each finding is one sentence with its reason.

A recording has a level, an array normalized or set below its own maximum has lost it and shows it: its largest value is exactly
0 or 1, its mean exactly 0. A logarithm is clamped at a power of ten. Nothing is louder than full scale, and no recording lies wholly
60 dB below it. And no spectrum at all has most of the mels that are read as something else, see `vocoders.mel_files.cone`.
"""

from __future__ import annotations

import numpy as np

from vocoders.mel_files.cone import impossible_share
from vocoders.mel_files.format import MelFormat
from vocoders.mel_files.options import BANDS
from vocoders.mel_files.statistics import log_view

MAX_IMPOSSIBLE_SHARE = 0.03  # share of frames that no spectrum has; of a right mel none, but for lost digits
MIN_FLOOR_SHARE = 0.005  # share of values equal to the least that makes it a floor
# How far the largest value of a mel lies above the median of those above the floor, in nepers of its linear values. Of recordings
# of speech and singing powers have 7.9 to 14.4 and magnitudes half of it; of lone tones and of noise both have less.
SPREAD_RANGE_NEPERS = {"power": (5.0, 20.0), "magnitude": (2.5, 10.0)}
_CLAMPS = (*(10.0**-power for power in range(3, 17)), 2.0**-23, 2.0**-52, 2.0**-126)
_RANGE_MINIMA, _RANGE_MAXIMA = (-4.0, -1.0, 0.0), (1.0, 4.0, 255.0)  # of what was scaled to a fixed range
_MAX_HARMLESS_VALUE = 0.2  # values below it and their log(1 + value) differ by less than half a dB of power
MIN_PEAK_DBFS, MIN_USUAL_PEAK_DBFS = -60.0, -30.0  # of the loudest value: no recording has less, and few have


def certain_change(values: np.ndarray) -> str:
    """(80, frames) -> what was certainly done to the mel so that no format is left; "" where nothing shows."""
    least, most = float(values.min()), float(values.max())
    if most == 0:
        return "a mel below its own maximum (the largest value is exactly 0); the level is lost"
    if least >= 0 and (values == np.rint(values)).all():
        return "a mel scaled to whole numbers, as a picture"
    rounded = _is_half_precision(values)  # then one number of a thousand is exactly 1 by chance
    if (most in _RANGE_MAXIMA and (not rounded or least in _RANGE_MINIMA)) or (least == -1 and most <= 1):
        return f"a mel normalized to a fixed range ({least:.4g} to {most:.4g}); its constants must be undone first"
    if abs(values.mean()) < 0.002 * values.std() and abs(values.std() - 1) < 0.02:
        return "a mel normalized to mean 0 and deviation 1; its constants must be undone first"
    if np.abs(values.mean(axis=1)).max() < 0.01 * values.std():
        return "a mel whose every band has mean 0; the means must be added first"
    return ""


def impossible(mel_format: MelFormat, values: np.ndarray) -> str:
    """Why (80, frames) cannot be in this format, as a clause; "" where it can."""
    if mel_format.log != "none" and (reason := _no_logarithm(mel_format, values)):
        return reason
    try:
        linear = mel_format.linear(values)
    except ValueError as error:
        return str(error)
    if linear.max() < mel_format.sine(MIN_PEAK_DBFS):
        return f"the loudest value would be {linear.max():.2g}, more than 60 dB below full scale"
    level, above = log_view(values.astype(np.float64))
    spread = mel_format.per_unit * float(level.max() - np.median(level[above]))
    least, most = SPREAD_RANGE_NEPERS[mel_format.scale]
    if not least <= spread <= most:
        return f"the largest value would lie {spread:.1f} nepers above the median, not {least:g} to {most:g}"
    share = impossible_share(level, above, mel_format.recipe, np.array([mel_format.per_unit]))[0]
    if share > MAX_IMPOSSIBLE_SHARE:
        return f"no spectrum has {100 * share:.0f} % of its frames through these bands"
    return ""


def _no_logarithm(mel_format: MelFormat, values: np.ndarray) -> str:
    least = float(values.min())
    if least >= 0:
        return "no value is negative, so it is no logarithm"
    if (values == least).mean() >= MIN_FLOOR_SHARE:
        clamp, precision = np.exp(least * mel_format.per_unit), 0.03 if _is_half_precision(values) else 0.002
        if np.abs(np.log(clamp / np.array(_CLAMPS))).min() > precision:
            return f"the floor {least:.4g} would be a clamp at {clamp:.3g}, which is not in use"
    return ""


def ambiguity(mel_format: MelFormat, values: np.ndarray) -> str:
    """Another reading of (80, frames) in this format, which no likelihood tells apart; "" where there is none."""
    if mel_format.log == "none" and may_be_log1p(values):
        return "log(1 + mel), whose small values are those of the mel itself"
    if (
        mel_format.log == "db"
        and values.max() <= 0
        and mel_format.linear(values).max() < mel_format.sine(MIN_USUAL_PEAK_DBFS)
    ):
        return "a piece of a mel in dB below a maximum that is not in it"
    if mel_format.log == "10" and values.min() == -4 and values.max() <= 4:
        return "a mel normalized to -4..4"
    return ""


def _is_half_precision(values: np.ndarray) -> bool:
    return bool((np.abs(values) < 65_504).all() and (values == values.astype(np.float16)).all())


def may_be_log1p(values: np.ndarray) -> bool:
    """Whether linear values (80, frames) can be log(1 + mel) of some mel, and the difference matters."""
    if not _MAX_HARMLESS_VALUE < values.max() < 20:  # exp(20) is beyond full scale
        return False
    if values.min() < 0:
        return False
    level, above = log_view(np.expm1(values.astype(np.float64)))
    return any(impossible_share(level, above, recipe, np.ones(1))[0] <= MAX_IMPOSSIBLE_SHARE for recipe in BANDS)
