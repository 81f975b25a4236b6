"""The real app in a process of its own, with one study in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from eval.listening.making.stimuli import render_stimuli
from eval.listening.session.open import open_listening
from eval.listening.study import Question, Study
from tests.conftest import running_app
from tests.robustness.study_maker import ITEMS, SYSTEMS, recordings
from vocoders.catalogue import find_systems


@dataclass(frozen=True)
class StudiedApp:
    url: str
    data: Path
    study: str  # public id
    key: str

    def client(self) -> httpx.Client:
        # A new connection each: a server may close one behind an answer of 500, just when the next request sets out
        return httpx.Client(base_url=self.url, timeout=60, limits=httpx.Limits(max_keepalive_connections=0))

    def log(self) -> str:
        return (self.data / "log.txt").read_text(errors="replace")


def add_study(data: Path, name: str = "Which one?", about: str = "") -> tuple[str, str]:
    """(public id, key) of an ACR study with real outputs."""
    questions = (Question("device", name, (name, "loudspeakers")), Question("note", "Anything?"))
    study = Study(name, "acr", ITEMS, tuple(SYSTEMS.split(",")), questions=questions, about=about)
    rendered = render_stimuli(study, recordings(), find_systems(SYSTEMS))
    listening = open_listening(data)
    made = listening.store.add_study(study, *rendered, {})
    listening.store.close()
    return made


@contextlib.contextmanager
def studied_app(data: Path) -> Iterator[StudiedApp]:
    public_id, key = add_study(data)
    with running_app(data) as url:
        yield StudiedApp(url, data, public_id, key)
