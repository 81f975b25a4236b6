"""A checkpoint from a stranger, read in a process of its own, see `common.sandbox`.

torch's weights-only unpickler runs no code, but a pickle of a hundred bytes can ask it for all the memory there is, or keep it
busy for hours, and the archive around it is taken apart in C++. The result is in the project's own format, whose reader
does neither.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path

from common.sandbox import Refused, limit_resources, refuse, run_contained
from vocoders.checkpoints.checkpoint import Checkpoint, CheckpointError, read_checkpoint, write_safetensors
from vocoders.checkpoints.trial import read_checked


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
    """Reads the checkpoint that the command line names, within limits of memory and time, and writes it as safetensors."""
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
