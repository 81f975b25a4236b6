"""The parts of a study's report that do not depend on its kind of test: conclusions, order, metrics, raters, methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from common.templates import number, render
from eval.listening.conclusions.methods import methods_paragraph
from eval.listening.conclusions.metric_agreement import warning_for_few
from eval.listening.conclusions.sentences import Conclusions, conclusions_of
from eval.listening.tasks.outcome import PCell
from eval.listening.tasks.task import Task
from eval.metrics.registry import METRICS
from eval.reports.charts import cloud
from eval.reports.heat_map import heat_map
from eval.reports.study_cells import Names
from eval.reports.svg import Drawing

_SCORES = {"systems": "share of best minus worst", "differences": "mean score", "ranking": "share of wins"}
_DIRECTION = {"higher": 1, "lower": -1}


def conclusions(results: Mapping[str, Any], task: Task, names: Names) -> Conclusions | None:
    """None without comparisons."""
    return conclusions_of(results, names, task.points)


def findings_html(results: Mapping[str, Any], task: Task, names: Names, rules: Mapping[str, str]) -> Markup:
    """Everything behind the outcome. rules: {rule of screening: what the rater did}."""
    matrix = results["matrix"]
    digits = task.digits
    left_out = {line["number"] for line in results["raters"] if line["left_out"]}
    rows = [f"{'× ' if n in left_out else ''}rater {n}" for n in matrix["numbers"]] if matrix else []
    return render(
        "eval/reports/templates/study_findings.html",
        results=results,
        rules=rules,
        effects=[_effect(row, digits) for row in results["order"]],
        agreement=_agreement(results["metrics"]),
        warning=warning_for_few(_systems(results["metrics"]), len(results["metrics"])),
        clouds=[_cloud(name, found, names, _score_name(results)) for name, found in results["metrics"].items()],
        matrix=matrix and heat_map(matrix["about"], rows, matrix["items"], matrix["values"], digits),
        items=list(enumerate(matrix["items"], start=1)) if matrix else [],
        methods=methods_paragraph(results, names),
    )


def _effect(row: Mapping[str, Any], digits: int) -> dict[str, Any]:
    return {
        "about": row["about"],
        "size": row["size"],
        "digits": digits if row["unit"] == "points" else 2,
        "p": PCell(row["size"]["p"]).text,
        "p_holm": PCell(row["p_holm"]).text,
    }


def _agreement(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The best predictor first. Signs are turned so that 1 is always the listeners' order."""
    rows = []
    for name, found in metrics.items():
        outputs, systems = found["takes"], found["systems"]
        sign = _DIRECTION.get(METRICS[name].better, 0) if name in METRICS else 1
        if outputs["spearman"] is None or not sign:
            continue
        ends = sorted(sign * end for end in (outputs["low"], outputs["high"]) if end is not None)
        low, high = ends if ends else (None, None)
        over_systems = None if systems["spearman"] is None else sign * systems["spearman"]
        row = {"name": name, "mean": sign * outputs["spearman"], "low": low, "high": high}
        rows.append({**row, "outputs": outputs["n"], "over_systems": over_systems, "systems": systems["n"]})
    return sorted(rows, key=lambda row: -row["mean"])


def _systems(metrics: Mapping[str, Any]) -> int:
    return max((found["systems"]["n"] for found in metrics.values()), default=0)


def _score_name(results: Mapping[str, Any]) -> str:
    found = results["after"] or results["before"]
    return next((name for key, name in _SCORES.items() if key in found), "share of wrong answers")


def _cloud(name: str, found: Mapping, names: Names, score: str) -> Drawing | None:
    """The listeners' scores against a metric."""
    words = ", ".join(
        f"{number(found[level]['spearman'], 2, sign=True)} over {found[level]['n']} {plural}"
        for level, plural in (("takes", "outputs"), ("systems", "systems"))
        if found[level]["spearman"] is not None
    )
    says = f"Spearman's correlation with the {score} {words}" if words else "too few outputs for a correlation"
    unit = f", {METRICS[name].unit}" if name in METRICS and METRICS[name].unit else ""
    points = [(p["system"], p["item"], p["value"], p["score"]) for p in found["points"]]
    return cloud(f"{name}: {says}", points, names, f"{name}{unit}", score)
