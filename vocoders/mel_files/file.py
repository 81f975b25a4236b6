"""A mel from a file: NumPy's .npy and .npz and PyTorch's .pt, read without believing anything they say of themselves.

An array's header may promise any shape, an archive may unpack to any size, and a pickle may do anything. So sizes are compared
before memory is taken, no Python object is ever made from a NumPy file, and PyTorch's reader works in a process of its own.
"""

from __future__ import annotations

import io
import math
import os
import tempfile
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import BinaryIO

import numpy as np

from common.sandbox import Refused, run_contained
from vocoders.mel import HOP, N_MELS, SAMPLE_RATE

MAX_BYTES = 100_000_000  # of a file, and of an array in it: 50 minutes as float32
SUFFIXES = (".npy", ".npz", ".pt", ".pth")
_MAX_ARRAYS = 64  # listed of an archive
_PROBABLY = {
    13: "MFCCs, not a mel",
    20: "MFCCs, not a mel",
    24: "a mel for speech recognition",
    40: "a mel for speech recognition",
    64: "AudioLDM's (16 kHz, hop 160) or another mel of 64 bands",
    100: "Vocos' or BigVGAN's at 24 kHz, hop 256",
    120: "a mel of 120 bands for 24 or 44.1 kHz",
    128: "BigVGAN v2's or NSF-HiFiGAN's at 44.1 kHz, or librosa's default",
    160: "a mel of 160 bands for 44.1 kHz or more",
    256: "a mel of 256 bands for 44.1 or 48 kHz",
    513: "an STFT of 1024 points, not a mel",
    1025: "an STFT of 2048 points, not a mel",
}


class MelFileError(ValueError):
    """A file that cannot be used as a mel; the message is one sentence without the file's name."""


def read_layouts(path: Path, key: str | None = None, max_seconds: float = 3000.0) -> tuple[np.ndarray, ...]:
    """The mel in a file as (80, frames) float32: once, or twice (as it is, turned) where 80 x 80 values leave it open.

    key: the name of an array in an .npz, or of a tensor in a .pt, that holds several.
    Errors: `MelFileError`.
    """
    return layouts(read_array(path, key), max_seconds)


def find_file(given: Path) -> tuple[Path, str | None]:
    """FILE or FILE:KEY -> the path and the key, where one is named; a file may have a colon in its name."""
    path, _, key = str(given).rpartition(":")
    return (Path(path), key) if Path(path).is_file() and not given.exists() else (given, None)


def read_array(path: Path, key: str | None = None) -> np.ndarray:
    """The one array of numbers in a file, as it is. Errors: `MelFileError`."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise MelFileError(f"a mel is read from {', '.join(SUFFIXES)}, not from {suffix or 'a file without suffix'}")
    if not path.is_file():
        raise MelFileError("there is no such file")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise MelFileError(f"the file has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read")
    if key and suffix == ".npy":
        raise MelFileError("an .npy file holds one array, without a name")
    if suffix == ".npy":
        with path.open("rb") as file:
            return _read_npy(file, size)
    return _read_npz(path, key) if suffix == ".npz" else _read_torch(path, key)


def _read_npy(file: BinaryIO, size: int) -> np.ndarray:
    """size: bytes there are, header and all."""
    try:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(file)
    except (ValueError, KeyError, EOFError, SyntaxError, TypeError, OverflowError, RecursionError, TokenError) as error:
        raise MelFileError("this is not a NumPy array, whatever its name says, or its header is damaged") from error
    check_type(str(dtype), dtype.kind, dtype.itemsize)
    promised, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if promised > there:
        raise MelFileError(f"the file is cut: its header promises {promised:,} bytes of numbers, {there:,} are there")
    if promised > MAX_BYTES or len(shape) > 8:
        raise MelFileError(f"the array is too large; at most {MAX_BYTES / 1e6:.0f} MB are read")
    return np.frombuffer(file.read(promised), dtype).reshape(shape, order="F" if fortran else "C")


def _read_npz(path: Path, key: str | None) -> np.ndarray:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            info = members[chosen(list(members), key)]
            if info.file_size > MAX_BYTES:
                raise MelFileError(f"the array is too large; at most {MAX_BYTES / 1e6:.0f} MB are read")
            with archive.open(info) as file:
                content = file.read(MAX_BYTES + 1)  # whatever the archive says of its size
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, zlib.error) as error:
        raise MelFileError("the archive is damaged, encrypted, or none at all") from error
    return _read_npy(io.BytesIO(content), min(len(content), MAX_BYTES))


def _read_torch(path: Path, key: str | None) -> np.ndarray:
    """By `vocoders.mel_files.torch_array` in a process of its own, which may use only so much memory and time."""
    from vocoders.mel_files.torch_array import save_tensor

    with tempfile.TemporaryDirectory(dir=path.parent if os.access(path.parent, os.W_OK) else None) as folder:
        out = Path(folder) / "read.npy"
        try:
            run_contained(save_tensor, path.resolve(), key, out)
        except Refused as refusal:
            raise MelFileError(str(refusal)) from refusal
        return read_array(out)


def chosen(names: list[str], key: str | None) -> str:
    """The one to read. Errors: `MelFileError` naming those there are."""
    listed = ", ".join(names[:_MAX_ARRAYS]) or "none"
    if key is not None and key not in names:
        raise MelFileError(f"it holds no array {key!r}; there are: {listed}")
    if key is None and len(names) != 1:
        raise MelFileError(
            f"it holds {len(names)} arrays ({listed}); give a file with one, or in a command name it: FILE:NAME"
        )
    return key if key is not None else names[0]


def check_type(name: str, kind: str, itemsize: int) -> None:
    """kind: NumPy's letter. Errors: `MelFileError` for all but float16, 32 and 64."""
    if kind in "iub":
        raise MelFileError(
            f"it holds whole numbers ({name}), as pictures do; a mel holds real numbers (float16, 32 or 64)"
        )
    if kind != "f" or itemsize > 8:
        raise MelFileError(f"a mel holds real numbers (float16, 32 or 64), not {name}")


def layouts(array: np.ndarray, max_seconds: float = 3000.0) -> tuple[np.ndarray, ...]:
    """(80, T), (T, 80), (1, 80, T) or (1, T, 80) -> (80, T) float32, twice where T is 80. Errors: `MelFileError`."""
    check_type(str(array.dtype), array.dtype.kind, array.dtype.itemsize)
    if array.ndim == 3 and array.shape[0] > 1:
        raise MelFileError(f"it holds a batch of {array.shape[0]}, shape {array.shape}; a mel file holds one mel")
    matrix = array[0] if array.ndim == 3 else array
    if matrix.ndim != 2:
        raise MelFileError(f"a mel has shape ({N_MELS}, frames) or (frames, {N_MELS}), not {array.shape}")
    if 0 in matrix.shape:
        raise MelFileError(f"the mel is empty: its shape is {array.shape}")
    if N_MELS not in matrix.shape:
        raise MelFileError(_wrong_bands(matrix.shape, array.shape))
    if (seconds := max(matrix.shape) * HOP / SAMPLE_RATE) > max_seconds:
        raise MelFileError(f"the mel lasts {seconds:.0f} s; at most {max_seconds:.0f} s are taken")
    if not np.isfinite(matrix).all():
        raise MelFileError("the mel holds values that are not numbers (NaN or infinity)")
    with np.errstate(over="ignore"):
        matrix = matrix.astype(np.float32)
    if not np.isfinite(matrix).all():
        raise MelFileError("the mel holds values beyond the range of float32")
    turned = np.ascontiguousarray(matrix.T)
    if matrix.shape == (N_MELS, N_MELS):
        return matrix, turned
    return (matrix if matrix.shape[0] == N_MELS else turned,)


def _wrong_bands(shape: tuple[int, int], whole: tuple[int, ...]) -> str:
    bands = next((size for size in shape if size in _PROBABLY), min(shape))
    guess = f", probably {_PROBABLY[bands]}" if bands in _PROBABLY else ""
    return (
        f"its shape is {whole}: {bands} bands{guess}; the mels here have shape ({N_MELS}, frames) or (frames, {N_MELS}), "
        f"at {SAMPLE_RATE} Hz with a hop of {HOP}"
    )
