"""A run's state on disk: one exact file, or a compact one cut into pieces that are easy to move.

    RUN/state.pt                     exact: a resumed run continues bit for bit
    RUN/compact/part-00.bin ...      the same in half precision, each at most 15 MiB, with index.json

Compact keeps weights and average as float16 and the root of Adam's second moment as bfloat16; the first moment, which
Adam rebuilds within some ten steps, is left out. A run resumed from it continues, but not bit for bit.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import torch
from torch import Tensor

from common.durable import write_durably

STATE, COMPACT, INDEX = "state.pt", "compact", "index.json"
PART_BYTES = 15 * 2**20


class StateError(ValueError):
    """A saved state that is missing or cannot be used; the message is one sentence."""


def save(run: Path, content: dict) -> None:
    """Errors: `DiskFull`; the state that was there is then intact."""
    write_durably(run / STATE, _serialized(content))


def save_compact(run: Path, content: dict) -> list[Path]:
    """Write the pieces and return them. The index is written last and names the pieces it belongs to."""
    folder = run / COMPACT
    folder.mkdir(exist_ok=True)
    data = _serialized(_narrowed(content))
    old = set(folder.glob("part-*.bin"))
    parts, digests = [], {}
    for number, start in enumerate(range(0, len(data), PART_BYTES)):
        piece = data[start : start + PART_BYTES]
        path = folder / f"part-{number:02}.bin"
        write_durably(path, piece)
        parts.append(path)
        digests[path.name] = hashlib.sha256(piece).hexdigest()
    write_durably(folder / INDEX, json.dumps({"step": content["step"], "parts": digests}, indent=1).encode())
    for path in old - set(parts):
        path.unlink()
    return parts


def load(run: Path) -> dict:
    """The newest content of a run: the exact state, unless the compact one has come further. Errors: `StateError`."""
    state, index = run / STATE, run / COMPACT / INDEX
    if not state.is_file() and not index.is_file():
        raise StateError(f"{run} holds no saved run ({STATE}, or {COMPACT}/ with its {INDEX}).")
    exact = _deserialized(state.read_bytes(), state) if state.is_file() else None
    step, digests = _read_index(index) if index.is_file() else (-1, {})
    if exact is not None and exact["step"] >= step:
        return exact
    return _widened(_deserialized(_joined(index.parent, digests), index.parent))


def _read_index(index: Path) -> tuple[int, dict[str, str]]:
    """The step of a compact state, and the sha256 of each of its pieces by name."""
    try:
        content = json.loads(index.read_text(encoding="utf-8"))
        return int(content["step"]), dict(content["parts"])
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"{index} is damaged ({error}).") from error


def _joined(folder: Path, digests: dict[str, str]) -> bytes:
    pieces = []
    for name, digest in digests.items():
        path = folder / Path(name).name
        piece = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(piece).hexdigest() != digest:
            raise StateError(f"{path} is {'damaged' if piece else 'missing'}; copy all of {folder} again.")
        pieces.append(piece)
    return b"".join(pieces)


def _serialized(content: dict) -> memoryview:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getbuffer()


def _deserialized(data: bytes, path: Path) -> dict:
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged archive raises almost anything
        raise StateError(f"{path} is damaged and cannot be resumed from ({type(error).__name__}).") from error


_WEIGHTS = ("generator", "average", "discriminators")
_OPTIMIZERS = ("generator_optimizer", "discriminator_optimizer")


def _narrowed(content: dict) -> dict:
    narrow = dict(content)
    for key in content.keys() & set(_WEIGHTS):
        narrow[key] = {name: value.to(torch.float16) for name, value in content[key].items()}
    for key in content.keys() & set(_OPTIMIZERS):
        moments = {
            index: {"step": entry["step"], "root": entry["exp_avg_sq"].sqrt().to(torch.bfloat16)}
            for index, entry in content[key]["state"].items()
        }
        narrow[key] = {**content[key], "state": moments}
    return narrow


def _widened(narrow: dict) -> dict:
    content = dict(narrow)
    for key in narrow.keys() & set(_WEIGHTS):
        content[key] = {name: value.float() for name, value in narrow[key].items()}
    for key in narrow.keys() & set(_OPTIMIZERS):
        moments = {
            index: _moments(entry["step"], entry["root"].float()) for index, entry in narrow[key]["state"].items()
        }
        content[key] = {**narrow[key], "state": moments}
    return content


def _moments(step: Tensor, root: Tensor) -> dict[str, Tensor]:
    return {"step": step, "exp_avg": torch.zeros_like(root), "exp_avg_sq": root.square()}
