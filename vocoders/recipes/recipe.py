"""A mel recipe: everything between a waveform and a generator's input, as one frozen value.

    waveform at `rate` -> pad -> window, FFT -> (|X|^2 + epsilon)^(power / 2) -> bands -> floor, logarithm -> (. - mean) / deviation

With `epsilon_mode` "clamp" it is max(|X|^2, epsilon) instead of the sum.

Two recipes are the same mel exactly when they are equal, names aside. Nothing here computes a mel: see `vocoders.mel`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

E = "e"  # how a file writes the base of the natural logarithm


@dataclass(frozen=True)
class MelRecipe:
    """Errors: ValueError naming the bad value and what is allowed."""

    name: str  # letters, digits, "-", "_" and "."; what people and results call it
    power: int  # 2: |X|^2, 1: |X|
    epsilon: float  # added to |X|^2 before the root, or its least value, see `epsilon_mode`
    scale: Literal["htk", "slaney"]
    unit_area: bool  # bands scaled to unit area (librosa's norm="slaney") instead of unit peak
    padding: Literal["constant", "reflect"]  # what stands beyond the ends: zeros, or the mirrored signal
    rate: int = 22_050  # Hz
    n_fft: int = 1024  # samples
    win_length: int = 1024  # samples, centred in the FFT
    window: Literal["hann", "hamming"] = "hann"  # periodic
    hop: int = 256  # samples between frames
    bands: int = 80
    fmin: float = 0.0  # Hz, lower edge of the lowest band
    fmax: float | None = 8000.0  # Hz, upper edge of the highest band; None: half the rate
    pad: int = 384  # samples at each end; n_fft // 2 centres frame i on sample i * hop
    log_base: float = math.e
    floor: float = 1e-5  # of the linear mel, before the logarithm
    floor_mode: Literal["clamp", "add"] = "clamp"  # log(max(mel, floor)) or log(mel + floor)
    mean: tuple[float, ...] = ()  # of the log mel, per band, subtracted; empty: not normalized
    deviation: tuple[float, ...] = ()  # per band, divided by
    epsilon_mode: Literal["add", "clamp"] = "add"

    def __post_init__(self) -> None:
        for field, allowed in _CHOICES.items():
            _require(getattr(self, field) in allowed, field, getattr(self, field), " or ".join(map(repr, allowed)))
        for field, (least, most) in self._ranges().items():
            value = getattr(self, field)
            whole = field in _WHOLE and (not isinstance(value, int) or isinstance(value, bool))
            _require(not whole and _is_number(value) and least <= value <= most, field, value, f"{least:g} to {most:g}")
        if self.fmax is not None:
            inside = _is_number(self.fmax) and self.fmin < self.fmax <= self.rate / 2
            _require(inside, "fmax", self.fmax, f"above fmin ({self.fmin:g}) up to {self.rate / 2:g} Hz, or none")
        _require(self.n_fft % 2 == 0, "n_fft", self.n_fft, "an even number")
        _require(isinstance(self.unit_area, bool), "unit_area", self.unit_area, "true or false")
        lengths = {len(self.mean), len(self.deviation)}
        _require(
            lengths <= {0} or lengths == {self.bands}, "mean", len(self.mean), f"one value per band ({self.bands})"
        )
        for field in ("mean", "deviation"):
            _require(all(map(_is_number, getattr(self, field))), field, getattr(self, field), "finite numbers")
        _require(all(value > 0 for value in self.deviation), "deviation", self.deviation, "numbers above 0")
        plain = isinstance(self.name, str) and all(c.isalnum() or c in "-_." for c in self.name)
        _require(plain and 1 <= len(self.name) <= 60, "name", self.name, "1 to 60 letters, digits, '-', '_' and '.'")

    def _ranges(self) -> dict[str, tuple[float, float]]:
        """Of the numbers: least and most."""
        half = self.n_fft // 2 if isinstance(self.n_fft, int) else 0
        return {
            "rate": (8000, 96_000),
            "n_fft": (64, 8192),
            "win_length": (16, 2 * half),
            "hop": (1, self.win_length if _is_number(self.win_length) else 0),
            "bands": (1, 512),
            "pad": (0, 2 * half),
            "fmin": (0, (self.rate / 2 if _is_number(self.rate) else 0) - 1),
            "epsilon": (0, 1),
            "floor": (1e-12, 1),
            "log_base": (1.1, 100),
        }

    @property
    def bins(self) -> int:
        """Frequency bins of a spectrum."""
        return self.n_fft // 2 + 1

    @property
    def highest(self) -> float:
        """Hz, upper edge of the highest band."""
        return self.rate / 2 if self.fmax is None else self.fmax

    @property
    def first_centre(self) -> int:
        """The sample that the middle of frame 0 stands on."""
        return self.n_fft // 2 - self.pad

    @property
    def framing(self) -> tuple:
        """Equal for two mels whose frames are made from the same STFT, up to the ends."""
        return self.rate, self.n_fft, self.win_length, self.window, self.hop, self.pad

    @property
    def linear(self) -> MelRecipe:
        """Equal for two mels that differ by their logarithm, its floor and the statistics alone."""
        return dataclasses.replace(
            self, name="linear", log_base=math.e, floor=1e-5, floor_mode="clamp", mean=(), deviation=()
        )

    @property
    def shortest(self) -> int:
        """Samples that one frame, or the mirrored ends, need."""
        one_frame = max(1, self.n_fft - 2 * self.pad)
        return max(one_frame, self.pad + 1) if self.padding == "reflect" else one_frame

    @property
    def log_kind(self) -> str:
        """The log mel's name among the kinds of `vocoders.features`."""
        return f"log {self.name} mel"

    def frames(self, samples: int) -> int:
        """Of the mel of so many samples."""
        return (samples + 2 * self.pad - self.n_fft) // self.hop + 1

    def samples(self, frames: int) -> int:
        """That so many frames span: the fewest whose mel has them, or the shortest length."""
        return max(self.shortest, (frames - 1) * self.hop + self.n_fft - 2 * self.pad)

    def whole(self, samples: int) -> int:
        """The samples, rounded up so that no frame is lost and the shortest length is reached."""
        return -(-max(samples, self.shortest) // self.hop) * self.hop

    def as_dict(self) -> dict[str, Any]:
        """JSON and YAML's values; `recipe_from` reads them."""
        fields = dataclasses.asdict(self)
        fields["log_base"] = E if self.log_base == math.e else self.log_base
        return {**fields, "mean": list(self.mean), "deviation": list(self.deviation)}

    def described(self) -> str:
        """The numbers that people compare, in one line."""
        return (
            f"{self.rate} Hz, FFT {self.n_fft}, window {self.win_length}, hop {self.hop}, {self.bands} {self.scale} bands "
            f"{self.fmin:g} to {self.highest:g} Hz"
        )


_CHOICES = {
    "power": (1, 2),
    "scale": ("htk", "slaney"),
    "padding": ("constant", "reflect"),
    "window": ("hann", "hamming"),
    "floor_mode": ("clamp", "add"),
    "epsilon_mode": ("add", "clamp"),
}
_WHOLE = ("rate", "n_fft", "win_length", "hop", "bands", "pad")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15  # also of no infinity


def _require(condition: bool, name: str, value: object, allowed: str) -> None:
    if not condition:
        said = " ".join(repr(value).split())
        raise ValueError(f"{name} is {said if len(said) <= 80 else f'{said[:80]}…'}; allowed: {allowed}")


def recipe_from(fields: Mapping[str, Any]) -> MelRecipe:
    """A mapping such as `MelRecipe.as_dict` gives, complete or not -> the recipe.

    What is missing has the value of HiFi-GAN's mel, but `pad`, which is then (n_fft - hop) // 2, and `win_length`, which is
    n_fft. `fmax` may be absent, none or a number. Errors: ValueError naming an unknown field or a bad value.
    """
    known = {field.name for field in dataclasses.fields(MelRecipe)}
    if unknown := sorted(set(map(str, fields)) - known):
        raise ValueError(f"a mel recipe has no {', '.join(unknown)[:80]}; it has {', '.join(sorted(known))}")
    values = {**_DEFAULTS, **fields}
    if _is_number(values["n_fft"]) and _is_number(values["hop"]):
        values.setdefault("win_length", values["n_fft"])
        values.setdefault("pad", (values["n_fft"] - values["hop"]) // 2)
    values["log_base"] = math.e if values["log_base"] == E else values["log_base"]
    for field in ("mean", "deviation"):
        values[field] = tuple(values[field]) if isinstance(values[field], (list, tuple)) else (values[field],)
    recipe = MelRecipe(**values)
    highest = None if recipe.fmax in (None, recipe.rate / 2) else float(recipe.fmax)
    return dataclasses.replace(recipe, fmin=float(recipe.fmin), fmax=highest)


_DEFAULTS: dict[str, Any] = {
    "name": "unnamed",
    "power": 1,
    "epsilon": 1e-9,
    "scale": "slaney",
    "unit_area": True,
    "padding": "reflect",
    "rate": 22_050,
    "n_fft": 1024,
    "hop": 256,
    "fmax": 8000.0,
    "log_base": E,
    "mean": (),
    "deviation": (),
}


def digest(recipe: MelRecipe) -> str:
    """Eight characters that tell recipes apart by everything but their names."""
    fields = {**recipe.as_dict(), "name": ""}
    if recipe.epsilon_mode == "add":  # which is younger than the names of recipes in stored results
        del fields["epsilon_mode"]
    return hashlib.blake2b(json.dumps(fields, sort_keys=True).encode(), digest_size=4).hexdigest()
