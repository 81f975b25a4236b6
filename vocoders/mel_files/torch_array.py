"""The one tensor in a PyTorch file, as .npy. Run by `vocoders.mel_files.file` in a process of its own, see `common.sandbox`."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from common.sandbox import Refused
from vocoders.mel_files.file import MelFileError, check_type, chosen


def read_tensor(path: Path, key: str | None) -> np.ndarray:
    """A tensor, or the one in a dict (of those it holds, the one named). Errors: `MelFileError`."""
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, AttributeError, KeyError, TypeError) as error:
        raise MelFileError(
            "it is no plain tensor file (it is damaged, or a pickle with objects, which is never opened)"
        ) from error
    if isinstance(content, dict):
        tensors = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
        content = tensors[chosen(list(tensors), key)]
    elif key:
        raise MelFileError("it holds one tensor, without a name")
    if not isinstance(content, torch.Tensor):
        raise MelFileError(f"it holds no tensor but a {type(content).__name__}")
    content = content.detach()
    if content.dtype == torch.bfloat16:
        content = content.float()
    if content.layout != torch.strided or content.is_quantized:
        raise MelFileError("its tensor is sparse or quantized; a mel is a plain one")
    array = content.resolve_conj().numpy()
    check_type(str(array.dtype), array.dtype.kind, array.dtype.itemsize)
    return np.ascontiguousarray(array)


def save_tensor(path: Path, key: str | None, out: Path) -> None:
    """`read_tensor` as npy. Errors: `Refused`."""
    try:
        np.save(out, read_tensor(path, key))
    except MelFileError as error:
        raise Refused(str(error)) from error
