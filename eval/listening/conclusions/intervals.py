"""Stored estimates as they may be shown: on the scale of the answers, and adjusted for the number of comparisons.

The truth lies on the scale, so an interval that is cut off at the scale's ends covers it exactly as often as before. Adjusted
intervals are Bonferroni's: of m comparisons all cover together in 95 % of the studies. Holm's test is a little sharper, and its
direction counts: where it finds a difference, the adjusted interval ends at zero at the latest (as in Guilbaud 2008), so that a p
value below 0.05 and an interval that reaches beyond zero never stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from eval.listening.analysis.estimates import ALPHA
from eval.listening.tasks.scores.rating import RatingTask
from eval.listening.tasks.task import Task

UNINFORMATIVE = "too few votes: anything on the scale is possible"
SHARES, HALF = (0.0, 1.0), 0.5


def presentable(found: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """The same analysis, with intervals on their scale, and with `adjusted` beside each comparison. found: JSON-ready, of `Task.analyse`."""
    shown = dict(found)
    if isinstance(task, RatingTask) and "means" in found:
        low, high = scale_of(task)
        span = (low - high, high - low)
        shown["means"] = {name: on_scale(mean, low, high) for name, mean in found["means"].items()}
        together = [row["mean"] for row in found.get("against_zero", ())]
        together += [pair["difference"] for pair in found["differences"]]
        tested = sum(estimate["p"] is not None for estimate in together)
        shown["differences"] = _differences(found["differences"], span, tested)
        if "order_effect" in found:
            shown["order_effect"] = on_scale(found["order_effect"], *span)
        if "slot_effect" in found:
            shown["slot_effect"] = {slot: on_scale(effect, *span) for slot, effect in found["slot_effect"].items()}
        if "against_zero" in found:
            shown["against_zero"] = [
                {
                    **row,
                    "mean": on_scale(row["mean"], low, high),
                    "adjusted": _adjusted(row["mean"], (low, high), tested, row["p_holm"]),
                }
                for row in found["against_zero"]
            ]
    elif "differences" in found:
        tested = sum(pair["difference"]["p"] is not None for pair in found["differences"])
        shown["differences"] = _differences(found["differences"], (-inf, inf), tested)
    elif "pairs" in found:
        tested = sum(pair["p_holm"] is not None for pair in found["pairs"])
        shown["pairs"] = [
            _identified(pair, tested) if "d_prime" in pair else _preferred(pair, tested) for pair in found["pairs"]
        ]
    return shown


def scale_of(task: RatingTask) -> tuple[float, float]:
    """The lowest and the highest possible score. Categories of an ordinal scale reach half a point beyond their scores."""
    beyond = 0.5 if task.measurement == "ordinal" else 0.0
    return task.edges[0] + beyond, task.edges[-1] - beyond


def on_scale(estimate: Mapping[str, Any], low: float, high: float) -> dict[str, Any]:
    """Cut off at both ends. One that reached both says nothing, and its note says so."""
    shown = dict(estimate)
    if estimate["low"] is None or estimate["high"] is None:
        return shown
    shown["low"], shown["high"] = max(estimate["low"], low), min(estimate["high"], high)
    if (shown["low"], shown["high"]) == (low, high):
        shown["note"] = UNINFORMATIVE
    return shown


def _differences(pairs: list[Mapping], span: tuple[float, float], tested: int) -> list[dict]:
    return [
        {
            **pair,
            "difference": on_scale(pair["difference"], *span),
            "adjusted": _adjusted(pair["difference"], span, tested, pair["p_holm"]),
        }
        for pair in pairs
    ]


def _adjusted(
    estimate: Mapping[str, Any], span: tuple[float, float], tested: int, p_holm: float | None
) -> dict[str, Any]:
    return _decided(on_scale(_wider(estimate, tested), *span), 0.0, p_holm)


def _wider(estimate: Mapping[str, Any], comparisons: int) -> dict[str, Any]:
    """The t interval of a clustered mean at the level of so many comparisons."""
    from scipy.special import stdtrit

    shown = dict(estimate)
    freedom = estimate["freedom"]
    if freedom is None or comparisons < 2:
        return shown
    wider = stdtrit(freedom, 1 - ALPHA / (2 * comparisons)) / stdtrit(freedom, 1 - ALPHA / 2)
    for end in ("low", "high"):
        shown[end] = estimate["mean"] + float(wider) * (estimate[end] - estimate["mean"])
    return shown


def _decided(estimate: dict[str, Any], null: float, p_holm: float | None) -> dict[str, Any]:
    """Cut off at the null value, where the adjusted test has decided on which side of it the truth lies."""
    if p_holm is None or p_holm >= ALPHA or estimate["low"] is None:
        return estimate
    end = "low" if estimate["mean"] > null else "high"
    nearest = max(estimate["low"], null) if end == "low" else min(estimate["high"], null)
    return {**estimate, end: nearest}


def _preferred(pair: Mapping[str, Any], tested: int) -> dict[str, Any]:
    """Of wins minus losses."""
    span = (-1.0, 1.0)
    return {
        **pair,
        "net": on_scale(pair["net"], *span),
        "adjusted": _adjusted(pair["net"], span, tested, pair["p_holm"]),
    }


def _identified(pair: Mapping[str, Any], tested: int) -> dict[str, Any]:
    """The share of right answers with an exact interval, one-sided as its test is: only a share above one half is evidence."""
    from scipy.stats import binomtest

    share = pair["share"]
    test = binomtest(share["count"], share["n"], alternative="greater")
    interval = test.proportion_ci(1 - ALPHA / tested, method="exact")
    adjusted = {**share, "low": float(interval.low), "high": float(interval.high)}
    return {
        **pair,
        "adjusted": _decided(adjusted, HALF, pair["p_holm"]),
        "by_rater": on_scale(pair["by_rater"], *SHARES),
    }
