"""The sign that Gradio shows while its page loads, which must not work on when it is gone."""

from __future__ import annotations

from collections.abc import Callable

import jinja2
from gradio.routes import templates

from common.templates import render


def end_loading_sign() -> None:
    """Puts a script first into the head of every page that Gradio makes: see `templates/loading_sign.html`."""
    loader = templates.env.loader
    if loader and not isinstance(loader, _WithScript):
        templates.env.loader = _WithScript(loader)


class _WithScript(jinja2.BaseLoader):
    """Gradio's templates, with the script behind the first <head>."""

    def __init__(self, inner: jinja2.BaseLoader) -> None:
        self.inner = inner

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        source, path, is_current = self.inner.get_source(environment, template)
        script = "{% raw %}" + render("ui/templates/loading_sign.html") + "{% endraw %}"
        return source.replace("<head>", f"<head>{script}", 1), path, is_current
