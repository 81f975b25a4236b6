"""The formats of mel files: bands, power or magnitude, and logarithm; and the way from there to `Features`."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass

import numpy as np
import torch

from vocoders.features import Features
from vocoders.mel import HW2, N_FFT, RECIPES, log_mel, mel_of_magnitude
from vocoders.mel_files.options import BANDS, LOGS, SCALES, Bands, Log, Scale
from vocoders.phase.inversion import invert_mel

# The linear value of a sine at full scale through a Hann window, in one FFT bin
_SINE = {"power": (N_FFT / 4) ** 2, "magnitude": N_FFT / 4}
_PEAK = {"hw2": 1.0, "hifigan": 1 / 20}  # of a band
_MAX_EXCESS_DB = 24.0  # above that: a constant at full scale, with 12 dB to spare
_BANDS = {"hw2": "HTK bands of peak 1", "hifigan": "Slaney bands of area 1"}
_LOG_NAMES = {"none": "linear", "e": "natural logarithm", "10": "logarithm to base 10", "db": "in dB"}


@dataclass(frozen=True)
class MelFormat:
    """`recipe` names the bands of the two recipes, both with their framing; their own scales are hw2 power and HiFi-GAN's
    magnitude. "db" is 10 log10 of a power, 20 log10 of a magnitude."""

    recipe: Bands
    scale: Scale
    log: Log

    @property
    def is_own(self) -> bool:
        """Whether the scale is the recipe's own, so that nothing must be inverted to use it."""
        return RECIPES[self.recipe].power == self._power

    @property
    def options(self) -> str:
        """The options of a command that declare this format."""
        return f"--recipe {self.recipe} --scale {self.scale} --log {self.log}"

    def __str__(self) -> str:
        names = {("hw2", True): "the hw2 mel", ("hifigan", True): "HiFi-GAN's own mel"}
        name = names.get((self.recipe, self.is_own), "a mel")
        return f"{name}: {self.scale}, {_BANDS[self.recipe]}, {_LOG_NAMES[self.log]}"

    @property
    def _power(self) -> int:
        return 2 if self.scale == "power" else 1

    @property
    def per_unit(self) -> float:
        """Natural-log units of the linear mel per unit of its logarithm; of a linear mel, per unit of its natural logarithm."""
        return {"none": 1.0, "e": 1.0, "10": np.log(10), "db": np.log(10) / 20 * self._power}[self.log]

    @property
    def loudest(self) -> float:
        """More than the linear value of any recording at full scale."""
        return self.sine(_MAX_EXCESS_DB)

    def sine(self, dbfs: float) -> float:
        """The largest linear value of a sine at this level."""
        return _SINE[self.scale] * _PEAK[self.recipe] * 10 ** (dbfs / 20 * self._power)

    def linear(self, values: np.ndarray) -> np.ndarray:
        """(80, frames) in this format -> linear, float32. Errors: ValueError where the values cannot be in this format."""
        if self.log == "none":
            if (values < 0).any():
                raise ValueError(
                    "the mel has negative values, so it is not linear; say --log e, 10 or db if it is a logarithm"
                )
            linear = values.astype(np.float64)
        else:
            with np.errstate(over="ignore"):
                linear = np.exp(values.astype(np.float64) * self.per_unit)
        if linear.max() > self.loudest:
            hint = "; leave --log out for linear values" if self.log != "none" else ""
            raise ValueError(
                f"the mel is too large to be {self}: the largest value would be {linear.max():.3g}, and full scale gives "
                f"{self.loudest:.3g}{hint}"
            )
        return linear.astype(np.float32)

    def features(self, values: np.ndarray) -> Features:
        """(80, frames) in this format -> the hw2 mel, or HiFi-GAN's log mel. Errors: as `linear`.

        A scale that is not the recipe's own goes through STFT magnitudes, see `vocoders.phase.inversion`.
        """
        recipe = RECIPES[self.recipe]
        linear = self.linear(values)
        if not self.is_own:
            analysed = dataclasses.replace(recipe, power=self._power)
            linear = mel_of_magnitude(invert_mel(linear, analysed), recipe)
        if recipe == HW2:
            return Features("hw2 mel", linear)
        return Features("log hifigan mel", log_mel(torch.from_numpy(linear)).numpy())


FORMATS = tuple(MelFormat(*parts) for parts in itertools.product(BANDS, SCALES, LOGS))
