"""Alarms about checks, answered by the owner: whether the raters failed a check, or the check is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from eval.listening.analysis.alarm import EXPECTED, Alarm
from ui.listening.desk.desk import Asked, Desk
from ui.listening.desk.handlers import OPTIONS, Finder, reported
from ui.markup import notice


@dataclass(frozen=True)
class Answers:
    """The two answers to the alarm about a rule, in a row that is shown while it is open."""

    rule: str
    row: gr.Row
    works: gr.Button
    broken: gr.Button


def lay_out_alarms() -> list[Answers]:
    """One for each rule that may raise an alarm, hidden."""
    return [_lay_out(rule) for rule in EXPECTED]


def _lay_out(rule: str) -> Answers:
    with gr.Row(visible=False, elem_id=f"study-alarm-{rule}") as row:
        works = gr.Button(f"The check {rule!r} works: leave out who failed it", size="sm", min_width=280)
        broken = gr.Button(f"The check {rule!r} is broken: keep everybody", size="sm", min_width=280)
    return Answers(rule, row, works, broken)


def shown(answers: Sequence[Answers], alarms: Sequence[Alarm]) -> dict[gr.Row, dict]:
    """Updates: the rows of the open alarms."""
    rules = [alarm.rule for alarm in alarms]
    return {one.row: gr.update(visible=one.rule in rules) for one in answers}


def wire_alarms(desk: Desk, finder: Finder, answers: Sequence[Answers]) -> None:
    """All buttons."""

    def handler(rule: str, works: bool) -> Callable[..., dict]:
        def answer(public_id: str, key: str, request: gr.Request) -> dict:
            asked = Asked(public_id.strip(), key.strip(), request)
            desk.answer_alarm(asked, rule, works)
            said = "leaves out everybody who failed it" if works else "leaves nobody out"
            return {
                finder.message: notice(f"The check {rule!r} {said}."),
                finder.progress: desk.progress(asked),
                finder.results: "",
                **shown(answers, desk.alarms(asked)),
            }

        return reported(finder.message, answer)

    changed = [finder.message, finder.progress, finder.results, *(one.row for one in answers)]
    for one in answers:
        for button, works in ((one.works, True), (one.broken, False)):
            button.click(handler(one.rule, works), finder.asked, changed, **OPTIONS)
