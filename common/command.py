"""What the commands of this project share: one-line errors, files and folders as input, nothing overwritten silently."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from common.unavailable import Unavailable
from vocoders.recordings.passage import Passage, seconds_of

AUDIO_SUFFIXES = {  # of files that are looked at in a folder; one that is named is read whatever its name
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd", ".sph", ".nist", ".voc", ".flac",
    ".ogg", ".oga", ".opus", ".spx", ".mp3", ".mp2", ".m4a", ".mp4", ".mov", ".3gp", ".aac", ".webm", ".mka", ".mkv", ".wma",
    ".wv", ".tta", ".amr",
}  # fmt: skip

NAMED = 3  # skipped files that are named


class Noticed(Protocol):
    """A `Recording`, or whatever keeps its notices."""

    @property
    def notices(self) -> tuple[str, ...]: ...


def run(main: Callable[[], int]) -> None:
    """Run a command and leave: its exit code, or one line on stderr and 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name need not be UTF-8; on stderr it is so anyway
    try:
        code = main()
    except (ValueError, Unavailable, OSError) as error:
        complain(error)
        code = 1
    except KeyboardInterrupt:
        complain("interrupted")
        code = 130
    sys.exit(code)


def complain(message: object) -> None:
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)


def mention(recording: Noticed, name: object) -> None:
    """Say on stderr what was unexpected about a recording that was used all the same."""
    for notice in recording.notices:
        note(f"{name}: {notice}")


def note(message: object) -> None:
    """A sentence without full stop, on stderr, about something that goes on all the same."""
    print(f"note: {' '.join(str(message).split())}.", file=sys.stderr)


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
        names = ", ".join(map(str, skipped[:NAMED])) + (
            f" and {len(skipped) - NAMED} more" if len(skipped) > NAMED else ""
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


def add_passage(parser: argparse.ArgumentParser) -> None:
    """The options `passage_of` reads."""
    time = "seconds, or minutes:seconds"
    parser.add_argument("--from", dest="start", metavar="TIME", help=f"where the passage to use begins: {time} (0)")
    parser.add_argument("--to", dest="end", metavar="TIME", help=f"where it ends: {time} (the end of the file)")


def passage_of(args: argparse.Namespace) -> Passage | None:
    """None for the whole recording. Errors: ValueError."""
    if args.start is None and args.end is None:
        return None
    return Passage(seconds_of(args.start or "0"), None if args.end is None else seconds_of(args.end))


def refuse_overwriting(paths: Iterable[Path], force: bool, instead: str = "--force overwrites") -> None:
    """Errors: ValueError when something is there already and `force` was not given; `instead` says what helps."""
    existing = [path for path in paths if path.exists()]
    if existing and not force:
        more = f" and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise ValueError(f"{existing[0]}{more} exists already; {instead}")


@contextlib.contextmanager
def counting_bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, where that is a terminal; what it yields is called with (done, total)."""
    from tqdm import tqdm

    with tqdm(unit=unit, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
