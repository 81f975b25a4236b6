"""Makes a study from its description: checks it, renders its stimuli, stores it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.disk_space import is_full
from eval.compare.output_folder import AnySystem
from eval.listening.making.outputs import output_files
from eval.listening.making.stimuli import MAX_CLIP_SECONDS, Tell, render_stimuli
from eval.listening.storage.records import TITLE_OF, Stimulus
from eval.listening.storage.store import Store
from eval.listening.study import Study, StudyError
from eval.reports.bundle import versions
from eval.reports.revision import revision
from vocoders.audio import Recording
from vocoders.recordings.reader import Limits, read_recording

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
    systems: Sequence[AnySystem],
    tell: Tell = lambda done, total, text: None,
    revises: str | None = None,
    render: Callable[..., tuple[list[Stimulus], dict[str, bytes]]] = render_stimuli,
    key: str | None = None,
) -> Made:
    """data_dir: a folder on the disk that must have room; render: `render_stimuli`, or its call in another process; key: to the
    results, None for a new one.

    Errors: `StudyError`, `StoreError`; those of `render`.
    """
    if revises is not None:
        _require(store, revises, "to revise")
    for earlier in study.recruiting.exclude.studies if study.recruiting else ():
        _require(store, earlier, "whose participants could be left out")
    if is_full(data_dir):
        raise StudyError("the disk is nearly full; a study's outputs need room")
    if reasons := [f"{system.title}: {reason}" for system in systems if (reason := system.why_not())]:
        raise StudyError("; ".join(reasons))
    stimuli, wavs = render(study, recordings, systems, tell)
    about = {"revision": revision()} | {
        f"system {system.id}": f"{system.describe().source}; {system.about}" for system in systems
    }
    about |= {f"{TITLE_OF}{system.id}": system.title for system in systems}
    about |= {f"recording {item}": recording.history for item, recording in recordings.items()}
    for output in output_files(study.items, systems, recordings):
        about[f"output {output.system} {output.item}"] = "; ".join([output.history, *output.notes])
    public_id, made_key = store.add_study(study, stimuli, wavs, versions() | about, revises, key)
    return Made(public_id, made_key, store.study(public_id).revision, tuple(stimuli))


def _require(store: Store, public_id: str, purpose: str) -> None:
    try:
        store.study(public_id)
    except KeyError as error:
        raise StudyError(f"there is no study {public_id!r} {purpose}") from error


def read_clips(paths: Mapping[str, Path], read: Callable[..., Recording] = read_recording) -> dict[str, Recording]:
    """{item: recording}. read: `read_recording`, or `read_recording_contained` for untrusted files. Errors: `AudioError` naming the file."""
    return {item: read(path, CLIP_LIMITS, Path(path).name) for item, path in paths.items()}
