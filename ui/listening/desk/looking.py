"""Handlers that look: they find a study, follow its progress, and show its results when asked for them."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from ui.listening.desk.access import Refused
from ui.listening.desk.alarms import Answers, shown
from ui.listening.desk.desk import Asked, Desk
from ui.listening.desk.handlers import OPTIONS, QUIET, Finder, reported
from ui.listening.desk.panels import choice_of, state_of, studies_panel
from ui.markup import notice


def wire_looking(desk: Desk, finder: Finder, answers: Sequence[Answers], find: gr.Button, show: gr.Button) -> None:
    """find: shows progress, and no result; show: the results as well."""
    nothing = {
        finder.listed: "",
        finder.choice: gr.update(visible=False),
        finder.progress: "",
        finder.timer: gr.Timer(active=False),
        finder.actions: gr.update(visible=False),
        finder.results: "",
    }

    def look(public_id: str, key: str, request: gr.Request) -> dict:
        asked = Asked(public_id.strip(), key.strip(), request)
        try:
            studies = desk.studies(asked)
        except Refused as error:
            return nothing | {finder.message: notice(str(error), "bad")}
        several = len(studies) > 1
        found = nothing | {finder.message: "", finder.listed: studies_panel(studies) if several else ""}
        found[finder.choice] = gr.update(visible=several, choices=[choice_of(s) for s in studies], value=None)
        return found | (opened(Asked(studies[0].public_id, asked.key, request)) if len(studies) == 1 else {})

    def opened(asked: Asked) -> dict:
        """Updates for the study that is looked at from now on; no result of it."""
        closed = next(study.closed for study in desk.studies(asked))
        return {
            finder.public_id: asked.public_id,
            finder.progress: desk.progress(asked),
            finder.timer: gr.Timer(active=True),
            finder.actions: gr.update(visible=True),
            finder.toggle: gr.update(value="Open again" if closed else "Close to new raters"),
            finder.together: gr.update(visible=len(desk.revisions(asked)) > 1, value=False),
            finder.results: "",
            **shown(answers, desk.alarms(asked)),
        }

    def choose(public_id: str | None, key: str, request: gr.Request) -> dict:
        return opened(Asked(public_id, key.strip(), request)) if public_id else {finder.message: gr.skip()}

    def read(public_id: str, key: str, together: bool, request: gr.Request) -> dict:
        found = look(public_id, key, request)
        if not (opened_id := found.get(finder.public_id)):
            return found | ({} if found[finder.message] else {finder.message: notice("Open one of the studies first.")})
        asked = Asked(opened_id, key.strip(), request)
        state = state_of(desk.studies(asked)[0])
        found[finder.together] = gr.update(visible=len(desk.revisions(asked)) > 1, value=together)
        return found | {finder.message: notice(state), finder.results: desk.results(asked, together)}

    def tick(public_id: str, key: str, request: gr.Request) -> dict:
        asked = Asked(public_id.strip(), key.strip(), request)
        return {finder.progress: desk.progress(asked), **shown(answers, desk.alarms(asked))}

    def toggle(public_id: str, key: str, request: gr.Request) -> dict:
        asked = Asked(public_id.strip(), key.strip(), request)
        closed = desk.toggle(asked)
        state = state_of(desk.studies(asked)[0])
        return {
            finder.message: notice(state),
            finder.toggle: gr.update(value="Open again" if closed else "Close to new raters"),
            finder.progress: desk.progress(asked),
        }

    outputs = [
        finder.message, finder.public_id, finder.listed, finder.choice, finder.progress, finder.timer, finder.actions,
        finder.toggle, finder.together, finder.results, *(one.row for one in answers),
    ]  # fmt: skip
    find.click(reported(finder.message, look), finder.asked, outputs, **OPTIONS)
    finder.choice.input(reported(finder.message, choose), [finder.choice, finder.key], outputs, **OPTIONS)
    reading = reported(finder.message, read)
    for asks in (show.click, finder.key.submit, finder.together.input):
        asks(reading, [*finder.asked, finder.together], outputs, **OPTIONS)
    ticked = [finder.message, finder.progress, *(one.row for one in answers)]
    finder.timer.tick(reported(finder.message, tick), finder.asked, ticked, **QUIET)
    changed = [finder.message, finder.toggle, finder.progress]
    finder.toggle.click(reported(finder.message, toggle), finder.asked, changed, **OPTIONS)
