"""Render the example clips of the lab: two phrases sung by nobody. Every sample is synthetic and computed here.

Source and filter, both as functions of time (frame = control instant, 1.45 ms apart at 44 100 Hz):

    score -> F0(t) -> harmonics k F0(t) x glottal spectrum (LF model) x vocal tract H(k F0(t), t) -+-> room -> -3 dBFS
                      noise pulsed at each glottal closure           x vocal tract H(f, t) -------+

The harmonics are a sum of sinusoids that fade out below the Nyquist frequency, so nothing aliases.

Sources: formant frequencies of sung vowels, "Formant Values" appendix of the Csound reference manual; LF glottal pulse,
Fant, Liljencrants and Lin 1985, with the single parameter Rd of Fant 1995; pitch line as steps through a damped
resonance plus vibrato and fine fluctuation, Saitou, Unoki and Akagi 2005; dip near 4 kHz from the piriform sinuses,
Dang and Honda 1997; first formant raised to the pitch by sopranos, Sundberg 1975.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from scipy import signal
from scipy.interpolate import CubicSpline
from scipy.ndimage import convolve1d
from scipy.optimize import brentq
from scipy.special import gammaln

SAMPLE_RATE = 44_100  # Hz of the files: not the vocoders' rate, so that the app has to resample
FRAME_SECONDS = 64 / 44_100  # between control instants
TAIL_SECONDS = 0.45  # after the last note, for the room to ring
PEAK = 10 ** (-3 / 20)  # -3 dBFS
TOP_HZ = (16_000.0, 20_000.0)  # everything fades to nothing between these two
SHAPES = np.arange(0.35, 2.75, 0.05)  # Rd of the glottal table: pressed ... breathy
CONSONANTS: Mapping[str, tuple[float, ...]] = {  # first three formants, Hz, and darkening, dB per octave
    "m": (250, 1050, 2200, 9.0),
    "n": (260, 1450, 2350, 8.0),
    "l": (340, 1200, 2500, 4.5),
}


@dataclass(frozen=True)
class Note:
    """One sung syllable."""

    pitch: float  # MIDI note number, 69 = 440 Hz
    seconds: float
    vowel: str
    onset: str = ""  # consonant at the start, a key of CONSONANTS; "" for a slur
    level: float = 0.0  # dB
    fade: float = 0.0  # dB added from its start to its end
    breath: float = 0.0  # dB of noise above the voice's usual noise
    glide: float = 0.0  # seconds of portamento into it, within its own length
    sounded: float = 1.0  # part of its length before the voice stops: below 1 is staccato
    vibrato: float = 0.0  # cents around the pitch


@dataclass(frozen=True)
class Voice:
    """A singer: vocal tract and glottal source."""

    formants: Mapping[str, tuple[float, ...]]  # five frequencies per vowel, Hz
    upper: tuple[float, float]  # Hz: the sixth formant, then the spacing of all the higher ones
    damping: float  # factor on all formant bandwidths
    dip: float  # Hz of the piriform antiresonance
    presence: float  # dB of a shelf from 3 to 6 kHz: what the clustered formants take away, and the microphone
    pulse: float  # Rd at 0 dB: 0.35 pressed ... 2.7 breathy
    softening: float  # Rd added per dB below 0
    noise: float  # dB of aspiration against the harmonics, roughly


BARITONE = Voice(  # F1 and F2 of the table's bass, F3 to F5 of its tenor: the singer's formant near 3 kHz
    formants={
        "a": (600, 1040, 2650, 2900, 3250),
        "e": (400, 1620, 2600, 3200, 3580),
        "i": (250, 1750, 2800, 3250, 3540),
        "o": (400, 750, 2600, 2800, 3000),
        "u": (350, 600, 2700, 2900, 3300),
    },
    upper=(5000, 1050),
    damping=1.2,
    dip=4200,
    presence=27,
    pulse=0.5,
    softening=0.05,
    noise=-40,
)
SOPRANO = Voice(
    formants={
        "a": (800, 1150, 2900, 3900, 4950),
        "e": (350, 2000, 2800, 3600, 4950),
        "i": (270, 2140, 2950, 3900, 4950),
        "o": (450, 800, 2830, 3800, 4950),
        "u": (325, 700, 2700, 3800, 4950),
    },
    upper=(6000, 1150),
    damping=1.9,
    dip=4500,
    presence=6,
    pulse=0.7,
    softening=0.06,
    noise=-38,
)

SCORES: Mapping[str, tuple[tuple[Note, ...], Voice]] = {
    "sung_phrase_low": (
        (
            Note(49, 0.42, "e", level=-90, breath=4, sounded=0.75),  # breathing in
            Note(50, 0.40, "a", "m", level=-5, fade=1),
            Note(45, 0.42, "e", "n", level=-1),
            Note(50, 0.38, "i", "l", level=1),
            Note(53, 0.42, "o", level=-1, fade=1),
            Note(55, 0.85, "a", "m", fade=-2, vibrato=35),
            Note(52, 0.40, "u", "l"),
            Note(48, 0.36, "o", level=-3),
            Note(43, 0.55, "e", "n", level=1),
            Note(50, 2.35, "a", "l", fade=-14, vibrato=60),
        ),
        BARITONE,
    ),
    "sung_phrase_high": (
        (
            Note(67, 0.40, "a", level=-90, breath=5, sounded=0.75),
            Note(69, 0.42, "a", "m", level=-8, fade=2),
            Note(64, 0.42, "e", "n", level=2),
            Note(72, 0.40, "i", "l", level=-2),
            Note(71, 0.34, "o", level=-3),
            Note(76, 0.95, "a", glide=0.32, level=-2, fade=4, vibrato=45, sounded=0.93),
            Note(77, 0.26, "a", level=-4, breath=6, sounded=0.55),
            Note(74, 0.30, "e", level=-8, breath=12, sounded=0.7),
            Note(72, 0.50, "o", "n", level=-5),
            Note(69, 2.35, "a", "l", level=-3, fade=-13, vibrato=55),
        ),
        SOPRANO,
    ),
}


def check(score: tuple[Note, ...], voice: Voice, sample_rate: int) -> None:
    """ValueError for anything that cannot be sung."""
    if not 16_000 <= sample_rate <= 192_000:
        raise ValueError(f"sample_rate is {sample_rate!r}, allowed: 16000 to 192000 Hz")
    if not score:
        raise ValueError("score has no notes, at least one is needed")
    for note in score:
        if note.vowel not in voice.formants:
            raise ValueError(f"vowel is {note.vowel!r}, allowed: {', '.join(voice.formants)}")
        if note.onset and note.onset not in CONSONANTS:
            raise ValueError(f"onset is {note.onset!r}, allowed: '' or one of {', '.join(CONSONANTS)}")
        if not 0.1 <= note.seconds <= 30:
            raise ValueError(f"seconds is {note.seconds!r}, allowed: 0.1 to 30")
        if not 31 <= note.pitch <= 88:
            raise ValueError(f"pitch is {note.pitch!r}, allowed: MIDI notes 31 to 88")


def hertz(pitch: float | np.ndarray) -> float | np.ndarray:
    """Frequency of a MIDI note number."""
    return 440 * 2 ** ((pitch - 69) / 12)


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

    def at(self, rows: np.ndarray) -> "Tract":
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


def write(path: Path, audio: np.ndarray) -> None:
    """A 16-bit FLAC that says in its own tags what it is."""
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16", format="FLAC") as file:
        file.title, file.comment = path.stem, "Synthetic: no singer, rendered by assets/examples/sing.py"
        file.write(to_pcm(audio))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Render the synthetic example clips.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="folder (default: this one)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    paths = {name: args.out / f"{name}.flac" for name in SCORES}
    there = [str(path) for path in paths.values() if path.exists()]
    if there and not args.force:
        sys.exit(f"error: {', '.join(there)} exists; --force overwrites")
    args.out.mkdir(parents=True, exist_ok=True)
    for name, (score, voice) in SCORES.items():
        audio = sing(score, voice, seed=args.seed)
        write(paths[name], audio)
        sys.stderr.write(f"{paths[name]}: {audio.size / SAMPLE_RATE:.2f} s, synthetic\n")


if __name__ == "__main__":
    main()
