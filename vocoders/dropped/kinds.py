"""What a file is, by its content; its name counts for nothing but where two kinds have the same bytes.

Looking is done in the sandbox (`common.sandbox`): a zip of a hundred megabytes may list millions of names.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tokenize import TokenError

import numpy as np

from common.sandbox import Refused, run_contained
from vocoders.checkpoints.formats import file_format
from vocoders.dropped.mappings import kind_of_mapping
from vocoders.mel import N_MELS
from vocoders.recipes.configs import MAX_BYTES as MAX_TEXT_BYTES
from vocoders.recipes.configs import parsed_text
from vocoders.recordings.decoding.containers import container_of

MAX_HEADER_BYTES = 100_000_000  # of safetensors, as its own reader allows


@dataclass(frozen=True)
class Recognized:
    """kind: checkpoint, onnx, configuration, recipe, statistics, extractor, archive, recording, mel, study or other; what: in words,
    with its article; suffix: of the name under which its reader knows such a file, "" where any name will do."""

    kind: str
    what: str
    suffix: str = ""


def recognize_contained(paths: Sequence[Path]) -> list[Recognized]:
    """Of each file, as `recognize`, in a process of its own; one that breaks it is "other"."""
    try:
        return _in_sandbox(paths)
    except Refused as refusal:
        if len(paths) == 1:
            return [Recognized("other", str(refusal).removesuffix("."))]
        return [found for path in paths for found in recognize_contained([path])]


def _in_sandbox(paths: Sequence[Path]) -> list[Recognized]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        run_contained(_recognize_all, [path.resolve() for path in paths], out, name="a file")
        return [Recognized(**found) for found in json.loads(out.read_text(encoding="utf-8"))]


def recognize(path: Path) -> Recognized:
    """Never raises: a damaged file is "other", or what its first bytes promise, and its reader will say more."""
    with path.open("rb") as file:
        beginning = file.read(16)
    if container := container_of(path):
        return Recognized("recording", f"a recording ({container.name})")
    if beginning.startswith(b"\x93NUMPY"):
        return _array(path)
    if beginning.startswith(b"\x89HDF\r\n\x1a\n"):
        return Recognized("statistics", "an HDF5 file, as ParallelWaveGAN keeps mean and scale in", ".h5")
    if beginning[8:9] == b"{" and int.from_bytes(beginning[:8], "little") < MAX_HEADER_BYTES:
        return Recognized("checkpoint", "tensors (safetensors)", ".safetensors")
    if zipfile.is_zipfile(path):
        return _archive(path)
    what = file_format(path)
    if what == "an ONNX network":
        return Recognized("onnx", what, ".onnx")
    if what:
        return Recognized("other", what)
    return _text(path) or Recognized("checkpoint", "a PyTorch file")


def _array(path: Path) -> Recognized:
    try:
        shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    except (ValueError, OSError, EOFError, SyntaxError, TypeError, OverflowError, RecursionError, TokenError):
        return Recognized("other", "a damaged NumPy array, or one of objects")
    if len(shape) == 2 and shape[0] == 2:
        return Recognized("statistics", f"mean and scale of {shape[1]} bands", ".npy")
    if N_MELS in shape:
        return Recognized("mel", f"an array of shape {shape}: a mel", ".npy")
    return Recognized(
        "other", f"an array of shape {shape}, neither a mel of {N_MELS} bands nor statistics of a generator"
    )


def _archive(path: Path) -> Recognized:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return Recognized("other", "a damaged zip")
    if what := file_format(path):
        is_arrays = "NumPy" in what
        return Recognized("mel", f"{what}: perhaps a mel", ".npz") if is_arrays else Recognized("other", what)
    if any(name.split("/")[-1] == "data.pkl" for name in names):
        return Recognized("checkpoint", "a PyTorch file")
    return Recognized("archive", "a zip")


def _text(path: Path) -> Recognized | None:
    """None for what is no text."""
    if path.stat().st_size > MAX_TEXT_BYTES:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
    if any(ord(character) < 9 for character in text):
        return None
    for suffix in (".json", ".yaml"):
        try:
            content = parsed_text(text, suffix)
        except ValueError:
            continue
        kind, what = kind_of_mapping(content)
        return Recognized(kind, what, suffix)
    return Recognized("other", "text, which is no configuration")


def _recognize_all(paths: Sequence[Path], out: Path) -> None:
    out.write_text(json.dumps([asdict(recognize(path)) for path in paths]), encoding="utf-8")
