"""The stimuli of a study: every clip through every system, aligned, of equal length and loudness, and checked as written.

Each is 16-bit PCM at its own rate, up to 48 kHz: that of the recording or of the system's output. Alignment moves it by whole
samples of that rate, and loudness is one gain.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.compare.measurement import Failure, as_it_lies, attempt, measure
from eval.compare.output_folder import AnySystem, OutputFolder
from eval.listening.analysis.votes import REFERENCE
from eval.listening.making.outputs import output_of, outputs_alone
from eval.listening.storage.records import Stimulus
from eval.listening.study import Study, StudyError
from eval.listening.trial import BEEPS, DEGRADED
from eval.metrics.alignment import Alignment
from eval.metrics.loudness import TARGET_LUFS, level_of, loudness, match_levels, true_peak
from eval.metrics.metric import Metric
from eval.metrics.registry import choose_metrics
from vocoders.analysis import Analysis
from vocoders.audio import SAMPLE_RATE, Recording, Waveform, to_pcm16, wav_of

MIN_CLIP_SECONDS, MAX_CLIP_SECONDS = 1.5, 30.0  # listeners compare seconds, not minutes
LOUDNESS_TOLERANCE_LU = 0.1  # between the loudness asked of a stored sound and the one measured
_DEGRADED_HZ = 1000.0
_BEEP_HZ, _BEEP_SECONDS = 880.0, 0.16

Tell = Callable[[int, int, str], None]  # (outputs made, outputs in all, the next one)


@dataclass(frozen=True, eq=False)
class _Sound:
    waveform: Waveform
    made: Mapping[str, float | int | bool | None]
    metrics: Mapping[str, float | None]


def render_stimuli(
    study: Study,
    recordings: Mapping[str, Recording],
    systems: Sequence[AnySystem],
    tell: Tell = lambda done, total, text: None,
) -> tuple[list[Stimulus], dict[str, bytes]]:
    """Every output of the study, and {SHA-256: wav}. recordings: {item: recording}; of an item that has none, the systems are
    `OutputFolder`s.

    Errors: `StudyError` for a clip too short or too long, and for a system that fails or makes silence.
    """
    for item, recording in recordings.items():
        _check_length(item, recording.seconds)
    total, stimuli = len(study.items) * len(systems), list[Stimulus]()
    wavs: dict[str, bytes] = {}
    for number, item in enumerate(study.items):
        sounds = {}
        if item in recordings:
            recording = recordings[item]
            sounds[REFERENCE] = _Sound(recording.native, {}, {})
            analysis = Analysis(recording.samples, recording.own)
            for place, system in enumerate(systems):
                tell(number * len(systems) + place, total, f"{item}: {system.title}")
                sounds[system.id] = _output(item, recording, system, analysis)
        else:
            tell(number * len(systems), total, item)
            sounds |= _sounds_alone(item, systems)
        for condition, waveform in _extras(study, item, sounds[REFERENCE].waveform).items():
            sounds[condition] = _Sound(waveform, {}, {})
        stimuli += _finish(item, sounds, wavs)
    tell(total, total, "")
    return stimuli, wavs


def _check_length(item: str, seconds: float) -> None:
    if not MIN_CLIP_SECONDS <= seconds <= MAX_CLIP_SECONDS:
        raise StudyError(
            f"{item} is {seconds:.1f} s long; clips of {MIN_CLIP_SECONDS:g} to {MAX_CLIP_SECONDS:g} s can be compared by ear"
        )


def _sounds_alone(item: str, systems: Sequence[AnySystem]) -> dict[str, _Sound]:
    """Without a recording the first system's output is the clean example of training and checks, and no other condition."""
    folders = [system for system in systems if isinstance(system, OutputFolder)]
    if len(folders) < len(systems):
        raise StudyError(f"{item} has no recording, so all systems must be folders of outputs")
    found = attempt(lambda: outputs_alone(item, folders))
    if isinstance(found, Failure):
        raise StudyError(f"{item}: {found.reason}") from found.error
    sounds = {system: _Sound(waveform, {}, {}) for system, waveform in found.items()}
    first = sounds[folders[0].id]
    _check_length(item, first.waveform.seconds)
    return {REFERENCE: first, **sounds}


def _output(item: str, recording: Recording, system: AnySystem, analysis: Analysis) -> _Sound:
    made = attempt(lambda: output_of(item, system, recording, analysis))
    if isinstance(made, Failure):
        raise StudyError(f"{system.title} failed on {recording.name}: {made.reason}") from made.error
    if made.alignment is None:
        raise StudyError(f"{system.title} made silence of {recording.name}")
    values = measure(as_it_lies(recording.samples, made.measured), _metrics(), keep_going=True).values
    return _Sound(made.played, _told(made.alignment, made.played.rate, recording.native.rate), values)


def _told(found: Alignment, rate: int, reference_rate: int) -> dict[str, float | int | bool | None]:
    """What alignment did; between two rates also what whole samples leave."""
    if not found.is_reliable:
        return {}
    left = {} if rate == reference_rate else {"delay_left_us": round(found.left / rate * 1e6, 1)}
    return {"delay_samples": found.delay, "inverted": found.inverted, **left}


def _metrics() -> list[Metric]:
    return [metric for metric in choose_metrics(None) if not metric.why_not()]


def _extras(study: Study, item: str, reference: Waveform) -> dict[str, Waveform]:
    """The conditions that are no system: the anchors, and on the check's clip the sounds of the checks; at the reference's rate."""
    samples, rate = reference.samples, reference.rate
    extras = {anchor: low_pass(samples, hertz, rate) for anchor, hertz in study.anchors.items()}
    if item == study.check_item:
        extras[DEGRADED] = degraded(samples, rate)
        extras |= {name: beeps(count, len(samples), rate) for count, name in enumerate(BEEPS, start=1)}
    return {condition: Waveform(extra, rate) for condition, extra in extras.items()}


def low_pass(samples: np.ndarray, hertz: float, rate: int = SAMPLE_RATE) -> np.ndarray:
    """(n,) -> (n,), without delay: flat to 0.1 dB up to that frequency, 50 dB down from 1.15 times it on; a copy where the rate
    holds nothing above it."""
    from scipy.signal import fftconvolve, firwin, kaiserord

    if 1.15 * hertz >= rate / 2:
        return samples.copy()
    taps, beta = kaiserord(60, 0.14 * hertz / (rate / 2))
    taps |= 1  # odd: its delay is whole samples
    kernel = firwin(taps, 1.07 * hertz, window=("kaiser", beta), fs=rate)
    return fftconvolve(samples, kernel, mode="same").astype(np.float32)


def degraded(samples: np.ndarray, rate: int = SAMPLE_RATE) -> np.ndarray:
    """(n,) -> (n,): low-passed at 1 kHz, with noise at an SNR of 0 dB. A rater who listened does not call it good."""
    muffled = low_pass(samples, _DEGRADED_HZ, rate)
    noise = np.random.default_rng(0).normal(0, 1, len(samples))
    return (muffled + noise * np.sqrt(np.mean(np.square(muffled)))).astype(np.float32)


def beeps(count: int, length: int, rate: int = SAMPLE_RATE) -> np.ndarray:
    """(length,): so many short tones, evenly over the first second and a half."""
    time = np.arange(round(_BEEP_SECONDS * rate)) / rate
    tone = np.sin(2 * np.pi * _BEEP_HZ * time) * np.sin(np.pi * time / _BEEP_SECONDS) ** 0.5
    out = np.zeros(length, dtype=np.float32)
    for number in range(count):
        start = round((0.05 + 0.28 * number) * rate)
        out[start : start + len(tone)] = 0.3 * tone[: length - start]
    return out


def _finish(item: str, sounds: Mapping[str, _Sound], wavs: dict[str, bytes]) -> list[Stimulus]:
    """One clip's sounds at one loudness; their files are added to `wavs`. Errors: `StudyError` for a file that misses its loudness."""
    levels = match_levels({name: level_of(sound.waveform) for name, sound in sounds.items()})
    stimuli = []
    for name, sound in sounds.items():
        level, rate = levels[name], sound.waveform.rate
        if not math.isfinite(level.lufs):
            raise StudyError(f"{item}: the sound of {name} is silent")
        pcm = to_pcm16(sound.waveform.samples * 10 ** (level.gain / 20))
        written = pcm.astype(np.float32) / 32768
        after = loudness(written, rate)
        if abs(after - level.lufs - level.gain) > LOUDNESS_TOLERANCE_LU:
            wanted = level.lufs + level.gain
            raise StudyError(f"{item}: the sound of {name} came out at {after:.1f} LUFS instead of {wanted:.1f}")
        content = wav_of(pcm, rate)
        sha256 = hashlib.sha256(content).hexdigest()
        wavs[sha256] = content
        made = {
            "lufs_before": round(level.lufs, 2),
            "gain_db": round(level.gain, 6),  # so exactly that the input can be had back from the file
            "lufs_after": round(after, 2),
            "true_peak_after": round(true_peak(written), 2),
            "lowered_lu": round(TARGET_LUFS - (level.lufs + level.gain), 2),
            "sample_rate": rate,
            **sound.made,
        }
        stimuli.append(Stimulus(item, name, sha256, len(pcm) / rate, made, sound.metrics))
    return stimuli
