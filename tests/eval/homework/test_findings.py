"""The explanations of the Findings page hold: the ladder, the two mels, the loss scales, the places that are worst."""

import pickle

import numpy as np
import pytest

from eval.homework.ladder import LADDER, RUNGS
from eval.homework.loss_scales import loss_scales
from eval.homework.mel_steps import steps
from eval.metrics.note_stability import modulation_spectrum, sustained
from eval.metrics.pitch import cached_track
from eval.metrics.registry import METRICS
from eval.metrics.spectral import log_mel_l1, m_stft
from eval.metrics.worst_segment import worst_second
from tests.conftest import harmonic_tone
from tests.eval.metrics.test_metrics import noisy
from tests.eval.metrics.test_note_stability import note
from ui.findings.panels import losses_panel, stability_panel
from vocoders.analysis import Analysis, synthesize
from vocoders.audio import SAMPLE_RATE, Recording
from vocoders.catalogue import find_systems
from vocoders.features import hw2_mel, log_hifigan_mel, log_hw2


@pytest.fixture(scope="module")
def rungs(tone):
    analysis = Analysis(tone)
    systems = [*RUNGS, *find_systems("griffin-lim-oracle,griffin-lim")]
    return {system.id: synthesize(system, analysis) for system in systems}


def test_every_rung_takes_one_thing_away(rungs, tone):
    band = rungs["rung-below-8-khz"]
    spectrum, wanted = np.abs(np.fft.rfft(band)), np.abs(np.fft.rfft(tone))
    hertz = np.fft.rfftfreq(len(tone), 1 / SAMPLE_RATE)
    assert spectrum[hertz > 8010].max() < 1e-4 * wanted.max()
    assert np.allclose(spectrum[hertz < 7990], wanted[hertz < 7990], atol=1e-3 * wanted.max())
    below = [m_stft(tone, rungs[rung]) for rung in ("griffin-lim-oracle", "rung-true-phase", "griffin-lim")]
    assert below[1] < below[2]  # the same magnitudes, but the true phase
    assert below[0] < below[2]  # a found phase, but the true magnitudes
    aligned = np.corrcoef(rungs["rung-true-phase"], tone)[0, 1]
    assert aligned > 0.9


def test_the_ladder_names_systems_that_exist():
    assert [system.id for system in find_systems(",".join(LADDER))] == list(LADDER)
    assert all(system.mel == "none" for system in RUNGS)  # shown as bounds, never as the best
    assert pickle.loads(pickle.dumps(RUNGS)) == RUNGS  # computed in another process


def test_the_steps_lead_from_one_mel_to_the_other(tone):
    found = steps(tone[: 256 * 100])
    assert np.allclose(found[0].log_mel, log_hw2(hw2_mel(tone[: 256 * 100])).values, atol=1e-3)
    assert np.allclose(found[-1].log_mel, log_hifigan_mel(tone[: 256 * 100]).values, atol=1e-3)
    assert found[0].moved == 0
    assert found[3].moved > found[4].moved > 0 >= found[0].moved  # area norm moves most of the rest, the ends hardly
    inner = (slice(None), slice(3, -3))
    assert np.allclose(found[4].log_mel[inner], found[3].log_mel[inner])


def test_a_gain_costs_twice_as_much_in_log_power(tone):
    loud = (0.5 * tone / np.abs(tone).max()).astype(np.float32)
    scales = loss_scales(loud, loud * np.float32(0.8))
    assert scales.hw2 == pytest.approx(log_mel_l1(loud, loud * np.float32(0.8)))
    assert scales.hw2_halved == scales.hw2 / 2
    assert scales.hifigan == pytest.approx(-np.log(0.8), abs=0.03)
    assert scales.hw2_halved == pytest.approx(-np.log(0.8), abs=0.03)


@pytest.mark.parametrize("metric", [name for name, metric in METRICS.items() if metric.curve])
def test_the_worst_second_is_where_the_damage_is(metric):
    reference = harmonic_tone(5.0)
    damaged = reference.copy()
    place = slice(round(3.0 * SAMPLE_RATE), round(3.9 * SAMPLE_RATE))
    damaged[place] = 0.3 * harmonic_tone(5.0, f0=260)[place]
    start, stop = worst_second(metric, reference, damaged)
    assert stop - start == pytest.approx(1.0)
    assert start <= 3.2
    assert stop >= 3.7


def test_there_is_no_worst_second_without_a_place(tone):
    assert worst_second("F0 jitter", tone, noisy(tone, 0.1)) is None
    assert worst_second("M-STFT", tone, tone) is None
    assert worst_second("M-STFT", tone[:8000], noisy(tone[:8000], 0.1)) is None
    assert {name for name, metric in METRICS.items() if metric.curve} >= {"M-STFT", "F0 error"}


def test_the_modulation_spectrum_shows_vibrato_and_tremble_where_they_are():
    plain, trembling = note(), note(fm=(20, 30))
    (stretch,) = sustained(cached_track(plain))
    for samples, loudest in ((plain, {6}), (trembling, {6, 20})):
        rate, level = modulation_spectrum(samples, stretch)
        peaks = {round(hertz) for hertz in rate[level > 15]}
        assert loudest <= peaks
        assert (20 in peaks) == (20 in loudest)


def test_panels_say_so_when_there_is_nothing_to_say(rng):
    noise = Recording("noise", rng.normal(0, 0.1, SAMPLE_RATE).astype(np.float32))
    assert "No note is held for long enough" in stability_panel(noise, [])
    assert losses_panel(noise, []) == ""
