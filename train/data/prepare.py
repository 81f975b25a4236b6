"""A folder of recordings in any formats and rates -> a pack.

Every file is decoded once, in parallel, and appended in a fixed order; the journal is written behind the audio, so that
after a kill at any moment the next run cuts off what has no journal line and goes on.

Speakers come from a `manifest.json` in the folder or above it (a list of {"path", "speaker", "licence"}), or from the
first folder below the given one; what follows a `#` there is the song (M4Singer's `Alto-1#Song/0001.wav`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.durable import write_durably
from train.data.pack import AUDIO, FORMAT, JOURNAL, MANIFEST, TRAIN, VALIDATION, Clip, Pack, open_pack
from vocoders.audio import SAMPLE_RATE, to_pcm16
from vocoders.recordings.files import AUDIO_SUFFIXES, audio_below
from vocoders.recordings.reader import AudioError, Limits, read_recording

RECORDING_LIMITS = Limits(max_seconds=4 * 3600, max_megabytes=4000, min_seconds=0.5)
HELD_OUT_FOLDERS = {"dev", "valid", "validation", "val", "test", "eval"}  # beside a folder named train


@dataclass(frozen=True)
class Source:
    """A file to pack. `path` is relative to the folder; size and time tell whether it has changed since."""

    path: str
    file: Path
    speaker: str
    licence: str
    size: int
    modified: int  # ns


def prepare(
    folder: Path,
    out: Path,
    *,
    validation: float = 0.05,
    seed: int = 1,
    licence: str = "",
    jobs: int = -1,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Pack:
    """Pack `folder` into `out`, or go on with it.

    validation: share of the audio to hold out, by whole speakers. jobs: processes, -1 for one per core.
    Files that cannot be used are in the pack's `skipped`, each with its reason.
    Errors: ValueError when the folder does not exist or holds no usable audio.
    """
    sources = find_sources(folder, licence)
    out.mkdir(parents=True, exist_ok=True)
    done = _read_journal(out)
    known = {path: entry for path, entry in done.items() if _is_current(entry, sources.get(path))}
    missing = [source for path, source in sources.items() if path not in known]
    on_progress(len(known), len(sources))
    for count, entry in enumerate(_append(out, missing, jobs), start=len(known) + 1):
        known[entry["path"]] = entry
        on_progress(count, len(sources))
    entries = [known[path] for path in sources]
    skipped = [{"path": entry["path"], "reason": entry["reason"]} for entry in entries if "reason" in entry]
    clips = [
        Clip(
            entry["path"],
            source.speaker,
            entry["start"],
            entry["samples"],
            entry["sha256"],
            source.licence,
            notices=tuple(entry.get("notices", ())),
        )
        for entry, source in zip(entries, sources.values())
        if "reason" not in entry
    ]
    if not clips:
        raise ValueError(f"{folder}: none of its {len(sources)} audio files can be used; e.g. {skipped[0]['reason']}")
    manifest = {
        "format": FORMAT,
        "sample_rate": SAMPLE_RATE,
        "seed": seed,
        "clips": [clip.to_json() for clip in split_by_speaker(clips, validation, seed)],
        "skipped": skipped,
    }
    write_durably(out / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
    return open_pack(out)


def find_sources(folder: Path, licence: str = "") -> dict[str, Source]:
    """{path below the folder: source}, sorted. Errors: ValueError when there is none."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    described = _described(folder)
    found = {}
    for file in audio_below(folder):
        path = file.relative_to(folder)
        about = described.get(file.resolve(), {})
        speaker = about.get("speaker") or _speaker_of(path)
        state = file.stat()
        found[path.as_posix()] = Source(
            path.as_posix(), file, speaker, about.get("licence") or licence, state.st_size, state.st_mtime_ns
        )
    if not found:
        raise ValueError(f"{folder}: no audio files in it ({', '.join(sorted(AUDIO_SUFFIXES))})")
    return found


def _described(folder: Path) -> dict[Path, dict]:
    """The entries of a manifest.json in the folder or above it: {absolute path: its entry}."""
    for place in (folder, folder.resolve().parent):
        try:
            rows = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(rows, list) and all(isinstance(row, dict) and isinstance(row.get("path"), str) for row in rows):
            return {(place / row["path"]).resolve(): row for row in rows}
    return {}


def _speaker_of(path: Path) -> str:
    """The first folder that is not a split's name, up to a `#`; files without a folder share one speaker."""
    folders = [part for part in path.parts[:-1] if part.lower() not in HELD_OUT_FOLDERS | {TRAIN}]
    return folders[0].split("#")[0] if folders else ""


def split_by_speaker(clips: list[Clip], share: float, seed: int) -> list[Clip]:
    """Whole speakers to the validation split until it has `share` of the audio, and no speaker in both.

    Where the top folders are `train` and `dev` (or `valid`, `test`...), they decide. With one speaker only, whole clips
    are drawn instead. Where every speaker or clip is more than half as much again, the shortest is held out; never all are.
    """
    top = [Path(clip.path).parts[0].lower() for clip in clips]
    if TRAIN in top and HELD_OUT_FOLDERS & set(top):
        return [
            dataclasses.replace(clip, split=VALIDATION if name in HELD_OUT_FOLDERS else TRAIN)
            for clip, name in zip(clips, top)
        ]
    keys = [clip.speaker for clip in clips]
    if len(set(keys)) == 1:
        keys = [clip.path for clip in clips]
    amount: dict[str, int] = {}
    for key, clip in zip(keys, clips):
        amount[key] = amount.get(key, 0) + clip.samples
    wanted, held, out = share * sum(amount.values()), 0, set()
    order = np.random.default_rng(seed).permutation(sorted(amount))
    for key in order[:-1]:
        if held >= wanted:
            break
        if held + amount[key] > 1.5 * wanted:  # too much of one voice; a smaller one may still fit
            continue
        out.add(key)
        held += amount[key]
    if wanted and not out and len(amount) > 1:
        out.add(min(amount, key=lambda key: (amount[key], key)))
    return [dataclasses.replace(clip, split=VALIDATION if key in out else TRAIN) for clip, key in zip(clips, keys)]


def _is_current(entry: dict, source: Source | None) -> bool:
    """Whether it need not be read again; what could not be is tried again, since the reason may be gone."""
    if source is None or "reason" in entry:
        return False
    return (entry["size"], entry["modified"]) == (source.size, source.modified)


def _read_journal(out: Path) -> dict[str, dict]:
    """Entries by path; the audio behind the last of them, and a torn last line, are cut off."""
    journal, audio = out / JOURNAL, out / AUDIO
    entries: dict[str, dict] = {}
    end = whole = 0
    for line in journal.read_bytes().splitlines(keepends=True) if journal.is_file() else ():
        try:
            entry = json.loads(line)
        except ValueError:
            break
        if not line.endswith(b"\n"):
            break
        whole += len(line)
        entries[entry["path"]] = entry
        end = max(end, entry.get("start", 0) + entry.get("samples", 0))
    for path, size in ((journal, whole), (audio, 2 * end)):
        with path.open("ab") as file:
            file.truncate(size)
    return entries


def _append(out: Path, sources: list[Source], jobs: int) -> Iterator[dict]:
    """Decode `sources` in parallel and append them in order; yields each journal entry once it is on disk."""
    with (out / AUDIO).open("ab") as audio, (out / JOURNAL).open("ab") as journal:
        for samples, entry in _decoded(sources, jobs):
            if samples is not None:
                entry |= {"start": audio.tell() // 2, "samples": len(samples)}
                audio.write(samples.tobytes())
                audio.flush()
                os.fdatasync(audio.fileno())
            journal.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            journal.flush()
            yield entry


def _decoded(sources: list[Source], jobs: int) -> Iterable[tuple[np.ndarray | None, dict]]:
    """In order, with only a few files in memory at a time."""
    from joblib import Parallel, delayed

    if not sources:
        return ()
    return Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="4*n_jobs")(
        delayed(_decode)(source) for source in sources
    )


def _decode(source: Source) -> tuple[np.ndarray | None, dict]:
    """int16 (n,) and its journal entry; None and the reason for a file that cannot be used."""
    entry: dict = {"path": source.path, "size": source.size, "modified": source.modified}
    try:
        recording = read_recording(source.file, RECORDING_LIMITS, source.path)
        samples = to_pcm16(recording.samples).astype("<i2")
        if recording.notices:
            entry["notices"] = recording.notices
        entry["sha256"] = hashlib.sha256(source.file.read_bytes()).hexdigest()
    except (AudioError, OSError, MemoryError) as error:
        return None, entry | {"reason": " ".join(str(error).split()) or "not enough memory"}
    return samples, entry
