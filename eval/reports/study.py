"""The results of a listening study as HTML: for the page, and as a file of its own."""

from __future__ import annotations

import html
from collections.abc import Mapping

from eval.listening.analysis.votes import REFERENCE
from eval.listening.tasks.registry import task_of
from eval.metrics.registry import METRICS
from eval.reports.charts import cloud
from eval.reports.comparison import style
from eval.reports.study_blocks import outcome_html
from eval.reports.study_cells import Names, html_table

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
    """A whole HTML document. Arguments as of `study_results`."""
    name = html.escape(results["study"]["name"])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{name}</title><style>{style()}</style><main>{study_results(results, titles)}</main></html>"
    )


def study_results(results: Mapping, titles: Mapping[str, str]) -> str:
    """One HTML section. results: of `eval.listening.analysis.results.analyse`; titles: {system id: title}, an id without one is
    shown as it is."""
    study, n = results["study"], results["n"]
    task = task_of(study["mode"])
    anchors = {anchor: f"{hertz / 1000:g} kHz anchor" for anchor, hertz in task.anchors.items()}
    names = Names({REFERENCE: "Recording", **anchors, **titles})
    banner = (
        f'<p class="study-preliminary" role="status">{html.escape(results["preliminary"])}</p>'
        if results["preliminary"]
        else ""
    )
    head = (
        f"<h2>{html.escape(study['name'])}</h2><p>{html.escape(task.about)} Revision {study['revision']}; {n['started']} "
        f"raters started, {n['finished']} finished, {n['with_votes']} have votes, {n['screened']} of them after screening; "
        f"{n['items']} clips, {n['votes']} votes, {n['votes_screened']} after screening.</p>{banner}"
    )
    found = (
        outcome_html(task.outcome(results), names)
        if results["after"]
        else "<p>No votes are left to show. As soon as somebody has answered, they appear here.</p>"
    )
    return f'<section class="study-results">{head}{found}{_metrics(results, names)}{_screening(results)}</section>'


def _metrics(results: Mapping, names: Names) -> str:
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
        "screened results.</p>" + html_table(("Rule", "what the rater did", "raters", "left out"), rows)
    )
