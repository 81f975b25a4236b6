"""The Vocoders page: what is compared, where it comes from, and how to add your own."""

from __future__ import annotations

import re
from collections.abc import Sequence

import gradio as gr

from ui.compare.inputs import offered
from ui.compare.tab import QUEUE
from ui.markup import notice, slot
from ui.vocoders.cards import catalogue
from ui.vocoders.uploads import Upload, add_upload, all_systems
from vocoders.catalogue import OWN_MODEL_CARD
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.checkpoints.trial import UNCHECKED
from vocoders.systems import System

FIND = "find"  # of the two mels, the one it fits


def vocoders_tab(systems: Sequence[System], uploads: gr.State, choice: gr.CheckboxGroup) -> None:
    """Lays out the systems' cards, and the form that adds a checkpoint to `uploads` and to `choice`."""
    cards = slot("catalogue", catalogue(systems))
    if OWN_MODEL_CARD.is_file():
        with gr.Accordion("Model card of the project's own HiFi-GAN", open=False, elem_id="model-card"):
            gr.Markdown(_without_pictures(OWN_MODEL_CARD.read_text(encoding="utf-8")))
    gr.Markdown(
        "### Add your own\n"
        "A generator of HiFi-GAN, BigVGAN or Vocos with its `config.json` or `config.yaml`, or a `.safetensors` of this project. A model fed another mel than its own makes noise, so it is tried on a second of singing "
        "first. It is kept for two hours, and joins the systems on the Compare page."
    )
    with gr.Row():
        checkpoint = gr.File(label="Generator", type="filepath", elem_id="own-checkpoint", height=130)
        config = gr.File(
            label="config.json",
            type="filepath",
            file_types=[".json", ".yaml", ".yml"],
            elem_id="own-config",
            height=130,
        )
        with gr.Column(min_width=240):
            recipe = gr.Radio(
                [
                    ("as its files say, or found by a trial", FIND),
                    ("hw2 (torchaudio, log power)", "hw2"),
                    ("HiFi-GAN's own (log magnitude)", "hifigan"),
                ],
                value=FIND,
                label="Trained on which mel",
            )
            without = gr.Checkbox(label="Untried", info="Use it on the mel chosen above, whatever a trial would say.")
            add = gr.Button("Add to the comparison", variant="primary", elem_id="add-own")
    message = slot("own-message")

    def add_own(
        own: tuple[Upload, ...],
        checkpoint_path: str | None,
        config_path: str | None,
        mel: str,
        untried: bool,
        chosen: list[str],
    ) -> tuple:
        try:
            own, system = add_upload(own, checkpoint_path, config_path, _asked(mel, untried))
        except CheckpointError as error:
            return gr.skip(), gr.skip(), gr.skip(), notice(str(error), "bad")
        everything = all_systems(systems, own)
        selection = offered(everything, [*chosen, system.id])
        return (
            own,
            selection,
            catalogue(everything),
            notice(f"{system.title} is now among the systems to compare. {system.about}", "good"),
        )

    add.click(
        add_own,
        [uploads, checkpoint, config, recipe, without, choice],
        [uploads, choice, cards, message],
        **QUEUE,
        api_visibility="private",
    )


def _asked(mel: str, untried: bool) -> str | None:
    """The page's choice as `add_upload` takes it. Errors: `CheckpointError`."""
    if mel == FIND and untried:
        raise CheckpointError("Without a trial, say which mel it was trained on.")
    return None if mel == FIND else f"{mel}{UNCHECKED}" if untried else mel


def _without_pictures(markdown: str) -> str:
    """The card's curves are drawn above from the checkpoint itself; as a file it shows them as a picture."""
    return re.sub(r"!\[[^\]]*\]\([^)]*\)\n*", "", markdown)
