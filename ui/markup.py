"""Text from people, made inert for the HTML of a page."""

from __future__ import annotations

import html

import gradio as gr


def slot(id: str, value: str = "") -> gr.HTML:
    """A place for our own HTML, without Gradio's typography and padding; takes no room while empty."""
    return gr.HTML(value, elem_id=id, elem_classes="page-slot", apply_default_css=False, padding=False)


def escape(text: object) -> str:
    """Safe inside HTML, and inside Gradio's templates, where ${...} and {{...}} would otherwise be evaluated."""
    escaped = html.escape(str(text), quote=True)
    for character in "${}`\\":
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return escaped


def notice(text: str, kind: str = "info") -> str:
    """A one-sentence box; kind is info, good or bad."""
    role = "alert" if kind == "bad" else "status"
    return f'<p class="page-notice page-notice-{kind}" role="{role}">{escape(text)}</p>' if text else ""
