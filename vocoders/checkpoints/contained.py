"""A checkpoint from a stranger, read in a process of its own that may use only so much memory and time.

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
from pathlib import Path

from common.paths import ROOT
from vocoders.checkpoints.checkpoint import Checkpoint, CheckpointError, read_checkpoint, write_safetensors
from vocoders.checkpoints.config import MAX_BYTES
from vocoders.checkpoints.trial import read_checked

MEMORY = 6 * MAX_BYTES  # bytes: torch itself, the file, its weights as floats, folded, and written
SECONDS = 30  # of processor time
_WAIT = 120  # seconds by the clock, on a machine that has other things to do
_REFUSED = 3  # exit status; the sentence is on stdout


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
            done = subprocess.run(
                [sys.executable, "-m", __name__, *map(str, arguments)],
                cwd=ROOT,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                capture_output=True,
                timeout=_WAIT,
            )
        except subprocess.TimeoutExpired as error:
            raise CheckpointError(f"{path.name} takes too long to read and was not opened.") from error
        if done.returncode == _REFUSED:
            raise CheckpointError(done.stdout.decode("utf-8", "replace"))
        if done.returncode or not out.is_file():
            raise CheckpointError(
                f"{path.name} could not be read within the memory, time and disk allowed, and was not opened."
            )
        return dataclasses.replace(read_checkpoint(out), notice=_notice(out).read_text(encoding="utf-8"))


def _notice(out: Path) -> Path:
    """Where the other process leaves what a trial found; no file says it of itself."""
    return out.with_suffix(".txt")


def main() -> None:
    import resource

    path, recipe, config_path, out, checked = sys.argv[1:]
    read = read_checked if checked else read_checkpoint
    for limit, value in (
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 2 * MAX_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    try:
        checkpoint = read(Path(path), recipe or None, Path(config_path) if config_path else None)
    except CheckpointError as error:
        sys.stdout.buffer.write(str(error).encode("utf-8", "replace"))
        sys.exit(_REFUSED)
    _notice(Path(out)).write_text(checkpoint.notice, encoding="utf-8")
    write_safetensors(Path(out), checkpoint)


if __name__ == "__main__":
    main()
