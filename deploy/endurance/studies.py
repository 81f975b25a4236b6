"""The studies that simulated raters take part in: real outputs of the shipped examples, in three protocols."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common.paths import ROOT

CLIP_SECONDS = 3.0
SYSTEMS = "griffin-lim,griffin-lim-oracle"
PROTOCOLS = ("acr", "ab", "mushra")


@dataclass(frozen=True)
class Asked:
    """A study that was made. trials: of one rater, practice not counted."""

    public_id: str
    mode: str
    trials: int


def make_studies(data_dir: Path, database: str, count: int, trials: int) -> list[Asked]:
    """Stores them. trials: questions to each rater, beside two checks and what is asked a second time; at most as many as there
    are."""
    from eval.listening.making.make_study import make_study
    from eval.listening.session.open import open_store
    from eval.listening.study import Study
    from vocoders.catalogue import find_systems

    store, clips = open_store(data_dir, mirrored=False, database=database), _clips()
    made = []
    for number in range(count):
        mode = PROTOCOLS[number % len(PROTOCOLS)]
        whole = Study(f"Endurance {number + 1}", mode, tuple(clips), tuple(SYSTEMS.split(",")))
        study = Study(whole.name, mode, whole.items, whole.systems, trials=min(trials, whole.units))
        stored = make_study(store, data_dir, study, clips, find_systems(SYSTEMS))
        made.append(Asked(stored.public_id, mode, study.length))
    store.close()
    return made


def _clips() -> dict:
    """{name: recording}: passages of the two sung phrases."""
    from vocoders.audio import Recording
    from vocoders.recordings.reader import read_recording

    clips = {}
    for path in sorted((ROOT / "assets" / "examples").glob("sung_phrase_*.flac")):
        phrase = read_recording(path)
        length = round(CLIP_SECONDS * 22_050)
        for part in range(2):
            name = f"{path.stem}-{part + 1}"
            clips[name] = Recording(name, phrase.samples[part * length // 2 :][:length])
    return clips
