"""TorchScript programs run only where they are named as programs, with their recipe."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from tests.command import command
from tests.conftest import harmonic_tone
from ui.vocoders.uploads import add_upload
from vocoders.analysis import Analysis, synthesize, synthesize_native
from vocoders.catalogue import find_system, find_systems
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.mel import HIFIGAN, log_mel_of


class Steps(torch.nn.Module):
    """Every frame's first band, held for a hop."""

    def __init__(self, hop: int) -> None:
        super().__init__()
        self.hop = hop

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        return 0.01 * mel[:, :1].repeat_interleave(self.hop, dim=2)


@pytest.fixture
def program(tmp_path):
    def make(module: torch.nn.Module) -> Path:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.jit.save(torch.jit.script(module), tmp_path / "steps.pt")
        return tmp_path / "steps.pt"

    return make


def test_a_program_runs_on_the_command_line(tmp_path, program):
    samples = harmonic_tone(0.5)[: 256 * 40]
    soundfile.write(tmp_path / "song.wav", samples, 22_050, subtype="FLOAT")
    item = f"torchscript:{program(Steps(256))}@hifigan"
    command("vocoders", "resynth", tmp_path / "song.wav", "--vocoders", item, "--out", tmp_path / "out")
    found, rate = soundfile.read(tmp_path / "out" / "steps" / "song.wav")
    wanted = 0.01 * log_mel_of(samples, HIFIGAN)[0].repeat(256)
    assert rate == 22_050
    assert np.abs(found - wanted).max() < 1e-4


def test_it_is_refused_where_it_is_not_named_as_a_program(tmp_path, program):
    path = program(Steps(256))
    reason = r"^steps\.pt is a TorchScript program, which runs code of its own; only the command line does that, as torchscript:steps\.pt@RECIPE\.$"
    with pytest.raises(CheckpointError, match=reason):
        find_system(str(path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match=reason):
        add_upload((), str(path), str(tmp_path / "config.json"), None)
    with pytest.raises(ValueError, match="would run code, so it can only be named on the command line"):
        find_systems(f"torchscript:{path}@hifigan", may_import=False)


def test_what_is_wrong_with_it_is_said(tmp_path, program):
    path = program(Steps(300))
    with pytest.raises(
        ValueError,
        match=r"steps\.pt does not say which mel it takes; give its recipe, as torchscript:steps\.pt@hifigan",
    ):
        find_system(f"torchscript:{path}")
    system = find_system(f"torchscript:{path}@hifigan")
    features = system.steps[0](harmonic_tone(0.5))
    with pytest.raises(ValueError, match=r"steps\.pt gives \d+ samples of \d+ frames; its recipe makes \d+ of them"):
        system.load()(features)
    (tmp_path / "other.pt").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ValueError, match=r"other\.pt is no TorchScript program"):
        find_system(f"torchscript:{tmp_path / 'other.pt'}@hifigan").load()


def test_a_program_of_another_rate_is_resampled_once(program):
    """Half a second of silence after half a second of sound: the step stays where it was."""
    samples = np.concatenate([harmonic_tone(0.5), np.zeros(11_025)]).astype(np.float32)
    system = find_system(f"torchscript:{program(Steps(256))}@bigvgan-44k")
    native = synthesize_native(system, Analysis(samples))
    assert native.rate == 44_100
    for found, rate in ((native.samples, 44_100), (synthesize(system, Analysis(samples)), 22_050)):
        assert abs(len(found) - rate) < 20
        level = np.abs(np.diff(found, prepend=found[0]))
        loud, quiet = level[rate // 8 : 3 * rate // 8].sum(), level[5 * rate // 8 : 7 * rate // 8].sum()
        assert loud > 20 * quiet
