"""Makes a study from its description: checks it, renders its stimuli, stores it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.disk_space import is_full
from eval.listening.making.stimuli import MAX_CLIP_SECONDS, Tell, render_stimuli
from eval.listening.storage.records import Stimulus
from eval.listening.storage.store import Store
from eval.listening.study import Study, StudyError, read_study_file, study_from
from eval.reports.bundle import versions
from vocoders.audio import Recording
from vocoders.catalogue import find_systems
from vocoders.recordings.files import find_audio
from vocoders.recordings.reader import Limits, read_recording
from vocoders.systems import System

CLIP_LIMITS = Limits(max_seconds=MAX_CLIP_SECONDS)


@dataclass(frozen=True)
class Made:
    """`key` opens the results; it is shown once and not kept."""

    public_id: str
    key: str
    revision: int
    stimuli: tuple[Stimulus, ...]


def make_study(
    store: Store,
    data_dir: Path,
    study: Study,
    recordings: Mapping[str, Recording],
    systems: Sequence[System],
    tell: Tell = lambda done, total, text: None,
    revises: str | None = None,
    render: Callable[..., tuple[list[Stimulus], dict[str, bytes]]] = render_stimuli,
) -> Made:
    """data_dir: a folder on the disk that must have room; render: `render_stimuli`, or its call in another process.

    Errors: `StudyError`, `StoreError`; those of `render`.
    """
    if revises is not None:
        try:
            store.study(revises)
        except KeyError as error:
            raise StudyError(f"there is no study {revises!r} to revise") from error
    if is_full(data_dir):
        raise StudyError("the disk is nearly full; a study's takes need room")
    if reasons := [f"{system.title}: {reason}" for system in systems if (reason := system.why_not())]:
        raise StudyError("; ".join(reasons))
    stimuli, wavs = render(study, recordings, systems, tell)
    about = {f"system {system.id}": f"{system.describe().source}; {system.about}" for system in systems}
    about |= {f"recording {item}": recording.history for item, recording in recordings.items()}
    public_id, key = store.add_study(study, stimuli, wavs, versions() | about, revises)
    return Made(public_id, key, store.study(public_id).revision, tuple(stimuli))


def read_clips(paths: Mapping[str, Path], read: Callable[..., Recording] = read_recording) -> dict[str, Recording]:
    """{item: recording}. read: `read_recording`, or `read_recording_contained` for untrusted files. Errors: `AudioError` naming the file."""
    return {item: read(path, CLIP_LIMITS, Path(path).name) for item, path in paths.items()}


def study_from_file(path: Path) -> tuple[Study, dict[str, Path], list[System]]:
    """A YAML or JSON study whose `clips` are files and folders, relative to its own folder. Errors: `StudyError`, ValueError."""
    content = read_study_file(path)
    if not isinstance(content, dict) or not isinstance(content.get("clips"), list):
        raise StudyError(f"{path}: a study names its clips: a list of files and folders")
    if not isinstance(content.get("systems"), list):
        raise StudyError(f"{path}: a study names its systems: a list of ids")
    clips = {str(n): p for n, p in find_audio(path.parent / str(clip) for clip in content.pop("clips")).items()}
    systems = find_systems(",".join(map(str, content["systems"])), may_import=False)  # a file runs no code
    content["systems"] = [system.id for system in systems]
    return study_from({**content, "items": list(clips)}), clips, systems
