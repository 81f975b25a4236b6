"""The page of blind listening studies: make one, follow it, read what it found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from eval.listening.session.service import Listening
from server.executor import Executor
from server.results import ResultStore
from server.shared_state import Limiter
from ui.compare.inputs import Inputs
from ui.folders.chooser import FoldersChooser
from ui.listening.desk.desk import Desk
from ui.listening.desk.layout import lay_out_desk
from ui.listening.making import lay_out_making
from vocoders.recordings.reader import Limits
from vocoders.systems import System


def studies_tab(
    listening: Listening,
    data_dir: Path,
    systems: Sequence[System],
    store: ResultStore,
    limits: Limits,
    uploads: gr.State,
    inputs: Inputs,
    compute: Executor,
    limiter: Limiter | None = None,
) -> FoldersChooser:
    """Lays out the tab: making a study, and the desk of its owner. Returns the maker's field for folders."""
    gr.Markdown(
        "## Let others listen, blind\n"
        "On the Compare page you know what you hear. Here you make a study of it: outputs of equal length and loudness under "
        "letters, in an order that is balanced over listeners, who follow a link. Every answer is kept, and the results "
        "say how sure they are."
    )
    with gr.Tab("Make a study", id="study-make"):
        folders = lay_out_making(listening, data_dir, systems, limits, uploads, inputs, compute)
    with gr.Tab("Studies and results", id="study-results"):
        lay_out_desk(Desk(listening, data_dir, systems, store, compute, limiter), systems, uploads)
    return folders
