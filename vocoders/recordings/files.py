"""The audio files that a command was given, by name or in folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from common.command import note

AUDIO_SUFFIXES = {  # of files that are looked at in a folder; one that is named is read whatever its name
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd", ".sph", ".nist", ".voc", ".flac",
    ".ogg", ".oga", ".opus", ".spx", ".mp3", ".mp2", ".m4a", ".mp4", ".mov", ".3gp", ".aac", ".webm", ".mka", ".mkv", ".wma",
    ".wv", ".tta", ".amr",
}  # fmt: skip

MAX_NAMED_FILES = 3  # of those that are skipped


def find_audio(inputs: Iterable[Path]) -> dict[Path, Path]:
    """Files and folders (searched in depth) -> {name relative to its input, without suffix: file}, sorted.

    What is skipped in a folder is said on stderr, in one line.
    Errors: ValueError for what does not exist, a folder without audio, or two files that would share a name.
    """
    found: dict[Path, Path] = {}
    for given in inputs:
        if given.is_dir():
            files = audio_below(given)
            if not files:
                raise ValueError(f"{given}: no audio files in it ({', '.join(sorted(AUDIO_SUFFIXES))})")
        elif given.is_file():
            files = [given]
        else:
            raise ValueError(f"{given}: there is no such file or folder")
        for path in files:
            name = (path.relative_to(given) if given.is_dir() else Path(path.name)).with_suffix("")
            if name in found:
                raise ValueError(f"{found[name]} and {path} have the same name, {name}")
            found[name] = path
    return found


def audio_below(folder: Path) -> list[Path]:
    """The audio files in a folder and below it, sorted. Where there are some, others are named on stderr, in one line."""
    files = files_below(folder)
    audio = [path for path in files if path.suffix.lower() in AUDIO_SUFFIXES]
    skipped = [path.relative_to(folder) for path in files if path.suffix.lower() not in AUDIO_SUFFIXES]
    if audio and skipped:
        suffixes = ", ".join(sorted({path.suffix.lower() or "none" for path in skipped}))
        names = ", ".join(map(str, skipped[:MAX_NAMED_FILES])) + (
            f" and {len(skipped) - MAX_NAMED_FILES} more" if len(skipped) > MAX_NAMED_FILES else ""
        )
        count = f"{len(skipped)} files are" if len(skipped) > 1 else "1 file is"
        note(f"{folder}: {count} skipped, not being audio by suffix ({suffixes}): {names}")
    return audio


def files_below(folder: Path) -> list[Path]:
    """The files in a folder and below it, sorted. Links to folders are followed; no folder is entered twice."""
    found, entered, waiting = [], {folder.resolve()}, [folder]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            if path.is_file():
                found.append(path)
            elif path.is_dir() and (real := path.resolve()) not in entered:
                entered.add(real)
                waiting.append(path)
    return sorted(found)
