"""Sounds and pictures inside a file: lossless where there is room."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vocoders.audio import resample

OPUS_RATE = 48_000  # Hz, the rate that Opus is defined at
OPUS_EFFORT = 0.5  # libsndfile's compression level: 130 kbit/s of one channel
WEBP_QUALITY = 80  # of 100


@dataclass(frozen=True)
class Economy:
    """What is given up for the size of a file. Neither: FLAC, and the pictures as they were drawn."""

    opus: bool = False
    webp: bool = False
    without_differences: bool = False

    @property
    def said(self) -> tuple[str, ...]:
        """A sentence for each of them, for the reader of the file."""
        sound = "The sound is Opus at about 130 kbit/s, not lossless, to keep the file small."
        return tuple(
            sentence
            for is_so, sentence in (
                (self.opus, sound),
                (self.webp, "The pictures are lossy (WebP), to keep the file small."),
                (self.without_differences, "The pictures of differences are left out, to keep the file small."),
            )
            if is_so
        )


ECONOMIES = (
    Economy(),
    Economy(webp=True),
    Economy(webp=True, opus=True),
    Economy(webp=True, opus=True, without_differences=True),
)  # in the order in which they are tried: sound stays exact longer than pictures


def flac(samples: np.ndarray, rate: int, subtype: str = "PCM_16") -> bytes:
    """(n,) of integers at `rate` Hz -> FLAC of exactly these samples.

    subtype: PCM_16 or PCM_24; int32 samples are scaled to 32 bits, as soundfile reads them.
    """
    return _encoded(samples, rate, format="FLAC", subtype=subtype)


def opus(samples: np.ndarray, rate: int) -> bytes:
    """(n,) floats at `rate` Hz -> Ogg Opus."""
    return _encoded(
        resample(samples, rate, OPUS_RATE), OPUS_RATE, format="OGG", subtype="OPUS", compression_level=OPUS_EFFORT
    )


def wav_as(path: Path, economy: Economy) -> tuple[str, bytes]:
    """(media type, content) of a wav of integers."""
    import soundfile

    if economy.opus:
        samples, rate = soundfile.read(path, dtype="float32")
        return "audio/ogg", opus(samples, rate)
    samples, rate = soundfile.read(path, dtype="int32")
    return "audio/flac", flac(samples, rate, soundfile.info(path).subtype)


def png_as(png: bytes, economy: Economy) -> tuple[str, bytes]:
    """(media type, content) of a picture."""
    if not economy.webp:
        return "image/png", png
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(buffer, "WEBP", quality=WEBP_QUALITY)
    return "image/webp", buffer.getvalue()


def _encoded(samples: np.ndarray, rate: int, **options) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **options)
    return buffer.getvalue()
