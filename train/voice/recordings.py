"""What was given, read by processes that may use only so much memory and time -> a pack of passages, some of them held out.

VOICE/passages/  the passages as wav in audio/, a manifest.json of their speakers and licences, and what to tell about the files;
                 there as a whole or not at all
VOICE/pack/      the same as a pack, see `train.data.pack`
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from common.durable import write_text_durably
from train.data.pack import MANIFEST, VALIDATION, Pack
from train.data.prepare import find_sources, prepare
from train.voice.bounds import MAX_FILE_SECONDS, MAX_FILES, MAX_SECONDS, MIN_SECONDS
from train.voice.passages import MAX_SECONDS as LONGEST_PASSAGE_SECONDS
from train.voice.passages import passages
from vocoders.audio import SAMPLE_RATE, Recording, write_wav
from vocoders.recordings.contained import read_recording_contained
from vocoders.recordings.passage import Passage
from vocoders.recordings.reader import AudioError, Limits

PASSAGES, AUDIO, ABOUT, PACK = "passages", "audio", "about.json", "pack"
MAX_READ_SECONDS = 2 * MAX_SECONDS  # of all files, pauses included, 200 MB of memory
HELD_OUT_SHARE = 0.1  # of the sound
MIN_HELD_OUT_SECONDS, MAX_HELD_OUT_SECONDS = 4.0, 24.0
MIN_PASSAGES = 8  # so that what is held out is a small part, of a short recording too
_LIMITS = Limits(max_seconds=MAX_FILE_SECONDS, max_megabytes=400.0, max_file_seconds=24 * 3600.0)


@dataclass(frozen=True)
class Given:
    """A file to learn from. name: for people."""

    file: Path
    name: str
    speaker: str
    licence: str


@dataclass
class Told:
    """What to tell about the files: as of `Progress`."""

    skipped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def given_files(inputs: Sequence[Path], licence: str) -> list[Given]:
    """Files as they are, and folders in depth, whose sub-folders are speakers. Errors: ValueError for what does not exist, and a
    folder without audio."""
    found: list[Given] = []
    for path in inputs:
        if path.is_dir():
            sources = find_sources(path, licence).values()
            found += [Given(source.file, source.path, source.speaker, source.licence) for source in sources]
        elif path.is_file():
            found.append(Given(path, path.name, "", licence))
        else:
            raise ValueError(f"{path}: there is no such file or folder")
    return found


def pack_recordings(
    voice: Path, inputs: Sequence[Path], licence: str, on_progress: Callable[[int, int], None]
) -> tuple[Pack, Told]:
    """The pack of a run, made now or before. on_progress: files, and how many there are.

    Errors: ValueError with the reason for recordings that hold too little sound; `DiskFull`.
    """
    if not (voice / PASSAGES).is_dir():
        _cut(voice, given_files(inputs, licence), on_progress)
    told = json.loads((voice / PASSAGES / ABOUT).read_text(encoding="utf-8"))
    wanted = min(MAX_HELD_OUT_SECONDS, max(MIN_HELD_OUT_SECONDS, HELD_OUT_SHARE * told["seconds"]))
    pack = prepare(voice / PASSAGES / AUDIO, voice / PACK, validation=wanted / told["seconds"], licence=licence, jobs=1)
    return pack, Told([(name, reason) for name, reason in told["skipped"]], told["notes"])


def held_out(pack: Pack) -> str:
    """What the run is judged by, in a sentence."""
    clips = pack.split(VALIDATION)
    seconds = sum(clip.seconds for clip in clips)
    count = "A passage" if len(clips) == 1 else f"{len(clips)} passages"
    if len({clip.speaker for clip in pack.clips}) == 1:
        return f"{count} of the voice, {seconds:.0f} s, {'is' if len(clips) == 1 else 'are'} held out: judged by, never trained on."
    speakers = len({clip.speaker for clip in clips})
    voices = "A voice" if speakers == 1 else f"{speakers} voices"
    return f"{voices}, {seconds:.0f} s, {'is' if speakers == 1 else 'are'} held out: judged by, never trained on."


def _cut(voice: Path, given: Sequence[Given], on_progress: Callable[[int, int], None]) -> None:
    told, rows, left = Told(), [], MAX_SECONDS
    part = voice / f"{PASSAGES}.part"
    shutil.rmtree(part, ignore_errors=True)
    (part / AUDIO).mkdir(parents=True)
    if len(given) > MAX_FILES:
        told.notes.append(f"{len(given)} files were given; the first {MAX_FILES} are used")
    read = _read_all(given[:MAX_FILES], told, on_progress)
    total = sum(map(len, (samples for _, samples in read))) / SAMPLE_RATE
    longest = min(LONGEST_PASSAGE_SECONDS, max(total, MIN_SECONDS) / MIN_PASSAGES)
    for index, (source, samples) in enumerate(read):
        for number, passage in enumerate(passages(samples, longest)):
            if left <= 0:
                break
            name = f"{AUDIO}/{index:03}-{number:03}.wav"
            write_wav(part / name, passage)
            rows.append({"path": name, "speaker": source.speaker, "licence": source.licence})
            left -= len(passage) / SAMPLE_RATE
    used = MAX_SECONDS - left
    if used < MIN_SECONDS:
        raise ValueError(_too_little(used, told.skipped))
    if left <= 0:
        told.notes.append(
            f"there is more sound than the {MAX_SECONDS / 60:g} minutes that are used; the rest is left out"
        )
    write_text_durably(part / MANIFEST, json.dumps(rows, ensure_ascii=False))
    about = {"seconds": used, "skipped": told.skipped, "notes": told.notes}
    write_text_durably(part / ABOUT, json.dumps(about, ensure_ascii=False))
    part.rename(voice / PASSAGES)


def _read_all(
    given: Sequence[Given], told: Told, on_progress: Callable[[int, int], None]
) -> list[tuple[Given, np.ndarray]]:
    """The samples of those that can be used, (n,) float32 at 22 050 Hz, until there is enough."""
    read, seconds = [], 0.0
    repeated = {name for name, count in Counter(source.name for source in given).items() if count > 1}
    for done, source in enumerate(given):
        on_progress(done, len(given))
        name = str(source.file) if source.name in repeated and source.speaker else source.name
        try:
            recording = _read(source.file, name, told)
        except AudioError as error:
            told.skipped.append((name, str(error).removeprefix(f"{name}: ")))
            continue
        told.notes += [f"{name}: {notice}" for notice in recording.notices]
        read.append((source, recording.samples))
        seconds += recording.seconds
        if seconds > MAX_READ_SECONDS:
            break
    on_progress(len(given), len(given))
    return read


def _read(file: Path, name: str, told: Told) -> Recording:
    """At most the beginning of it. Errors: `AudioError`."""
    try:
        return read_recording_contained(file, _LIMITS, name)
    except AudioError as error:
        if "lasts more than" not in str(error):
            raise
    told.notes.append(f"{name}: longer than {MAX_FILE_SECONDS / 60:g} minutes, of which the rest is left out")
    return read_recording_contained(file, _LIMITS, name, Passage(0.0, MAX_FILE_SECONDS))


def _too_little(seconds: float, skipped: Sequence[tuple[str, str]]) -> str:
    found = (
        f"The recordings hold {seconds:.0f} s of sound" if seconds else "The recordings hold no sound that can be used"
    )
    reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped[:3])
    also = f" Not used: {reasons}" if reasons else ""
    return f"{found}, without pauses; at least {MIN_SECONDS:g} s are needed, and two minutes are better.{also}"
