"""A voice from notes: every sample is computed here, none is recorded.

Source and filter, both as functions of time (frame = control instant, 1.45 ms apart at 44 100 Hz):

    score -> F0(t) -> harmonics k F0(t) x glottal spectrum (LF model) x vocal tract H(k F0(t), t) -+-> room -> -3 dBFS
                      noise pulsed at each glottal closure           x vocal tract H(f, t) -------+

The harmonics are a sum of sinusoids that fade out below the Nyquist frequency, so nothing aliases.

Sources: LF glottal pulse, Fant, Liljencrants and Lin 1985, with the single parameter Rd of Fant 1995; pitch line as steps through a damped
resonance plus vibrato and fine fluctuation, Saitou, Unoki and Akagi 2005; dip near 4 kHz from the piriform sinuses,
Dang and Honda 1997; first formant raised to the pitch by sopranos, Sundberg 1975.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from scipy import signal
from scipy.interpolate import CubicSpline
from scipy.ndimage import convolve1d
from scipy.optimize import brentq
from scipy.special import gammaln

from train.small_models.singer.voices import CONSONANTS, Note, Voice, check, hertz

SAMPLE_RATE = 44_100  # Hz of the files: not the vocoders' rate, so that the app has to resample
FRAME_SECONDS = 64 / 44_100  # between control instants
TAIL_SECONDS = 0.45  # after the last note, for the room to ring
PEAK = 10 ** (-3 / 20)  # -3 dBFS
TOP_HZ = (16_000.0, 20_000.0)  # everything fades to nothing between these two
SHAPES = np.arange(0.35, 2.75, 0.05)  # Rd of the glottal table: pressed ... breathy


def wander(count: int, knots_per_second: float, sample_rate: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random line through normal deviates of unit variance: count values at sample_rate Hz."""
    knots = np.arange(int(count / sample_rate * knots_per_second) + 4)
    return CubicSpline(knots, rng.standard_normal(knots.size))(np.arange(count) * knots_per_second / sample_rate)


def note_at(score: tuple[Note, ...], times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which note sounds at each of times (seconds), and how long it has been sounding (seconds)."""
    ends = np.cumsum([note.seconds for note in score])
    index = np.minimum(np.searchsorted(ends, times, side="right"), len(score) - 1)
    return index, times - np.concatenate([[0.0], ends[:-1]])[index]


def total_samples(score: tuple[Note, ...], sample_rate: int) -> int:
    """Length of the rendering: the notes and the ring of the room."""
    return round((sum(note.seconds for note in score) + TAIL_SECONDS) * sample_rate)


def f0_contour(score: tuple[Note, ...], voice: Voice, sample_rate: int = SAMPLE_RATE, seed: int = 0) -> np.ndarray:
    """Fundamental frequency of every sample in Hz, through rests too: steps, overshoot, vibrato, drift, jitter."""
    check(score, voice, sample_rate)
    rng = np.random.default_rng([seed, 0])
    count = total_samples(score, sample_rate)
    index, since = note_at(score, np.arange(count) / sample_rate + 0.045)  # singers move before the beat
    pitch = np.array([note.pitch for note in score])
    glide = np.array([max(note.glide, 1e-6) for note in score])[index]
    previous = pitch[np.maximum(index - 1, 0)]
    target = previous + (pitch[index] - previous) * (0.5 - 0.5 * np.cos(np.pi * np.minimum(since / glide, 1)))
    resonance, damping = 42.0, 0.65  # rad/s, and 7 % overshoot
    follow = signal.bilinear([resonance**2], [1, 2 * damping * resonance, resonance**2], sample_rate)
    line, _ = signal.lfilter(*follow, target, zi=signal.lfilter_zi(*follow) * target[0])
    left = np.array([note.seconds for note in score])[index] - since
    swell = np.clip((since - 0.35) / 0.6, 0, 1) * np.clip(left / 0.12, 0, 1)  # the vibrato comes late and grows
    depth = np.array([note.vibrato for note in score])[index] * swell * (1 + 0.1 * wander(count, 3, sample_rate, rng))
    rate = 5.5 + 0.15 * wander(count, 2, sample_rate, rng)
    vibrato = depth * np.sin(2 * np.pi * np.cumsum(rate) / sample_rate)
    drift = 5 * wander(count, 1.5, sample_rate, rng) + 2.5 * wander(count, 12, sample_rate, rng)
    jitter = 3 * wander(count, hertz(pitch.mean()), sample_rate, rng)  # one knot per cycle
    return hertz(line + (vibrato + drift + jitter) / 100)


@cache
def glottal_spectra(harmonics: int) -> np.ndarray:
    """Fourier coefficients 1..harmonics of the LF flow derivative: (len(SHAPES), harmonics), closure at phase 0."""
    time = np.arange(8192) / 8192
    spectra = []
    for shape in SHAPES:
        back, skew = (4.8 * shape - 1) / 100, (22.4 + 11.8 * shape) / 100
        speed = skew / 4 * (0.5 + 1.2 * skew) / (0.11 * shape - back * (0.5 + 1.2 * skew))
        closure, omega = (1 + skew) / (2 * speed), 2 * np.pi * speed
        rest = 1 - closure
        decay = brentq(lambda e, b=back, r=rest: 1 - np.exp(-e * r) - e * b, 1e-3 / back, 1.01 / back)
        after = -(np.exp(-decay * (time - closure)) - np.exp(-decay * rest)) / (decay * back)

        def wave(growth: float, after=after, closure=closure, omega=omega) -> np.ndarray:
            swing = np.exp(growth * (time - closure)) * np.sin(omega * time) / abs(np.sin(omega * closure))
            return np.where(time < closure, swing, after)

        growth = brentq(lambda g, wave=wave: wave(g).mean(), -20, 60)  # no net flow
        turn = np.exp(2j * np.pi * np.arange(1, harmonics + 1) * closure)
        spectra.append(2 * np.fft.rfft(wave(growth))[1 : harmonics + 1] / time.size * turn)
    return np.array(spectra)


def ease(track: np.ndarray, seconds: float) -> np.ndarray:
    """A control track (frames, ...) with its steps rounded by a Hann window this long."""
    window = np.hanning(max(3, round(seconds / FRAME_SECONDS)) + 2)
    return convolve1d(track, window / window.sum(), axis=0, mode="nearest")


@dataclass(frozen=True)
class Tract:
    """The vocal tract and the gains, one row per frame."""

    formants: np.ndarray  # (frames, 5) Hz
    closed: np.ndarray  # (frames,) 0 open vowel ... 1 consonant
    darkening: np.ndarray  # (frames,) dB per octave while closed
    level: np.ndarray  # (frames,) dB
    breath: np.ndarray  # (frames,) dB
    gate: np.ndarray  # (frames,) 0 silent ... 1 sounding

    def at(self, rows: np.ndarray) -> Tract:
        """The tract at these control instants, (rows,) indices."""
        return Tract(*(getattr(self, field.name)[rows] for field in fields(self)))


def articulate(score: tuple[Note, ...], voice: Voice, frames: int, rng: np.random.Generator) -> Tract:
    """Control tracks of the score: every note a step, every step rounded."""
    rate = 1 / FRAME_SECONDS
    times = np.arange(frames) / rate
    index, since = note_at(score, times)

    def track(name: str) -> np.ndarray:
        return np.array([getattr(note, name) for note in score], dtype=float)[index]

    done = np.minimum(since / track("seconds"), 1)
    level = track("level") + track("fade") * done + 1.5 * np.sin(np.pi * done) + 0.6 * wander(frames, 5, rate, rng)
    gate = (since < track("seconds") * track("sounded")).astype(float)
    index, since = note_at(score, times + 0.06)  # consonants come before the beat
    closed = np.array([note.onset != "" for note in score])[index] & (since < 0.095)
    vowels = np.array([voice.formants[note.vowel] for note in score], dtype=float)
    consonants = np.array([CONSONANTS.get(note.onset, (0.0,) * 4) for note in score])[index]
    formants, fundamental = vowels[index], hertz(np.array([note.pitch for note in score]))[index]
    formants[closed, :3] = consonants[closed, :3]
    formants[:, 0] = np.maximum(formants[:, 0], 1.04 * fundamental)
    restless = 1 + 0.008 * np.stack([wander(frames, 6, rate, rng) for _ in range(5)], axis=1)
    return Tract(
        ease(formants, 0.08) * restless,
        ease(closed.astype(float), 0.035),
        ease(consonants[:, 3], 0.05),
        ease(level, 0.07),
        ease(track("breath"), 0.08),
        ease(gate, 0.1),
    )


def transfer(tract: Tract, voice: Voice, frequency: np.ndarray) -> np.ndarray:
    """Complex gain of the tract at frequency (frames, n) Hz: a cascade of resonances, 1 at 0 Hz, 0 above TOP_HZ."""
    frequency, asked = np.minimum(frequency, TOP_HZ[1]), frequency

    def resonance(centre: np.ndarray | float, width: np.ndarray | float) -> np.ndarray:
        return 1 - (frequency / centre) ** 2 + 1j * frequency * width / centre**2

    gain = resonance(voice.dip, 350) / resonance(voice.dip, 1500)
    first, spacing = voice.upper
    higher = np.arange(first, TOP_HZ[1] + spacing, spacing)
    for centre in [*tract.formants.T, *higher[:, None]]:
        width = voice.damping * (40 + centre / 30 + 20 * (centre / 4000) ** 2) * (1 + tract.closed)
        gain = gain / resonance(centre[:, None], width[:, None])
    start, x = higher[-1] / spacing + 1, frequency / spacing  # the rest of the ladder, without end, in closed form
    gain = gain * np.exp(gammaln(start - x) + gammaln(start + x) - 2 * gammaln(start))
    decibels = voice.presence * np.clip(np.log2(np.maximum(frequency, 1) / 3000), 0, 1)
    decibels = decibels - (tract.closed * tract.darkening)[:, None] * np.log2(1 + frequency / 500)
    return gain * 10 ** (decibels / 20) * np.clip((TOP_HZ[1] - asked) / (TOP_HZ[1] - TOP_HZ[0]), 0, 1)


def voiced(tract: Tract, voice: Voice, f0: np.ndarray, phase: np.ndarray, sample_rate: int) -> np.ndarray:
    """(samples,) the harmonics, each with the gain that its own frequency has at each instant."""
    frames = np.arange(len(tract.gate))
    position = np.arange(f0.size) / (sample_rate * FRAME_SECONDS)
    top = min(TOP_HZ[1], 0.48 * sample_rate)
    numbers = np.arange(1, int(top / f0.min()) + 1)
    frequency = np.interp(frames, position, f0)[:, None] * numbers
    shape = np.clip(voice.pulse - voice.softening * tract.level, SHAPES[0], SHAPES[-1]) - SHAPES[0]
    part, row = np.modf(shape / (SHAPES[1] - SHAPES[0]))
    row = np.minimum(row.astype(int), len(SHAPES) - 2)
    table = glottal_spectra(numbers.size)
    gain = table[row] + part[:, None] * (table[row + 1] - table[row])
    gain = gain * transfer(tract, voice, frequency) * (10 ** (tract.level / 20) * tract.gate)[:, None]
    gain = gain * np.clip((top - frequency) / (0.05 * sample_rate), 0, 1)  # nothing reaches the Nyquist frequency
    turn = np.exp(1j * phase)
    spin, audio = np.ones(f0.size, dtype=complex), np.zeros(f0.size)
    for line in gain.T:
        spin *= turn
        audio += np.interp(position, frames, line.real) * spin.real - np.interp(position, frames, line.imag) * spin.imag
    return audio


def aspiration(tract: Tract, voice: Voice, phase: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """(samples,) noise that swells around each glottal closure, shaped by the tract block by block."""
    position = np.arange(phase.size) / (sample_rate * FRAME_SECONDS)
    pulsing = 0.7 * np.interp(position, np.arange(len(tract.gate)), np.minimum(1, 10 ** (tract.level / 20)))
    loudness = voice.noise + tract.breath + 0.6 * np.clip(tract.level, -15, 0)
    gain = np.interp(position, np.arange(len(tract.gate)), 10 ** (loudness / 20) * tract.gate)
    hiss = signal.lfilter(*signal.butter(1, 2500, "highpass", fs=sample_rate), rng.standard_normal(phase.size))
    noise = hiss * gain * (1 - pulsing * (0.5 - 0.5 * np.cos(phase)))
    frequency, times, blocks = signal.stft(noise, sample_rate, nperseg=512, noverlap=384)
    rows = np.minimum((times / FRAME_SECONDS).round().astype(int), len(tract.gate) - 1)
    shaped = blocks * transfer(tract.at(rows), voice, np.broadcast_to(frequency, (rows.size, frequency.size))).T
    return signal.istft(shaped, sample_rate, nperseg=512, noverlap=384)[1][: phase.size]


def room(sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Impulse response of a small studio: the direct sound, six early reflections, a faint tail of 0.35 s."""
    time = np.arange(round(0.4 * sample_rate)) / sample_rate
    tail = rng.standard_normal(time.size) * 10 ** (-3 * time / 0.35) * (time > 0.018)
    tail *= 0.09 / np.linalg.norm(tail)
    echoes = rng.uniform(0.004, 0.04, 6)
    tail[(echoes * sample_rate).astype(int)] += 0.09 * rng.choice([-1, 1], 6) * 10 ** (-3 * echoes / 0.12)
    walls = signal.butter(1, (180, 0.25 * sample_rate / 2), "bandpass", fs=sample_rate)
    response = signal.lfilter(*walls, tail)
    response[0] += 1
    return response


def sing(score: tuple[Note, ...], voice: Voice, *, sample_rate: int = SAMPLE_RATE, seed: int = 0) -> np.ndarray:
    """The score sung: float32 (samples,), peak at -3 dBFS, the same for the same arguments."""
    f0 = f0_contour(score, voice, sample_rate, seed)
    rng = np.random.default_rng([seed, 1])
    phase = 2 * np.pi * np.cumsum(f0) / sample_rate
    tract = articulate(score, voice, int(f0.size / (sample_rate * FRAME_SECONDS)) + 2, rng)
    shimmer = 1 + 0.025 * wander(f0.size, f0.mean(), sample_rate, rng)
    audio = voiced(tract, voice, f0, phase, sample_rate) * shimmer + aspiration(tract, voice, phase, sample_rate, rng)
    audio = signal.oaconvolve(audio, room(sample_rate, rng))[: f0.size]
    audio = signal.sosfilt(signal.butter(2, 40, "highpass", fs=sample_rate, output="sos"), audio)
    audio = audio * PEAK / np.abs(audio).max() + 3e-5 * rng.standard_normal(f0.size)  # about 1 LSB: dither
    return (audio * PEAK / np.abs(audio).max()).astype(np.float32)


def to_pcm(audio: np.ndarray) -> np.ndarray:
    """float (samples,) within +-1 as 16-bit integers."""
    return np.round(audio * 32767).astype(np.int16)
