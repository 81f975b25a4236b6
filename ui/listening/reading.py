"""Results of a study, for holders of its key."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence

import gradio as gr
from markupsafe import Markup

from eval.listening.analysis.export import export_study
from eval.listening.analysis.results import analyse
from eval.listening.session.service import Listening
from eval.listening.storage.database import StoreError
from eval.reports.study import study_report, study_results
from server.results import ResultStore
from ui.markup import fill, inert, notice, slot
from vocoders.systems import System

ADMIN = "LISTENING_ADMIN_TOKEN"  # environment variable: a key to every study; without it there is none


def may_read(listening: Listening, public_id: str, key: str) -> bool:
    """Whether the key is the study's or the administrator's. Errors: `StoreError`."""
    admin = os.environ.get(ADMIN, "")
    is_admin = secrets.compare_digest(admin.encode(), key.encode()) and bool(admin)
    return listening.store.has_key(public_id, key) or is_admin


def lay_out_reading(listening: Listening, systems: Sequence[System], store: ResultStore) -> None:
    """The part of the tab that shows, closes and reopens a study for those who have its key."""
    with gr.Row(equal_height=False):
        public_id = gr.Textbox(label="Id of the study", max_length=64, elem_id="results-study")
        key = gr.Textbox(label="Key to its results", type="password", max_length=200, elem_id="results-key")
        with gr.Column(min_width=160):
            show = gr.Button("Show the results", variant="primary", elem_id="results-show")
            toggle = gr.Button("Close to new raters", elem_id="results-toggle", visible=False)
    message = slot("results-message")
    found = slot("results-found")
    outputs = [message, found, toggle]

    def run(public_id: str, key: str, change: bool = False) -> dict:
        public_id = public_id.strip()
        try:
            if not may_read(listening, public_id, key.strip()):
                return {
                    message: notice("No study with this id and key.", "bad"),
                    found: "",
                    toggle: gr.update(visible=False),
                }
            stored = listening.store.study(public_id)
            if change:
                listening.store.set_closed(public_id, not stored.closed)
                stored = listening.store.study(public_id)
            results = analyse(stored, listening.store.answers(public_id), listening.store.raters(public_id))
            titles = {system.id: system.title for system in systems} | dict(stored.titles)
            links = _downloads(listening, store, public_id, study_report(results, titles))
        except KeyError:
            return {
                message: notice("No study with this id and key.", "bad"),
                found: "",
                toggle: gr.update(visible=False),
            }
        except StoreError as error:
            return {message: notice(str(error), "bad")}
        state = "Closed: nobody new can start." if stored.closed else "Open: whoever has the link can start."
        return {
            message: notice(state),
            found: inert(links + study_results(results, titles)),
            toggle: gr.update(visible=True, value="Open again" if stored.closed else "Close to new raters"),
        }

    options = {"show_progress": "minimal", "api_visibility": "private"}
    show.click(run, [public_id, key], outputs, **options)
    key.submit(run, [public_id, key], outputs, **options)
    toggle.click(lambda public_id, key: run(public_id, key, True), [public_id, key], outputs, **options)


def _downloads(listening: Listening, store: ResultStore, public_id: str, report: str) -> Markup:
    """Links to the report and the answers."""
    folder = store.new()
    export_study(listening.store, public_id, folder.path / "answers")
    shutil.make_archive(str(folder.path / "answers"), "zip", folder.path / "answers")
    (folder.path / "report.html").write_text(report, encoding="utf-8")
    titles = {"report.html": "Report", "answers.zip": "Answers: CSV, JSON lines, webMUSHRA"}
    return fill("templates/downloads.html", files=[(folder.url(name), name, title) for name, title in titles.items()])
