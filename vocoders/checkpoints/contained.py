"""A checkpoint from a stranger, read in a process of its own, see `common.sandbox`.

torch's weights-only unpickler runs no code, but a pickle of a hundred bytes can ask it for all the memory there is, or keep it
busy for hours, and the archive around it is taken apart in C++. The result is in the project's own format, whose reader
does neither.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

from common.sandbox import Refused, run_contained
from vocoders.checkpoints.checkpoint import Checkpoint, CheckpointError, read_checkpoint, write_safetensors
from vocoders.checkpoints.trial import read_checked

SANDBOX_IMPORTS = ("av", "scipy.signal", "soxr")  # for the recording of a trial


def read_contained(
    path: Path, recipe: str | None = None, config_path: Path | None = None, checked: bool = False
) -> Checkpoint:
    """As `read_checkpoint`, or `read_checked`, with the same errors."""
    if path.suffix == ".safetensors" and not checked:
        return read_checkpoint(path, recipe, config_path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:  # goes with the upload, if this process is killed
        out = Path(folder) / "read.safetensors"
        config_path = config_path and config_path.resolve()
        try:
            run_contained(_rewrite, path.resolve(), recipe, config_path, checked, out, name=path.name)
        except Refused as refusal:
            raise CheckpointError(str(refusal)) from refusal
        return dataclasses.replace(read_checkpoint(out), notice=_notice(out).read_text(encoding="utf-8"))


def _notice(out: Path) -> Path:
    """Where the other process leaves what a trial found; no file says it of itself."""
    return out.with_suffix(".txt")


def _rewrite(path: Path, recipe: str | None, config_path: Path | None, checked: bool, out: Path) -> None:
    """The checkpoint as safetensors, and what a trial found beside it."""
    read = read_checked if checked else read_checkpoint
    try:
        checkpoint = read(path, recipe, config_path)
    except CheckpointError as error:
        raise Refused(str(error)) from error
    _notice(out).write_text(checkpoint.notice, encoding="utf-8")
    write_safetensors(out, checkpoint)
