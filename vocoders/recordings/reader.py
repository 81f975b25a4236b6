"""Audio files from outside -> `Recording`, or one sentence that says why not.

A file is decoded in blocks, and as far as the limits go: neither a small file that expands to gigabytes nor a header that
claims 2^63 samples costs memory. Anything unexpected about it is in the recording's history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vocoders.audio import MAX_NATIVE_RATE, SAMPLE_RATE, Recording, Waveform, own_of, resample
from vocoders.recordings.channels import ChannelSums, Clipping, offset_of
from vocoders.recordings.decoding import AudioError, Stream, open_audio
from vocoders.recordings.passage import Passage, clock

__all__ = ["AudioError", "Limits", "read_recording"]

MIN_PEAK = 1e-4  # peak, -80 dBFS: below it a metric is about the noise floor, not about the recording
MAX_PEAK = 100.0  # peak, +40 dBFS: floats can say more, but then full scale was not meant to be 1
MAX_OFFSET = 1e-3  # of full scale, -60 dBFS: a larger constant is removed
ENCODER_EXCESS_SECONDS = 0.1  # by which a file may be longer than allowed, since encoders fill up their last frame
MAX_KEPT_BYTES = 100_000_000  # of decoded blocks; of a longer file they are decoded again for the second look
_INTEGER_SCALES = (2.0**15, 2.0**23, 2.0**31)


@dataclass(frozen=True)
class Limits:
    """max_seconds: of what is used; max_file_seconds: of a file of which a passage is used."""

    max_seconds: float = 60.0
    max_megabytes: float = 100.0
    min_seconds: float = 0.1
    min_rate: int = 8_000  # Hz
    max_rate: int = 192_000  # Hz
    max_channels: int = 8
    max_file_seconds: float = 1800.0


class _Decoded(NamedTuple):
    """samples: (n,) float32 at the file's own rate, before anything but the mixing of channels was done to them."""

    samples: np.ndarray
    rate: int
    channels: int
    container: str
    clauses: list[str]  # what is expected
    notices: list[str]  # what is not
    lossy: str


def read_recording(
    path: str | Path, limits: Limits = Limits(), name: str | None = None, passage: Passage | None = None
) -> Recording:
    """Read any supported file, or a passage of it, as mono at 22 050 Hz and, where the file has another rate, at that one too.

    Errors: `AudioError` naming the file and the reason.
    """
    path = Path(path)
    name = name or path.name
    try:
        check_file(path, limits)
        found = _decode(path, limits, passage)
        samples = _corrected(found)
    except AudioError as error:
        raise AudioError(f"{name}: {error}") from None
    history = _history(found, passage, len(samples) / found.rate)
    kept = min(found.rate, MAX_NATIVE_RATE)
    own = own_of(Waveform(resample(samples, found.rate, kept), kept))
    samples = resample(samples, found.rate)
    return Recording(Path(name).stem, samples, history, found.rate, tuple(found.notices), found.lossy, own)


def check_file(path: Path, limits: Limits) -> None:
    """Checks before anything is decoded. Errors: `AudioError`."""
    if path.is_dir():
        raise AudioError("this is a folder; a file is needed.")
    if not path.is_file():
        raise AudioError("there is no such file.")
    size = path.stat().st_size
    if size == 0:
        raise AudioError("the file is empty (0 bytes).")
    if size > limits.max_megabytes * 1e6:
        raise AudioError(f"the file has {size / 1e6:.0f} MB; at most {limits.max_megabytes:g} MB are accepted.")


def check_format(stream: Stream, limits: Limits) -> None:
    """Errors: `AudioError`."""
    if not limits.min_rate <= stream.rate <= limits.max_rate:
        raise AudioError(
            f"the sampling rate is {stream.rate:,} Hz; {limits.min_rate:,} to {limits.max_rate:,} Hz are accepted."
        )
    if not 1 <= stream.channels <= limits.max_channels:
        raise AudioError(f"the file has {stream.channels} channels; at most {limits.max_channels} are accepted.")


def _decode(path: Path, limits: Limits, passage: Passage | None = None) -> _Decoded:
    """The channels are looked at first, and mixed when it is known how."""
    kept: list[np.ndarray] | None = []
    with open_audio(path) as stream:
        check_format(stream, limits)
        sums, samples = ChannelSums(stream.channels), 0
        for block in _within(stream, limits, passage):
            sums.add(block)
            samples += len(block)
            if kept is not None:
                kept.append(block)
                kept = kept if samples * stream.channels * 4 <= MAX_KEPT_BYTES else None
    if samples < limits.min_seconds * stream.rate:
        raise AudioError(
            f"the recording lasts {samples / stream.rate * 1000:.0f} ms; at least {limits.min_seconds * 1000:g} ms needed."
        )
    mix, mono, filled = sums.mix(), np.empty(samples, np.float32), 0
    used = mix.weights != 0
    clipping = Clipping(sums.highest[used], sums.lowest[used])
    for block in kept if kept is not None else _again(path, limits, passage):
        clipping.add(block[:, used])
        mono[filled : filled + len(block)] = block @ mix.weights
        filled += len(block)
    notices = [*stream.notices, *filter(None, [mix.clause if mix.unexpected else "", clipping.clause()])]
    clauses = [] if mix.unexpected or not mix.clause else [mix.clause]
    return _Decoded(mono[:filled], stream.rate, stream.channels, stream.container, clauses, notices, stream.lossy)


def _again(path: Path, limits: Limits, passage: Passage | None) -> Iterator[np.ndarray]:
    with open_audio(path) as stream:
        yield from _within(stream, limits, passage)


def _within(stream: Stream, limits: Limits, passage: Passage | None) -> Iterator[np.ndarray]:
    """The blocks of the passage, or of the whole file, with what its length shows of its header. Errors: `AudioError`."""
    start = round((passage.start if passage else 0) * stream.rate)
    end = None if passage is None or passage.end is None else round(passage.end * stream.rate)
    longest = start + (limits.max_seconds + ENCODER_EXCESS_SECONDS) * stream.rate
    total = 0
    for block in stream.blocks():
        if not np.isfinite(block).all():
            raise AudioError("the recording holds values that are not numbers (NaN or infinity).")
        part = block[max(0, start - total) : None if end is None else max(0, end - total)]
        total += len(block)
        if min(total, end or total) > longest:
            what = "the passage" if passage else "the recording"
            raise AudioError(
                f"{what} lasts more than {limits.max_seconds:g} s, which is the limit; choose a passage of it."
            )
        if len(part):
            yield part
        if end is not None and total >= end:
            return
    if total == 0:
        raise AudioError("the file has a valid header and no audio in it.")
    if total <= start:
        raise AudioError(f"the recording ends at {clock(total / stream.rate)}, before the passage begins.")
    if end is not None:
        stream.notices.append(f"the passage ends with the recording, at {clock(total / stream.rate)}")
    stream.compare_with_promise(total)


def _corrected(found: _Decoded) -> np.ndarray:
    """The samples on a scale where full scale is 1 and silence is 0; what was done goes to the notices. Errors: `AudioError`."""
    samples, peak = found.samples, float(np.abs(found.samples).max())
    if peak > MAX_PEAK:
        scale = next((scale for scale in _INTEGER_SCALES if peak <= scale), None)
        if scale is None or (samples != np.rint(samples)).any():
            raise AudioError(f"the recording holds impossible values: a peak of {peak:.0e}, where full scale is 1.")
        samples = samples / np.float32(scale)
        found.notices.append(
            f"its floats are {round(np.log2(scale)) + 1}-bit integers, and were divided by {scale:.0f}"
        )
    offset = offset_of(samples)
    if abs(offset) > MAX_OFFSET:
        samples = samples - np.float32(offset)
        found.notices.append(f"a constant offset of {offset:+.3f} removed")
    peak = float(np.abs(samples).max())
    if peak < MIN_PEAK:
        raise AudioError("the recording is silent: its loudest sample is below -80 dBFS.")
    if peak > 1:
        found.notices.append(
            f"peaks reach {20 * np.log10(peak):+.1f} dB above full scale and will clip in 16-bit files"
        )
    return samples


def _history(found: _Decoded, passage: Passage | None, seconds: float) -> str:
    """One sentence: what the file was and what was done to it."""
    layout = {1: "mono", 2: "stereo"}.get(found.channels, f"{found.channels} channels")
    done = [*found.notices, *found.clauses]
    if found.rate != SAMPLE_RATE:
        lost = "content above 11 kHz removed"
        if found.rate < SAMPLE_RATE:
            lost = f"nothing above {found.rate / 2000:g} kHz in it"
        done.append(f"resampled to 22.05 kHz for mels and metrics (band-limited, {lost})")
        kept = "kept at" if found.rate <= MAX_NATIVE_RATE else "resampled to"
        done.append(f"{kept} {min(found.rate, MAX_NATIVE_RATE) / 1000:g} kHz for listening and pictures")
    part = f" from {clock(passage.start)} on" if passage and passage.start else ""
    what = f"{found.container}, {layout}, {found.rate / 1000:g} kHz, {seconds:.2f} s{part}"
    return f"{what}: {'; '.join(done) if done else 'used as it is'}."
