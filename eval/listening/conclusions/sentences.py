"""What may be concluded from a study and what not, a sentence for each comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.templates import number, percent
from eval.listening.analysis.estimates import ALPHA
from eval.listening.analysis.sequential import ABLE
from eval.listening.analysis.votes import REFERENCE
from eval.listening.tasks.scores.comparison import BETWEEN


@dataclass(frozen=True)
class Conclusions:
    """summary: one sentence about all comparisons; shown: a sentence per difference that was found; open: one per comparison that
    found none."""

    summary: str
    shown: tuple[str, ...]
    open: tuple[str, ...]


def conclusions_of(results: Mapping[str, Any], names: Mapping[str, str], points: str) -> Conclusions | None:
    """results: of `eval.listening.analysis.results.analyse`; names: titles of systems; points: unit of scores.

    None for results without comparisons.
    """
    after = results["after"]
    found = [_against_zero(row, names, points) for row in after.get("against_zero", ())]
    found += [_difference(pair, names, points) for pair in after.get("differences", ())]
    if not found:
        found = [
            _identified(pair, names) if "d_prime" in pair else _preferred(pair, names)
            for pair in after.get("pairs", ())
        ]
    found = found or [_heard(pair, names) for pair in after.get("listeners", ())]
    if not found:
        return None
    shown = tuple(sentence for is_shown, sentence in found if is_shown)
    left = tuple(sentence for is_shown, sentence in found if not is_shown)
    if len(found) == 1:
        summary = f"The one comparison shows {'a' if shown else 'no'} difference, tested at {ALPHA:.0%}."
    else:
        does = "shows" if len(shown) == 1 else "show"
        summary = (
            f"{len(shown)} of {len(found)} comparisons {does} a difference, all of them tested together at {ALPHA:.0%}."
        )
    if left:
        summary += (
            " No difference found does not mean no difference: what the data still allow stands with each comparison."
            if len(left) > 1
            else " No difference found does not mean no difference: what the data still allow stands with it."
        )
    if results["preliminary"]:
        summary = f"Preliminary: {summary}"
    return Conclusions(summary, shown, left)


def _is_shown(p: float | None) -> bool:
    return p is not None and p < ALPHA


def _difference(pair: Mapping[str, Any], names: Mapping[str, str], points: str) -> tuple[bool, str]:
    found, adjusted = pair["difference"], pair["adjusted"]
    mean, low, high = found["mean"], adjusted["low"], adjusted["high"]
    first, second = names[pair["first"]], names[pair["second"]]
    if low is None or mean is None:
        return False, f"{first} and {second}: no interval, so nothing may be concluded ({found['note'] or 'no votes'})."
    if mean < 0:
        first, second, mean, low, high = second, first, -mean, -high, -low
    digits = 1 if points.endswith("100") else 2
    span = f"{number(low, digits, sign=True)} to {number(high, digits, sign=True)}"
    if _is_shown(pair["p_holm"]):
        return (
            True,
            f"{first} is rated higher than {second} by {number(mean, digits)} {points} (adjusted interval {span}).",
        )
    most = number(max(abs(low), abs(high)), digits)
    return (
        False,
        f"{first} and {second}: no difference was found; one of up to {most} {points} is still possible (adjusted interval {span}).",
    )


def _against_zero(row: Mapping[str, Any], names: Mapping[str, str], points: str) -> tuple[bool, str]:
    """Of a score that compares: a system with the recording, or the second of a pair, by name, with the first."""
    first, _, second = row["system"].partition(BETWEEN)
    better, worse = (names[second], names[first]) if second else (names[first], names[REFERENCE])
    mean, low, high = row["mean"]["mean"], row["adjusted"]["low"], row["adjusted"]["high"]
    if low is None:
        why = row["mean"]["note"] or "no votes"
        return False, f"{better} and {worse}: no interval, so nothing may be concluded ({why})."
    if mean < 0:
        better, worse, mean, low, high = worse, better, -mean, -high, -low
    span = f"{number(low, 2, sign=True)} to {number(high, 2, sign=True)}"
    if _is_shown(row["p_holm"]):
        return True, f"{better} is called better than {worse} by {number(mean, 2)} {points} (adjusted interval {span})."
    most = number(max(abs(low), abs(high)), 2)
    return (
        False,
        f"{better} and {worse}: no difference was found; one of up to {most} {points} is still possible (adjusted interval {span}).",
    )


def _preferred(pair: Mapping[str, Any], names: Mapping[str, str]) -> tuple[bool, str]:
    net, adjusted = pair["net"], pair["adjusted"]
    first, second, wins, losses = names[pair["first"]], names[pair["second"]], pair["wins"], pair["losses"]
    if not wins + losses:
        return (
            False,
            f"{first} and {second}: every vote was a tie, so nothing may be concluded about who prefers which.",
        )
    mean, low, high = net["mean"], adjusted["low"], adjusted["high"]
    if low is None:
        return False, f"{first} and {second}: no interval, so nothing may be concluded ({net['note']})."
    if mean < 0:
        first, second, wins, losses, low, high = second, first, losses, wins, -high, -low
    votes = wins + losses + pair["ties"]
    said = f"{percent(wins / votes)} of the votes against {percent(losses / votes)}"
    span = f"adjusted interval {number(100 * low, 0, sign=True)} to {number(100 * high, 0, sign=True)}"
    if _is_shown(pair["p_holm"]):
        return (
            True,
            f"{first} is preferred to {second}: {said}, a lead of {number(100 * abs(mean), 0)} percentage points ({span}).",
        )
    most = number(100 * max(abs(low), abs(high)), 0)
    return (
        False,
        f"{first} and {second}: no preference was found; {said}, and a lead of up to {most} percentage points is still possible ({span}).",
    )


def _identified(pair: Mapping[str, Any], names: Mapping[str, str]) -> tuple[bool, str]:
    share, adjusted = pair["share"], pair["adjusted"]
    first, second = (names[system] for system in pair["systems"])
    right = f"{share['count']} of {share['n']} answers were right"
    if _is_shown(pair["p_holm"]):
        return (
            True,
            f"{first} and {second} are told apart: {right} (adjusted lower bound {percent(adjusted['low'])}; chance is 50%).",
        )
    return (
        False,
        f"{first} and {second}: nobody showed that they can be told apart; {right}, and listeners who are right {percent(share['high'])} of the time are still possible.",
    )


def _heard(pair: Mapping[str, Any], names: Mapping[str, str]) -> tuple[bool, str]:
    """Of a sequential test, which ends for every listener by itself."""
    first, second = (names[system] for system in pair["systems"])
    verdicts = pair["verdicts"]
    listeners = sum(verdicts.values())
    if _is_shown(pair["p_holm"]):
        return (
            True,
            f"{first} and {second} are told apart: {verdicts['hears']} of {listeners} listeners are found to hear the difference.",
        )
    return (
        False,
        f"{first} and {second}: nobody showed that they can be told apart; {verdicts['does not']} of {listeners} listeners are right "
        f"less than {percent(ABLE)} of the time, {verdicts['undecided']} are undecided.",
    )
