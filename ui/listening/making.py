"""The form that makes a study: its question, clips and systems, and the precision to expect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from eval.listening.analysis.power import plan, twice_as_precise
from eval.listening.making.make_study import Made, make_study, read_clips
from eval.listening.making.stimuli import render_stimuli
from eval.listening.session.service import Listening
from eval.listening.storage.database import StoreError
from eval.listening.study import Question, Study, StudyError, session_minutes
from eval.listening.tasks.registry import TASKS, task_of
from server.executor import ComputeError, Executor
from ui.background import Finished, followed
from ui.compare.inputs import Inputs, choices, offered
from ui.compare.tab import QUEUE
from ui.listening.reading import may_read
from ui.markup import fill, notice, slot
from ui.vocoders.uploads import Upload, all_systems, chosen_systems
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.recordings.contained import read_recording_contained
from vocoders.recordings.reader import AudioError
from vocoders.systems import System

DEFAULT_MODE = next(iter(TASKS))
DEFAULT_RATERS = 12
_EVERYTHING = 0  # as the number of trials: all of them


@dataclass(frozen=True)
class Form:
    """The values of the fields, in their order on the page."""

    name: str
    mode: str
    files: list[str]
    with_compared: bool
    recording: str
    systems: list[str]
    raters: float
    trials: float
    repeats: float
    golds: float
    traps: float
    seed: float
    about: str
    questions: str
    revises: str
    key: str

    def clips(self) -> dict[str, Path]:
        """{name: file}. Errors: `StudyError`."""
        paths = [*self.files, *([self.recording] if self.with_compared and self.recording else [])]
        if not paths:
            raise StudyError("Add clips first: upload some, or put a recording into the Compare page.")
        found: dict[str, Path] = {}
        for path in map(Path, paths):
            name, number = path.stem, 2
            while name in found:
                name, number = f"{path.stem}-{number}", number + 1
            found[name] = path
        return found

    def study(self, items: Sequence[str], systems: Sequence[str]) -> Study:
        """Errors: `StudyError`."""
        return Study(
            name=self.name.strip(),
            mode=self.mode,
            items=tuple(items),
            systems=tuple(systems),
            raters=int(self.raters or 0),
            trials=int(self.trials or _EVERYTHING) or None,
            repeats=int(self.repeats or 0),
            golds=int(self.golds or 0),
            traps=int(self.traps or 0),
            seed=int(self.seed or 0),
            about=self.about.strip(),
            questions=parse_questions(self.questions),
        )


def parse_questions(text: str) -> tuple[Question, ...]:
    """A question per line; behind a bar its choices: "What did you use? | headphones, loudspeakers"."""
    questions: list[Question] = []
    for line in filter(None, map(str.strip, (text or "").splitlines())):
        words, _, given = line.partition("|")
        question_id = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:40] or f"question-{len(questions) + 1}"
        questions.append(Question(question_id, words.strip(), tuple(filter(None, map(str.strip, given.split(","))))))
    return tuple(questions)


def lay_out_making(
    listening: Listening,
    data_dir: Path,
    systems: Sequence[System],
    uploads: gr.State,
    inputs: Inputs,
    compute: Executor,
) -> None:
    """The form, its forecast of the precision, and the link and key of the study that it made."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            question = _lay_out_question()
        with gr.Column(scale=4, min_width=300):
            chosen, raters = _lay_out_design(systems)
            outlook = slot("study-outlook", outlook_of(DEFAULT_MODE, None, False, None, [], DEFAULT_RATERS, 0))
    checks = _lay_out_checks()
    with gr.Row():
        make = gr.Button("Make the study", variant="primary", elem_id="study-make", scale=0, min_width=200)
    message = slot("study-message")
    made = slot("study-made")
    fields = [*question, inputs.audio, chosen, raters, *checks]

    def offer(own: tuple[Upload, ...], now: list[str]) -> dict:
        return offered(all_systems(systems, own), now)

    def run(own: tuple[Upload, ...], *values: object) -> Iterator[dict]:
        filled: list[Any] = [
            "" if value is None else value for value in values
        ]  # Gradio passes None for an empty field
        again = {make: gr.update(interactive=True)}
        yield {make: gr.update(interactive=False), message: notice("Reading the clips"), made: ""}
        try:
            for text, html in _made(Form(*filled), systems, own, listening, data_dir, compute):
                yield {message: text, made: html}
        except (StudyError, AudioError, CheckpointError, StoreError, ComputeError) as error:
            yield {message: notice(str(error), "bad")} | again
        except Exception:
            yield {message: ""} | again
            raise
        else:
            yield again

    options = {"show_progress": "hidden", "api_visibility": "private"}
    make.click(run, [uploads, *fields], [make, message, made], **QUEUE, **options)
    uploads.change(offer, [uploads, chosen], chosen, **options)
    planned = [*question[1:], inputs.audio, chosen, raters, *checks[:4]]
    for field in planned:
        field.change(outlook_of, planned, outlook, queue=False, **options)


def _made(
    form: Form,
    systems: Sequence[System],
    own: tuple[Upload, ...],
    listening: Listening,
    data_dir: Path,
    compute: Executor,
) -> Iterator[tuple[str, str]]:
    """Makes the study: (HTML of the progress, HTML of the invitation) as the work goes on. Errors: as `make_study`, and those of
    reading clips and checkpoints."""
    selected = chosen_systems(systems, own, form.systems)
    revises = form.revises.strip() or None
    if revises and not may_read(listening, revises, form.key.strip()):
        raise StudyError("To revise a study takes the key that came with it; there is none with this id and key.")
    study = form.study(list(form.clips()), [system.id for system in selected])
    recordings = read_clips(form.clips(), read_recording_contained)

    def render(study: Study, recordings: dict, selected: Sequence[System], tell: Callable) -> tuple:
        return compute.run(render_stimuli, study, recordings, selected, on_report=tell)

    def work(report: Callable[[str], None]) -> Made:
        def tell(done: int, total: int, text: str) -> None:
            report(f"Output {min(done + 1, total)} of {total}: {text}")

        return make_study(listening.store, data_dir, study, recordings, selected, tell, revises, render)

    for event in followed(work):
        if isinstance(event, Finished):
            yield "", invitation(event.result, study, listening.durable)
        else:
            yield notice(event), ""


def _lay_out_question() -> list[gr.components.Component]:
    """The first four fields of `Form`."""
    return [
        gr.Textbox(label="Name, which listeners see", max_length=120, elem_id="study-name"),
        gr.Radio(
            [(task.title, task.id) for task in TASKS.values()],
            value=DEFAULT_MODE,
            label="Task of the listeners",
            elem_id="study-mode",
        ),
        gr.File(label="Clips, 1.5 to 30 s", file_count="multiple", type="filepath", height=150, elem_id="study-clips"),
        gr.Checkbox(False, label="Also the recording of the Compare page", elem_id="study-with-compared"),
    ]


def _lay_out_design(systems: Sequence[System]) -> tuple[gr.CheckboxGroup, gr.Number]:
    chosen = gr.CheckboxGroup(choices(systems), label="Systems", elem_id="study-systems")
    raters = gr.Number(
        DEFAULT_RATERS, label="Raters expected", precision=0, minimum=1, maximum=10_000, elem_id="study-raters"
    )
    return chosen, raters


def _lay_out_checks() -> list[gr.components.Component]:
    """The fields of `Form` from `trials` on."""
    with gr.Accordion("Checks, questions, order", open=False):
        with gr.Row():
            trials = gr.Number(
                _EVERYTHING, label="Trials per rater, 0: all", precision=0, minimum=0, elem_id="study-trials"
            )
            repeats = gr.Number(1, label="Repeated trials", precision=0, minimum=0, maximum=10)
            golds = gr.Number(1, label="Trials with the degraded anchor", precision=0, minimum=0, maximum=10)
            traps = gr.Number(1, label="Trials with beeps", precision=0, minimum=0, maximum=10)
            seed = gr.Number(0, label="Seed of the order", precision=0)
        about = gr.Textbox(label="Information for listeners before they start", lines=2, max_length=2000)
        questions = gr.Textbox(
            label="Questions at the end, one per line; choices behind a bar",
            placeholder="What did you listen with? | headphones, loudspeakers",
            lines=2,
            max_length=4000,
        )
        with gr.Row():
            revises = gr.Textbox(label="Revision of the study with this id (empty: a new study)", max_length=64)
            key = gr.Textbox(label="Key of that study", type="password", max_length=200)
    return [trials, repeats, golds, traps, seed, about, questions, revises, key]


def outlook_of(
    mode: str,
    files: list[str] | None,
    with_compared: bool,
    recording: str | None,
    systems: list[str],
    raters: float,
    trials: float,
    *checks: float,
) -> str:
    """The planner's sentences, as HTML, for the present values of the form."""
    items = len(files or []) + bool(with_compared and recording)
    per_item = len(task_of(mode).units(systems))
    if not items or not systems or not per_item or not raters or raters < 1:
        return fill("listening/templates/outlook.html", found=None, needed=task_of(mode).needs)
    asked = min(int(trials or 0) or items * per_item, items * per_item)
    heard = max(1, round(items * asked / (items * per_item)))
    found = plan(mode, int(raters), heard)
    extra = int(sum(filter(None, checks)))
    return fill(
        "listening/templates/outlook.html",
        found=found,
        asked=asked,
        extra=extra,
        minutes=session_minutes(mode, asked + extra),
        more=twice_as_precise(found),
    )


def invitation(made: Made, study: Study, durable: bool) -> str:
    """HTML with the link, the key, and the levels and delays of the outputs."""
    lost = "Answers die with this server: it has no disk that stays, no DATABASE_URL and no LISTENING_DATASET."
    warning = "" if durable else notice(lost, "bad")
    return fill("listening/templates/invitation.html", made=made, study=study, warning=warning)
