"""What the page showed of a comparison, in the folder of its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from common.durable import write_text_durably
from eval.compare.mel import GivenMel
from eval.reports.player.package import MEDIA
from server.results import ResultFolder, ResultStore
from vocoders.audio import Recording

FILE = "page.json"


@dataclass(frozen=True)
class Kept:
    """name, about: of the recording or mel; made: UTC, ISO 8601; shown: {component of `Outputs`: its value}, as JSON."""

    name: str
    about: str
    made: str
    shown: Mapping[str, Any]

    @property
    def is_done(self) -> bool:
        """Whether it was not stopped."""
        return self.shown["player"]["status"]["state"] == "done"


def keep(folder: ResultFolder, source: Recording | GivenMel, shown: Mapping[str, Any]) -> None:
    """Writes what the page shows at the end. source: the recording or mel. Errors: `DiskFull`."""
    about = source.history if isinstance(source, Recording) else "A mel-spectrogram without a recording."
    kept = Kept(source.name, about, datetime.now(timezone.utc).isoformat(), dict(shown))
    write_text_durably(folder.path / FILE, json.dumps(asdict(kept)))


def read_kept(store: ResultStore, token: str) -> tuple[Kept, ResultFolder] | None:
    """A comparison that ended, and the folder of its files; None where it, or some file of it, is no longer here."""
    path = store.find(token, FILE)
    try:
        kept = Kept(**json.loads(path.read_text(encoding="utf-8"))) if path else None
    except FileNotFoundError:  # swept at this moment
        return None
    if path is None or kept is None:
        return None
    files = [track[kind]["url"] for track in kept.shown["player"]["tracks"] for kind in MEDIA if track[kind]]
    complete = all(
        (path.parent / url.rpartition("/")[2]).is_file() for url in files
    )  # they are older, and swept before
    return (kept, ResultFolder(token, path.parent)) if complete else None
