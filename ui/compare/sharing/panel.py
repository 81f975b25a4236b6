"""The Share panel: files to send and, where the operator keeps comparisons, links to them."""

from __future__ import annotations

from datetime import datetime, timezone

import gradio as gr

from common.durable import DiskFull
from server.results import ResultStore
from server.shared.links import SharedLinks
from ui.compare.sharing.document import BLIND, FULL, GONE, OPEN, shared_file
from ui.markup import fill, notice, slot
from ui.player import SHOWN

_TOKEN = f"(token, blind) => [{SHOWN}, blind]"


def share_files(folder: str) -> str:
    """HTML of the downloads. folder: the address of the comparison's files."""
    return fill("compare/sharing/templates/share.html", folder=folder, names=(OPEN, BLIND))


def lay_out_links(store: ResultStore, links: SharedLinks) -> None:
    """Lays out and wires the part that makes links; nothing where there are none."""
    if links.lifetime is None:
        return

    def make(token: str, blind: bool, request: gr.Request) -> str:
        try:
            found = shared_file(store, token, blind)
            if found is None:
                return notice(GONE, "bad")
            client = request.client.host if request.client else "unknown"
            link = links.add(found[0].read_bytes(), client)
        except ValueError as error:  # `LinkRefused`, `TooLarge`, too many systems for letters
            return notice(str(error), "bad")
        except DiskFull:
            return notice(FULL, "bad")
        expires = datetime.fromtimestamp(link.expires, timezone.utc)
        return fill("compare/sharing/templates/link.html", link=link, expires=expires, blind=blind)

    with gr.Row(equal_height=True, elem_id="share-link"):
        blind = gr.Checkbox(label="Blind: letters instead of names, until a click", min_width=240, container=False)
        button = gr.Button("Make a link", min_width=160)
    made = slot("link")
    button.click(
        make,
        [gr.Textbox(visible="hidden"), blind],
        made,
        js=_TOKEN,
        concurrency_id="share",
        concurrency_limit=1,
        show_progress="hidden",
        api_visibility="private",
    )
