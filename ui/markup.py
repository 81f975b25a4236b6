"""Text from people, made inert for the HTML of a page."""

from __future__ import annotations

import html

import gradio as gr


def slot(element_id: str, value: str = "") -> gr.HTML:
    """A place for our own HTML, without Gradio's typography and padding; takes no room while empty."""
    return gr.HTML(value, elem_id=element_id, elem_classes="page-slot", apply_default_css=False, padding=False)


def escape(text: object) -> str:
    """Safe inside HTML, and inside Gradio's templates, where ${...} and {{...}} would otherwise be evaluated."""
    return inert(html.escape(str(text), quote=True))


def inert(markup: str) -> str:
    """Finished HTML without styles and scripts, in which Gradio's templates find nothing to evaluate."""
    for character in "${}`\\":
        markup = markup.replace(character, f"&#{ord(character)};")
    return markup


def notice(text: str, kind: str = "info") -> str:
    """A one-sentence box; kind is info, good, bad, or waiting, which shows only if it stays."""
    role = "alert" if kind == "bad" else "status"
    return f'<p class="page-notice page-notice-{kind}" role="{role}">{escape(text)}</p>' if text else ""
