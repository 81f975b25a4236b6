"""Another revision of this project, in a temporary folder."""

from __future__ import annotations

import contextlib
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from common.paths import ROOT


@dataclass(frozen=True)
class Revision:
    """folder: its files; commit: abbreviated."""

    folder: Path
    commit: str


@contextlib.contextmanager
def checked_out(name: str, repository: Path = ROOT) -> Iterator[Revision]:
    """The files of a commit, branch or tag of `repository`, until the block is left. The repository itself is not touched.

    Errors: ValueError where there is no git, no repository or no such revision.
    """
    if not (repository / ".git").exists():
        raise ValueError(f"{repository} is no git checkout, so there is no other revision to compare it with")
    try:
        commit = _git(
            repository, "rev-parse", "--verify", "--quiet", "--short=12", "--end-of-options", f"{name}^{{commit}}"
        )
    except subprocess.CalledProcessError:
        raise ValueError(f"there is no revision {name!r} in {repository}; `git log --oneline` lists them") from None
    with tempfile.TemporaryDirectory(prefix="revision-") as folder:
        try:
            _git(repository, "archive", "--format=tar", f"--output={folder}/files.tar", commit)
        except subprocess.CalledProcessError as error:
            raise ValueError(f"git could not give the files of {commit}: {error.stderr.strip()}") from None
        files = Path(folder) / "files"
        with tarfile.open(Path(folder) / "files.tar") as archive:
            archive.extractall(files, filter="tar")
        (Path(folder) / "files.tar").unlink()
        yield Revision(files, commit)


def _git(repository: Path, *arguments: str) -> str:
    """What git prints. Errors: `CalledProcessError`; ValueError where git is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise ValueError("git is not installed, so no other revision can be had") from None
    return done.stdout.strip()
