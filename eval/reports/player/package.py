"""A comparison as one piece of JSON: the player's value, and the sounds and pictures that it names, in base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

MEDIA = ("audio", "image", "difference")  # of a track of the player's value: None or {"url": ...}
_SUFFIXES = {"audio/flac": ".flac", "audio/ogg": ".opus"}


@dataclass
class Package:
    """files: {name: (media type, base64)}; the value names them in the place of addresses. sealed: what a click shows."""

    value: dict[str, Any]
    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    sealed: str | None = None

    def add(self, media: tuple[str, bytes]) -> dict[str, str]:
        """Stores a file; returns its address for the value. media: (type, content)."""
        kind, content = media
        name = f"#{len(self.files)}"
        self.files[name] = (kind, base64.b64encode(content).decode())
        return {"url": name}

    def as_json(self) -> Markup:
        """JSON that may stand inside a <script>: no character of it can end one."""
        content = {"value": self.value, "files": self.files} | ({"sealed": self.sealed} if self.sealed else {})
        return script_json(content)


def script_json(content: object) -> Markup:
    """JSON in which no text can be read as HTML, whatever is in it. Errors: ValueError for nan and infinity."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026"))


def seal(content: Mapping[str, Any]) -> str:
    """JSON in base64: nobody reads it by accident, and anybody can on purpose."""
    return base64.b64encode(script_json(content).encode()).decode()


def pack(value: Mapping[str, Any], read: Callable[[str, str], tuple[str, bytes] | None]) -> Package:
    """The value with all of its files inside, in the order of the tracks.

    read: (one of `MEDIA`, address) -> (media type, content), or None to leave it out.
    """
    package = Package({**value, "tracks": []})
    for track in value["tracks"]:
        inside: dict[str, Any] = {}
        for kind in MEDIA:
            media = read(kind, track[kind]["url"]) if track[kind] else None
            inside[kind] = media and {**track[kind], **package.add(media)}
            if media and kind == "audio" and track["download"]:
                inside["download"] = str(Path(track["download"]).with_suffix(_SUFFIXES[media[0]]))
        package.value["tracks"].append({**track, **inside})
    return package
