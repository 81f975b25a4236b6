"""The field that takes folders: a zip, or folders that the browser zips on their way (assets/folder-zip.js), and what was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from ui.folders.layout import MAX_FOLDERS, FoldersError, GivenFolders, digest_of, unpack_folders
from ui.folders.material import material_of
from ui.markup import fill, notice, slot
from vocoders.recordings.reader import Limits

NO_REFERENCE = ""  # as the folder of the recordings: there is none


@dataclass(frozen=True)
class FoldersChooser:
    """The components. given: `GivenFolders` or None; reference: the folder of the recordings."""

    files: gr.File
    given: gr.State
    found: gr.HTML
    reference: gr.Dropdown


def folders_chooser(name: str, limits: Limits) -> FoldersChooser:
    """Lays the field out and wires it. name: beginning of the ids of its elements."""
    files = gr.File(
        label="A folder for each system, or a zip",
        file_count="multiple",
        type="filepath",
        elem_id=f"{name}-files",
        elem_classes="page-takes-folders",
        height=150,
    )
    slot(
        f"{name}-pick",
        fill(
            "folders/templates/pick.html", target=f"{name}-files", megabytes=limits.max_megabytes, folders=MAX_FOLDERS
        ),
    )
    given = gr.State(None)
    found = slot(f"{name}-found")
    reference = gr.Dropdown(
        [], label="Folder of the recordings", visible=False, interactive=True, elem_id=f"{name}-reference"
    )
    chooser = FoldersChooser(files, given, found, reference)
    options = {"concurrency_id": "look", "concurrency_limit": 4, "show_progress": "hidden", "api_visibility": "private"}
    files.change(_looker, [files, given], [given, found, reference], **options)
    reference.input(_shown, [given, reference], found, **options)
    return chooser


def _looker(files: Sequence[str] | None, before: GivenFolders | None) -> tuple:
    """Handler of the files: -> `given`, `found`, `reference`. before: what was found in the files that were there before."""
    if not files:
        return None, "", gr.update(visible=False, value=None)
    if before and before.digest == digest_of(files):  # `take_over` set the rest with the files
        return gr.skip(), gr.skip(), gr.skip()
    try:
        given = unpack_folders(files)
    except FoldersError as error:
        return None, notice(str(error), "bad"), gr.update(visible=False, value=None)
    reference = given.reference or NO_REFERENCE
    return given, _shown(given, reference), gr.update(choices=_choices(given), value=reference, visible=True)


def _choices(given: GivenFolders) -> list[tuple[str, str]]:
    """Of the folder of the recordings."""
    none = ("none: a listening test without recordings", NO_REFERENCE)
    return [*((name, name) for name in given.names), none]


def _shown(given: GivenFolders | None, reference: str | None) -> str:
    """HTML: the folders, what each is used as, and what did not match."""
    if given is None:
        return ""
    try:
        material = material_of(given, reference or None)
    except FoldersError as error:
        return notice(str(error), "bad")
    matched = {system.title: len(system.files) for system in material.systems}
    return fill("folders/templates/found.html", given=given, reference=reference, matched=matched, material=material)


def take_over(event: Callable, source: FoldersChooser, target: FoldersChooser, tabs: gr.Tabs, tab: str) -> None:
    """Wires an event to what was chosen in one field becoming another's, whose tab is then shown."""

    def copied(files: list[str] | None, given: GivenFolders | None, reference: str | None) -> tuple:
        chosen = gr.update(choices=_choices(given), value=reference, visible=True) if given else gr.skip()
        return files, given, _shown(given, reference), chosen, gr.Tabs(selected=tab)

    outputs = [target.files, target.given, target.found, target.reference, tabs]
    event(
        copied,
        [source.files, source.given, source.reference],
        outputs,
        show_progress="hidden",
        api_visibility="private",
    )
