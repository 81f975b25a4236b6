"""From the recording down to a vocoder, one loss at a time: systems that are no vocoders, to be listened to in order.

    recording -> below 8 kHz -> magnitudes from the mel, true phase -> true magnitudes, phase found -> both -> networks

Each rung takes one thing away, so that the change that it makes has one cause.
"""

from __future__ import annotations

import numpy as np

from vocoders.features import Features, Kind, hw2_mel, invert
from vocoders.mel import F_MAX, HOP, SAMPLE_RATE
from vocoders.phase.stft import istft, stft
from vocoders.step import step
from vocoders.systems import Card, Progress, System


class PassThrough:
    """A "vocoder" for front ends that end in sound already."""

    expects: Kind = "waveform"

    def __call__(self, features: Features, on_progress: Progress) -> np.ndarray:
        """Features of one row -> that row, (n,) float32: the samples are made already. Errors: `FeatureMismatch`."""
        return features.require(self.expects, by="this rung")[0]


_PASS_THROUGH = PassThrough()


def _pass_through() -> PassThrough:
    return _PASS_THROUGH


@step("below_8_khz", "below 8 kHz", takes="recording", gives="waveform")
def below_8_khz(samples: np.ndarray) -> Features:
    """The part of the recording that a mel covers: everything from 8 kHz on is removed."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE) >= F_MAX] = 0
    return Features("waveform", np.fft.irfft(spectrum, len(samples)).astype(np.float32)[None])


@step("true_phase", "true phase", takes="recording", gives="waveform")
def true_phase(samples: np.ndarray) -> Features:
    """The magnitudes that the mel's inversion finds, on the recording's own phase."""
    mel = hw2_mel(samples)
    magnitude = invert(mel).values.T
    whole = np.pad(samples, (0, HOP * len(magnitude) - len(samples)))
    phase = np.exp(1j * np.angle(stft(whole))).astype(np.complex64)
    return Features("waveform", istft(magnitude * phase)[None])


def _card() -> Card:
    return Card(0, "-", "this project, to explain the others")


RUNGS = (
    System(
        "rung-below-8-khz",
        "Recording, below 8 kHz",
        "Lost: the band above 8 kHz, which the mel does not cover. A mel vocoder can only guess it.",
        (below_8_khz,),
        _pass_through,
        _card,
    ),
    System(
        "rung-true-phase",
        "Mel's magnitudes, true phase",
        "Lost: detail between 80 bands. The phase is the recording's, which no vocoder has; this is what inversion alone costs.",
        (true_phase,),
        _pass_through,
        _card,
    ),
)
LADDER = (  # ids after the rungs above, in order
    "griffin-lim-oracle",
    "griffin-lim",
    "hifigan-original",
    "hifigan-original-bridged",
    "hifigan-hw2",
    "hifigan-hw2-refined",
    "hifigan-hw2-guided",
)
