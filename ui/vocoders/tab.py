"""The Vocoders page: what is compared, where it comes from, and how to add your own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import gradio as gr

from ui.compare.inputs import offered
from ui.compare.tab import QUEUE
from ui.markup import fill, notice, slot
from ui.vocoders.cards import catalogue
from ui.vocoders.examination import Examination, examine
from ui.vocoders.uploads import MAX_UPLOADS, Upload, add_upload, all_systems
from vocoders.catalogue import OWN_CHECKPOINTS
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.checkpoints.trial import UNCHECKED
from vocoders.systems import System

FIND = "find"  # of the two mels, the one it fits


def vocoders_tab(systems: Sequence[System], uploads: gr.State, choice: gr.CheckboxGroup) -> None:
    """Lays out the systems' cards, and the form that adds a checkpoint to `uploads` and to `choice`."""
    cards = slot("catalogue", catalogue(systems))
    for name, checkpoint in OWN_CHECKPOINTS.items():
        card = checkpoint.with_suffix(".md")
        if card.is_file():
            with gr.Accordion(f"Model card of {name}", open=False, elem_id=f"model-card-{name}"):
                gr.Markdown(card_on_the_page(card.read_text(encoding="utf-8")))
    gr.Markdown(
        "### Add your own\n"
        "Drop what you have, together or as a zip of its folder: a generator (HiFi-GAN of any program, BigVGAN, Vocos, or an "
        "ONNX network from a mel to a waveform), its configuration, and its statistics or mel recipe where it has any. Files are "
        "recognized by their content. A generator on another mel than its own makes noise, so it is tried on a second of singing "
        f"first. {MAX_UPLOADS} systems are kept, for two hours."
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            files = gr.File(
                label="Generator and its configuration, or a zip",
                file_count="multiple",
                type="filepath",
                elem_id="own-files",
                elem_classes="page-takes-folders",
                height=170,
            )
        with gr.Column(scale=2, min_width=280):
            recipe = gr.Radio(
                [
                    ("as its files say, or found by a trial", FIND),
                    ("hw2 (torchaudio, log power)", "hw2"),
                    ("HiFi-GAN's own (log magnitude)", "hifigan"),
                ],
                value=FIND,
                label="Trained on which mel",
            )
            without = gr.Checkbox(
                label="Without a trial", info="It is used on the mel chosen above, however that sounds."
            )
            add = gr.Button("Add to the comparison", variant="primary", elem_id="add-own")
    message = slot("own-message")
    found = slot("own-found")
    with gr.Row(visible=False, elem_id="own-added") as added:
        which = gr.Dropdown([], label="Added by you", elem_id="own-which", interactive=True, scale=3)
        remove = gr.Button("Remove it", elem_id="own-remove", scale=1, min_width=120)

    def look(paths: list[str] | None, mel: str, untried: bool) -> Iterator[str]:
        if not paths:
            yield ""
            return
        yield notice("Reading and trying what was dropped", "waiting")
        try:
            yield found_table(examine(paths, _asked(mel, untried)))
        except CheckpointError as error:
            yield notice(str(error), "bad")

    def add_own(
        own: tuple[Upload, ...], paths: list[str] | None, mel: str, untried: bool, chosen: list[str]
    ) -> dict[gr.blocks.Block, object]:
        try:
            examination = examine(paths or (), _asked(mel, untried))
            known = {replace(upload, id="") for upload in own}
            new: list[System] = []
            for upload in examination.uploads:
                if upload not in known:
                    own, system = add_upload(own, upload.checkpoint, upload.config, upload.recipe)
                    new.append(system)
        except CheckpointError as error:
            return {message: notice(str(error), "bad")}
        shown: dict[gr.blocks.Block, object] = {found: found_table(examination)}
        return shown | ({message: _nothing_new(examination)} if not new else _with(own, new, chosen))

    def _with(own: tuple[Upload, ...], new: Sequence[System], chosen: list[str]) -> dict[gr.blocks.Block, object]:
        titles = " and ".join(system.title for system in new)
        about = f" {new[0].about}" if len(new) == 1 else ""
        said = f"{titles} {'is' if len(new) == 1 else 'are'} now among the systems to compare.{about}"
        return {message: notice(said, "good")} | _kept(own, [*chosen, *(system.id for system in new)])

    def remove_own(own: tuple[Upload, ...], unwanted: str | None, chosen: list[str]) -> dict[gr.blocks.Block, object]:
        left = tuple(upload for upload in own if upload.id != unwanted)
        return {message: ""} | _kept(left, chosen)

    def _kept(own: tuple[Upload, ...], chosen: list[str]) -> dict[gr.blocks.Block, object]:
        return {uploads: own, choice: offered(all_systems(systems, own), chosen)}

    def listed(own: tuple[Upload, ...]) -> dict[gr.blocks.Block, object]:
        """Of the session's own systems, whoever added them."""
        everything = all_systems(systems, own)
        mine = [(system.title, system.id) for system in everything[len(systems) :]]
        return {
            cards: catalogue(everything),
            added: gr.update(visible=bool(mine)),
            which: gr.update(choices=mine, value=mine[-1][1] if mine else None),
        }

    options = {**QUEUE, "api_visibility": "private"}
    given: list[gr.components.Component] = [files, recipe, without]
    changes = [field.change for field in (files, recipe, without)]
    gr.on(changes, look, given, found, **options, show_progress="hidden", trigger_mode="always_last")
    changed = [uploads, choice, message]
    add.click(add_own, [uploads, files, recipe, without, choice], [*changed, found], **options)
    remove.click(remove_own, [uploads, which, choice], changed, **options)
    uploads.change(listed, uploads, [cards, added, which], show_progress="hidden", api_visibility="private")


def found_table(examination: Examination) -> str:
    """HTML: a row for every file."""
    return fill("vocoders/templates/found.html", findings=examination.findings)


def _nothing_new(examination: Examination) -> str:
    """Why nothing was added, as a notice."""
    if examination.uploads:
        return notice("It is among the systems to compare already.")
    reasons = [finding.use for finding in examination.findings if finding.state == "bad"]
    return notice(reasons[0] if reasons else "Drop a generator first: a checkpoint, or an ONNX network.", "bad")


def _asked(mel: str, untried: bool) -> str | None:
    """The page's choice as `add_upload` takes it. Errors: `CheckpointError`."""
    if mel == FIND and untried:
        raise CheckpointError("Without a trial, say which mel it was trained on.")
    return None if mel == FIND else f"{mel}{UNCHECKED}" if untried else mel


def card_on_the_page(markdown: str) -> str:
    """A model card without its picture, whose curves the cards above draw from the checkpoint itself, and without links to
    other files, which the page does not have."""
    without = re.sub(r"!\[[^\]]*\]\([^)]*\)\n*", "", markdown)
    return re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", without)
