"""The same sound as different bytes: for every slot of every trial a gain and a dither of its own.

Equal sounds of a trial (the hidden reference and the open one, X and what it repeats) then differ in hash, and leave a residual of
their own level less some 60 dB or more loudly when they are subtracted. Lengths are equal as they are. Gains stay within
`MAX_GAIN_DB`, a fifth of the smallest difference in level that listeners detect, and the dither is what any 16-bit file has.
A program that correlates sounds, or fits the gain between them, still finds equal ones: against that there is no inaudible means.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import wave

import numpy as np

MAX_GAIN_DB = 0.05  # to either side
_FULL_SCALE = 32767


class Disguise:
    """The same bytes whenever the same slot is asked for, so that asking again averages nothing out."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def wear(self, wav: bytes, owner: str, slot: int = 0, slots: int = 1) -> bytes:
        """wav: mono, 16 bits. owner: the nonce of a trial, or the id of a rater; slot, slots: which of how many sounds it plays.

        Every slot of an owner has another gain, evenly spaced and in an order that follows from the secret.
        """
        with wave.open(io.BytesIO(wav)) as file:
            rate, pcm = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")
        gains = self._random(owner, "gains").permutation(np.linspace(-MAX_GAIN_DB, MAX_GAIN_DB, slots))
        noise = self._random(owner, f"dither {slot}")
        dither = noise.random(len(pcm), np.float32) - noise.random(
            len(pcm), np.float32
        )  # triangular, ±1 of the last bit
        worn = np.rint(pcm * np.float32(10 ** (gains[slot] / 20)) + dither)
        content = io.BytesIO()
        with wave.open(content, "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", ""))
            file.writeframes(np.clip(worn, -_FULL_SCALE - 1, _FULL_SCALE).astype("<i2").tobytes())
        return content.getvalue()

    def _random(self, owner: str, purpose: str) -> np.random.Generator:
        seed = hmac.new(self._secret, f"{owner}/{purpose}".encode(), hashlib.sha256).digest()
        return np.random.default_rng(int.from_bytes(seed, "big"))
