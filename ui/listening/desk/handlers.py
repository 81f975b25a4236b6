"""Shared by the handlers of the desk: the components that say which study is meant, and errors as sentences."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from eval.listening.storage.database import StoreError
from eval.listening.study import StudyError
from ui.listening.desk.access import NO_STUDY, Refused
from ui.markup import notice

OPTIONS = {"show_progress": "minimal", "api_visibility": "private"}
QUIET = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class Finder:
    """The fields that choose a study, and the places where it is shown."""

    public_id: gr.Textbox
    key: gr.Textbox
    message: gr.HTML
    listed: gr.HTML
    choice: gr.Dropdown
    progress: gr.HTML
    timer: gr.Timer
    actions: gr.Column
    toggle: gr.Button
    together: gr.Checkbox
    results: gr.HTML

    @property
    def asked(self) -> list[gr.components.Component]:
        """The inputs of every handler: id and key."""
        return [self.public_id, self.key]


def reported(message: gr.HTML, work: Callable[..., dict]) -> Callable[..., dict]:
    """The handler, with errors as sentences in `message`."""

    @functools.wraps(work)
    def handler(*arguments, **named) -> dict:
        try:
            return work(*arguments, **named)
        except (Refused, StudyError, StoreError) as error:
            return {message: notice(str(error), "bad")}
        except KeyError:
            return {message: notice(NO_STUDY, "bad")}

    return handler
