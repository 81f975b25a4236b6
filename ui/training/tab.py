"""The Train tab: recordings of a voice in, a vocoder for it out, heard while it learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ui.compare.inputs import Inputs, offered
from ui.compare.tab import QUEUE
from ui.training.handlers import as_system, begin, follow, forget, go_on, recall, stop
from ui.training.layout import SHOWN, Layout, lay_out
from ui.training.runs import Runs
from ui.vocoders.uploads import Upload, all_systems
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.systems import System

REMEMBERED = "lab-training"  # the key of the browser's local storage for the token of its run: all tabs find it
_RECALL = f"() => {{ try {{ return [localStorage.getItem('{REMEMBERED}') ?? '']; }} catch {{ return ['']; }} }}"
_REMEMBER = f"""(token) => {{
  try {{
    if (token) localStorage.setItem('{REMEMBERED}', token);
    else localStorage.removeItem('{REMEMBERED}');
  }} catch {{}}  // refused in some frames: then only this page knows of the run
  return [];
}}"""


def train_tab(
    page: gr.Blocks, runs: Runs, systems: Sequence[System], uploads: gr.State, inputs: Inputs, tabs: gr.Tabs
) -> None:
    """Lays the tab out and wires it. inputs: of the Compare tab, where a trained voice is compared."""
    layout = lay_out(runs.max_minutes)
    outputs = [getattr(layout, name) for name in SHOWN]
    options: dict[str, Any] = {
        "concurrency_id": "train",
        "concurrency_limit": 4,
        "show_progress": "hidden",
        "api_visibility": "private",
    }

    def wire(event: Callable, work: Callable[..., dict], given: list, **more: Any) -> gr.events.Dependency:
        return event(lambda *values: layout.named(work(runs, *values)), given, outputs, **options, **more)

    begun = wire(layout.start.click, begin, [layout.files, layout.how, layout.length, layout.licence, layout.token])
    followed = [begun, wire(layout.forget.click, forget, [layout.token], queue=False)]
    wire(layout.go_on.click, go_on, [layout.token], queue=False)
    wire(layout.stop.click, stop, [layout.token], queue=False)
    wire(layout.timer.tick, follow, [layout.token, layout.seen], queue=False, trigger_mode="once")
    remembered = gr.Textbox(visible="hidden")
    wire(page.load, recall, [remembered], queue=False, js=_RECALL)
    for event in followed:
        event.then(None, layout.token, js=_REMEMBER, queue=False, show_progress="hidden", api_visibility="private")
    _compare(layout, runs, systems, uploads, inputs, tabs)


def _compare(
    layout: Layout, runs: Runs, systems: Sequence[System], uploads: gr.State, inputs: Inputs, tabs: gr.Tabs
) -> None:
    """The trained voice becomes a system of this session, and is compared on what it was never trained on."""

    def take(token: str, own: tuple[Upload, ...]) -> dict:
        try:
            own, chosen, recording = as_system(runs, token, own)
            choice = offered(all_systems(systems, own), chosen)
        except (CheckpointError, OSError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        return {uploads: own, inputs.choice: choice, inputs.audio: recording, tabs: gr.Tabs(selected="compare")}

    changed = [uploads, inputs.choice, inputs.audio, tabs]
    taken = layout.compare.click(
        take, [layout.token, uploads], changed, **QUEUE, show_progress="minimal", api_visibility="private"
    )
    inputs.compare_after(taken.success)
