"""A study as a file: its own fields, folders of outputs, a folder per condition, or a configuration of webMUSHRA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from eval.compare.conditions import read_conditions, read_webmushra
from eval.compare.output_folder import AnySystem, OutputFolder, check_ids, output_folder
from eval.listening.study import Study, StudyError, read_study_file, study_from
from vocoders.catalogue import find_systems
from vocoders.recordings.files import find_audio

MODE_OF_PAGES = {
    "mushra": "mushra",
    "bs1116": "mushra",
    "likert_single_stimulus": "acr",
    "likert_multi_stimulus": "acr",
}  # a paired comparison is ABX with a reference, else AB


def study_from_file(path: Path) -> tuple[Study, dict[str, Path], list[AnySystem]]:
    """A YAML or JSON study whose `clips` are files and folders, relative to its own folder, and whose `systems` are ids,
    checkpoints and {name, folder} of outputs made elsewhere. `outputs` names both at once: a folder per condition, or a
    configuration of webMUSHRA, which may also stand in the place of the study.

    Errors: `StudyError`, ValueError.
    """
    content = read_study_file(path)
    if not isinstance(content, dict):
        raise StudyError(f"{path}: a study is a mapping that names its clips, its systems and more")
    if "pages" in content:
        content = _study_of_webmushra(path)
    clips, systems = _named_material(path, content)
    folders = [system for system in systems if isinstance(system, OutputFolder)]
    if not clips and not (folders and len(folders) == len(systems)):
        raise StudyError(f"{path}: a study names its clips: a list of files and folders")
    items = list(clips) or [clip for clip, _ in folders[0].files]
    if problems := [problem for folder in folders for problem in _gaps(folder, items)]:
        raise StudyError("; ".join(problems))
    ids = {folder.title: folder.id for folder in folders}
    content["systems"] = [system.id for system in systems]
    if isinstance(content.get("pairs"), list):
        content["pairs"] = [_by_id(pair, ids) for pair in content["pairs"]]
    if not clips:
        content["reference"] = False
    return study_from({**content, "items": items}), clips, systems


def _named_material(path: Path, content: dict) -> tuple[dict[str, Path], list[AnySystem]]:
    """{item: recording} and systems; takes `clips`, `outputs` and `systems` out of the content."""
    named, given = content.pop("systems", None), content.pop("clips", None)
    if not isinstance(named, list) and not (named is None and "outputs" in content):
        raise StudyError(f"{path}: a study names its systems: a list of ids, or of {{name, folder}}")
    found: dict[Path, Path] = {}
    outputs: list[OutputFolder] = []
    if (listed := content.pop("outputs", None)) is not None:
        conditions = read_conditions(path.parent / str(listed))
        found, outputs = dict(conditions.clips), list(conditions.outputs)
    if given is not None:
        if not isinstance(given, list):
            raise StudyError(f"{path}: clips is a list of files and folders")
        found |= find_audio(path.parent / str(clip) for clip in given)
    folders = [entry for entry in named or () if isinstance(entry, dict)]
    items = ",".join(str(entry) for entry in named or () if not isinstance(entry, dict))
    for entry in folders:
        if entry.keys() != {"name", "folder"}:
            raise StudyError(f"{path}: systems: {entry}: needed are name and folder")
        clips = list(found) or [Path(clip) for output in outputs[:1] for clip, _ in output.files]
        folder = path.parent / str(entry["folder"])
        outputs.append(output_folder(str(entry["name"]), folder, clips or list(find_audio([folder]))))
    systems = [*(find_systems(items, may_import=False) if items else ()), *outputs]  # a file runs no code
    check_ids(systems)
    return {str(name): file for name, file in found.items()}, systems


def _gaps(system: OutputFolder, items: Sequence[str]) -> list[str]:
    """Clips that an output is missing for, one sentence without full stop each."""
    there, reasons = {clip for clip, _ in system.files}, dict(system.missing)
    return [f"{system.title}: {item}: {reasons.get(item, 'no output')}" for item in items if item not in there]


def _by_id(pair: object, ids: Mapping[str, str]) -> object:
    """A pair of systems, of which those made elsewhere may be named by their titles."""
    return [ids.get(str(name), name) for name in pair] if isinstance(pair, list) else pair


def _study_of_webmushra(path: Path) -> dict:
    """Errors: `StudyError` where its pages are of several kinds."""
    found = read_webmushra(path)
    paired = "abx" if found.clips else "ab"
    modes = {MODE_OF_PAGES.get(page, paired) for page in found.pages}
    if len(modes) > 1:
        raise StudyError(f"{path}: pages of several kinds: {', '.join(sorted(set(found.pages)))}; a study has one")
    return {"name": found.name, "mode": modes.pop(), "outputs": path.name}
