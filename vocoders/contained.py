"""A file from a stranger, read in a process of its own that may use only so much memory and time.

torch's weights-only unpickler runs no code, but a pickle of a hundred bytes can ask it for all the memory there is, or keep it
busy for hours, and the archive around it is taken apart in C++. What comes back is in the project's own format, whose reader
does neither.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from vocoders.checkpoint import Checkpoint, CheckpointError, read_checkpoint, write_safetensors
from vocoders.checkpoint_check import read_checked
from vocoders.checkpoint_config import MAX_BYTES

MEMORY = 6 * MAX_BYTES  # bytes: torch itself, the file, its weights as floats, folded, and written
SECONDS = 30  # of processor time
_WAIT = 120  # seconds by the clock, on a machine that has other things to do
_REFUSED = 3  # exit status; the sentence is on stdout


class Refused(ValueError):
    """What the other process said about the file, or that it did not come to an end."""


def run_contained(module: str, arguments: Sequence[object], name: str = "it") -> None:
    """`python -m module arguments`, for a module that calls `limit_resources` before it opens anything.

    Errors: `Refused` with the sentence given to `refuse` there, or one about `name` when that process came to no end.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=Path(__file__).parents[1],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            timeout=_WAIT,
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"{name} takes too long to read and was not opened.") from error
    if done.returncode == _REFUSED:
        raise Refused(done.stdout.decode("utf-8", "replace"))
    if done.returncode:
        raise Refused(f"{name} could not be read within the memory, time and disk allowed, and was not opened.")


def limit_resources() -> None:
    """For the rest of this process."""
    import resource

    for limit, value in (
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 2 * MAX_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def refuse(reason: object) -> NoReturn:
    """Leave, so that `run_contained` raises `Refused` with this sentence."""
    sys.stdout.buffer.write(str(reason).encode("utf-8", "replace"))
    sys.exit(_REFUSED)


def read_contained(
    path: Path, recipe: str | None = None, config_path: Path | None = None, checked: bool = False
) -> Checkpoint:
    """As `read_checkpoint`, or `read_checked`, with the same errors."""
    if path.suffix == ".safetensors" and not checked:
        return read_checkpoint(path, recipe, config_path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:  # goes with the upload, if this process is killed
        out = Path(folder) / "read.safetensors"
        arguments = [
            path.resolve(),
            recipe or "",
            config_path.resolve() if config_path else "",
            out,
            "checked" * checked,
        ]
        try:
            run_contained(__name__, arguments, path.name)
        except Refused as refusal:
            raise CheckpointError(str(refusal)) from refusal
        return dataclasses.replace(read_checkpoint(out), notice=_notice(out).read_text(encoding="utf-8"))


def _notice(out: Path) -> Path:
    """Where the other process leaves what a trial found; no file says it of itself."""
    return out.with_suffix(".txt")


def main() -> None:
    path, recipe, config_path, out, checked = sys.argv[1:]
    read = read_checked if checked else read_checkpoint
    limit_resources()
    try:
        checkpoint = read(Path(path), recipe or None, Path(config_path) if config_path else None)
    except CheckpointError as error:
        refuse(error)
    _notice(Path(out)).write_text(checkpoint.notice, encoding="utf-8")
    write_safetensors(Path(out), checkpoint)


if __name__ == "__main__":
    main()
