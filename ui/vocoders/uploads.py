"""Checkpoints that people bring, per browser session: small immutable values, the weights loaded when needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vocoders.catalogue import BUILT_IN, own_checkpoint_system
from vocoders.checkpoints.brought import slug
from vocoders.checkpoints.checkpoint import CheckpointError, names_its_mel
from vocoders.onnx_files.system import onnx_system
from vocoders.systems import System

MAX_UPLOADS = 4  # per session; each is a system in the comparison


@dataclass(frozen=True)
class Upload:
    """A checkpoint that a visitor added, as plain values for `gr.State`."""

    id: str  # of its system; "" for the name of its file
    checkpoint: str  # paths of what Gradio stored
    config: str | None
    recipe: str | None  # as `read_checked` takes it; None for a file that knows its own, or to find out

    @property
    def files(self) -> list[Path]:
        """The checkpoint and, where there is one, its config.json."""
        return [Path(name) for name in (self.checkpoint, self.config) if name]

    @property
    def is_onnx(self) -> bool:
        """Whether the file is an ONNX network, which needs no configuration."""
        return Path(self.checkpoint).suffix == ".onnx"

    @property
    def is_here(self) -> bool:
        """Whether its files still exist; uploads are removed after a while."""
        return all(path.is_file() for path in self.files)

    def system(self) -> System:
        """Errors: `CheckpointError`."""
        if not self.is_here:
            raise CheckpointError(
                f"There is no file {Path(self.checkpoint).name} any more: uploads stay for two hours; add it again."
            )
        path, config = Path(self.checkpoint), Path(self.config) if self.config else None
        if self.is_onnx:
            system = onnx_system(slug(path.stem), path, self.recipe)
        else:
            system = own_checkpoint_system(path, self.recipe, config, contained=True)
        return replace(system, id=self.id or system.id)


def chosen_systems(systems: Sequence[System], uploads: Sequence[Upload], chosen: Sequence[str]) -> list[System]:
    """Those with the chosen ids. Errors: `CheckpointError`, also for a chosen upload that is no longer here."""
    return [
        *(system for system in systems if system.id in chosen),
        *(upload.system() for upload in uploads if upload.id in chosen),
    ]


def all_systems(systems: Sequence[System], uploads: Sequence[Upload]) -> list[System]:
    """Errors: `CheckpointError`."""
    return [*systems, *(upload.system() for upload in uploads if upload.is_here)]


def upload_of(checkpoint: str | None, config: str | None, recipe: str | None) -> Upload:
    """What is to be added. recipe: the mel it was trained on; None to find out. Configuration and recipe do not count for a file of
    this project, which says both. Errors: `CheckpointError` for an incomplete one."""
    if not checkpoint:
        raise CheckpointError("Give the generator's file first: g_XXXXXXXX, or a .safetensors.")
    if names_its_mel(Path(checkpoint)):
        return Upload("", checkpoint, None, None)
    return Upload("", checkpoint, config, recipe)


def add_upload(
    uploads: tuple[Upload, ...], checkpoint: str | None, config: str | None, recipe: str | None
) -> tuple[tuple[Upload, ...], System]:
    """The uploads that are still here with one more, which has been read and tried, and its system. Arguments as of `upload_of`.

    Errors: `CheckpointError` with a sentence.
    """
    upload = upload_of(checkpoint, config, recipe)
    uploads = tuple(other for other in uploads if other.is_here)
    if len(uploads) >= MAX_UPLOADS:
        raise CheckpointError(
            f"{MAX_UPLOADS} systems of your own are the limit of one session; remove one first, below."
        )
    taken = {system.id for system in BUILT_IN} | {other.id for other in uploads}
    name = system_id = f"own-{upload.system().id}"
    number = 2
    while system_id in taken:
        system_id, number = f"{name}-{number}", number + 1
    upload = replace(upload, id=system_id)
    return (*uploads, upload), upload.system()
