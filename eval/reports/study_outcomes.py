"""A study's ratings, preferences or identifications as HTML: the part of its results that depends on the test type."""

from __future__ import annotations

import html
from collections.abc import Mapping

from eval.listening.analysis.identification import CHANCE
from eval.listening.analysis.votes import LETTERS
from eval.reports.charts import stacked_bars, strip_plot
from eval.reports.study_cells import Names, html_table, interval_cell, number_cell, p_cell, plain_estimate, share_cell

SHADES = ("#b3362b", "#d9822b", "#8c8c5a", "#3f8f7a", "#0f6d5a")  # from bad to excellent
CATEGORIES = {
    "acr": ("1 bad", "2 poor", "3 fair", "4 good", "5 excellent"),
    "mushra": ("0 to 20, bad", "20 to 40, poor", "40 to 60, fair", "60 to 80, good", "80 to 100, excellent"),
}
POINTS = {"acr": "points of 5", "mushra": "points of 100"}


def ratings(results: Mapping, names: Names) -> str:
    """HTML of an ACR or MUSHRA study: means, distributions, differences, reliability."""
    after, before, mode = results["after"], results["before"], results["study"]["mode"]
    digits = 2 if mode == "acr" else 1
    means = {system: plain_estimate(content) for system, content in after["means"].items()}
    dots = {system: after["by_item"][system] for system in means}
    rows = [
        (
            html.escape(names[system]),
            interval_cell(content, digits),
            interval_cell(before["means"][system], digits),
            content["raters"],
            content["items"],
            content["n"],
        )
        for system, content in after["means"].items()
    ]
    oriented = sorted(map(_better_first, after["differences"]), key=lambda pair: -(pair["difference"]["mean"] or 0))
    differences = [
        (
            f"{html.escape(names[pair['first']])} − {html.escape(names[pair['second']])}",
            interval_cell(pair["difference"], digits, signed=True),
            p_cell(pair["p_holm"]),
            pair["difference"]["n"],
        )
        for pair in oriented
    ]
    return (
        strip_plot(f"Mean score in {POINTS[mode]}; a dot is a clip's mean", dots, means, names)
        + html_table(("System", "mean after screening", "before", "raters", "clips", "votes"), rows)
        + '<p class="note">In brackets 95 % intervals for new raters and new clips (t, clustered two ways). Votes taken one by one would '
        "give intervals far too narrow. Do not compare scores with those of another study.</p>"
        + "<h3>All scores</h3>"
        + stacked_bars(
            "Votes per category, after screening",
            {names[system]: after["distributions"][system] for system in means},
            CATEGORIES[mode],
            SHADES,
        )
        + "<h3>Differences</h3><p>Between takes of the same clip by the same rater: tastes and difficulties cancel.</p>"
        + html_table(("Pair", f"difference, {POINTS[mode]}", "p, Holm", "pairs of votes"), differences)
        + _reliability(after, digits)
    )


def preferences(results: Mapping, names: Names) -> str:
    """HTML of an AB study: wins of each pair, ranking, reliability."""
    after, out = results["after"], []
    pairs = {
        f"{names[pair['first']]} / {names[pair['second']]}": (pair["wins"], pair["ties"], pair["losses"])
        for pair in after["pairs"]
    }
    out.append(
        stacked_bars(
            "Preferences of each pair, after screening",
            pairs,
            ("the first", "no difference", "the second"),
            (SHADES[4], "#8a9691", SHADES[1]),
        )
    )
    rows = [
        (
            f"{html.escape(names[pair['first']])} against {html.escape(names[pair['second']])}",
            f"{pair['wins']} : {pair['ties']} : {pair['losses']}",
            share_cell(pair["share"]),
            p_cell(pair["p_holm"]),
        )
        for pair in after["pairs"]
    ]
    out.append(html_table(("Pair", "wins : ties : losses", "share of wins, ties left out", "p, Holm"), rows))
    ranking = after["ranking"]
    if ranking is None:
        out.append(f'<p class="note">No ranking: {html.escape(after["no_ranking"])}.</p>')
    else:
        means = {place["system"]: plain_estimate(place["strength"]) for place in ranking["systems"]}
        out.append(
            "<h3>Ranking</h3>"
            + strip_plot(
                "Strength (Bradley-Terry with ties), natural logarithm",
                {s: {} for s in means},
                means,
                names,
                marked=0.0,
            )
        )
        rows = [
            (html.escape(place_names), interval_cell(place["strength"], signed=True), share_cell(place["share"]))
            for place in ranking["systems"]
            for place_names in [names[place["system"]]]
        ]
        out.append(html_table(("System", "strength", "expected share of wins against the others"), rows))
        out.append(
            f'<p class="note">{ranking["votes"]} votes of {ranking["raters"]} raters; ties as in Davidson 1970, ν = {ranking["tie"]:.2f}; '
            "intervals by drawing raters again, not votes.</p>"
        )
    return "".join(out) + _reliability(after, 2)


def identifications(results: Mapping, names: Names) -> str:
    """HTML of an ABX study: right answers of each pair."""
    after = results["after"]
    label = {tuple(p["systems"]): f"{names[p['systems'][0]]} / {names[p['systems'][1]]}" for p in after["pairs"]}
    dots: dict[str, dict[str, float]] = {text: {} for text in label.values()}
    for number, found in enumerate(after["by_rater"].values(), start=1):
        for pair in found:
            dots[label[tuple(pair["systems"])]][f"rater {number}"] = pair["share"]["mean"]
    means = {label[tuple(pair["systems"])]: plain_estimate(pair["share"]) for pair in after["pairs"]}
    rows = [
        (
            html.escape(label[tuple(pair["systems"])]),
            f"{pair['share']['count']} of {pair['share']['n']}",
            share_cell(pair["share"]),
            p_cell(pair["p_holm"]),
            interval_cell(pair["d_prime"]),
            share_cell(pair["by_rater"]),
            p_cell(pair["by_rater"]["p"]),
        )
        for pair in after["pairs"]
    ]
    head = ("Pair", "right", "share", "p, exact, Holm", "d′", "mean of the raters' shares", "p over raters")
    return (
        strip_plot(
            "Right answers, 0 to 1; a dot is a rater, the line is chance",
            dots,
            means,
            {text: text for text in dots},
            marked=CHANCE,
        )
        + html_table(head, rows)
        + '<p class="note">One-sided exact binomial tests of more than half, which take all trials as independent; the last two columns do '
        "not. d′ by independent observations (Macmillan &amp; Creelman). Of twenty raters who guess, one looks able.</p>"
    )


def _better_first(pair: Mapping) -> Mapping:
    """The pair in the order in which its difference is not negative."""
    found = pair["difference"]
    if (found["mean"] or 0) >= 0:
        return pair
    low, high = (None if found[end] is None else -found[end] for end in ("high", "low"))
    turned = {**found, "mean": -found["mean"], "low": low, "high": high}
    return {**pair, "first": pair["second"], "second": pair["first"], "difference": turned}


def _reliability(found: Mapping, digits: int) -> str:
    again, rows = found["consistency"], []
    rows.append(("Krippendorff's alpha between raters", number_cell(found["alpha"]), "1: agreement, 0: chance"))
    if again["repeats"] and "slot_effect" not in found:
        rows.append(("Same answer when asked again", f"{again['identical']:.0%}", f"{again['repeats']} repeats"))
    if again["difference"] is not None:
        about = f"points on average, {again['repeats']} repeats"
        rows.append(("Difference when asked again", f"{again['difference']:.{digits}f}", about))
    if "order_effect" in found:
        drift = interval_cell(found["order_effect"], digits, signed=True)
        rows.append(("Second half of the session against the first", drift, "points; orders are balanced over raters"))
    for slot, content in found.get("slot_effect", {}).items():
        rows.append(
            (
                f"Slot {LETTERS[int(slot)]}",
                interval_cell(content, digits, signed=True),
                "points above the others' mean",
            )
        )
    if "first_preferred" in found:
        share = found["first_preferred"]
        rows.append(
            ("The take heard first was preferred", share_cell(share), f"p = {p_cell(share['p'])}, ties left out")
        )
    return "<h3>How steady the answers are</h3>" + html_table(("", "", ""), rows)
