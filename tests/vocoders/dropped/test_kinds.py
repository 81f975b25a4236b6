"""Files are what is in them: under names that lie, damaged, and in the company that belongs to them."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest
import soundfile
import torch
import yaml
from safetensors.torch import save_file

from tests.conftest import harmonic_tone
from vocoders.checkpoints.config import CheckpointError
from vocoders.dropped.bundles import Bundle, Dropped, bundles_of, lay_out
from vocoders.dropped.kinds import Recognized, recognize, recognize_contained
from vocoders.dropped.mappings import kind_of_mapping
from vocoders.recipes.named import NAMED

LYING = "holiday.jpg"


def wav(path):
    soundfile.write(path, harmonic_tone(0.2), 22_050, format="WAV")


def zipped(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def numpy_file(array):
    def write(path):
        with path.open("wb") as file:
            np.save(file, array)

    return write


def h5(path):
    with h5py.File(path, "w") as file:
        file["mean"], file["scale"] = np.zeros(80), np.ones(80)


def text(words):
    return lambda path: path.write_text(words)


def npz(path):
    buffer = io.BytesIO()
    np.savez(buffer, mel=np.zeros((80, 9), np.float32))
    path.write_bytes(buffer.getvalue())


CASES = {
    "wav": (wav, "recording", "a recording (WAV)"),
    "torch": (lambda path: torch.save({"generator": {}}, path), "checkpoint", "a PyTorch file"),
    "torch before 1.6": (
        lambda path: torch.save({"a": torch.zeros(3)}, path, _use_new_zipfile_serialization=False),
        "checkpoint",
        "a PyTorch file",
    ),
    "safetensors": (lambda path: save_file({"a": torch.zeros(3)}, path), "checkpoint", "tensors (safetensors)"),
    "mel": (numpy_file(np.zeros((80, 40), np.float32)), "mel", "an array of shape (80, 40): a mel"),
    "mel, turned": (numpy_file(np.zeros((40, 80))), "mel", "an array of shape (40, 80): a mel"),
    "stats": (numpy_file(np.zeros((2, 80))), "statistics", "mean and scale of 80 bands"),
    "other array": (numpy_file(np.zeros((7, 5))), "other", "an array of shape (7, 5), neither"),
    "objects": (numpy_file(np.array([{}], object)), "other", "a damaged NumPy array, or one of objects"),
    "h5": (h5, "statistics", "an HDF5 file"),
    "npz": (npz, "mel", "an archive of NumPy arrays: perhaps a mel"),
    "zip": (lambda path: zipped(path, a="1"), "archive", "a zip"),
    "lfs": (text("version https://git-lfs.github.com/spec/v1\n"), "other", "a pointer of Git LFS"),
    "page": (text("<!DOCTYPE html><html>"), "other", "a web page"),
    "hifigan": (text('{"upsample_rates": [8, 8]}'), "configuration", "the configuration of a HiFi-GAN"),
    "recipe": (text(yaml.safe_dump(NAMED["hw2"].as_dict())), "recipe", "a mel recipe"),
    "study": (text("name: x\nmode: mushra\nsystems: [griffin-lim]"), "study", "a listening study"),
    "prose": (text("Dear reader, this is\nno configuration."), "other", "text, which is no configuration"),
    "aliases": (text("a: &x [1]\nb: *x"), "other", "text, which is no configuration"),
    "empty": (text(""), "other", "an empty file"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_content_counts_and_not_the_name(tmp_path, case):
    write, kind, what = CASES[case]
    write(tmp_path / LYING)
    found = recognize(tmp_path / LYING)
    assert found.kind == kind
    assert found.what.startswith(what)


def test_many_files_are_looked_at_in_one_sandbox(tmp_path):
    for name, (write, _, _) in CASES.items():
        write(tmp_path / name)
    paths = [tmp_path / name for name in CASES]
    assert recognize_contained(paths) == [recognize(path) for path in paths]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"generator_type": "HiFiGANGenerator", "generator_params": {}}, "ParallelWaveGAN"),
        ({"generator_model_params": {}, "audio": {}}, "Coqui"),
        ({"backbone": {}, "head": {}}, "Vocos"),
        ({"model": {"init_args": {"backbone": {}}}}, "Vocos"),
        ({"upsample_rates": [], "snake_logscale": True}, "BigVGAN"),
        ({"model_in_dim": 80, "upsample_rates": []}, "SpeechT5HifiGan"),
        ({"upsample_factors": []}, "speechbrain"),
        ({"whatever": 1}, "unknown kind"),
    ],
)
def test_configurations_are_told_by_their_keys(content, what):
    kind, words = kind_of_mapping(content)
    assert kind == "configuration"
    assert what in words


def test_a_feature_extractor_and_a_webmushra_configuration_are_no_configurations_of_generators():
    assert kind_of_mapping({"feature_extractor_type": "SpeechT5FeatureExtractor"})[0] == "extractor"
    assert kind_of_mapping({"pages": []})[0] == "study"


def dropped(tmp_path, name, kind, suffix="", content="x"):
    path = tmp_path / f"{abs(hash(name))}"
    path.write_text(content)
    return Dropped(name, path, Recognized(kind, kind, suffix))


def test_the_nearest_companions_belong_to_a_generator(tmp_path):
    a = dropped(tmp_path, "in.zip/a/g_1", "checkpoint")
    b = dropped(tmp_path, "in.zip/b/g_1", "checkpoint")
    own = dropped(tmp_path, "in.zip/a/settings.txt", "configuration", ".json")
    shared = dropped(tmp_path, "config", "configuration", ".yaml")
    stats = dropped(tmp_path, "in.zip/numbers", "statistics", ".npy")
    found = bundles_of([a, b, own, shared, stats])
    assert found == [Bundle(a, (own, stats)), Bundle(b, (shared, stats))]
    laid = lay_out(found[0], tmp_path)
    assert (laid.path.name, laid.config.name) == ("g_1", "config.json")
    assert (tmp_path / "stats.npy").is_file()
    assert lay_out(found[0], tmp_path) == laid


def test_a_name_that_lies_is_put_right(tmp_path):
    (tmp_path / "into").mkdir()
    for name, suffix, stored in [
        ("x.safetensors", "", "x.pt"),
        ("x.pt", ".safetensors", "x.safetensors"),
        ("y.bin", ".onnx", "y.onnx"),
    ]:
        main = dropped(tmp_path, name, "checkpoint", suffix)
        assert lay_out(Bundle(main, ()), tmp_path / "into").path.name == stored


def test_of_several_configurations_the_one_of_the_same_name_is_taken(tmp_path):
    main = dropped(tmp_path, "g_1", "checkpoint")
    one, other = (
        dropped(tmp_path, f"{name}.json", "configuration", ".json", json.dumps({name: 1})) for name in ("g_1", "z")
    )
    (tmp_path / "into").mkdir()
    assert json.loads(lay_out(Bundle(main, (one, other)), tmp_path / "into").config.read_text()) == {"g_1": 1}
    another = dropped(tmp_path, "y.json", "configuration", ".json")
    with pytest.raises(CheckpointError, match=r"g_1: z.json, y.json are several files of one kind \(configuration\)"):
        lay_out(Bundle(main, (other, another)), tmp_path / "into")
