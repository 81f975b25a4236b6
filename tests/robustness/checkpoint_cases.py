"""Checkpoints as they should not be: `checkpoint_case(number, folder)` leaves the same files every time."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import math
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from tests.robustness.mutation import mutated
from vocoders.checkpoints.checkpoint import Checkpoint, safetensors_bytes
from vocoders.hifigan.generator import Generator, HiFiGANConfig
from vocoders.mel import HW2

SMALL = HiFiGANConfig(2, (16, 16), (16, 16), 4, (3,), ((1, 2),))  # 3.5 thousand numbers
MARK = "it-ran"  # a file that code in a pickle would leave


def checkpoint_case(number: int, folder: Path) -> Path:
    """The checkpoint's file; a jik876 one has its config.json beside it."""
    rng = np.random.default_rng(number)
    kinds: tuple[Callable, ...] = (_lying_safetensors, _bad_metadata, _bad_config, _bad_pickle, _bad_state)
    if number % 2:
        return kinds[number // 2 % len(kinds)](rng, folder)
    kind, content = (("mine.safetensors", small_safetensors()), ("g_1", small_zip()), ("g_1", small_legacy()))[
        number // 2 % 3
    ]
    write_config(folder)
    return _written(folder / kind, mutated(content, [small_safetensors(), small_zip(), small_legacy()], rng))


@functools.cache
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return dict(Generator(SMALL).state_dict())


@functools.cache
def small_safetensors() -> bytes:
    return safetensors_bytes(Checkpoint(SMALL, HW2, weights(), {"licence": "CC0"}))


@functools.cache
def small_zip() -> bytes:
    return saved({"generator": weights()})


@functools.cache
def small_legacy() -> bytes:
    return saved({"generator": weights()}, _use_new_zipfile_serialization=False)


def saved(content: object, **options) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def config_json() -> dict:
    return {name: value for name, value in dataclasses.asdict(SMALL).items() if name != "input_channels"}


def write_config(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(config_json()))


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


# ------------------------------------------------ values that no field expects

ODD = (
    None, True, -1, 0, 3, 10**6, 2**63, 10**400, 0.5, 1e308, math.nan, math.inf, "", "x" * 50_000, "\ud800", "\0\n", [], {},
    [[]], [1], [-1, -1], [16, -16], [-16, -16], [10**400], [2] * 8, [1] * 14 + [16, 16], [True, 16], [[[[1]]]], {"a": 1}, "F32",
    "F8_E4M3", "F4", "BOOL", "I64", "BF16", "C64", [0], [0, 10], [10, 0], [0, 2**63], [2**62, 2**62], [2**32, 2**32, 2**32],
)  # fmt: skip


def _odd(rng: np.random.Generator) -> object:
    return ODD[rng.integers(len(ODD))]


def _nested(rng: np.random.Generator) -> str:
    return str(rng.choice(["[", '{"a":', "[[[[{"])) * int(rng.choice([10, 900, 12_000]))


# ------------------------------------------------ safetensors: 8 bytes of length, a JSON header, the numbers


def safetensors_of(header: object, numbers: bytes, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(text) if length is None else length) + text + numbers


@functools.cache
def _parts() -> tuple[str, bytes]:
    content = small_safetensors()
    (length,) = struct.unpack("<Q", content[:8])
    return content[8 : 8 + length].decode(), content[8 + length :]


def _lying_safetensors(rng: np.random.Generator, folder: Path) -> Path:
    """The header says what is not so."""
    text, numbers = _parts()
    header, length = json.loads(text), None
    names = [name for name in header if name != "__metadata__"]
    for _ in range(rng.integers(1, 4)):
        name = names[rng.integers(len(names))]
        match rng.integers(7):
            case 0 | 1:
                header[name] = {
                    **json.loads(text)[name],
                    str(rng.choice(["dtype", "shape", "data_offsets"])): _odd(rng),
                }
            case 2:
                header[name] = _odd(rng)
            case 3:
                header.pop(name, None)
            case 4:
                header[str(_odd(rng))] = header.get(names[0])
            case 5:
                length = int(rng.choice([0, 1, 7, 100, 10**6, 10**8 + 1, 2**62], 1)[0])
            case 6:
                numbers = np.full(len(numbers) // 4, _number(rng), "<f4").tobytes()
    return _written(folder / "mine.safetensors", safetensors_of(header, numbers, length))


def _number(rng: np.random.Generator) -> float:
    return float(rng.choice([math.nan, math.inf, -math.inf, 3e38, 1e-40, 0]))


def _bad_metadata(rng: np.random.Generator, folder: Path) -> Path:
    text, numbers = _parts()
    header = json.loads(text)
    about = header["__metadata__"]
    match rng.integers(5):
        case 0:
            about[str(rng.choice(["kind", "config", "mel", "licence", "curves"]))] = _odd(rng)
        case 1:
            about["config"] = _nested(rng)
        case 2:
            about["config"] = json.dumps({**config_json(), str(rng.choice(list(config_json()))): _odd(rng)})
        case 3:
            about["curves"] = json.dumps({"total": [[1e308, _number(rng)]] * 5000, "mel": _odd(rng)})
        case 4:
            header["__metadata__"] = _odd(rng)
    return _written(folder / "mine.safetensors", safetensors_of(header, numbers))


# ------------------------------------------------ jik876: config.json and a pickle


def _bad_config(rng: np.random.Generator, folder: Path) -> Path:
    config: dict = config_json()
    extra = ["sampling_rate", "num_mels", "hop_size", "input_channels", "fmin"]
    for _ in range(rng.integers(1, 4)):
        config[str(rng.choice([*config, *extra]))] = _odd(rng)
    text = json.dumps(config).encode() if rng.random() < 0.7 else mutated(json.dumps(config).encode(), [b"[{]}"], rng)
    (folder / "config.json").write_bytes(_nested(rng).encode() if rng.random() < 0.1 else text)
    return _written(folder / "g_1", small_zip())


def _bad_state(rng: np.random.Generator, folder: Path) -> Path:
    """A proper file with wrong tensors in it."""
    write_config(folder)
    state: dict = dict(weights())
    for _ in range(rng.integers(1, 3)):
        name = str(rng.choice(list(weights())))
        choices = odd_tensors(weights()[name])
        state[name] = choices[rng.integers(len(choices))]
    if rng.random() < 0.3:
        state[("a\nb", 5, "x" * 9000)[rng.integers(3)]] = torch.zeros(1)
    content = ({"generator": state}, {"generator": _odd(rng)}, state, _odd(rng), {"mpd": state})[
        rng.choice(5, p=[0.8, 0.05, 0.05, 0.05, 0.05])
    ]
    return _written(folder / "g_1", saved(content, _use_new_zipfile_serialization=bool(rng.integers(2))))


def odd_tensors(tensor: torch.Tensor) -> list:
    """Of the right shape where that is possible, and yet nothing to compute with."""
    shape = tensor.shape
    found = [
        torch.empty(shape, device="meta"),
        torch.zeros(shape).to_sparse(),
        torch.zeros(()).expand(shape),
        torch.full(shape, math.nan),
        torch.full(shape, 1e308, dtype=torch.float64),
        torch.zeros(shape, dtype=torch.complex64),
        torch.zeros(shape, dtype=torch.bool),
        torch.zeros(shape).to(torch.float8_e4m3fn),
        torch.zeros(shape).bfloat16(),
        torch.quantize_per_tensor(torch.zeros(shape), 0.1, 0, torch.qint8),
        torch.nn.Parameter(torch.zeros(shape)),
        torch.zeros(1).expand(10**12),
        torch.zeros(shape).unsqueeze(0),
        torch.zeros(0),
        torch.zeros(()),
        None, 5, "text", [1, 2], {"a": 1},
    ]  # fmt: skip
    return found + ([torch.zeros(shape).to_sparse_csr()] if tensor.ndim == 2 else [])


def _bad_pickle(rng: np.random.Generator, folder: Path) -> Path:
    write_config(folder)
    hostile = pickles(folder / MARK)
    content = hostile[rng.integers(len(hostile))]
    match rng.integers(4):
        case 0:
            content = mutated(content, hostile, rng)
        case 1:
            content = zipped(mutated(content, hostile, rng) if rng.random() < 0.5 else content)
        case 2:
            content = zipped(content)
    return _written(folder / "g_1", content)


def zipped(data: bytes) -> bytes:
    """A pickle where torch looks for it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", data)
        archive.writestr("a/version", "3\n")
        archive.writestr("a/byteorder", "little")
        archive.writestr("a/data/0", bytes(16))
    return buffer.getvalue()


class _Runs:
    """Pickled as a call."""

    def __init__(self, function: object, *arguments: object) -> None:
        self._call = (function, arguments)

    def __reduce__(self):
        return self._call


def pickles(mark: Path) -> list[bytes]:
    """That would leave a file `mark` if anything in them was executed."""
    import os
    import subprocess

    touch, code = f"touch {mark}", f"open({str(mark)!r}, 'w')"
    runs = [
        _Runs(os.system, touch),
        _Runs(subprocess.check_call, ["touch", str(mark)]),
        _Runs(eval, code),
        _Runs(exec, code),
        _Runs(open, str(mark), "w"),
        _Runs(np.save, str(mark), np.zeros(1)),
        _Runs(torch.save, 1, str(mark)),
        _Runs(torch.load, str(mark)),
        _Runs(torch.hub.load, str(mark.parent), "x"),
        _Runs(map, os.system, [touch]),
    ]
    found = []
    for protocol in (0, 2, 4):
        for run in runs:
            found.append(pickle.dumps({"generator": run}, protocol))
        found.append(pickle.dumps({"generator": {"a": 1}}, protocol))
    ops = [
        f"c{module}\n{name}\n(X{_text(touch)}tR."
        for module, name in (("os", "system"), ("posix", "system"), ("nt", "system"))
    ]
    ops += [f"ctorch\n_utils.os.system\n(X{_text(touch)}tR.", f"(X{_text(touch)}ios\nsystem\n.", "ctorch\nhub\n."]
    return found + [b"\x80\x02" + op.encode("latin-1") for op in ops]


def _text(text: str) -> str:
    return struct.pack("<I", len(text)).decode("latin-1") + text


# ------------------------------------------------ a few bytes that ask for everything


def greedy_pickles() -> dict[str, bytes]:
    """Memory that torch's weights-only unpickler grants, as calls of the functions it allows; none of it is code."""
    two_gigabytes = b"cbuiltins\nbytearray\n(J" + struct.pack("<i", 2 * 10**9) + b"tR"
    doubled = b"N\x85q\x00" + b"h\x00h\x00\x86q\x00" * 40  # a tuple of itself twice, forty times over
    return {
        "sixteen gigabytes of a shape": b"\x80\x02ctorch\nSize\n(" + two_gigabytes + b"tR.",
        "four gigabytes of floats": b"\x80\x02ctorch\nFloatTensor\n(J" + struct.pack("<i", 10**9) + b"tR.",
        "twenty seconds of counting": b"\x80\x02cbuiltins\nset\n(" + two_gigabytes + b"tR.",
        "two to the fortieth steps": b"\x80\x02" + doubled + b"}h\x00Ns.",
    }
