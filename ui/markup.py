"""HTML for the components of the page."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr
from markupsafe import Markup

from common.templates import render

_EVALUATED = str.maketrans({character: f"&#{ord(character)};" for character in "${}`\\"})


def slot(id: str, value: str = "") -> gr.HTML:
    """A place for our own HTML, without Gradio's typography and padding; takes no room while empty."""
    return gr.HTML(value, elem_id=id, elem_classes="page-slot", apply_default_css=False, padding=False)


def fill(template: str, /, **data: object) -> Markup:
    """HTML for a `slot`, of a template in `ui/`: "compare/templates/mel.html"."""
    return inert(render(f"ui/{template}", **data))


def inert(markup: Markup) -> Markup:
    """HTML without styles and scripts, in which Gradio's own templates find no ${...} and {{...}} to evaluate."""
    return Markup(str(markup).translate(_EVALUATED))


def head(styles: Sequence[str], scripts: Sequence[str] = ()) -> Markup:
    """Links for the head of a page. styles, scripts: files of the project that Gradio serves, by their paths from its root."""
    return render("ui/templates/head.html", styles=styles, scripts=scripts)


def notice(text: str, kind: str = "info") -> Markup:
    """A one-sentence box; kind is info, good, bad, or waiting, which shows only if it stays."""
    return fill("templates/notice.html", text=text, kind=kind)
