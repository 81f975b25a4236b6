"""The rating page: a listening test in the browser, with nothing of the rest of the app around it.

The browser's half is in assets/listening/; the calls it makes are answered by ui/listening/rate_routes.py.
"""

from __future__ import annotations

import json

import gradio as gr

from common.paths import ASSETS
from ui.loading_sign import end_loading_sign
from ui.markup import head
from ui.theme import lab_theme

TITLE = "Listening test"
# Relative imports would look beside Gradio's own script.
_MOUNT = """
import(new URL('gradio_api/file=assets/listening/session.js', document.baseURI))
  .then(({ mount }) => mount(element.querySelector('.lab-booth'), props.languages));
"""
_STYLE = "assets/listening/listening.css"


def build_rate_page() -> gr.Blocks:
    """The page behind a study's link, which the modules of assets/listening/ fill."""
    end_loading_sign()
    gr.set_static_paths([*(ASSETS / "player").iterdir(), *(ASSETS / "listening").iterdir()])
    with gr.Blocks(title=TITLE, fill_width=False, analytics_enabled=False) as page:
        gr.HTML(
            html_template='<div class="lab-booth"></div>',
            js_on_load=_MOUNT,
            head=head([_STYLE]),
            apply_default_css=False,
            padding=False,
            elem_id="booth",
            languages=languages(),
        )
    return page


def rate_page_options() -> dict:
    """Options for `gr.mount_gradio_app`."""
    return {
        "theme": lab_theme(),
        "head": head([_STYLE]),
        "footer_links": [],
        "run_history": False,
        "show_error": False,
        "ssr_mode": False,
        "enable_monitoring": False,
    }


def languages() -> dict[str, str]:
    """Of every file of texts: the language's tag (BCP 47), and its name in that language."""
    files = sorted((ASSETS / "listening" / "languages").glob("*.json"))
    return {file.stem: json.loads(file.read_text("utf-8"))["language.name"] for file in files}
