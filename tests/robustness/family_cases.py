"""Files of other programs as they should not be: `family_case(number, folder)` leaves the same files every time.

Of every family a small generator with what lies beside it, of which one file is mutated: the weights as torch saves them, in a zip or
in its older format, or as safetensors, an ONNX network, a configuration in JSON or YAML, or statistics in NumPy's format or HDF5.
"""

from __future__ import annotations

import functools
import io
import json
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import onnx
import torch
import yaml

from tests.family_files import CASES, OUTPUTS, in_lightning, statistics, written
from tests.robustness.checkpoint_cases import MARK, ODD, pickles, saved, zipped
from tests.robustness.mutation import mutated
from vocoders.checkpoints.checkpoint import Checkpoint, read_checkpoint
from vocoders.harmonic_noise.generator import HarmonicNoiseConfig
from vocoders.onnx_files.export import export_onnx
from vocoders.recipes.named import HW2

GENERATORS = (
    "iSTFTNet",
    "BigVGAN 2",
    "Vocos",
    "ESPnet",
    "Coqui TTS",
    "speechbrain",
    "the decoder of VITS",
    "SpeechT5HifiGan",
)
Files = dict[str, bytes]  # the first is the generator's


def family_case(number: int, folder: Path) -> Path:
    """The generator's file; what it needs lies beside it."""
    rng = np.random.default_rng([2, number])
    files = dict(_sets()[number % len(_sets())])
    main, *beside = files
    name = main if not beside or rng.random() < 0.5 else str(rng.choice(beside))
    change = _CHANGES[Path(name).suffix] if Path(name).suffix in _CHANGES and rng.random() < 0.5 else _mutated
    files[name] = change(files[name], rng, folder)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return folder / main


@functools.cache
def _sets() -> list[Files]:
    """Each a generator that can be used."""
    sets = [_files(case, OUTPUTS) for case in GENERATORS]
    sets += [_files("HiFi-GAN, resblock 1", CASES, wrap) for wrap in (in_lightning, _as_legacy, _as_tar)]
    kan_bayashi = _files("ParallelWaveGAN", OUTPUTS)
    without = {name: content for name, content in kan_bayashi.items() if name != "stats.npy"}
    networks = [_as_onnx(), _as_onnx(), _as_guided_onnx()]
    return [*sets, kan_bayashi, without | {"stats.h5": _hdf5()}, _as_safetensors(), *networks]


def _files(case: str, cases: dict, wrap: Callable | None = None) -> Files:
    with tempfile.TemporaryDirectory() as folder:
        keep = wrap if wrap is in_lightning else None
        path = written(case, Path(folder), keep, cases[case])
        content = path.read_bytes() if wrap is keep else wrap(torch.load(path))
        others = {other.name: other.read_bytes() for other in sorted(Path(folder).iterdir()) if other != path}
        return {path.name: content, **others}


def _as_legacy(content: object) -> bytes:
    return saved(content, _use_new_zipfile_serialization=False)


def _as_tar(content: object) -> bytes:
    """As torch wrote it before 2017."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("storages", "tensors", "pickle"):
            data = _as_legacy(content)
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _as_safetensors() -> Files:
    from safetensors.torch import save

    files = _files("SpeechT5HifiGan", OUTPUTS)
    name = next(iter(files))
    state = torch.load(io.BytesIO(files.pop(name)))
    return {"model.safetensors": save({key: value.contiguous() for key, value in state.items()}), **files}


def _as_onnx() -> Files:
    with tempfile.TemporaryDirectory() as folder:
        path = written("Vocos", Path(folder), golden=OUTPUTS["Vocos"])
        export_onnx(read_checkpoint(path), Path(folder) / "out.onnx")
        return {"out.onnx": (Path(folder) / "out.onnx").read_bytes()}


def _as_guided_onnx() -> Files:
    """Of three inputs: mel, guide and noise."""
    torch.manual_seed(0)
    config = HarmonicNoiseConfig(channels=16, hidden=24, blocks=2, kernel=3, guide_iterations=3)
    checkpoint = Checkpoint(config, HW2, config.build().state_dict(), {"licence": "CC0"})
    with tempfile.TemporaryDirectory() as folder:
        export_onnx(checkpoint, Path(folder) / "guided.onnx")
        return {"guided.onnx": (Path(folder) / "guided.onnx").read_bytes()}


def _hdf5() -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["mean"], file["scale"] = statistics(20)
    return buffer.getvalue()


# ------------------------------------------------ changes of one file


def _mutated(content: bytes, rng: np.random.Generator, folder: Path) -> bytes:
    files = _sets()[rng.integers(len(_sets()))]
    return mutated(content, list(files.values()), rng)


def _odd_configuration(write: Callable[[object], str]) -> Callable:
    def change(content: bytes, rng: np.random.Generator, folder: Path) -> bytes:
        config = yaml.safe_load(content)
        for _ in range(rng.integers(1, 4)):
            *way, key = _places(config)[rng.integers(len(_places(config)))]
            within = functools.reduce(lambda level, name: level[name], way, config)
            within[key] = ODD[rng.integers(len(ODD))]
        text = write(config)
        if rng.random() < 0.2:
            text += f"\nrun: !!python/object/apply:os.system ['touch {folder / MARK}']\nbuilt: !new:os.system\n"
        return text.encode("utf-8", "surrogatepass")

    return change


def _places(config: dict, way: tuple = ()) -> list[tuple]:
    """Of every value in a configuration, the keys that lead to it."""
    inner = [place for key, value in config.items() if isinstance(value, dict) for place in _places(value, (*way, key))]
    return [(*way, key) for key in config] + inner


def _odd_metadata(content: bytes, rng: np.random.Generator, folder: Path) -> bytes:
    """Numbers that nobody would wait for or that are none, texts in their place, and entries that are missing."""
    model = onnx.load_from_string(content)
    entries = list(model.metadata_props)
    for entry in [entries[n] for n in rng.integers(len(entries), size=rng.integers(1, 4))]:
        values = (
            "",
            "-1",
            "0",
            "1e9",
            "9" * 4_000,
            "999999999",
            "nan",
            "true",
            "[]",
            "{}",
            str(ODD[rng.integers(len(ODD))]),
            "\u202e\u0661",
        )
        entry.value = values[rng.integers(len(values))].encode("utf-8", "replace").decode()
        if rng.random() < 0.2:
            entry.key = "something_else"
    return model.SerializeToString()


def _odd_array(content: bytes, rng: np.random.Generator, folder: Path) -> bytes:
    """Another array, one that would run code when it is unpickled, or a header that promises more than there is."""
    match rng.integers(4):
        case 0:
            shape = [(2, 20), (20,), (3, 20), (1, 20), (2, 1, 20), (0, 20), ()][rng.integers(7)]
            value = np.full(
                shape, rng.choice([np.nan, np.inf, 1e300, 0.0, 1.0]), str(rng.choice(["f2", "f8", "i8", "c16"]))
            )
        case 1:
            hostile = pickles(folder / MARK)
            return hostile[rng.integers(len(hostile))]
        case 2:
            value = np.array([{"a": 1}, "text"], dtype=object)
        case _:
            return content.replace(
                b"(2, 20)", str(rng.choice(["(2, 10**9)", "(2,1000000000000)", "(-2, 20)", "(99999999, 20)"])).encode()
            )
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=True)
    return buffer.getvalue()


def _odd_hdf5(content: bytes, rng: np.random.Generator, folder: Path) -> bytes:
    """Datasets of another kind, one of terabytes that a few bytes hold, or one that lies in another file."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["scale"] = np.ones(20)
        match rng.integers(6):
            case 0:
                file.create_dataset("mean", shape=(10**12,), dtype="f8", chunks=(10**6,))
            case 1:
                file["mean"] = h5py.ExternalLink("/etc/passwd", "/mean")
            case 2:
                file.create_group("mean")
            case 3:
                file["mean"] = "text"
            case 4:
                file.create_dataset("mean", (20,), "u1", external=[("/etc/passwd", 0, 20)])
            case 5:
                file["mean"] = np.full((20,), rng.choice([np.nan, np.inf, 1e300]))
    return buffer.getvalue()


def _hostile_pickle(content: bytes, rng: np.random.Generator, folder: Path) -> bytes:
    hostile = pickles(folder / MARK)
    chosen = hostile[rng.integers(len(hostile))]
    return zipped(chosen) if rng.random() < 0.5 else chosen


_CHANGES = {
    ".onnx": _odd_metadata,
    ".json": _odd_configuration(json.dumps),
    ".yaml": _odd_configuration(yaml.safe_dump),
    ".yml": _odd_configuration(yaml.safe_dump),
    ".npy": _odd_array,
    ".h5": _odd_hdf5,
    ".pkl": _hostile_pickle,
    ".bin": _hostile_pickle,
}
