"""A study's ratings, preferences or identifications as HTML: the part of its results that depends on the test type."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from common.templates import render
from eval.listening.analysis.identification import CHANCE
from eval.listening.analysis.votes import LETTERS
from eval.reports.charts import stacked_bars, strip_plot
from eval.reports.study_cells import Names, plain_estimate

SHADES = ("#b3362b", "#d9822b", "#8c8c5a", "#3f8f7a", "#0f6d5a")  # from bad to excellent
TIE = "#8a9691"
CATEGORIES = {
    "acr": ("1 bad", "2 poor", "3 fair", "4 good", "5 excellent"),
    "mushra": ("0 to 20, bad", "20 to 40, poor", "40 to 60, fair", "60 to 80, good", "80 to 100, excellent"),
}
POINTS = {"acr": "points of 5", "mushra": "points of 100"}


def ratings(results: Mapping, names: Names) -> Markup:
    """An ACR or MUSHRA study: means, distributions, differences, reliability."""
    after, mode = results["after"], results["study"]["mode"]
    means = {system: plain_estimate(content) for system, content in after["means"].items()}
    dots = {system: after["by_item"][system] for system in means}
    counts = {names[system]: after["distributions"][system] for system in means}
    return render(
        "eval/reports/templates/study_ratings.html",
        after=after,
        before=results["before"],
        names=names,
        letters=LETTERS,
        points=POINTS[mode],
        digits=2 if mode == "acr" else 1,
        means=strip_plot(f"Mean score in {POINTS[mode]}; a dot is a clip's mean", dots, means, names),
        distributions=stacked_bars("Votes per category, after screening", counts, CATEGORIES[mode], SHADES),
        differences=sorted(
            map(_better_first, after["differences"]), key=lambda pair: -(pair["difference"]["mean"] or 0)
        ),
    )


def preferences(results: Mapping, names: Names) -> Markup:
    """An AB study: wins of each pair, ranking, reliability."""
    after = results["after"]
    wins = {
        f"{names[pair['first']]} / {names[pair['second']]}": (pair["wins"], pair["ties"], pair["losses"])
        for pair in after["pairs"]
    }
    shares = ("the first", "no difference", "the second")
    places = after["ranking"]["systems"] if after["ranking"] else []
    strengths = {place["system"]: plain_estimate(place["strength"]) for place in places}
    title = "Strength (Bradley-Terry with ties), natural logarithm"
    return render(
        "eval/reports/templates/study_preferences.html",
        after=after,
        names=names,
        letters=LETTERS,
        wins=stacked_bars("Preferences of each pair, after screening", wins, shares, (SHADES[4], TIE, SHADES[1])),
        strengths=strip_plot(title, {system: {} for system in strengths}, strengths, names, marked=0.0),
    )


def identifications(results: Mapping, names: Names) -> Markup:
    """An ABX study: right answers of each pair."""
    after = results["after"]
    label = {tuple(p["systems"]): f"{names[p['systems'][0]]} / {names[p['systems'][1]]}" for p in after["pairs"]}
    dots: dict[str, dict[str, float]] = {text: {} for text in label.values()}
    for rater, found in enumerate(after["by_rater"].values(), start=1):
        for pair in found:
            dots[label[tuple(pair["systems"])]][f"rater {rater}"] = pair["share"]["mean"]
    means = {label[tuple(pair["systems"])]: plain_estimate(pair["share"]) for pair in after["pairs"]}
    title = "Right answers, 0 to 1; a dot is a rater, the line is chance"
    return render(
        "eval/reports/templates/study_identifications.html",
        pairs=after["pairs"],
        names=names,
        right=strip_plot(title, dots, means, Names(), marked=CHANCE),
    )


def _better_first(pair: Mapping) -> Mapping:
    """The pair in the order in which its difference is not negative."""
    found = pair["difference"]
    if (found["mean"] or 0) >= 0:
        return pair
    low, high = (None if found[end] is None else -found[end] for end in ("high", "low"))
    turned = {**found, "mean": -found["mean"], "low": low, "high": high}
    return {**pair, "first": pair["second"], "second": pair["first"], "difference": turned}
