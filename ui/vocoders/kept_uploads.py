"""Systems that a person brought outlive a reload of the page: the browser's tab keeps the token of a list of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict

import gradio as gr

from common.durable import DiskFull, write_text_durably
from server.results import ResultStore
from ui.compare.inputs import offered
from ui.vocoders.uploads import Upload, all_systems
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.systems import System

FILE = "own-systems.json"
_KEY = "lab-own-systems"  # in the browser's session storage: one for each tab, gone when the tab is closed
_RECALL = f"(_, chosen) => {{ try {{ return [sessionStorage.getItem('{_KEY}') ?? '', chosen]; }} catch {{ return ['', chosen]; }} }}"
_REMEMBER = f"""(token) => {{ try {{
  if (token) sessionStorage.setItem('{_KEY}', token); else sessionStorage.removeItem('{_KEY}');
}} catch {{}} }}"""
_log = logging.getLogger(__name__)


def keep_uploads(store: ResultStore, uploads: Sequence[Upload]) -> str:
    """The token under which `read_uploads` finds them; "" for none, and where they cannot be written."""
    if not uploads:
        return ""
    folder = store.new()
    try:
        write_text_durably(folder.path / FILE, json.dumps([asdict(upload) for upload in uploads]))
    except DiskFull as error:  # they are there until the page is loaded anew
        _log.warning("a list of own systems was not kept: %s", error)
        return ""
    return folder.token


def read_uploads(store: ResultStore, token: str) -> tuple[Upload, ...]:
    """Those of the list that can still be used: their files go two hours after they came, and with the server."""
    path = store.find(token, FILE)
    try:
        kept = json.loads(path.read_text(encoding="utf-8")) if path else []
    except FileNotFoundError:  # swept at this moment
        return ()
    return tuple(upload for upload in (Upload(**values) for values in kept) if _is_usable(upload))


def _is_usable(upload: Upload) -> bool:
    try:
        upload.system()
    except CheckpointError:
        return False
    return True


def bring_back(
    page: gr.Blocks, systems: Sequence[System], store: ResultStore, uploads: gr.State, choice: gr.CheckboxGroup
) -> None:
    """Wires it: `uploads` are kept whenever they change, and are back, and chosen, when the page is loaded."""

    def recall(token: str, chosen: list[str]) -> dict[gr.blocks.Block, object]:
        if not token or not (own := read_uploads(store, token)):
            return {uploads: gr.skip()}
        return {uploads: own, choice: offered(all_systems(systems, own), [*chosen, *(upload.id for upload in own)])}

    quietly = {"show_progress": "hidden", "api_visibility": "private"}
    token = gr.Textbox(visible="hidden")
    page.load(recall, [token, choice], [uploads, choice], js=_RECALL, concurrency_id="look", **quietly)
    changed = uploads.change(lambda own: keep_uploads(store, own), uploads, token, **quietly)
    changed.then(None, token, js=_REMEMBER, **quietly)
