"""Which files make the Space: what git tracks, without the tests.

The hub keeps large and binary files outside git (LFS, or Xet: the client's choice) and says so in `.gitattributes`. That
file is made here, for the upload alone: in this repository it would ask everybody who clones it for git-lfs.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from deploy.card import SECRET

LEFT_OUT = ("tests/",)
MAX_GIT_FILE_BYTES = 10_000_000  # above it the hub refuses a file that is kept in git
ATTRIBUTES = ".gitattributes"
_PEEK_BYTES = 8000  # in which git, too, looks for a NUL to tell binary from text


@dataclass(frozen=True)
class SpaceFile:
    """One file of the Space: a path of this checkout, or content made for the Space."""

    path: str  # in the Space, with /
    content: Path | bytes
    large: bool  # kept outside git

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size


def space_files(root: Path) -> list[SpaceFile]:
    """By path. Errors: ValueError without git, or for a file that cannot or must not be published."""
    paths = {name: _inside(root, name) for name in _tracked(root) if not name.startswith(LEFT_OUT)}
    patterns = {_pattern(name) for name, path in paths.items() if _belongs_outside_git(path)}
    files = [SpaceFile(name, path, _pattern(name) in patterns) for name, path in paths.items() if name != ATTRIBUTES]
    for file in files:
        if not file.large:
            _refuse_secrets(file)
    before = paths[ATTRIBUTES].read_text("utf-8") if ATTRIBUTES in paths else ""
    lines = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in sorted(patterns))
    files.append(SpaceFile(ATTRIBUTES, (before + lines).encode(), large=False))
    return sorted(files, key=lambda file: file.path)


def version(root: Path) -> str:
    """The commit, and whether the files differ from it. Errors: ValueError."""
    changed = _git(root, "status", "--porcelain", "--untracked-files=no").strip()
    return _git(root, "rev-parse", "--short", "HEAD").strip() + (" with local changes" if changed else "")


def _tracked(root: Path) -> list[str]:
    return sorted(filter(None, _git(root, "ls-files", "-z").split("\0")))


def _git(root: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, encoding="utf-8", check=True)
    except FileNotFoundError as error:
        raise ValueError("git is needed: a Space gets what git tracks") from error
    except subprocess.CalledProcessError as error:
        raise ValueError(f"{root}: {error.stderr}") from error
    return done.stdout


def _inside(root: Path, name: str) -> Path:
    """The file of that name. Errors: ValueError for a link, however it leads away, and for what is no file."""
    path = root / name
    if not path.is_file():
        raise ValueError(f"{name} is tracked by git, but there is no such file here")
    if path.resolve() != root.resolve() / name:
        raise ValueError(f"{name} is a link, or lies behind one; a Space gets files only")
    return path


def _pattern(name: str) -> str:
    path = PurePosixPath(name)
    return f"*{path.suffix}" if path.suffix else f"/{name}"


def _belongs_outside_git(path: Path) -> bool:
    with path.open("rb") as file:
        return path.stat().st_size > MAX_GIT_FILE_BYTES or b"\0" in file.read(_PEEK_BYTES)


def _refuse_secrets(file: SpaceFile) -> None:
    content = file.content if isinstance(file.content, bytes) else file.content.read_bytes()
    if found := SECRET.search(content.decode("utf-8", errors="replace")):
        raise ValueError(f"{file.path} holds what looks like a token or a password: {found[0][:6]}...")
