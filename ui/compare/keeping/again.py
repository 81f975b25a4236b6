"""The page that is loaded anew: it follows the comparison of its browser tab again, or shows what is left of it.

The browser keeps the token of the comparison's files in its session storage: one for each tab, gone when the tab is closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from server.results import ResultStore
from server.sweep import MAX_AGE_SECONDS
from ui.compare.keeping.kept import read_kept
from ui.compare.keeping.live import LiveComparisons
from ui.compare.outputs import Outputs
from ui.compare.running import Running, unchanged
from ui.markup import notice
from ui.player import REMEMBERED, SHOWN

_RECALL = f"() => {{ try {{ return [sessionStorage.getItem('{REMEMBERED}') ?? '']; }} catch {{ return ['']; }} }}"
_FORGET = f"() => {{ try {{ if (!({SHOWN})) sessionStorage.removeItem('{REMEMBERED}'); }} catch {{}} }}"  # what is gone is said once
GONE = (
    f"The comparison that stood here is no longer on the server, which keeps it for {MAX_AGE_SECONDS / 3600:.0f} hours at "
    "most, and loses one that runs when it restarts. Give the recording again and press Compare."
)
MAX_FOLLOWED = 16  # comparisons that pages follow again at the same time


def show_again(page: gr.Blocks, outputs: Outputs, store: ResultStore, live: LiveComparisons, running: Running) -> None:
    """Wires the loading of the page."""

    def recall(token: str, request: gr.Request) -> Iterator[dict[gr.components.Component, Any]]:
        if not token:
            yield unchanged(outputs.message)
        elif found := live.find(token):
            follow = running.follow(request.session_hash or "", lambda _: found.follow(), flag=found.stop)
            for update in follow:
                yield unchanged(outputs.message) if update is None else outputs.by_component(update)
        elif kept := read_kept(store, token):
            yield outputs.by_component(kept[0].shown)
        else:
            yield {outputs.message: notice(GONE)}

    loaded = page.load(
        recall,
        gr.Textbox(visible="hidden"),
        outputs.components,
        js=_RECALL,
        concurrency_id="again",
        concurrency_limit=MAX_FOLLOWED,
        show_progress="hidden",
        api_visibility="private",
    )
    loaded.then(None, js=_FORGET, show_progress="hidden", api_visibility="private")
