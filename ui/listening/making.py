"""The form that makes a study: its question, clips and systems, and the precision to expect."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from eval.compare.output_folder import AnySystem
from eval.listening.making.make_study import Made, make_study
from eval.listening.making.stimuli import render_stimuli
from eval.listening.session.preview import Preview
from eval.listening.session.service import Listening
from eval.listening.storage.database import StoreError
from eval.listening.study import Study, StudyError
from eval.listening.tasks.material import Material
from eval.listening.tasks.registry import TASKS, task_of
from server.executor import ComputeError, Executor
from ui.background import Finished, enabled_after, followed
from ui.compare.inputs import Inputs, choices, offered
from ui.compare.tab import QUEUE
from ui.folders.chooser import FoldersChooser, folders_chooser
from ui.folders.layout import GivenFolders
from ui.listening.desk.access import require_keys
from ui.listening.form import EVERYTHING, Form, count_clips, sources_of_clips, sources_of_folders
from ui.listening.invitation import durability_warning, invitation
from ui.listening.options import lay_out_options, lay_out_people
from ui.listening.outlook import outlook_of, outlook_with_folders, sizes_of, task_html
from ui.listening.planning import lay_out_planning
from ui.listening.problems import Problem, problems_of
from ui.markup import fill, notice, slot
from ui.vocoders.uploads import Upload, all_systems, chosen_systems
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.recordings.contained import read_recording_contained
from vocoders.recordings.reader import AudioError, Limits
from vocoders.systems import System

DEFAULT_MODE = next(iter(TASKS))
DEFAULT_RATERS = 12


def lay_out_making(
    listening: Listening,
    data_dir: Path,
    systems: Sequence[System],
    limits: Limits,
    uploads: gr.State,
    inputs: Inputs,
    compute: Executor,
) -> FoldersChooser:
    """The form, its forecast of the precision, and the link and key of the study that it made. Returns its field for folders."""
    problems = _Problems()
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            question = _lay_out_question(problems)
            with gr.Accordion("Or folders of outputs made elsewhere", open=False, elem_id="study-folders-box") as box:
                folders = folders_chooser("study-folders", limits)
        with gr.Column(scale=4, min_width=300):
            chosen, raters = _lay_out_design(systems, problems)
            outlook = slot("study-outlook", outlook_of(DEFAULT_MODE, None, False, None, [], DEFAULT_RATERS, 0))
            material = [folders.given, folders.reference]
            lay_out_planning(question[1], sizes_of, [*material, *question[2:], inputs.audio, chosen], compute)
    checks = _lay_out_checks(problems)
    slot("study-durability", durability_warning(listening.durable))
    with gr.Row():
        make = gr.Button("Make the study", variant="primary", elem_id="study-make", scale=0, min_width=200)
    message = slot("study-message")
    made = slot("study-made")
    fields = [*question, inputs.audio, chosen, raters, *checks]

    def offer(own: tuple[Upload, ...], now: list[str]) -> dict:
        return offered(all_systems(systems, own), now)

    def run(own: tuple[Upload, ...], given: GivenFolders | None, reference: str, *values: object) -> Iterator[dict]:
        filled: list[Any] = [
            "" if value is None else value for value in values
        ]  # Gradio passes None for an empty field
        form = Form(*filled)
        found = _found_problems(form, given, reference)
        yield problems.shown(found)
        if found:
            yield {message: fill("listening/templates/problems.html", problems=found), made: ""}
            return
        yield {make: gr.update(interactive=False), message: notice("Reading the clips"), made: ""}
        try:
            for text, html in _made(form, given, reference, systems, own, listening, data_dir, compute):
                yield {message: text, made: html}
        except (StudyError, AudioError, CheckpointError, StoreError, ComputeError) as error:
            yield {message: notice(str(error), "bad")}
        except Exception:
            yield {message: ""}
            raise

    options = {"show_progress": "hidden", "api_visibility": "private"}
    made_of = [uploads, *material, *fields]
    enabled_after(make.click(run, made_of, [make, message, made, *problems.values()], **QUEUE, **options), make)
    uploads.change(offer, [uploads, chosen], chosen, **options)
    pay, currency = (
        fields[[field.name for field in dataclasses.fields(Form)].index(name)] for name in ("pay", "currency")
    )
    planned = [*material, pay, currency, *question[1:], inputs.audio, chosen, raters, *checks[:4]]
    for field in planned:
        field.change(outlook_with_folders, planned, outlook, queue=False, **options)
    folders.given.change(_opened, folders.given, box, **options)
    return folders


class _Problems(dict[str, gr.HTML]):
    """{field: the place below it that says what is wrong with it}."""

    def __call__(self, field: str) -> None:
        """Lays out the place of a field, where it is called."""
        self[field] = slot(f"study-problem-{field}")

    def shown(self, problems: Sequence[Problem]) -> dict[gr.HTML, str]:
        """Updates of all places."""
        texts = {field: " ".join(p.text for p in problems if p.field == field) for field in self}
        return {self[field]: notice(text, "bad") if text else "" for field, text in texts.items()}


def _found_problems(form: Form, given: GivenFolders | None, reference: str | None) -> list[Problem]:
    clips, made_elsewhere = count_clips(given, reference)
    own = len(form.files) + bool(form.with_compared and form.recording)
    systems = [*made_elsewhere, *form.systems]
    material = Material(systems, reference=not clips or bool(reference))
    return problems_of(form, clips or own, systems, lambda: len(task_of(form.mode).units(material)), material.reference)


def _opened(given: GivenFolders | None) -> dict:
    """An update of the box around the folders: they may come from another page."""
    return gr.skip() if given is None else gr.update(open=True)


def _made(
    form: Form,
    given: GivenFolders | None,
    reference: str,
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
    require_keys(form, listening.store)
    if given is None:
        sources = sources_of_clips(form, selected, read_recording_contained)
    else:
        sources = sources_of_folders(form, given, reference, selected, read_recording_contained)
    study = form.study(sources.items, [system.id for system in sources.systems], sources.has_reference)

    def render(study: Study, recordings: dict, everything: Sequence[AnySystem], tell: Callable) -> tuple:
        return compute.run(render_stimuli, study, recordings, everything, on_report=tell)

    def work(report: Callable[[str], None]) -> Made:
        def tell(done: int, total: int, text: str) -> None:
            report(f"Output {min(done + 1, total)} of {total}: {text}")

        recordings, everything = sources.recordings, sources.systems
        return make_study(listening.store, data_dir, study, recordings, everything, tell, revises, render)

    for event in followed(work):
        if isinstance(event, Finished):
            yield (
                "",
                invitation(event.result, study, listening.durable, Preview(listening).link(event.result.public_id)),
            )
        else:
            yield notice(event), ""


def _lay_out_question(beside: _Problems) -> list[gr.components.Component]:
    """The first four fields of `Form`."""
    name = gr.Textbox(label="Name, which listeners see", max_length=120, elem_id="study-name")
    beside("name")
    mode = gr.Radio(
        [(task.title, task.id) for task in TASKS.values()],
        value=DEFAULT_MODE,
        label="Task of the listeners",
        elem_id="study-mode",
    )
    about = slot("study-task", task_html(DEFAULT_MODE))
    mode.change(task_html, mode, about, queue=False, show_progress="hidden", api_visibility="private")
    clips = gr.File(
        label="Clips, 1.5 to 30 s", file_count="multiple", type="filepath", height=150, elem_id="study-clips"
    )
    with_compared = gr.Checkbox(False, label="Also the recording of the Compare page", elem_id="study-with-compared")
    beside("clips")
    return [name, mode, clips, with_compared]


def _lay_out_design(systems: Sequence[System], beside: _Problems) -> tuple[gr.CheckboxGroup, gr.Number]:
    chosen = gr.CheckboxGroup(choices(systems), label="Systems", elem_id="study-systems")
    beside("systems")
    raters = gr.Number(
        DEFAULT_RATERS, label="Raters expected", precision=0, minimum=1, maximum=10_000, elem_id="study-raters"
    )
    beside("raters")
    return chosen, raters


def _lay_out_checks(beside: _Problems) -> list[gr.components.Component]:
    """The fields of `Form` from `trials` on."""
    with gr.Accordion("Checks, questions, order", open=False):
        with gr.Row():
            trials = gr.Number(
                EVERYTHING, label="Trials per rater, 0: all", precision=0, minimum=0, elem_id="study-trials"
            )
            repeats = gr.Number(1, label="Repeated trials", precision=0, minimum=0, maximum=10)
            golds = gr.Number(1, label="Trials of degraded sound", precision=0, minimum=0, maximum=10)
            traps = gr.Number(1, label="Trials with beeps", precision=0, minimum=0, maximum=10)
            seed = gr.Number(0, label="Seed of the order", precision=0)
        beside("trials")
        beside("checks")
        about = gr.Textbox(label="Information for listeners before they start", lines=2, max_length=2000)
        questions = gr.Textbox(
            label="Questions at the end, one per line; choices behind a bar",
            placeholder="What did you listen with? | headphones, loudspeakers",
            lines=2,
            max_length=4000,
        )
        beside("questions")
        options = lay_out_options()
        with gr.Row():
            revises = gr.Textbox(label="Revision of the study with this id (empty: a new study)", max_length=64)
            key = gr.Textbox(label="Key of that study", type="password", max_length=200)
        beside("revises")
    with gr.Accordion(
        "Listeners: who asks them, where they come from, what they are paid", open=False, elem_id="study-people"
    ):
        people = lay_out_people()
    beside("people")
    return [trials, repeats, golds, traps, seed, about, questions, revises, key, *options, *people]
