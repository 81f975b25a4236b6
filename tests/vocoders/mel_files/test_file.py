"""Mels from files: what is read, what is refused, and that nothing a file says of itself is believed."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from vocoders.mel_files.file import MelFileError, find_file, layouts, read_array, read_layouts

MEL = np.arange(80 * 30, dtype=np.float32).reshape(80, 30)


def save(path: Path, content: object) -> Path:
    if path.suffix == ".npy":
        np.save(path, content, allow_pickle=True)
    elif path.suffix == ".npz":
        np.savez(path, **content)
    else:
        torch.save(content, path)
    return path


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
@pytest.mark.parametrize(
    "turn", [lambda x: x, lambda x: x.T, lambda x: x[None], lambda x: x.T[None], np.asfortranarray]
)
def test_every_layout_and_float_is_the_same_mel(turn, dtype, tmp_path):
    values = (MEL / 4096).astype(dtype)
    (mel,) = read_layouts(save(tmp_path / "m.npy", turn(values)))
    assert mel.dtype == np.float32
    assert mel.flags.c_contiguous or turn is np.asfortranarray
    assert np.array_equal(mel, values.astype(np.float32))


def test_a_square_array_is_offered_both_ways():
    square = np.arange(6400, dtype=np.float32).reshape(1, 80, 80)
    as_it_is, turned = layouts(square)
    assert np.array_equal(as_it_is, turned.T)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros((79, 4)), r"79 frames|\(79, 4\)"),
        (np.zeros((100, 300)), "100 bands, probably Vocos' or BigVGAN's at 24 kHz, hop 256"),
        (np.zeros((300, 128)), "128 bands, probably BigVGAN v2's"),
        (np.zeros((64, 200)), "64 bands, probably AudioLDM's"),
        (np.zeros((513, 200)), "513 bands, probably an STFT"),
        (np.zeros((80, 0)), "empty"),
        (np.zeros((0, 80)), "empty"),
        (np.zeros(80), r"\(80, frames\) or \(frames, 80\), not \(80,\)"),
        (np.zeros((2, 80, 9)), "a batch of 2"),
        (np.zeros((80, 9), np.uint8), r"whole numbers \(uint8\)"),
        (np.zeros((80, 9), bool), "whole numbers"),
        (np.zeros((80, 9), complex), "real numbers .* not complex128"),
        (np.zeros((80, 9), np.longdouble), "real numbers"),
        (np.array([["a"] * 9] * 80), "real numbers"),
        (np.full((80, 4), np.nan), "not numbers"),
        (np.full((80, 4), np.inf), "not numbers"),
        (np.full((80, 4), 1e300), "beyond the range of float32"),
        (np.full((80, 4), None), "real numbers .* not object"),
        (np.broadcast_to(np.float32(1), (80, 300_000)), "lasts 3483 s; at most 3000"),
    ],
)
def test_what_is_no_mel_of_this_project_is_explained(values, reason, tmp_path):
    with pytest.raises(MelFileError, match=reason):
        read_layouts(save(tmp_path / "m.npy", values))


def test_a_header_is_not_believed(tmp_path):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (80, 10**12)})
    (tmp_path / "m.npy").write_bytes(file.getvalue() + b"1234")
    with pytest.raises(MelFileError, match="promises 320,000,000,000,000 bytes of numbers, 4 are there"):
        read_array(tmp_path / "m.npy")


def test_a_header_whose_bracket_is_never_closed_is_refused(tmp_path):
    """Python's tokenizer, which NumPy asks, has an error of its own for it."""
    np.save(tmp_path / "m.npy", MEL)
    content = (tmp_path / "m.npy").read_bytes()
    (tmp_path / "m.npy").write_bytes(content.replace(b")", b" ", 1).replace(b"}", b" ", 1))
    with pytest.raises(MelFileError, match="not a NumPy array, whatever its name says, or its header is damaged"):
        read_array(tmp_path / "m.npy")


@pytest.mark.parametrize("keep", [3, 40, 130, 1000])
def test_a_cut_file_is_refused(keep, tmp_path):
    path = save(tmp_path / "m.npy", MEL)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(MelFileError, match=r"is cut|header is damaged"):
        read_array(path)


def test_an_archive_of_one_is_read_and_of_more_is_asked_for_by_name(tmp_path):
    one = save(tmp_path / "one.npz", {"mel": MEL})
    two = save(tmp_path / "two.npz", {"mel": MEL, "f0": np.zeros(30)})
    assert np.array_equal(read_array(one), MEL)
    assert find_file(Path(f"{two}:mel")) == (two, "mel")
    assert np.array_equal(read_array(two, "mel"), MEL)
    with pytest.raises(
        MelFileError, match=r"2 arrays \(mel, f0\); give a file with one, or in a command name it: FILE:NAME"
    ):
        read_array(two)
    with pytest.raises(MelFileError, match="no array 'mels'; there are: mel, f0"):
        read_array(two, "mels")


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("vocoders.mel_files.file.MAX_BYTES", 100_000)
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mel.npy", bytes(10_000_000))
    with pytest.raises(MelFileError, match="too large"):
        read_array(path)


def test_tensors_are_read_alone_or_from_a_dict(tmp_path):
    tensor = torch.from_numpy(MEL)
    assert np.array_equal(read_array(save(tmp_path / "a.pt", tensor)), MEL)
    assert np.array_equal(
        read_array(save(tmp_path / "b.pth", {"mel": tensor.double().requires_grad_(), "sr": 22050})), MEL
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"mel": torch.ones(80, 9), "f0": torch.ones(9)}, r"2 arrays \(mel, f0\)"),
        (torch.ones(80, 9, dtype=torch.int64), "whole numbers"),
        (["mel"], "no tensor but a list"),
        (Path("x"), "never opened"),
    ],
)
def test_what_a_torch_file_may_not_hold(content, reason, tmp_path):
    with pytest.raises(MelFileError, match=reason):
        read_array(save(tmp_path / "m.pt", content))


def test_a_pickle_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    (tmp_path / "m.pt").write_bytes(pickle.dumps(Evil()))
    np.save(tmp_path / "m.npy", np.array([Evil()] * 2, dtype=object), allow_pickle=True)
    for name in ("m.pt", "m.npy"):
        with pytest.raises(MelFileError, match=r"never opened|not object"):
            read_array(tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_a_tensor_that_asks_for_all_memory_costs_its_own_process_only(tmp_path):
    """An expanded tensor is small in the file and 8 GB in memory once it is copied."""
    path = tmp_path / "m.pt"
    torch.save(torch.ones(1).expand(80, 25_000_000), path)
    assert path.stat().st_size < 10_000
    with pytest.raises(MelFileError, match="within the memory, time and disk allowed"):
        read_array(path)
