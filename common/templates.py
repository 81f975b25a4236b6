"""HTML from Jinja2 templates. A template lies in the folder `templates/` of the package that fills it and gets plain data: the
engine escapes text, and the filters below write numbers."""

from __future__ import annotations

import base64
import functools
import math

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from common.paths import ROOT


def render(template: str, /, **data: object) -> Markup:
    """HTML that other templates insert as it is. template: its path from the project's root.

    Errors: `jinja2.TemplateError` for a template that is missing, malformed, or wants data it is not given.
    """
    return Markup(_environment().get_template(template).render(data))


def number(value: float | None, digits: int = 3, sign: bool = False) -> str:
    """With `digits` decimals and a typographic minus; never a negative zero. "n/a" for None and nan.

    sign: a plus before positive numbers and zero.
    """
    if value is None or math.isnan(value):
        return "n/a"
    form = f"{'+' if sign else ''}.{digits}f"
    return f"{round(float(value), digits) + 0.0:{form}}".replace("inf", "∞").replace("-", "−")


def percent(share: float | None) -> str:
    """A share of 1, as a whole number of percent; "n/a" for None."""
    return "n/a" if share is None else f"{share:.0%}"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ROOT), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(number=number, percent=percent, base64=_base64)
    environment.tests["finite"] = math.isfinite
    return environment
