"""Whether an array from a file can be an hw2 mel, told from its shape and its numbers. It is refused with what it may be, never guessed."""

from __future__ import annotations

import numpy as np

from vocoders.mel import N_FFT, N_MELS

# How far the largest value lies above the median of those above the floor, in nepers of power. Measured on 77 recordings
# of speech and singing: 7.9 to 14.4, all but one above 9; magnitudes have half of it, HiFi-GAN's own mel 4.5 to 7.9; decibels
# are 4.34 times nepers, and logarithms to base 10 fewer than half. Of tones and noise alone it may be 5.
LEAST_SPREAD, MOST_SPREAD = 8.5, 18.0
NO_SPREAD = 2.5  # of linear values: fewer have only decibels and what was normalized
FULL_SCALE = (
    3 / 8 * N_FFT**2
)  # the largest power that a Hann window lets samples of at most 1 have, summed over all bins
HEADROOM = 100.0  # times: floats may go beyond full scale, but not as far as integers do that were never scaled
_OTHER_BANDS = {
    64: "AudioLDM's, or a classifier's",
    100: "Vocos' or BigVGAN's at 24 kHz",
    128: "BigVGAN's at 44.1 kHz, or librosa's default",
    513: "an STFT's magnitudes, not a mel",
}


def check_layout(values: np.ndarray) -> None:
    """Errors: ValueError naming the shape or type, and what would help."""
    shape = values.shape
    if values.dtype.kind not in "f":
        raise ValueError(f"an hw2 mel holds real numbers as floats, not {values.dtype}")
    if values.size == 0:
        raise ValueError(f"an hw2 mel has shape ({N_MELS}, frames), not {shape}: it is empty")
    if values.ndim == 2 and shape[0] == N_MELS:
        return
    hint = ""
    if values.ndim == 2 and shape[1] == N_MELS:
        hint = "; transpose it"
    elif values.ndim == 3 and shape[0] == 1 and N_MELS in shape[1:]:
        hint = "; give the only array of this batch"
    elif values.ndim == 2 and (known := next((bands for bands in shape if bands in _OTHER_BANDS), None)):
        hint = f"; {known} bands are {_OTHER_BANDS[known]}"
    raise ValueError(f"an hw2 mel has shape ({N_MELS}, frames), not {shape}{hint}")


def check_power(values: np.ndarray, is_log: bool) -> None:
    """values: (80, frames), linear or natural logarithms. Errors: ValueError saying what speaks against hw2 power."""
    finite = values[np.isfinite(values)]
    if not (finite != finite.flat[0]).any():
        raise ValueError("all values of the mel are the same, so there is no sound in it")
    if is_log and (values >= 0).all():
        raise ValueError(
            "the mel has no negative value, so it is no natural logarithm; leave --log out for linear power"
        )
    if not is_log and values.max() > HEADROOM * FULL_SCALE:
        raise ValueError(
            f"the mel reaches {values.max():.1e}, and the power of a recording at full scale {FULL_SCALE:.1e} at most"
        )
    spread = _spread(values, is_log)
    if not (LEAST_SPREAD if is_log else NO_SPREAD) <= spread <= MOST_SPREAD:
        raise ValueError(f"{_described(spread, is_log)}; if it is the hw2 mel all the same, say --recipe hw2")


def doubt_about(values: np.ndarray) -> str:
    """What a linear mel that `check_power` lets pass may be instead; "" where its numbers are as usual."""
    spread = _spread(values, is_log=False)
    return "" if spread >= LEAST_SPREAD else _described(spread, is_log=False)


def _spread(values: np.ndarray, is_log: bool) -> float:
    """In nepers, of the largest value over the median of those above the floor."""
    above = values[values > (values.min() if is_log else 0)].astype(np.float64)
    return float(above.max() - np.median(above) if is_log else np.log(above.max() / np.median(above)))


def _described(spread: float, is_log: bool) -> str:
    what = "the natural logarithm" if is_log else "the linear power"
    return (
        f"the largest value lies {spread:.1f} nepers above the median, where {what} of an hw2 mel has {LEAST_SPREAD:g} to "
        f"{MOST_SPREAD:g}: {_may_be(spread, is_log)}"
    )


def _may_be(spread: float, is_log: bool) -> str:
    if spread > MOST_SPREAD:
        return "it may be in decibels" if is_log else "it may be of other units"
    if is_log:
        return "it may be HiFi-GAN's own log mel, which is of magnitudes, a logarithm to base 10, or normalized"
    return "it may be a mel of magnitudes, such as HiFi-GAN's own, in decibels, or normalized"
