"""Stimuli at the rates of what they are made of: bit-identical to the input but for gain and whole samples."""

import io

import numpy as np
import pytest
import soundfile

from eval.listening.analysis.votes import ANCHOR, REFERENCE
from eval.listening.making.make_study import read_clips
from eval.listening.making.stimuli import beeps, low_pass, render_stimuli
from eval.listening.making.study_file import study_from_file
from eval.metrics.loudness import loudness

RATE, SECONDS = 44_100, 1.6


def voice(seed: int, rate: int = RATE) -> np.ndarray:
    """A low tone under noise up to the Nyquist frequency, a little of it beyond 11 025 Hz; on the grid of 16 bits."""
    time = np.arange(round(SECONDS * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.03, len(time))
    sound = (0.15 * np.sin(2 * np.pi * 220 * time) + noise) * np.hanning(len(time)) ** 0.3
    return np.rint(sound * 32768) / 32768


def write(path, samples, rate=RATE):
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, samples, rate, subtype="PCM_16")


def rendered(folder, text: str):
    """{(item, condition): (stimulus, samples, rate)} of a study file with this text."""
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    study, clips, systems = study_from_file(folder / "study.yaml")
    stimuli, wavs = render_stimuli(study, read_clips(clips), systems)
    return {(s.item, s.condition): (s, *soundfile.read(io.BytesIO(wavs[s.sha256]))) for s in stimuli}


def without_gain(stimulus, samples) -> np.ndarray:
    return samples / 10 ** (stimulus.made["gain_db"] / 20)


def largest_error(stimulus) -> float:
    """Half a step of 16 bits, before the gain."""
    return 0.501 * 2**-15 / 10 ** (stimulus.made["gain_db"] / 20)


def test_two_folders_at_44_1_khz_come_back_to_the_bit(tmp_path):
    """Odd delays included: at 22 050 Hz they would be half samples."""
    delays = {"a": 0, "b": 7, "c": 13_231}
    wanted = {item: voice(number) for number, item in enumerate(delays)}
    noisy = {item: np.rint((0.5 * x + voice(9) / 64) * 32768) / 32768 for item, x in wanted.items()}
    for item, delay in delays.items():
        write(tmp_path / "songs" / f"{item}.wav", wanted[item])
        write(tmp_path / "mine" / f"{item}.wav", np.concatenate([np.zeros(delay), noisy[item]]))
    found = rendered(tmp_path, "name: x\nmode: mushra\nclips: [songs]\nsystems: [{name: mine, folder: mine}]\n")
    for item in delays:
        for condition, original in ((REFERENCE, wanted[item]), ("mine", noisy[item])):
            stimulus, samples, rate = found[item, condition]
            assert (rate, len(samples), stimulus.sample_rate) == (RATE, len(original), RATE)
            assert stimulus.seconds == len(original) / RATE
            assert np.abs(without_gain(stimulus, samples) - original).max() <= largest_error(stimulus)
    late = [found[item, "mine"][0].made["delay_samples"] for item in delays]
    assert late == [0, 7, 0]  # the last was moved by its offset already


def test_each_file_of_a_mixed_trial_keeps_its_rate_and_its_place(tmp_path):
    write(tmp_path / "songs" / "a.wav", voice(0))
    at_48 = soundfile_at(voice(0), 48_000)
    write(tmp_path / "mine" / "a.wav", np.concatenate([np.zeros(31), at_48]), 48_000)
    text = "name: x\nmode: mushra\nclips: [songs]\nsystems: [griffin-lim-oracle, {name: mine, folder: mine}]\n"
    found = {condition: value for (_, condition), value in rendered(tmp_path, text).items()}
    rates = {condition: rate for condition, (_, _, rate) in found.items()}
    assert rates[REFERENCE] == rates[ANCHOR] == rates["degraded"] == rates["beeps-3"] == RATE
    assert (rates["griffin-lim-oracle"], rates["mine"]) == (22_050, 48_000)
    assert {round(stimulus.seconds, 4) for stimulus, _, _ in found.values()} == {SECONDS}
    stimulus, samples, _ = found["mine"]
    assert stimulus.made["delay_samples"] == 31
    assert abs(stimulus.made["delay_left_us"]) <= 0.2  # a hundredth of a sample
    assert np.abs(without_gain(stimulus, samples)[100:-100] - at_48[100:-100]).max() <= 2 * largest_error(stimulus)
    levels = [loudness(samples.astype(np.float32), rate) for _, samples, rate in found.values()]
    assert np.ptp(levels) < 0.1


def soundfile_at(samples: np.ndarray, rate: int) -> np.ndarray:
    import soxr

    return np.rint(soxr.resample(samples, RATE, rate, quality="VHQ") * 32768) / 32768


def test_what_whole_samples_leave_of_a_delay_is_told(tmp_path):
    """44.1 kHz late by one sample is 48 kHz late by 1.088: one sample, and 1.8 us."""
    write(tmp_path / "songs" / "a.wav", voice(0))
    write(tmp_path / "mine" / "a.wav", soundfile_at(np.concatenate([[0.0], voice(0)]), 48_000), 48_000)
    text = "name: x\nmode: mushra\nclips: [songs]\nsystems: [{name: mine, folder: mine}]\n"
    made = rendered(tmp_path, text)["a", "mine"][0].made
    assert made["delay_samples"] == 1
    assert made["delay_left_us"] == pytest.approx(1e6 / RATE - 1e6 / 48_000, abs=0.3)


def test_outputs_without_a_recording_keep_their_rates(tmp_path):
    write(tmp_path / "one" / "a.wav", voice(0))
    write(tmp_path / "two" / "a.wav", np.concatenate([np.zeros(5), voice(0)[:-5]]))
    write(tmp_path / "three" / "a.wav", soundfile_at(voice(0), 16_000), 16_000)
    folders = ", ".join(f"{{name: {name}, folder: {name}}}" for name in ("one", "two", "three"))
    found = rendered(tmp_path, f"name: x\nmode: acr\nsystems: [{folders}]\n")
    rates = {condition: rate for (_, condition), (_, _, rate) in found.items()}
    assert (rates["one"], rates["two"], rates["three"]) == (RATE, RATE, 16_000)
    (one, first, _), (two, second, _) = found["a", "one"], found["a", "two"]
    moved = without_gain(two, second)[:-10] - without_gain(one, first)[:-10]
    assert np.abs(moved).max() <= largest_error(one) + largest_error(two)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_an_anchor_ends_at_3500_hertz_at_any_rate(rate):
    impulse = np.zeros(16_384, np.float32)
    impulse[8192] = 1
    decibels = 20 * np.log10(np.abs(np.fft.rfft(low_pass(impulse, 3500.0, rate))) + 1e-12)
    hertz = np.fft.rfftfreq(len(impulse), 1 / rate)
    assert np.abs(decibels[hertz <= 3500]).max() < 0.1
    assert decibels[hertz >= 4500].max() < -50


def test_an_anchor_above_what_a_rate_holds_changes_nothing():
    samples = voice(0, 8_000).astype(np.float32)
    assert np.array_equal(low_pass(samples, 7000.0, 8_000), samples)


def test_beeps_last_as_long_at_any_rate():
    length = {rate: np.flatnonzero(beeps(3, rate * 2, rate))[-1] / rate for rate in (22_050, 44_100)}
    assert length[44_100] == pytest.approx(length[22_050], abs=1e-4)
