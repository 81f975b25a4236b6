"""Text from people, made inert for the HTML of a page."""

from __future__ import annotations

import html


def escape(text: object) -> str:
    """Safe inside HTML, and inside Gradio's templates, where ${...} and {{...}} would otherwise be evaluated."""
    escaped = html.escape(str(text), quote=True)
    for character in "${}`\\":
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return escaped


def notice(text: str, kind: str = "info") -> str:
    """A one-sentence box; kind is info, good or bad."""
    role = "alert" if kind == "bad" else "status"
    return f'<p class="lab-notice lab-notice-{kind}" role="{role}">{escape(text)}</p>' if text else ""
