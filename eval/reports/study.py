"""The results of a listening study as HTML: for the page, and as a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from markupsafe import Markup

from common.templates import render
from eval.listening.analysis.votes import REFERENCE
from eval.listening.tasks.registry import task_of
from eval.reports.study_blocks import outcome_html
from eval.reports.study_cells import Names
from eval.reports.study_findings import conclusions, findings_html

_RECORDING = "What all outputs were made from. Where it is rated, it stands among them under a letter of its own."
_ANCHOR = "The recording with nothing above {}: an output that is known to be poor, beside which the others are rated."
_BROUGHT = "A system that the study’s owner brought."
RULES = {
    "gold": "rated the degraded anchor as good",
    "trap": "did not answer the beeps",
    "null-pair": "ITU-T P.800 annex D: called the recording annoying against itself",
    "flat-scores": "scored all outputs of a clip alike where others do not",
    "hidden-reference": "ITU-R BS.1534: rated the hidden recording below 90 on more than 15 % of the clips",
    "same-answer": "gave one answer to everything",
    "against-the-panel": "hardly agrees with the others",
    "inconsistent": "answers change when asked again",
    "headphones": "skipped the headphone check or did not pass it",
    "impossible-time": "reported at least 1 s more listening to a trial than had passed since it was shown",
}


def study_report(
    results: Mapping, titles: Mapping[str, str], about: Mapping[str, str] = MappingProxyType({})
) -> Markup:
    """A whole HTML document. Arguments as of `study_results`."""
    name, section = results["study"]["name"], study_results(results, titles, about)
    return render("eval/reports/templates/study.html", name=name, section=section)


def study_results(
    results: Mapping, titles: Mapping[str, str], about: Mapping[str, str] = MappingProxyType({})
) -> Markup:
    """One HTML section. results: of `eval.listening.analysis.results.analyse`; titles: {system id: title}, an id without one is
    shown as it is; about: {system id: a sentence}, of those that have one."""
    study = results["study"]
    task = task_of(study["mode"])
    cut_offs = {anchor: f"{hertz / 1000:g} kHz" for anchor, hertz in {**task.anchors, **task.extra_anchors}.items()}
    names = Names(
        {REFERENCE: "Recording", **{anchor: f"{hertz} anchor" for anchor, hertz in cut_offs.items()}, **titles}
    )
    heard = {**task.anchors, **(task.extra_anchors if study["mid_anchor"] else {})}
    rows = {REFERENCE: _RECORDING} | {anchor: _ANCHOR.format(cut_offs[anchor]) for anchor in heard}
    rows |= {system: about.get(system, _BROUGHT) for system in study["systems"]}
    return render(
        "eval/reports/templates/study_results.html",
        results=results,
        question=task.about,
        meanings=[(names[row], meaning) for row, meaning in rows.items()],
        conclusions=conclusions(results, task, names) if results["after"] else None,
        outcome=outcome_html(task.outcome(results), names) if results["before"] else "",
        findings=findings_html(results, task, names, RULES),
        rules=RULES,
    )
