"""One HTML file with a whole comparison inside: it opens from disk, without a network and without this program."""

from __future__ import annotations

import base64
import functools
import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from common.paths import ROOT
from common.templates import render
from eval.reports.player.blind import hidden, lettered
from eval.reports.player.media import ECONOMIES, Economy
from eval.reports.player.package import Package, pack, seal
from eval.reports.player.script import script_of

MAX_PAGE_BYTES = 20_000_000
PLAYER_STYLES = ("assets/tables.css", "eval/reports/player/player_page.css", "assets/player/player.css")
STYLES = ("eval/reports/report.css", *PLAYER_STYLES, "eval/reports/phone_cards.css")
Reader = Callable[
    [str, str, Economy], tuple[str, bytes]
]  # (kind of `package.MEDIA`, address, economy) -> (type, content)


class TooLarge(ValueError):
    """The comparison does not fit into one file. The message is a sentence."""


@dataclass(frozen=True)
class Facts:
    """What stands around the player. tables: HTML of metrics and levels; versions: of the packages, by name."""

    title: str
    about: str
    made: datetime  # UTC
    revision: str
    versions: Mapping[str, str]
    tables: Markup


def shared_page(
    value: Mapping[str, Any],
    read: Reader,
    facts: Facts,
    blind: random.Random | None = None,
    max_bytes: int = MAX_PAGE_BYTES,
) -> bytes:
    """UTF-8 of a page of at most `max_bytes`, with the first of `ECONOMIES` that makes it so small.

    value: of the player, its files at addresses that `read` understands. blind: draws the order of the letters; None shows names.

    Errors: `TooLarge`; ValueError for more systems than letters.
    """
    shown, ids = lettered(value, blind) if blind else (dict(value), {})
    for economy in ECONOMIES:
        package = pack(shown, functools.partial(_read, read, economy))
        if blind:
            package = _sealed(package, ids, facts)
        page = _page(package, facts, economy, bool(blind)).encode()
        if len(page) <= max_bytes:
            return page
    raise TooLarge(
        f"This comparison does not fit into a file of {max_bytes / 1e6:.0f} MB; share a shorter passage, or fewer systems."
    )


def _read(read: Reader, economy: Economy, kind: str, url: str) -> tuple[str, bytes] | None:
    return None if kind == "difference" and economy.without_differences else read(kind, url, economy)


def _sealed(package: Package, ids: Mapping[str, str], facts: Facts) -> Package:
    named = {"value": package.value, "ids": ids, "html": str(facts.tables)}
    return Package(hidden(package.value), package.files, seal(named))


def _page(package: Package, facts: Facts, economy: Economy, blind: bool) -> Markup:
    style = style_of(STYLES)
    script = Markup(script_of("sent/shared-page.js"))
    return render(
        "eval/reports/player/templates/shared.html",
        policy=content_policy([script], [style]),
        style=style,
        script=script,
        package=package.as_json(),
        facts=facts,
        economies=economy.said,
        blind=blind,
    )


def style_of(paths: Sequence[str]) -> Markup:
    """One style sheet of several files, by their paths from the project's root."""
    return Markup("\n".join((ROOT / path).read_text(encoding="utf-8") for path in paths))


def content_policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """A content security policy under which these run and nothing else does, and nothing is loaded from anywhere."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {' '.join(map(_hash, styles))}",
            "img-src blob:",
            "connect-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
