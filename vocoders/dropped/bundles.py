"""Which files belong together: a generator with its configuration, statistics and recipe, laid out as its reader expects them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vocoders.checkpoints.config import CheckpointError
from vocoders.dropped.kinds import Recognized

COMPANIONS = ("configuration", "statistics", "recipe", "extractor")
_STORED = {"statistics": "stats", "recipe": "recipe", "extractor": "preprocessor_config", "configuration": "config"}


@dataclass(frozen=True)
class Dropped:
    """A file. name: as it was dropped, with the folders above it, the zip's name first."""

    name: str
    path: Path
    found: Recognized


@dataclass(frozen=True)
class Bundle:
    """A generator's files. companions: those of the kinds of `COMPANIONS` that lie nearest to it."""

    main: Dropped
    companions: tuple[Dropped, ...]


@dataclass(frozen=True)
class LaidOut:
    """What `own_checkpoint_system` and `onnx_system` take."""

    path: Path
    config: Path | None
    recipe: Path | None


def bundles_of(files: Sequence[Dropped]) -> list[Bundle]:
    """One for each generator: of every kind the companions in its folder, or else in the nearest folder above it."""
    return [
        Bundle(main, tuple(file for kind in COMPANIONS for file in _nearest(main, kind, files)))
        for main in files
        if main.found.kind in ("checkpoint", "onnx")
    ]


def _nearest(main: Dropped, kind: str, files: Sequence[Dropped]) -> list[Dropped]:
    for folder in PurePosixPath(main.name).parents:
        here = [file for file in files if file.found.kind == kind and PurePosixPath(file.name).parent == folder]
        if here:
            return here
    return []


def lay_out(bundle: Bundle, folder: Path) -> LaidOut:
    """Links the files into a folder of its own under the names that their readers look for.

    Errors: `CheckpointError` for several files of a kind of which one is needed.
    """
    name = Path(bundle.main.name)
    suffix = bundle.main.found.suffix or name.suffix.replace(".safetensors", ".pt").replace(".onnx", ".pt")
    main = _link(bundle.main.path, folder / f"{name.stem or name.name}{suffix}")
    stored: dict[str, Path] = {}
    for kind in COMPANIONS:
        found = [file for file in bundle.companions if file.found.kind == kind]
        found = [file for file in found if Path(file.name).stem == name.stem] or found
        if len(found) > 1:
            listed = ", ".join(Path(file.name).name for file in found)[:200]
            raise CheckpointError(
                f"{name.name}: {listed} are several files of one kind ({kind}); drop it with the one that belongs to it."
            )
        for file in found:
            stored[kind] = _link(file.path, folder / f"{_STORED[kind]}{file.found.suffix}")
    return LaidOut(main, stored.get("configuration"), stored.get("recipe"))


def _link(source: Path, target: Path) -> Path:
    """The same file under another name; a copy where the file system cannot. It may be there from the time before."""
    if target.is_file():
        return target
    with contextlib.suppress(OSError):
        os.link(source, target)
        return target
    return Path(shutil.copyfile(source, target))
