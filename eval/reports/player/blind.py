"""A comparison under letters: what is shown before the click on Reveal, and what after it."""

from __future__ import annotations

import random
import string
from collections.abc import Mapping
from typing import Any

LETTERS = string.ascii_uppercase
WITHHELD = "Shown with the names"
Value = Mapping[str, Any]


def lettered(value: Value, order: random.Random) -> tuple[dict[str, Any], dict[str, str]]:
    """The value with its systems in a random order under letters, which stay before their names; and {id: its new id}.

    A track that accompanies a system, such as a residual, stays behind it. What failed stands last.

    Errors: ValueError for more systems than letters.
    """
    references = [track for track in value["tracks"] if track["role"] == "reference"]
    others = [track for track in value["tracks"] if track["role"] != "reference"]
    ready, failed = [[t for t in others if (t["state"] == "ready") is is_ready] for is_ready in (True, False)]
    systems = [track for track in ready if not track["of"]]
    if len(systems) > len(LETTERS):
        raise ValueError(f"a blind comparison has at most {len(LETTERS)} systems, not {len(systems)}")
    order.shuffle(systems)
    ids, tracks = {}, list(references)
    for letter, system in zip(LETTERS, systems):
        for track in (system, *(t for t in ready if t["of"] == system["id"])):
            ids[track["id"]] = letter + track["id"].removeprefix(system["id"])
            tracks.append({**track, "id": ids[track["id"]], "title": f"{letter} · {track['title']}"})
    return {**value, "tracks": [*tracks, *failed]}, ids


def hidden(value: Value) -> dict[str, Any]:
    """What `lettered` gave without anything that tells systems apart but their sound and its gain."""
    tracks = []
    for track in value["tracks"]:
        if track["role"] == "reference":
            tracks.append(track)
        elif track["state"] == "ready" and not track["of"]:
            nothing = dict.fromkeys(("image", "difference", "download", "progress"))
            tracks.append({**track, **nothing, "title": track["id"], "about": "", "withheld": WITHHELD})
    ready = sum(track["role"] != "reference" for track in tracks)
    return {
        **value,
        "tracks": tracks,
        "status": {**value["status"], "text": f"{ready} outputs", "total": ready, "done": ready},
    }
