"""What the Vocoders page says of dropped files: generators of several programs under names that say nothing, and what is no generator."""

import shutil
import zipfile

import numpy as np
import pytest
import soundfile
import torch

from tests.conftest import harmonic_tone
from tests.vocoders.checkpoints.test_families import written
from ui.vocoders.examination import MAX_GENERATORS, examine
from ui.vocoders.tab import found_table
from vocoders.checkpoints.brought import FAMILY_NAMES
from vocoders.checkpoints.checkpoint import read_checkpoint
from vocoders.checkpoints.families.table import CONFIGS
from vocoders.onnx_files.export import export_onnx


@pytest.fixture(autouse=True)
def uploads(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))


def disguised(folder, tmp_path):
    """The files of a folder, each in a folder of its own, as uploads are, and under a number for a name."""
    paths = []
    for number, path in enumerate(sorted(folder.iterdir())):
        (tmp_path / f"up{number}").mkdir()
        paths.append(shutil.copy(path, tmp_path / f"up{number}" / f"file{number}"))
    return paths


def told(examination):
    return {finding.file: (finding.state, finding.what, finding.use) for finding in examination.findings}


def case_folder(tmp_path, case):
    folder = tmp_path / "case"
    folder.mkdir()
    written(case, folder)
    return folder


def test_a_generator_is_read_with_its_configuration_and_statistics_under_any_names(tmp_path):
    files = disguised(case_folder(tmp_path, "ParallelWaveGAN's HiFi-GAN, one"), tmp_path)
    found = examine(files, None)
    assert len(found.uploads) == 1
    main, configuration, statistics = sorted(found.findings, key=lambda finding: finding.file)
    assert main.state == "good"
    assert "a generator, HiFi-GAN: 16,000 Hz, 12 bands" in main.what
    assert configuration.use == statistics.use == "Used with file0."
    assert statistics.what == "mean and scale of 12 bands"


def test_what_is_missing_is_said_with_the_familys_name(tmp_path):
    folder = case_folder(tmp_path, "ParallelWaveGAN's HiFi-GAN, one")
    (folder / "stats.npy").unlink()
    found = examine(disguised(folder, tmp_path), None)
    state, _, use = told(found)["file0"]
    assert (state, found.uploads) == ("bad", ())
    assert "is a checkpoint of ParallelWaveGAN" in use
    assert "there is no stats.npy or stats.h5" in use


def test_a_zip_of_a_models_folder_is_opened(tmp_path):
    folder = case_folder(tmp_path, "Vocos, same")
    soundfile.write(folder / "demo1.wav", harmonic_tone(0.2), 22_050)
    soundfile.write(folder / "demo2.wav", harmonic_tone(0.2), 22_050)
    archive = shutil.make_archive(str(tmp_path / "model"), "zip", folder.parent, folder.name)
    found = examine([archive], None)
    assert [upload.config is not None for upload in found.uploads] == [True]
    assert told(found)["model.zip/case/pytorch_model.bin"][1].startswith("a generator, Vocos: 16,000 Hz")
    assert told(found)["model.zip/case/"] == ("", "2 recordings", told(found)["model.zip/case/"][2])
    assert examine([archive], None).uploads != ()


def test_an_onnx_network_is_a_system(tmp_path):
    checkpoint = read_checkpoint(written("Vocos, same", case_folder_of(tmp_path)))
    export_onnx(checkpoint, tmp_path / "net.onnx")
    path = (tmp_path / "net.onnx").rename(tmp_path / "net.txt")
    found = examine([path], None)
    (finding,) = found.findings
    assert finding.what.startswith("an ONNX network: 16,000 Hz, ")
    assert found.uploads[0].system().id == "net"


def test_every_family_has_a_name_for_people():
    assert FAMILY_NAMES.keys() == CONFIGS.keys()


def case_folder_of(tmp_path):
    (tmp_path / "case").mkdir()
    return tmp_path / "case"


def test_everything_else_is_said_and_nothing_is_read(tmp_path):
    np.save(tmp_path / "mel.npy", np.zeros((80, 40), np.float32))
    torch.save(torch.zeros(80, 50), tmp_path / "mel.pt")
    soundfile.write(tmp_path / "<img src=x onerror=1>.wav", harmonic_tone(0.2), 22_050)
    (tmp_path / "config.json").write_text('{"upsample_rates": [8, 8, 2, 2]}')
    (tmp_path / "study.yaml").write_text("name: x\nmode: mushra\nsystems: [griffin-lim]\n")
    torch.save({"generator": print}, tmp_path / "evil.pt")
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("../out", "x")
    found = examine([path for path in sorted(tmp_path.iterdir()) if path.is_file()], None)
    said = told(found)
    assert found.uploads == ()
    assert "in the place of a recording" in said["mel.npy"][2]
    assert "a tensor of shape (80, 50): a mel" in said["mel.pt"][1]
    assert "page Folders" in said["<img src=x onerror=1>.wav"][2]
    assert said["config.json"][2].startswith("Belongs to")  # to either of the .pt files
    assert "Blind tests" in said["study.yaml"][2]
    assert "is not a plain tensor checkpoint" in said["evil.pt"][2]
    assert "leads out of it" in said["out.zip"][2]
    assert "<img" not in found_table(found)


def test_what_would_take_hours_is_refused_at_once(tmp_path):
    for number in range(MAX_GENERATORS + 1):
        torch.save({}, tmp_path / f"{number}.pt")
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for path in tmp_path.glob("*.pt"):
            archive.write(path, path.name)
    (finding,) = examine([tmp_path / "many.zip"], None).findings
    assert finding.use == f"At most {MAX_GENERATORS} are read and tried at once."
    (finding,) = examine([tmp_path / "0.pt"] * 31, None).findings
    assert finding.use.startswith("At most 30 are looked at")
    assert not [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()]
