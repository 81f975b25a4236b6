"""What bfloat16 changes, on made-up values with known answers, and through real networks where the processor has it."""

import json
import math

import numpy as np
import pytest
import soundfile

from eval.benchmarks import precision
from eval.benchmarks.precision import Clip, as_text, differences, usual_differences, write_measured
from tests.bfloat16 import take_for_able
from tests.command import command
from tests.conftest import harmonic_tone
from vocoders.catalogue import find_systems
from vocoders.hifigan import openvino_generator
from vocoders.hifigan.openvino_generator import digest

# Three systems, whose M-STFT differ by 0.1, 0.2 and 0.3: the usual difference is 0.2
CLIPS = [
    {
        "griffin-lim": Clip({"M-STFT": 1.0 + shift}),
        "hifigan-hw2": Clip({"M-STFT": 1.1 + shift}, {"M-STFT": 1.1 + shift + change}, 40.0, 0.01),
        "hifigan-hw2-refined": Clip({"M-STFT": 1.3 + shift}, {"M-STFT": 1.3 + shift + 3 * change}, 20.0, 0.1),
    }
    for shift, change in ((0.0, 0.01), (0.2, -0.01))
]


@pytest.fixture(autouse=True)
def processor(monkeypatch):
    monkeypatch.setattr(precision, "processor", lambda: "a processor")


def test_a_metric_moves_by_its_absolute_change_over_the_usual_difference():
    assert usual_differences(CLIPS, ["M-STFT"]) == pytest.approx({"M-STFT": 0.2})
    near, far = differences(CLIPS, ["M-STFT"])
    assert (near.system, near.clips, near.snr_db, near.m_stft) == ("hifigan-hw2", 2, 40.0, 0.01)
    assert near.shares == pytest.approx({"M-STFT": 0.05}), "changes up and down do not cancel"
    assert far.shares == pytest.approx({"M-STFT": 0.15})
    assert (near.close, far.close) == (True, False)
    assert near.distill_mos is None


def test_a_metric_in_which_systems_do_not_differ_is_no_measure():
    clips = [{name: Clip({"M-STFT": 1.0, "F0 error": math.nan and None}) for name in "abc"}]
    assert usual_differences(clips, ["M-STFT", "F0 error"]) == {}


def test_the_table_and_the_file(tmp_path):
    found, path = differences(CLIPS, ["M-STFT"]), tmp_path / "in-bfloat16.json"
    assert "| `hifigan-hw2` | 40.0 | 0.010 | n/a | M-STFT | 5.0% | yes |" in as_text(found)
    systems = find_systems("griffin-lim,hifigan-hw2,hifigan-hw2-refined")
    path.write_text(
        json.dumps({"old": {"close": True, "systems": {"hifigan-hw2": {}}}, "other": {"close": True, "systems": {}}})
    )
    write_measured(path, found, systems)
    content = json.loads(path.read_text())
    network = digest(systems[1].load.read())
    assert content.keys() == {"other", network}, "what was known of the same systems is replaced"
    assert content[network]["systems"].keys() == {"hifigan-hw2", "hifigan-hw2-refined"}
    assert content[network]["close"] is False, "since the refined one, which takes its output, is not"
    assert content[network]["systems"]["hifigan-hw2"]["close"] is True


def test_the_command(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", (0.5 * harmonic_tone(0.6, 150)).astype(np.float32), 22_050)
    arguments = ("eval", "precision", tmp_path, "--metrics", "M-STFT,log-mel L1", "--json", tmp_path / "found.json")
    take_for_able(monkeypatch)
    assert "name at least 3 systems" in command(*arguments, "--vocoders", "griffin-lim", code=1).stderr
    done = command(*arguments, "--vocoders", "griffin-lim,griffin-lim-oracle,harmonic-noise,hifigan-hw2-guided")
    assert "`hifigan-hw2-guided`" in done.stdout
    assert "`harmonic-noise`" not in done.stdout, "it runs in PyTorch, in float32"
    (measured,) = json.loads((tmp_path / "found.json").read_text()).values()
    assert measured["systems"]["hifigan-hw2-guided"]["clips"] == 1
    monkeypatch.setattr(openvino_generator, "multiplies_bfloat16", lambda: False)
    assert "no instructions for bfloat16" in command(*arguments, "--force", code=1).stderr
