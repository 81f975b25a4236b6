"""What was dropped on the Vocoders page: every file recognized, generators read and tried, and a sentence about each."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gradio.utils import get_upload_folder

from common.archive import ArchiveError, unpack_contained
from common.digest import file_digest
from ui.vocoders.uploads import Upload, upload_of
from vocoders.checkpoints.brought import FAMILY_NAMES, checked_config
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.dropped.bundles import COMPANIONS, Bundle, Dropped, bundles_of, lay_out
from vocoders.dropped.kinds import recognize_contained
from vocoders.features import LogMelOf
from vocoders.mel_files.file import MelFileError, read_layouts
from vocoders.recipes.named import NAMED
from vocoders.recipes.recipe import MelRecipe
from vocoders.recordings.files import files_below
from vocoders.systems import System

MAX_FILES = 60  # in the table; audio files of a folder count as one
MAX_DROPPED = 30  # files at once; what is in a zip is bounded by `common.archive`
MAX_GENERATORS = 8  # read and tried at once
_ELSEWHERE = {
    "recording": "Outputs made elsewhere: one recording's go to the Compare page, below its systems; many to the page Folders.",
    "mel": "Goes to the Compare page, in the place of a recording.",
    "study": "Studies are made under Blind tests; from a file, by the command eval listening make.",
    "archive": "A zip in a zip is not opened.",
    "other": "Nothing here reads it.",
}
_ORDER = ("good", "bad", "")  # of the table
_ALONE = "Its generator is missing: drop both together."


@dataclass(frozen=True)
class Finding:
    """One row of the table. state: "good" for a system, "bad" for what was refused or lacks something, else ""."""

    file: str
    what: str
    use: str
    state: str = ""


@dataclass(frozen=True)
class Examination:
    """uploads: the systems found, without ids yet."""

    findings: tuple[Finding, ...]
    uploads: tuple[Upload, ...]


def examine(paths: Sequence[str | Path], said: str | None) -> Examination:
    """said: the mel that a person names, as `read_checked` takes it; None to go by the files, or to find out."""
    if len(paths) > MAX_DROPPED:
        much = Finding("", f"{len(paths)} files", f"At most {MAX_DROPPED} are looked at; drop a zip of them.", "bad")
        return Examination((much,), ())
    with tempfile.TemporaryDirectory(prefix="zips-", dir=_uploads()) as scratch:
        findings, files = _files(list(map(Path, paths)), Path(scratch))
        return _examined(findings, files, said)


def _examined(findings: list[Finding], files: Sequence[Dropped], said: str | None) -> Examination:
    """findings: about zips that were not opened."""
    bundles = bundles_of(files)
    if len(bundles) > MAX_GENERATORS:
        much = Finding("", f"{len(bundles)} generators", f"At most {MAX_GENERATORS} are read and tried at once.", "bad")
        return Examination((*findings, much), ())
    uploads: list[Upload] = []
    used: set[Dropped] = set()
    for bundle in bundles:
        finding, upload = _generator(bundle, said)
        findings.append(finding)
        uploads += [upload] if upload else []
        used.add(bundle.main)
        if not finding.state:  # a mel, which has no companions
            continue
        used |= set(bundle.companions)
        name, verb = Path(bundle.main.name).name, "Used with" if upload else "Belongs to"
        findings += [Finding(file.name, file.found.what, f"{verb} {name}.") for file in bundle.companions]
    findings += _others([file for file in files if file not in used])
    ordered = sorted(dict.fromkeys(findings), key=lambda finding: _ORDER.index(finding.state))
    return Examination(tuple(ordered), tuple(uploads))


def _files(paths: Sequence[Path], scratch: Path) -> tuple[list[Finding], list[Dropped]]:
    """What was dropped, with what lies in zips, which are unpacked below `scratch`. The findings are about those that are not."""
    findings: list[Finding] = []
    files: list[Dropped] = []
    for number, (path, found) in enumerate(zip(paths, recognize_contained(paths) if paths else [])):
        if found.kind != "archive":
            files.append(Dropped(path.name, path, found))
            continue
        try:
            inside = _unpacked(path, scratch / str(number))
        except ArchiveError as error:
            findings.append(Finding(path.name, found.what, str(error), "bad"))
            continue
        names = [f"{path.name}/{name}" for name in inside]
        files += [Dropped(*each) for each in zip(names, inside.values(), recognize_contained([*inside.values()]))]
    return findings, files


def _unpacked(path: Path, folder: Path) -> dict[str, Path]:
    """{path below the zip: its file}. Errors: `ArchiveError`."""
    folder.mkdir()
    unpack_contained(path, folder)
    return {str(file.relative_to(folder)): file for file in files_below(folder)}


def _uploads() -> Path:
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _others(files: Sequence[Dropped]) -> Iterator[Finding]:
    """Files of no generator; recordings of one folder together."""
    recordings = Counter(str(PurePosixPath(file.name).parent) for file in files if file.found.kind == "recording")
    for folder, count in recordings.items():
        if count > 1:
            yield Finding(
                f"{folder}/" if folder != "." else f"{count} files", f"{count} recordings", _ELSEWHERE["recording"]
            )
    shown = [
        file
        for file in files
        if file.found.kind != "recording" or recordings[str(PurePosixPath(file.name).parent)] == 1
    ]
    for file in shown[:MAX_FILES]:
        if file.found.kind in COMPANIONS:
            yield Finding(file.name, file.found.what, _ALONE, "bad")
        else:
            yield Finding(
                file.name, file.found.what, _ELSEWHERE[file.found.kind], "bad" if file.found.kind == "other" else ""
            )
    if len(shown) > MAX_FILES:
        yield Finding("", f"{len(shown) - MAX_FILES} more files", f"At most {MAX_FILES} are looked at.", "bad")


def _generator(bundle: Bundle, said: str | None) -> tuple[Finding, Upload | None]:
    """What a generator is, and the upload it becomes where it can be used."""
    file = bundle.main
    try:
        laid = lay_out(bundle, _folder_of(bundle))
        recipe = said or (str(laid.recipe) if laid.recipe else None)
        upload = upload_of(str(laid.path), str(laid.config) if laid.config else None, recipe)
        system = upload.system()
        return Finding(file.name, _facts(upload, system), f"{system.title}. {system.about}", "good"), upload
    except CheckpointError as error:
        if shape := _mel_shape(file):
            return Finding(file.name, f"a tensor of shape {shape}: a mel", _ELSEWHERE["mel"]), None
        return Finding(file.name, file.found.what, str(error), "bad"), None


def _folder_of(bundle: Bundle) -> Path:
    """One for these contents: what was read of it before is still known. The files go two hours after they came."""
    names = "".join(f"{file.name}\0{file_digest(file.path)}\0" for file in (bundle.main, *bundle.companions))
    folder = _uploads() / f"own-{hashlib.sha256(names.encode()).hexdigest()[:32]}"
    folder.mkdir(exist_ok=True)
    return folder


def _facts(upload: Upload, system: System) -> str:
    mel = _recipe_of(system)
    family = "an ONNX network"
    if not upload.is_onnx:
        config = checked_config(Path(upload.checkpoint), upload.recipe, Path(upload.config) if upload.config else None)
        family = f"a generator, {FAMILY_NAMES[config.family]}"
    count = system.describe().parameters
    size = "" if count is None else f", {count / 1e6:.2f} M parameters"
    return f"{family}: {system.rate:,} Hz, {mel.bands} bands, hop {mel.hop}{size}, {mel.name} mel"


def _recipe_of(system: System) -> MelRecipe:
    step = system.steps[0].apply
    return step.recipe if isinstance(step, LogMelOf) else NAMED[system.mel]


def _mel_shape(file: Dropped) -> tuple[int, ...] | None:
    """Of a PyTorch file that holds a mel and no generator."""
    with tempfile.TemporaryDirectory(dir=_uploads()) as folder:
        path = Path(folder) / "mel.pt"
        path.symlink_to(file.path.resolve())
        try:
            return read_layouts(path)[0].shape
        except MelFileError:
            return None
