"""Networks in float32 and bfloat16: which one computes, where that is said, and that results of the two are never one."""

from __future__ import annotations

import dataclasses
import json
import pickle

import numpy as np
import pytest

from tests.bfloat16 import take_for_able
from tests.vocoders.test_engine import GUIDED, loud_checkpoint, mel_of_noise
from vocoders import load_system
from vocoders.analysis import Analysis, synthesize
from vocoders.catalogue import BUILT_IN, find_system
from vocoders.features import Features
from vocoders.hifigan import calibration, engine, openvino_generator
from vocoders.hifigan.engine import HiFiGANVocoder, in_precision, precision_of
from vocoders.hifigan.openvino_generator import OpenVINOGenerator, digest
from vocoders.hifigan.precision import BFLOAT16, FLOAT32, MEASURED, measured_in_bfloat16


@pytest.fixture(scope="module")
def checkpoint():
    return loud_checkpoint(GUIDED)


@pytest.fixture
def able(monkeypatch):
    take_for_able(monkeypatch)


@pytest.fixture
def unable(monkeypatch):
    monkeypatch.setattr(openvino_generator, "multiplies_bfloat16", lambda: False)


def measured_close(monkeypatch, checkpoint, close: bool) -> None:
    monkeypatch.setattr(engine, "measured_in_bfloat16", lambda: {digest(checkpoint): {"close": close, "systems": {}}})


def test_exact_is_float32_and_fast_is_bfloat16_where_the_processor_has_it(able, checkpoint):
    assert HiFiGANVocoder(checkpoint).precision == FLOAT32
    assert HiFiGANVocoder(checkpoint, precision="fast").precision == BFLOAT16
    assert HiFiGANVocoder(checkpoint, "pytorch", "fast").precision == FLOAT32, "PyTorch is the reference"


def test_without_instructions_everything_is_float32(unable, checkpoint):
    assert HiFiGANVocoder(checkpoint, precision="fast").precision == FLOAT32


def test_fast_outputs_are_near_and_not_the_same():
    """On a real processor of the kind; the guided network is the one that is shipped as close."""
    if not openvino_generator.multiplies_bfloat16():
        pytest.skip("this processor has no instructions for bfloat16")
    checkpoint = loud_checkpoint(GUIDED)
    mel = Features("log hw2 mel", mel_of_noise(120))
    exact, fast = (HiFiGANVocoder(checkpoint, precision=p)(mel) for p in ("exact", "fast"))
    difference = np.square(fast - exact).sum() / np.square(exact).sum()
    assert 1e-7 < difference < 1e-2


@pytest.mark.parametrize(
    ("close", "speedup", "wanted"), [(True, 1.9, BFLOAT16), (True, 1.0, FLOAT32), (False, 1.9, FLOAT32)]
)
def test_auto_takes_what_was_measured_close_and_is_faster_here(
    able, checkpoint, monkeypatch, tmp_path, close, speedup, wanted
):
    monkeypatch.setenv("VOCODER_CACHE_DIR", str(tmp_path))
    measured_close(monkeypatch, checkpoint, close)
    monkeypatch.setattr(calibration, "measure_speedup", lambda *_: speedup)
    assert HiFiGANVocoder(checkpoint, precision="auto").precision == wanted


def test_auto_is_exact_where_bfloat16_fails(able, checkpoint, monkeypatch, tmp_path):
    monkeypatch.setenv("VOCODER_CACHE_DIR", str(tmp_path))
    measured_close(monkeypatch, checkpoint, True)

    def fail(*_):
        raise RuntimeError("no kernel of this kind")

    monkeypatch.setattr(calibration, "measure_speedup", fail)
    vocoder = HiFiGANVocoder(checkpoint, precision="auto")
    assert vocoder.precision == FLOAT32
    assert isinstance(vocoder._engine, OpenVINOGenerator), "and not PyTorch, which is slower"


def test_a_network_that_nobody_measured_is_exact_in_auto(able, checkpoint, monkeypatch):
    monkeypatch.setattr(engine, "measured_in_bfloat16", dict)
    assert HiFiGANVocoder(checkpoint, precision="auto").precision == FLOAT32


def test_a_machine_is_calibrated_once(able, checkpoint, monkeypatch, tmp_path):
    monkeypatch.setenv("VOCODER_CACHE_DIR", str(tmp_path))
    measured_close(monkeypatch, checkpoint, True)
    asked = []
    monkeypatch.setattr(calibration, "measure_speedup", lambda *_: asked.append(1) or 2.0)
    assert [HiFiGANVocoder(checkpoint, precision="auto").precision for _ in range(2)] == [BFLOAT16, BFLOAT16]
    assert len(asked) == 1
    written = next(tmp_path.rglob("speedup.json"))
    content = json.loads(written.read_text())
    written.write_text(json.dumps(content | {"machine": ["another", *content["machine"][1:]]}))
    HiFiGANVocoder(checkpoint, precision="auto")
    assert len(asked) == 2, "a cache folder may be shared by machines"
    written.write_text("{")
    HiFiGANVocoder(checkpoint, precision="auto")
    assert len(asked) == 3, "a torn file is no measurement"


def test_the_calibration_runs_both(able, checkpoint):
    engines = {p: OpenVINOGenerator(checkpoint, p) for p in (FLOAT32, BFLOAT16)}
    assert calibration.measure_speedup(checkpoint, engines) > 0


def test_the_shipped_guided_network_is_the_one_that_was_measured():
    """A change of its weights or of its shape must be measured anew: `python -m eval precision`."""
    for measured in measured_in_bfloat16().values():
        for system in measured["systems"]:
            assert digest(find_system(system).load.read()) in measured_in_bfloat16()
    guided = measured_in_bfloat16()[digest(find_system("hifigan-hw2-guided").load.read())]
    assert guided["close"] is True
    assert guided["systems"]["hifigan-hw2-guided"]["snr_db"] > 40
    assert all(
        m["close"] == all(s["close"] for s in m["systems"].values()) for m in json.loads(MEASURED.read_text()).values()
    )


def test_every_network_of_the_catalogue_has_the_choice_and_travels_with_it():
    networks = [system for system in BUILT_IN if system.describe().parameters]
    assert len(networks) >= 9
    for system in networks:
        chosen = in_precision(system, "auto")
        assert chosen.load.precision == "auto"
        assert pickle.loads(pickle.dumps(chosen)) == chosen != system
    griffin_lim = find_system("griffin-lim")
    assert in_precision(griffin_lim, "fast") is griffin_lim
    assert precision_of(griffin_lim) == ""


def test_one_recordings_analysis_keeps_precisions_apart(able, checkpoint, rng):
    """A comparison in another precision must not be given the samples of the one before."""
    loaded = []

    class Loader:
        def __call__(self):
            loaded.append(checkpoint)
            return checkpoint

    system = dataclasses.replace(find_system("hifigan-hw2-guided"), load=engine.LoadNetwork(Loader()))
    analysis = Analysis(rng.normal(0, 0.1, 22_050).astype(np.float32))
    outputs = [synthesize(in_precision(system, precision), analysis) for precision in ("exact", "fast", "exact")]
    assert outputs[0] is not outputs[1]
    assert np.array_equal(outputs[0], outputs[2])
    assert len(loaded) == 2


def test_the_python_interface_says_what_is_allowed():
    with pytest.raises(ValueError, match="unknown precision 'half'; allowed: exact, fast, auto"):
        load_system("griffin-lim", precision="half")
