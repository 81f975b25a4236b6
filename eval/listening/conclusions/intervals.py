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
        shown["differences"] = _differences(found["differences"], span)
        if "order_effect" in found:
            shown["order_effect"] = on_scale(found["order_effect"], *span)
        if "slot_effect" in found:
            shown["slot_effect"] = {slot: on_scale(effect, *span) for slot, effect in found["slot_effect"].items()}
        if "against_zero" in found:
            shown["against_zero"] = [row | {"mean": on_scale(row["mean"], low, high)} for row in found["against_zero"]]
    elif "differences" in found:
        shown["differences"] = _differences(found["differences"], (-inf, inf))
    elif "pairs" in found:
        shown["pairs"] = [_pair(pair, len(found["pairs"])) for pair in found["pairs"]]
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


def _differences(pairs: list[Mapping], span: tuple[float, float]) -> list[dict]:
    tested = sum(pair["difference"]["p"] is not None for pair in pairs)
    return [
        {
            **pair,
            "difference": on_scale(pair["difference"], *span),
            "adjusted": _decided(on_scale(_wider(pair["difference"], tested), *span), 0.0, pair["p_holm"]),
        }
        for pair in pairs
    ]


def _wider(estimate: Mapping[str, Any], comparisons: int) -> dict[str, Any]:
    """The t interval of a clustered mean at the level of so many comparisons."""
    from scipy.special import stdtrit

    shown = dict(estimate)
    if estimate["low"] is None or estimate["high"] is None or comparisons < 2:
        return shown
    freedom = min(size for size in (estimate["raters"], estimate["items"]) if size > 1) - 1
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


def _pair(pair: Mapping[str, Any], comparisons: int) -> dict[str, Any]:
    """The share of a pair with an exact interval; one-sided where its test is: only a share above one half is evidence there."""
    from scipy.stats import binomtest

    shown, share = dict(pair), pair["share"]
    one_sided = "d_prime" in pair
    if share["n"]:
        test = binomtest(share["count"], share["n"], alternative="greater" if one_sided else "two-sided")
        interval = test.proportion_ci(1 - ALPHA / comparisons, method="exact")
        adjusted = {**share, "low": float(interval.low), "high": float(interval.high)}
        shown["adjusted"] = _decided(adjusted, HALF, pair["p_holm"])
    else:
        shown["adjusted"] = dict(share)
    if "by_rater" in pair:
        shown["by_rater"] = on_scale(pair["by_rater"], *SHARES)
    return shown
