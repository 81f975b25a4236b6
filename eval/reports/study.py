"""The results of a listening study as HTML: for the page, and as a file of its own."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import fields

from eval.compare.intervals import Estimate
from eval.listening.analysis.identification import CHANCE
from eval.listening.analysis.votes import ANCHOR, LETTERS, REFERENCE
from eval.listening.study import MODES
from eval.metrics.registry import METRICS
from eval.reports.charts import cloud, stacked_bars, strip_plot
from eval.reports.comparison import style

SHADES = ("#b3362b", "#d9822b", "#8c8c5a", "#3f8f7a", "#0f6d5a")  # from bad to excellent
CATEGORIES = {
    "acr": ("1 bad", "2 poor", "3 fair", "4 good", "5 excellent"),
    "mushra": ("0 to 20, bad", "20 to 40, poor", "40 to 60, fair", "60 to 80, good", "80 to 100, excellent"),
}
POINTS = {"acr": "points of 5", "mushra": "points of 100"}
RULES = {
    "gold": "rated a ruined take as good",
    "trap": "did not answer the beeps",
    "hidden-reference": "ITU-R BS.1534: rated the hidden recording below 90 on more than 15 % of the clips",
    "same-answer": "gave one answer to everything",
    "against-the-panel": "hardly agrees with the others",
    "inconsistent": "answers change when asked again",
    "headphones": "skipped the headphone check or did not pass it",
    "impossible-time": "reported more listening than time had passed",
}


def study_report(results: Mapping, titles: Mapping[str, str]) -> str:
    """A page of its own."""
    name = html.escape(results["study"]["name"])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{name}</title><style>{style()}</style><main>{study_results(results, titles)}</main></html>"
    )


def study_results(results: Mapping, titles: Mapping[str, str]) -> str:
    """What `eval.listening.analysis.results.analyse` found. titles: {system id: title}; what is missing shows its id."""
    study, n = results["study"], results["n"]
    names = _Names({REFERENCE: "Recording", ANCHOR: "3.5 kHz anchor", **titles})
    banner = (
        f'<p class="study-preliminary" role="status">{html.escape(results["preliminary"])}</p>'
        if results["preliminary"]
        else ""
    )
    head = (
        f"<h2>{html.escape(study['name'])}</h2><p>{html.escape(MODES[study['mode']])} Revision {study['revision']}; {n['started']} "
        f"raters started, {n['finished']} finished, {n['with_votes']} have votes, {n['screened']} of them after screening; "
        f"{n['items']} clips, {n['votes']} votes, {n['votes_screened']} after screening.</p>{banner}"
    )
    body = {"ab": _preferences, "abx": _identifications}.get(study["mode"], _ratings)
    found = (
        body(results, names)
        if results["after"]
        else "<p>No votes are left to show. As soon as somebody has answered, they appear here.</p>"
    )
    return f'<section class="study-results">{head}{found}{_metrics(results, names)}{_screening(results)}</section>'


class _Names(dict):
    def __missing__(self, key: str) -> str:
        return key


def _estimate(content: Mapping | None) -> Estimate | None:
    """The plain part of a stored estimate; None where there was nothing."""
    if content is None or content["mean"] is None:
        return None
    return Estimate(**{field.name: content[field.name] for field in fields(Estimate)})


def _interval(content: Mapping, digits: int = 2, signed: bool = False) -> str:
    if content["mean"] is None:
        return "n/a"
    form = f"{{:{'+' if signed else ''}.{digits}f}}"
    text = form.format(content["mean"])
    if content["low"] is not None:
        high = "∞" if content["high"] is None else form.format(content["high"])
        text += f"<small>[{form.format(content['low'])}, {high}]</small>"
    if content.get("note"):
        text += f"<small>{html.escape(content['note'])}</small>"
    return text.replace("-", "−")


def _p(value: float | None) -> str:
    return "n/a" if value is None else "&lt; 0.001" if value < 0.001 else f"{value:.3f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are HTML already; the first of each row is its heading."""
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    columns = "".join(f'<th scope="col">{title}</th>' for title in head)
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _ratings(results: Mapping, names: _Names) -> str:
    after, before, mode = results["after"], results["before"], results["study"]["mode"]
    digits = 2 if mode == "acr" else 1
    means = {system: _estimate(content) for system, content in after["means"].items()}
    dots = {system: after["by_item"][system] for system in means}
    rows = [
        (
            html.escape(names[system]),
            _interval(content, digits),
            _interval(before["means"][system], digits),
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
            _interval(pair["difference"], digits, signed=True),
            _p(pair["p_holm"]),
            pair["difference"]["n"],
        )
        for pair in oriented
    ]
    return (
        strip_plot(f"Mean score in {POINTS[mode]}; a dot is a clip's mean", dots, means, names)
        + _table(("System", "mean after screening", "before", "raters", "clips", "votes"), rows)
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
        + _table(("Pair", f"difference, {POINTS[mode]}", "p, Holm", "pairs of votes"), differences)
        + _reliability(after, digits)
    )


def _better_first(pair: Mapping) -> Mapping:
    """The same difference, seen from the system that scored higher."""
    found = pair["difference"]
    if (found["mean"] or 0) >= 0:
        return pair
    low, high = (None if found[end] is None else -found[end] for end in ("high", "low"))
    turned = {**found, "mean": -found["mean"], "low": low, "high": high}
    return {**pair, "first": pair["second"], "second": pair["first"], "difference": turned}


def _reliability(found: Mapping, digits: int) -> str:
    again, rows = found["consistency"], []
    rows.append(("Krippendorff's alpha between raters", _number(found["alpha"]), "1: agreement, 0: chance"))
    if again["repeats"] and "slot_effect" not in found:
        rows.append(("Same answer when asked again", f"{again['identical']:.0%}", f"{again['repeats']} repeats"))
    if again["difference"] is not None:
        about = f"points on average, {again['repeats']} repeats"
        rows.append(("Difference when asked again", f"{again['difference']:.{digits}f}", about))
    if "order_effect" in found:
        drift = _interval(found["order_effect"], digits, signed=True)
        rows.append(("Second half of the session against the first", drift, "points; orders are balanced over raters"))
    for slot, content in found.get("slot_effect", {}).items():
        rows.append(
            (
                f"Slot {LETTERS[int(slot)]}",
                _interval(content, digits, signed=True),
                "points above the others' mean",
            )
        )
    if "first_preferred" in found:
        share = found["first_preferred"]
        rows.append(("The take heard first was preferred", _share(share), f"p = {_p(share['p'])}, ties left out"))
    return "<h3>How steady the answers are</h3>" + _table(("", "", ""), rows)


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}".replace("-", "−")


def _share(content: Mapping) -> str:
    if content["mean"] is None:
        return "n/a"
    text = f"{content['mean']:.0%}"
    return text if content["low"] is None else f"{text}<small>[{content['low']:.0%}, {content['high']:.0%}]</small>"


def _preferences(results: Mapping, names: _Names) -> str:
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
            _share(pair["share"]),
            _p(pair["p_holm"]),
        )
        for pair in after["pairs"]
    ]
    out.append(_table(("Pair", "wins : ties : losses", "share of wins, ties left out", "p, Holm"), rows))
    ranking = after["ranking"]
    if ranking is None:
        out.append(f'<p class="note">No ranking: {html.escape(after["no_ranking"])}.</p>')
    else:
        means = {place["system"]: _estimate(place["strength"]) for place in ranking["systems"]}
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
            (html.escape(place_names), _interval(place["strength"], signed=True), _share(place["share"]))
            for place in ranking["systems"]
            for place_names in [names[place["system"]]]
        ]
        out.append(_table(("System", "strength", "expected share of wins against the others"), rows))
        out.append(
            f'<p class="note">{ranking["votes"]} votes of {ranking["raters"]} raters; ties as in Davidson 1970, ν = {ranking["tie"]:.2f}; '
            "intervals by drawing raters again, not votes.</p>"
        )
    return "".join(out) + _reliability(after, 2)


def _identifications(results: Mapping, names: _Names) -> str:
    after = results["after"]
    label = {tuple(p["systems"]): f"{names[p['systems'][0]]} / {names[p['systems'][1]]}" for p in after["pairs"]}
    dots: dict[str, dict[str, float]] = {text: {} for text in label.values()}
    for number, found in enumerate(after["by_rater"].values(), start=1):
        for pair in found:
            dots[label[tuple(pair["systems"])]][f"rater {number}"] = pair["share"]["mean"]
    means = {label[tuple(pair["systems"])]: _estimate(pair["share"]) for pair in after["pairs"]}
    rows = [
        (
            html.escape(label[tuple(pair["systems"])]),
            f"{pair['share']['count']} of {pair['share']['n']}",
            _share(pair["share"]),
            _p(pair["p_holm"]),
            _interval(pair["d_prime"]),
            _share(pair["by_rater"]),
            _p(pair["by_rater"]["p"]),
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
        + _table(head, rows)
        + '<p class="note">One-sided exact binomial tests of more than half, which take all trials as independent; the last two columns do '
        "not. d′ by independent observations (Macmillan &amp; Creelman). Of twenty raters who guess, one looks able.</p>"
    )


def _metrics(results: Mapping, names: _Names) -> str:
    if not results["metrics"]:
        return ""
    charts = []
    for name, found in results["metrics"].items():
        points = [(p["system"], p["item"], p["value"], p["score"]) for p in found["points"]]
        words = ", ".join(
            f"{found[level]['spearman']:+.2f} over {found[level]['n']} {level}".replace("-", "−")
            for level in ("takes", "systems")
            if found[level]["spearman"] is not None
        )
        unit = f", {METRICS[name].unit}" if name in METRICS and METRICS[name].unit else ""
        caption = (
            f"{name}: Spearman's correlation with the mean score {words}"
            if words
            else f"{name}: too few takes for a correlation"
        )
        charts.append(cloud(caption, points, names, f"{name}{unit}", "mean score"))
    return (
        f"<details><summary>What the metrics say about the same takes ({len(charts)})</summary><p>A metric worth trusting "
        f"orders the takes as the listeners did.</p><div class='charts'>{''.join(charts)}</div></details>"
    )


def _screening(results: Mapping) -> str:
    screening = results["screening"]
    if not screening["flagged"]:
        return "<h3>Screening</h3><p>No rater was flagged.</p>"
    rows = [
        (html.escape(rule), html.escape(RULES.get(rule, "")), raters, "yes" if rule in screening["excluding"] else "no")
        for rule, raters in screening["flagged"].items()
    ]
    return (
        "<h3>Screening</h3><p>Nobody is deleted. Flags say why a rater may not have listened; some of them leave a rater out of the "
        "screened results.</p>" + _table(("Rule", "what the rater did", "raters", "left out"), rows)
    )
