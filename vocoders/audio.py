"""Waveforms: mono float32 at 22 050 Hz for mels and metrics, at their own rate for listening; resampled and written.

Range: full scale is [-1, 1]. Values outside are kept in memory and clipped, and counted, only when written.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.durable import write_durably

SAMPLE_RATE = 22_050  # Hz; what HiFi-GAN V1 to V3 and the hw2 mel were defined at
MAX_NATIVE_RATE = 48_000  # Hz; a higher own rate is lowered to this one


@dataclass(frozen=True, eq=False)
class Waveform:
    """samples: (n,) float32, mono. rate: Hz, up to `MAX_NATIVE_RATE`."""

    samples: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.rate

    def at(self, rate: int) -> np.ndarray:
        """The samples at another rate, (n,) float32; see `resample`."""
        return resample(self.samples, self.rate, rate)


def own_of(native: Waveform) -> Waveform | None:
    """For `AtAnyRate.own`."""
    return None if native.rate == SAMPLE_RATE else native


class AtAnyRate:
    """`samples`, (n,) float32 at `SAMPLE_RATE`, and `own`, the same at its own rate where that is another."""

    samples: np.ndarray
    own: Waveform | None

    @property
    def native(self) -> Waveform:
        """At its own rate, up to `MAX_NATIVE_RATE`: for listening, pictures and studies."""
        return self.own or Waveform(self.samples, SAMPLE_RATE)

    def at(self, rate: int) -> np.ndarray:
        """The samples at any rate, (m,) float32."""
        return self.samples if rate == SAMPLE_RATE else self.native.at(rate)


@dataclass(frozen=True, eq=False)
class Recording(AtAnyRate):
    """A usable recording.

    samples: (n,) float32 at `SAMPLE_RATE`. history: one sentence about what the file was and what was done to it.
    rate: Hz, of the file. notices: the parts of the history that a person would not expect of this file, such as "the end of
    the file is missing"; commands print them. lossy: name of the lossy codec of the file, where it has one. own: as of
    `AtAnyRate`.
    """

    name: str
    samples: np.ndarray
    history: str = ""
    rate: int = SAMPLE_RATE
    notices: tuple[str, ...] = ()
    lossy: str = ""
    own: Waveform | None = None

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / SAMPLE_RATE


def resample(samples: np.ndarray, rate: int, to: int = SAMPLE_RATE) -> np.ndarray:
    """(n,) at `rate` Hz -> (round(n * to / rate),) float32, band-limited (soxr, its very-high-quality setting)."""
    if rate == to:
        return np.ascontiguousarray(samples, dtype=np.float32)
    import soxr

    length = round(len(samples) * to / rate)
    return fit_length(soxr.resample(samples, rate, to, quality="VHQ").astype(np.float32), length)


def check_mono(samples: np.ndarray, what: str) -> None:
    """Errors: ValueError, naming `what`, for anything but (n,) finite floats, of which full scale is 1."""
    if samples.ndim != 1 or samples.dtype.kind != "f":
        raise ValueError(f"{what} must be a mono float array (n,), not {samples.dtype} {samples.shape}")
    if not np.isfinite(samples).all():
        raise ValueError(f"{what} holds values that are not numbers")


def fit_length(samples: np.ndarray, length: int) -> np.ndarray:
    """(n,) -> (length,): cropped or zero-padded at the end."""
    return np.pad(samples[:length], (0, max(0, length - len(samples))))


def to_pcm16(samples: np.ndarray) -> np.ndarray:
    """Float samples -> int16, rounded; beyond full scale is clipped. Exact for samples that came from 16-bit audio."""
    return np.clip(np.rint(np.asarray(samples, dtype=np.float64) * 32768), -32768, 32767).astype(np.int16)


def wav_of(pcm: np.ndarray, rate: int = SAMPLE_RATE) -> bytes:
    """(n,) int16 at `rate` Hz -> a mono wav with the shortest header there is: no names, no dates."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes())
    return buffer.getvalue()


def write_wav(path: Path, samples: np.ndarray, rate: int = SAMPLE_RATE) -> int:
    """Write (n,) float samples at `rate` Hz as mono PCM-16. Returns how many samples had to be clipped. Errors: `DiskFull`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, wav_of(to_pcm16(samples), rate))
    return int(np.count_nonzero(np.abs(samples) > 1.0))
