"""The file to send of a comparison that the page has shown."""

from __future__ import annotations

import random
import threading
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from common.durable import write_durably
from eval.reports.bundle import versions
from eval.reports.player.media import Economy, png_as, wav_as
from eval.reports.player.page import Facts, shared_page
from eval.reports.revision import revision
from server.results import ResultFolder, ResultStore
from ui.compare.keeping.kept import Kept, read_kept
from ui.markup import fill

OPEN, BLIND = "comparison.html", "comparison-blind.html"
GONE = "This comparison is no longer here, or was stopped before its end; run it again to share it."
FULL = "The server's disk is full; try again later."
_one_at_a_time = threading.Lock()  # it takes a second of a processor, and some memory


def shared_file(store: ResultStore, token: str, blind: bool) -> tuple[Path, str] | None:
    """(the file, the name to save it under), made at the first call; None where the comparison is not or no longer there.

    blind: with letters that were drawn when it was made. Errors: ValueError with a sentence, where it cannot be one file;
    `DiskFull`.
    """
    found = read_kept(store, token)
    if found is None or not found[0].is_done:
        return None
    kept, folder = found
    path = folder.path / (BLIND if blind else OPEN)
    with _one_at_a_time:
        if not path.is_file():
            write_durably(path, _page(kept, folder, random.SystemRandom() if blind else None))
    return path, f"{_stem(kept)}{'blind-' if blind else ''}comparison.html"


def _stem(kept: Kept) -> str:
    """What the names of the comparison's wavs begin with, such as "song-"; nothing where there is none."""
    names = (track["download"].partition("__")[0] for track in kept.shown["player"]["tracks"] if track["download"])
    return next((f"{name}-" for name in names), "")


def _page(kept: Kept, folder: ResultFolder, order: random.Random | None) -> bytes:
    def read(kind: str, url: str, economy: Economy) -> tuple[str, bytes]:
        path = folder.path / url.rpartition("/")[2]
        return wav_as(path, economy) if kind == "audio" else png_as(path.read_bytes(), economy)

    metrics, levels = (Markup(kept.shown[name]) for name in ("metrics", "levels"))
    facts = Facts(
        title=kept.name,
        about=kept.about,
        made=datetime.fromisoformat(kept.made),
        revision=revision(),
        versions=versions(),
        tables=fill("compare/sharing/templates/tables.html", metrics=metrics, levels=levels),
    )
    return shared_page(kept.shown["player"], read, facts, order)
