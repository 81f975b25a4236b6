"""A mel file instead of a recording: what it looks like, and what the person says it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from eval.compare.mel import GivenMel, read_given_mel
from server.executor import ComputeError, Executor
from ui.markup import notice, slot
from vocoders.mel_files.file import SUFFIXES, MelFileError
from vocoders.mel_files.options import Bands, Declared, Log, Scale
from vocoders.recordings.reader import Limits

_RECIPES = [("hw2, HTK", "hw2"), ("HiFi-GAN, Slaney", "hifigan")]
_SCALES = [("power |X|²", "power"), ("magnitude |X|", "magnitude")]
_LOGS = [("none: linear values", "none"), ("natural, ln", "e"), ("base 10", "10"), ("decibels", "db")]


@dataclass(frozen=True)
class MelInput:
    """The components in which a mel file and its format are given."""

    file: gr.File
    said: gr.HTML
    box: gr.Group  # the dropdowns, visible for a mel only
    recipe: gr.Dropdown
    scale: gr.Dropdown
    log: gr.Dropdown

    @property
    def fields(self) -> list[gr.components.Component]:
        """The inputs of `chosen_mel`."""
        return [self.file, self.recipe, self.scale, self.log]

    @property
    def told(self) -> list[gr.blocks.Block]:
        """The outputs of `mel_looker`."""
        return [self.said, self.box, self.recipe, self.scale, self.log]


def mel_chooser() -> MelInput:
    """Lays out a file field, the finding about the file, and three lists for recipe, scale and logarithm."""
    with gr.Accordion("A mel file instead of a recording", open=False, elem_id="mel"):
        file = gr.File(
            label=f"Mel: {', '.join(SUFFIXES)}",
            type="filepath",
            file_types=list(SUFFIXES),
            elem_id="mel-file",
            height=140,
        )
        said = slot("mel-said")
        with gr.Group(visible=False) as box, gr.Row():
            recipe, scale, log = (
                gr.Dropdown(choices, value=None, label=label, elem_id=f"mel-{label.lower()}", min_width=150)
                for label, choices in (("Recipe", _RECIPES), ("Scale", _SCALES), ("Logarithm", _LOGS))
            )
    return MelInput(file, said, box, recipe, scale, log)


def mel_looker(limits: Limits, compute: Executor) -> Callable[[str | None], Iterator[tuple]]:
    """The handler of a mel file: -> updates of `MelInput.told`."""
    unsaid = (None, None, None)

    def look(path: str | None) -> Iterator[tuple]:
        if not path:
            yield "", gr.update(visible=False), *unsaid
            return
        yield notice("Reading the mel", "waiting"), gr.update(visible=False), *unsaid
        try:
            _, diagnosis = compute.run(read_given_mel, Path(path), Declared(), limits.max_seconds)
        except (ValueError, OSError, ComputeError) as error:
            yield notice(f"{Path(path).name}: {error}.", "bad"), gr.update(visible=False), *unsaid
            return
        said = f"{Path(path).name}: {diagnosis.said(with_options=False)}."
        if diagnosis.format is None:
            yield notice(f"{said} Choose what it is."), gr.update(visible=True), *unsaid
            return
        found = diagnosis.format
        text = f"{said} Change what is wrong. It is used instead of the recording until its file is removed."
        yield notice(text, "good"), gr.update(visible=True), found.recipe, found.scale, found.log

    return look


def chosen_mel(
    path: str | None, recipe: Bands | None, scale: Scale | None, log: Log | None, limits: Limits, compute: Executor
) -> GivenMel | None:
    """None where no mel is given. Errors: ValueError or `ComputeError` with a sentence."""
    if not path:
        return None
    declared, name = Declared(recipe, scale, log), Path(path).name
    if not declared.is_complete:
        raise MelFileError(f"{name}: choose the recipe, the scale and the logarithm of this mel first.")
    try:
        mel, _ = compute.run(read_given_mel, Path(path), declared, limits.max_seconds)
    except (ValueError, OSError) as error:
        raise MelFileError(f"{name}: {error}.") from error
    if mel is None:
        raise MelFileError(f"{name}: 80 × 80 values do not tell which axis is time; add or cut a frame.")
    return mel
