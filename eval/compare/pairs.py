"""Which file is the estimate of which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vocoders.recordings.files import audio_below, find_audio

ENDINGS = ("_generated", "_generated_e2e")  # what inference.py and inference_e2e.py of jik876/hifi-gan add to a name
SHOWN = 3  # names of either side, where nothing matches


@dataclass(frozen=True)
class Matches:
    """files: {name: its file}; missing: {name: why it has none}; unused: files of no name."""

    files: dict[Path, Path]
    missing: dict[Path, str]
    unused: list[Path]


@dataclass(frozen=True)
class Pairs:
    """files: {name: (reference, estimate)}; missing: {name: why it has no estimate}; unused: estimates of nothing."""

    files: dict[Path, tuple[Path, Path]]
    missing: dict[Path, str]
    unused: list[Path]


def pair_files(reference: Path, estimate: Path) -> Pairs:
    """Two files are a pair, whatever their names; of folders see `match_files`.

    Errors: ValueError where no pair is found, and those of `find_audio`.
    """
    references = find_audio([reference])
    if reference.is_file() and estimate.is_file():
        return Pairs({name: (path, estimate) for name, path in references.items()}, {}, [])
    found = match_files(list(references), estimate)
    files = {name: (references[name], path) for name, path in found.files.items()}
    return Pairs(files, found.missing, found.unused)


def match_files(names: Sequence[Path], folder: Path) -> Matches:
    """The file of NAME, a path below a folder, is NAME, NAME_generated or NAME_generated_e2e below this one, with whatever suffix.
    Where there is none, folders do not count: it is the one file of that stem, if no other name has that stem.

    Errors: ValueError where no file matches, and for what is no folder with audio, or no audio file.
    """
    paths = audio_below(folder) if folder.is_dir() else list(find_audio([folder]).values())
    if not paths:
        find_audio([folder])  # says which suffixes were looked for
    by_name, by_stem = _by_name(paths, folder), _by_name(paths, None)
    stems = [name.name for name in names]
    files, missing = {}, {}
    for name in names:
        found = _first_of(name, by_name)
        if not found and stems.count(name.name) == 1:
            found = _first_of(Path(name.name), by_stem)
        if len(found) == 1:
            files[name] = found[0]
        else:
            missing[name] = (
                f"both {' and '.join(_told_apart(found, folder))} are in {folder}"
                if found
                else f"no estimate in {folder}"
            )
    if not files:
        raise ValueError(_nothing_matches(names, by_name, folder))
    used = set(files.values())
    return Matches(files, missing, [path for path in paths if path not in used])


def _by_name(paths: Iterable[Path], folder: Path | None) -> dict[Path, list[Path]]:
    """{path below the folder, without suffix: files}; without a folder by their stems alone."""
    found: dict[Path, list[Path]] = {}
    for path in paths:
        name = path.relative_to(folder) if folder and folder.is_dir() else Path(path.name)
        found.setdefault(name.with_suffix(""), []).append(path)
    return found


def _first_of(name: Path, known: dict[Path, list[Path]]) -> list[Path]:
    """The files of exactly that name; else those whose names are longer by one of `ENDINGS`."""
    exact = known.get(name, [])
    return exact or [path for ending in ENDINGS for path in known.get(name.with_name(name.name + ending), [])]


def _told_apart(paths: Sequence[Path], folder: Path) -> list[str]:
    below = [path.relative_to(folder) for path in paths]
    names = [str(path.with_suffix("")) for path in below]
    return names if len(set(names)) == len(names) else list(map(str, below))


def _nothing_matches(names: Sequence[Path], found: Iterable[Path], folder: Path) -> str:
    return (
        f"nothing in {folder} is named as its references: looked for NAME, NAME{', NAME'.join(ENDINGS)} with any suffix; "
        f"references: {_some(names)}; estimates: {_some(found)}"
    )


def _some(paths: Iterable[Path]) -> str:
    names = list(map(str, paths))
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
