"""The whole page: header, tabs, style."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from common.paths import ASSETS, ROOT
from eval.listening.session.service import Listening
from server.executor import Executor
from server.results import ResultStore
from server.shared.links import SharedLinks
from server.shared_state import Limiter
from server.sweep import MAX_AGE_SECONDS
from ui.api import api_endpoints
from ui.compare.tab import compare_tab
from ui.findings.tab import findings_tab
from ui.folders.chooser import take_over
from ui.folders.tab import folders_tab
from ui.listening.tab import studies_tab
from ui.loading_sign import end_loading_sign
from ui.markup import fill, head, slot
from ui.player import STYLE
from ui.theme import lab_theme
from ui.training.runs import Runs
from ui.training.tab import train_tab
from ui.vocoders.tab import vocoders_tab
from vocoders.hifigan.precision import PrecisionChoice
from vocoders.recordings.reader import Limits
from vocoders.systems import System

REPORTS = ("charts.css", "phone_cards.css")  # styles that the page shares with reports
FILES = ("page.js", "page.css", "tables.css", "table-views.js", "passage.js", "folder-zip.js")
TITLE = "Vocoder Listening Lab"


def build_page(
    systems: Sequence[System],
    store: ResultStore,
    links: SharedLinks,
    limits: Limits,
    listening: Listening,
    data_dir: Path,
    compute: Executor,
    limiter: Limiter | None = None,
    runs: Runs | None = None,
    precision: PrecisionChoice = "exact",
) -> gr.Blocks:
    """links: to comparisons that are kept; compute: runs the heavy work; limiter: counts wrong keys, None: in this process; runs: of
    training, None: there is none here; precision: of networks in *Compare*; tables of folders, findings and studies are exact."""
    end_loading_sign()
    gr.set_static_paths(
        [
            *(ASSETS / name for name in FILES),
            *(ROOT / "eval" / "reports" / name for name in REPORTS),
            *(ASSETS / "player").iterdir(),
        ]
    )
    with gr.Blocks(
        title=TITLE, fill_width=False, analytics_enabled=False, delete_cache=(600, round(MAX_AGE_SECONDS))
    ) as page:
        slot("header", fill("templates/header.html", title=TITLE))
        uploads = gr.State(())
        with gr.Tabs() as tabs:
            with gr.Tab("Compare", id="compare"):
                inputs = compare_tab(page, systems, store, links, limits, uploads, compute, precision)
            with gr.Tab("Folders", id="folders"):
                folders, make_study = folders_tab(systems, store, limits, uploads, compute)
            with gr.Tab("Findings", id="findings"):
                findings_tab(systems, store, limits, inputs, compute)
            with gr.Tab("Vocoders", id="vocoders"):
                vocoders_tab(systems, uploads, inputs.choice)
            if runs is not None:
                with gr.Tab("Train", id="train"):
                    train_tab(page, runs, systems, uploads, inputs, tabs)
            with gr.Tab("Blind tests", id="studies"):
                rated = studies_tab(listening, data_dir, systems, store, limits, uploads, inputs, compute, limiter)
        take_over(make_study.click, folders, rated, tabs, "studies")
        api_endpoints(systems, store, limits, compute, precision)
        slot("footer", fill("templates/footer.html"))
    return page


def page_options() -> dict:
    """Options for `gr.mount_gradio_app`."""
    return {
        "theme": lab_theme(),
        # As a link, not as Gradio's `css`: that is rewritten rule by rule, and breaks :has(a, b)
        "head": head(
            [STYLE, "assets/tables.css", "assets/page.css", *(f"eval/reports/{name}" for name in REPORTS)],
            ["assets/page.js"],
        ),
        "footer_links": [],  # the panel of the API asks for addresses that are not here; /api tells more
        "run_history": False,
        "show_error": False,
        "ssr_mode": False,
        "enable_monitoring": False,
    }
