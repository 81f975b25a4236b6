"""Ids, codes and addresses of other sites: what is allowed in them.

An id is stored as it was given; a page shows it as text. An address leads to another site over https only, and its host is never
part of what a participant brings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

MAX_ID_CHARS = 128
MAX_URL_CHARS = 2000
PLACEHOLDERS = ("participant", "session", "code")  # of a template
_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def check_id(name: str, value: str) -> str:
    """The value. name: of the parameter. Errors: ValueError for an id that is empty, too long, or holds other than visible text.

    Braces are refused: an address whose placeholders were not filled in, such as {{%PROLIFIC_PID%}}, would make everybody one person.
    """
    if not 0 < len(value) <= MAX_ID_CHARS:
        raise ValueError(f"{name}: an id has 1 to {MAX_ID_CHARS} characters, not {len(value)}")
    if not value.isprintable() or value != value.strip() or set("{}") & set(value):
        raise ValueError(f"{name}: an id is visible characters without braces, and no space at its ends")
    return value


def check_code(name: str, value: str) -> None:
    """name: of the field. Errors: ValueError."""
    if not _CODE.fullmatch(value):
        raise ValueError(f"{name}: {value!r} is no code; allowed: 1 to 64 letters, digits, - and _")


def check_template(name: str, template: str) -> None:
    """An https address, with PLACEHOLDERS in braces in its path and query. Errors: ValueError."""
    parts = urlsplit(template)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"{name}: {template!r} is no address; allowed: https://HOST/... without a user's name")
    if (
        len(template) > MAX_URL_CHARS
        or not template.isascii()
        or not template.isprintable()
        or set(" \\") & set(template)
    ):
        raise ValueError(
            f"{name}: an address has at most {MAX_URL_CHARS} visible ASCII characters; write others as %XX"
        )
    if _PLACEHOLDER.search(parts.netloc):
        raise ValueError(f"{name}: the host of {template!r} has to be fixed")
    if unknown := set(_PLACEHOLDER.findall(template)) - set(PLACEHOLDERS):
        raise ValueError(
            f"{name}: {{{sorted(unknown)[0]}}} is unknown; there are {', '.join(f'{{{p}}}' for p in PLACEHOLDERS)}"
        )
    if set("{}") & set(_PLACEHOLDER.sub("", template)):
        raise ValueError(f"{name}: {template!r} has a brace without its other one")


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """The address, with every value escaped so that it stays within its place. values: by PLACEHOLDERS."""
    return _PLACEHOLDER.sub(lambda found: quote(values[found[1]], safe=""), template)


def host_of(url: str) -> str:
    """For people: the host that an address leads to."""
    return urlsplit(url).hostname or ""
