"""Recordings and outputs as other platforms lay them out: webMUSHRA's configuration, and a folder per condition (reseval)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.compare.output_folder import OutputFolder, check_ids, id_of, output_folder
from vocoders.recordings.files import audio_below, find_audio

REFERENCE_FOLDER = "reference"  # of reseval: the condition that the others are compared with
PAGES = {"mushra", "bs1116", "paired_comparison", "likert_multi_stimulus", "likert_single_stimulus"}  # with stimuli
MAX_DEPTH = 10  # of lists of pages in lists of pages


@dataclass(frozen=True)
class Conditions:
    """clips: {name: recording}, empty where there is no reference; outputs: a system for each other condition; pages: the kinds
    of webMUSHRA's pages, in order."""

    name: str
    clips: dict[Path, Path]
    outputs: tuple[OutputFolder, ...]
    pages: tuple[str, ...] = ()


def read_conditions(path: Path) -> Conditions:
    """A webMUSHRA configuration, or a folder with a folder per condition.

    Errors: ValueError naming what is missing or not understood.
    """
    return read_condition_folders(path) if path.is_dir() else read_webmushra(path)


def read_condition_folders(folder: Path) -> Conditions:
    """FOLDER/CONDITION/NAME.wav: a clip is NAME, a path below its condition's folder. The recordings are in FOLDER/reference;
    without it, the clips are those of the first condition."""
    below = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and audio_below(path)}
    references = below.pop(REFERENCE_FOLDER, None)
    if not below:
        raise ValueError(f"{folder}: a folder per condition is needed, with audio files in it")
    clips = find_audio([references or next(iter(below.values()))])
    outputs = tuple(output_folder(name, path, list(clips)) for name, path in below.items())
    check_ids(outputs)
    return Conditions(folder.name, clips if references else {}, outputs)


def read_webmushra(path: Path) -> Conditions:
    """A YAML file as in webMUSHRA's folder `configs`: each page with stimuli is a clip, named by its id, and each stimulus is an
    output of the condition whose name it has. Files are below webMUSHRA's own folder, or another one above the configuration."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: cannot be read as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, Mapping) or not isinstance(content.get("pages"), list):
        raise ValueError(f"{path}: this is no configuration of webMUSHRA, which has a list of pages")
    clips: dict[Path, Path] = {}
    conditions: dict[str, list[tuple[str, str]]] = {}
    names: list[str] = []
    kinds: list[str] = []
    for page in _pages(content["pages"]):
        name, stimuli = str(page.get("id", "")), page.get("stimuli")
        if not name or name in names or not isinstance(stimuli, Mapping) or not stimuli:
            raise ValueError(f"{path}: page {name or len(names) + 1}: needed are an id of its own and a map of stimuli")
        names.append(name)
        kinds.append(page["type"])
        if page.get("reference") is not None:
            clips[Path(name)] = _file(path, page["reference"])
        for condition, file in stimuli.items():
            conditions.setdefault(str(condition), []).append((name, str(_file(path, file))))
    if not names:
        raise ValueError(f"{path}: no page has stimuli; such pages are {', '.join(sorted(PAGES))}")
    if clips and len(clips) < len(names):
        raise ValueError(f"{path}: {len(clips)} of {len(names)} pages have a reference; all or none is needed")
    outputs = tuple(_condition(path, name, files, names) for name, files in conditions.items())
    check_ids(outputs)
    return Conditions(str(content.get("testname") or path.stem), clips, outputs, tuple(kinds))


def _condition(path: Path, name: str, files: list[tuple[str, str]], clips: list[str]) -> OutputFolder:
    missing = tuple((clip, f"{path} has no stimulus of {name} there") for clip in clips if clip not in dict(files))
    return OutputFolder(id_of(name), name, str(path), tuple(files), missing)


def _pages(pages: list, depth: int = 0) -> Iterator[Mapping]:
    """The pages with stimuli, also of lists in the list, whose first element may be the word "random"."""
    for page in pages:
        if isinstance(page, list) and depth < MAX_DEPTH:
            yield from _pages(page, depth + 1)
        elif isinstance(page, Mapping) and page.get("type") in PAGES:
            yield page


def _file(path: Path, name: object) -> Path:
    """Errors: ValueError."""
    found = [folder / str(name) for folder in path.absolute().parents if (folder / str(name)).is_file()]
    if not found:
        raise ValueError(f"{path}: there is no file {name} below the folders above it")
    return found[0]
