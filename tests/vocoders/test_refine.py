"""Refinement: what it must improve, what it must leave alone."""

import numpy as np
import pytest

from common.paths import ROOT
from eval.metrics.pitch import f0_error
from eval.metrics.spectral import log_mel_l1, m_stft
from tests.conftest import harmonic_tone
from vocoders.analysis import Analysis, synthesize
from vocoders.catalogue import find_systems
from vocoders.mel import HIFIGAN, HW2, mel_of
from vocoders.phase.chunks import CHUNK_FRAMES, OVERLAP_FRAMES, chunks, fades
from vocoders.phase.refine import Refinement, kept_share, refine, target_magnitude
from vocoders.recordings.reader import read_recording


def wobbling(samples_like: np.ndarray, f0: float = 196.0) -> np.ndarray:
    """The fixture's tone as an unsteady vocoder sings it: 40 cents of wobble at 9 Hz, a little noise, 3 dB down."""
    time = np.arange(len(samples_like)) / 22_050
    pitch = f0 * (1 + 0.03 * np.sin(2 * np.pi * 5.5 * time)) * 2 ** (0.4 * np.sin(2 * np.pi * 9 * time) / 12)
    phase = 2 * np.pi * np.cumsum(pitch) / 22_050
    tone = sum(np.sin(k * phase) / k for k in range(1, 41))
    noise = np.random.default_rng(5).normal(0, 0.01, len(time))
    return (0.35 * (tone + noise) / np.abs(tone).max()).astype(np.float32)


@pytest.fixture
def sung(tone) -> np.ndarray:
    return tone[: 256 * 128]


def test_pitch_and_mel_come_closer(sung):
    plain = wobbling(sung)
    refined = refine(plain, mel_of(sung, HW2))
    assert f0_error(sung, refined) < 0.3 * f0_error(sung, plain)
    assert log_mel_l1(sung, refined) < 0.5 * log_mel_l1(sung, plain)
    assert m_stft(sung, refined) < m_stft(sung, plain)


def test_the_correction_towards_the_mel_helps(sung):
    plain, mel = wobbling(sung), mel_of(sung, HW2)
    errors = [log_mel_l1(sung, refine(plain, mel, settings=Refinement(correction=n))) for n in (0, 3, 10)]
    assert errors[0] > errors[1] > errors[2]


def test_the_right_spectrum_is_left_nearly_alone(sung):
    """With the true waveform, correct mel and no replaced band, there is nothing to do."""
    refined = refine(sung, mel_of(sung, HW2), settings=Refinement(crossover=0))
    assert np.abs(refined - sung).max() < 1e-3
    with_replacement = refine(sung, mel_of(sung, HW2))
    assert f0_error(sung, with_replacement) < 0.05


def test_above_8_khz_the_neural_magnitudes_are_kept_and_below_the_crossover_replaced():
    share = kept_share(Refinement(crossover=2000, blend=150))
    hertz = np.arange(513) * 22_050 / 1024
    assert share[hertz < 1000].max() < 0.01
    assert share[hertz > 3000].min() > 0.99
    assert (share[hertz >= 8000] == 1).all()
    assert (kept_share(Refinement(crossover=20_000))[hertz >= 8000] == 1).all()
    assert np.all(np.diff(share) >= 0)


def test_the_target_has_the_given_mel(sung):
    mel = mel_of(sung, HW2)
    plain = wobbling(sung)
    errors = []
    for correction in (0, 10):
        target = target_magnitude(plain, mel, HW2, Refinement(crossover=2000, correction=correction))
        bank_energy = np.log(np.maximum(mel_from(target), 1e-5)) - np.log(np.maximum(mel, 1e-5))
        errors.append(np.abs(bank_energy).mean())
    assert errors[1] < 0.3 * errors[0]


def mel_from(magnitude: np.ndarray) -> np.ndarray:
    from vocoders.mel import mel_of_magnitude

    return mel_of_magnitude(magnitude, HW2)


@pytest.mark.parametrize("phase", ["neural", "mel", "random"])
def test_every_start_of_the_phase_reaches_the_pitch(sung, phase):
    plain = wobbling(sung)
    refined = refine(plain, mel_of(sung, HW2), settings=Refinement(phase=phase))
    assert f0_error(sung, refined) < 0.5 * f0_error(sung, plain)


def test_an_unknown_phase_is_refused(sung):
    with pytest.raises(ValueError, match="unknown phase 'zero'; known: neural, mel, random"):
        refine(sung, mel_of(sung, HW2), settings=Refinement(phase="zero"))


def test_other_recipes_work_too(sung):
    plain = wobbling(sung)
    refined = refine(plain, mel_of(sung, HIFIGAN), HIFIGAN)
    assert f0_error(sung, refined) < 0.5 * f0_error(sung, plain)


def test_it_is_deterministic_and_changes_no_input(sung):
    plain, mel = wobbling(sung), mel_of(sung, HW2)
    before = plain.copy(), mel.copy()
    assert np.array_equal(refine(plain, mel), refine(plain, mel))
    assert np.array_equal(plain, before[0])
    assert np.array_equal(mel, before[1])


@pytest.mark.parametrize("samples", [256, 257, 700, 12_345])
def test_any_length_comes_back_as_long(samples, tone):
    frames = -(-samples // 256)
    mel = mel_of(np.pad(tone[:samples], (0, frames * 256 - samples)), HW2)
    refined = refine(tone[:samples], mel)
    assert refined.shape == (samples,)
    assert np.isfinite(refined).all()


def test_silence_stays_silent_and_a_pure_tone_pure():
    silence = np.zeros(256 * 20, np.float32)
    assert np.abs(refine(silence, mel_of(silence, HW2))).max() < 1e-7  # the floor of the geometric mean, -140 dB
    pure = (0.5 * np.sin(2 * np.pi * 440 * np.arange(256 * 80) / 22_050)).astype(np.float32)
    refined = refine(pure, mel_of(pure, HW2))
    assert f0_error(pure, refined) < 0.05
    assert np.sqrt(np.mean(refined**2)) == pytest.approx(np.sqrt(np.mean(pure**2)), rel=0.1)


def speech_like() -> np.ndarray:
    """Gliding vowels between fricative noise and pauses, a quarter of a second each."""
    rng = np.random.default_rng(8)
    quarter = 22 * 256
    glides = [harmonic_tone(0.3, f0, vibrato=0.1)[:quarter] for f0 in (110, 140, 95)]
    hiss = np.diff(rng.normal(0, 0.05, quarter + 1)).astype(np.float32)
    pause = np.zeros(quarter, dtype=np.float32)
    return np.concatenate([glides[0], hiss, glides[1], pause, hiss, glides[2]])


def test_speech_keeps_its_noise_and_its_pauses():
    speech = speech_like()
    mel = mel_of(speech, HW2)
    rough = (0.7 * speech + np.random.default_rng(9).normal(0, 0.003, len(speech))).astype(np.float32)
    refined = refine(rough, mel)
    assert log_mel_l1(speech, refined) < 0.5 * log_mel_l1(speech, rough)
    quarter = 22 * 256
    hiss, pause = slice(quarter + 512, 2 * quarter - 512), slice(3 * quarter + 1024, 4 * quarter - 1024)
    level = 20 * np.log10(np.std(refined[hiss]) / np.std(speech[hiss]))
    assert abs(level) < 3
    assert np.abs(refined[pause]).max() < 0.02


def test_a_real_vocoders_output_of_the_sung_phrase_becomes_steadier():
    """The whole way, with the real network: the shipped phrase through the bridge, plain and refined."""
    recording = read_recording(ROOT / "assets" / "examples" / "sung_phrase_low.flac")
    samples = recording.samples[22_050 : 3 * 22_050]
    analysis = Analysis(samples)
    plain, refined = (
        synthesize(s, analysis) for s in find_systems("hifigan-original-bridged,hifigan-original-refined")
    )
    assert f0_error(samples, refined) < 0.5 * f0_error(samples, plain)
    assert log_mel_l1(samples, refined) < 0.5 * log_mel_l1(samples, plain)
    assert m_stft(samples, refined) < m_stft(samples, plain)


def test_long_recordings_are_refined_in_chunks_without_a_seam():
    """Twice the length of a chunk: where the pieces meet, level and waveform stay continuous."""
    sung = harmonic_tone((2 * CHUNK_FRAMES * 256) / 22_050)[: 2 * CHUNK_FRAMES * 256]
    seen: list[float] = []
    refined = refine(wobbling(sung), mel_of(sung, HW2), settings=Refinement(iterations=16), on_progress=seen.append)
    seam = slice((CHUNK_FRAMES - OVERLAP_FRAMES) * 256, CHUNK_FRAMES * 256)
    level = np.sqrt(np.mean(refined[seam] ** 2)) / np.sqrt(np.mean(sung[seam] ** 2))
    assert level == pytest.approx(1.0, abs=0.1)
    assert np.abs(np.diff(refined[seam])).max() <= 1.2 * np.abs(np.diff(sung)).max()
    assert seen[-1] == 1.0
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    "frames",
    [
        1,
        2,
        OVERLAP_FRAMES,
        CHUNK_FRAMES - 1,
        CHUNK_FRAMES,
        CHUNK_FRAMES + 1,
        CHUNK_FRAMES + OVERLAP_FRAMES,
        3 * CHUNK_FRAMES + 7,
    ],
)
def test_chunks_cover_every_frame_with_weights_that_add_up_to_one(frames):
    total = np.zeros(frames * 256)
    for start, stop in chunks(frames):
        assert 0 < stop - start <= CHUNK_FRAMES
        total[start * 256 : stop * 256] += fades(start, stop, frames)
    assert np.allclose(total, 1, atol=1e-5)


def test_a_waveform_and_a_mel_of_different_lengths_are_refused(tone):
    with pytest.raises(ValueError, match="3000 samples do not belong to a mel of 10 frames"):
        refine(tone[:3000], np.ones((80, 10), np.float32))
