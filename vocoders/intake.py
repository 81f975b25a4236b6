"""Audio files from outside -> `Recording`, or one sentence that says why not.

A file is judged by its first bytes and its header before anything is decoded, and decoded in blocks, so that
neither a small file that expands to gigabytes nor a header that claims 2^63 samples costs memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vocoders.audio import SAMPLE_RATE, Recording, resample

FORMATS = "WAV, FLAC, OGG or MP3"
CONTAINERS = {"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "MPEG"}  # libsndfile's names for them
BLOCK = 65_536  # frames decoded at a time
MOST_CHUNKS = 4096  # of a wav, that are looked at for its samples; real ones have a dozen
SILENCE = 1e-4  # peak, -80 dBFS: below it a metric is about the noise floor, not about the recording
LOUDEST = 1e6  # peak, +120 dBFS: floats can say more, but no recording does, and its squares would overflow


class AudioError(ValueError):
    """A recording that cannot be used. The message is one sentence for the person who gave it."""


@dataclass(frozen=True)
class Limits:
    max_seconds: float = 60.0
    max_megabytes: float = 100.0
    min_seconds: float = 0.1
    min_rate: int = 8_000  # Hz
    max_rate: int = 192_000  # Hz
    max_channels: int = 8


def read_recording(path: str | Path, limits: Limits = Limits(), name: str | None = None) -> Recording:
    """Read any supported file as mono 22 050 Hz.

    Errors: `AudioError` naming the file and the reason.
    """
    path = Path(path)
    name = name or path.name
    try:
        _check_bytes(path, limits)
        samples, rate, channels, container = _decode(path, limits)
        _check_samples(samples)
    except AudioError as error:
        raise AudioError(f"{name}: {error}") from None
    history = _history(samples, rate, channels, container, _ends_abruptly(path))
    return Recording(Path(name).stem, resample(samples, rate), history)


def _check_bytes(path: Path, limits: Limits) -> None:
    if not path.is_file():
        raise AudioError("there is no such file.")
    size = path.stat().st_size
    if size == 0:
        raise AudioError("the file is empty (0 bytes).")
    if size > limits.max_megabytes * 1e6:
        raise AudioError(f"the file has {size / 1e6:.0f} MB; at most {limits.max_megabytes:g} MB are accepted.")
    with path.open("rb") as file:
        head = file.read(12)
    riff = head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"
    mp3 = head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0)
    if not (riff or mp3 or head[:4] in (b"fLaC", b"OggS")):
        raise AudioError(f"this is not a {FORMATS} file, whatever its name says.")
    if riff and (missing := _missing_wav_bytes(path, size)):
        raise AudioError(f"the file is truncated: its header promises {missing:,} more bytes than there are.")


def _missing_wav_bytes(path: Path, size: int) -> int:
    """Bytes that the `data` chunk announces beyond the end of the file.

    libsndfile silently plays what is left of a cut file. Lengths 0 and 0xFFFFFFFF are what a streaming writer
    leaves behind, and RF64 keeps its length elsewhere: those are not judged, nor is a file of
    more than `MOST_CHUNKS` chunks.
    """
    with path.open("rb") as file:
        position = 12
        for _ in range(MOST_CHUNKS):
            if position + 8 > size:
                break
            file.seek(position)
            kind, length = file.read(4), int.from_bytes(file.read(4), "little")
            if kind == b"data":
                return 0 if length in (0, 0xFFFFFFFF) else max(0, position + 8 + length - size)
            position += 8 + length + length % 2
    return 0


def _ends_abruptly(path: Path) -> bool:
    """Whether an Ogg stream lacks its end-of-stream page.

    Cut downloads do, but so do some browsers' live recordings, so this is said and not refused.
    """
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return False
        file.seek(max(0, path.stat().st_size - 65_536))  # an Ogg page is shorter than this
        page = file.read().rpartition(b"OggS")[2]
    return len(page) < 2 or not page[1] & 4


def _decode(path: Path, limits: Limits) -> tuple[np.ndarray, int, int, str]:
    """Mono samples (n,) float32 at the file's rate, that rate in Hz, its channels and its container."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file, np.errstate(invalid="ignore"):  # NaN is judged later
            _check_header(file, limits)
            blocks = [block.mean(axis=1) for block in file.blocks(BLOCK, dtype="float32", always_2d=True)]
            samples = np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)
            if len(samples) < file.frames:
                raise AudioError(
                    f"the file is truncated: {len(samples) / file.samplerate:.2f} s of "
                    f"{file.frames / file.samplerate:.2f} s can be decoded."
                )
            return samples, file.samplerate, file.channels, file.format
    except (soundfile.LibsndfileError, RuntimeError, OverflowError, MemoryError) as error:
        reason = str(error).replace(str(path), "the file").strip().rstrip(".")
        raise AudioError(f"the file is damaged or truncated and cannot be decoded ({reason}).") from error


def _check_header(file, limits: Limits) -> None:
    seconds = file.frames / file.samplerate if file.samplerate else 0.0
    if file.format not in CONTAINERS:
        raise AudioError(f"the container is {file.format}; {FORMATS} is accepted.")
    if not limits.min_rate <= file.samplerate <= limits.max_rate:
        raise AudioError(
            f"the sampling rate is {file.samplerate:,} Hz; {limits.min_rate:,} to {limits.max_rate:,} Hz are accepted."
        )
    if not 1 <= file.channels <= limits.max_channels:
        raise AudioError(f"the file has {file.channels} channels; at most {limits.max_channels} are accepted.")
    if file.frames <= 0:
        raise AudioError("the file has a valid header and no audio in it.")
    if seconds > limits.max_seconds:
        length = f"{seconds:,.1f} s" if seconds < 1e6 else "an impossible length"
        raise AudioError(f"its header says {length}; at most {limits.max_seconds:g} s are accepted.")
    if seconds < limits.min_seconds:
        raise AudioError(
            f"the recording lasts {seconds * 1000:.0f} ms; at least {limits.min_seconds * 1000:g} ms needed."
        )


def _check_samples(samples: np.ndarray) -> None:
    if not np.isfinite(samples).all():
        raise AudioError("the recording holds values that are not numbers (NaN or infinity).")
    peak = float(np.abs(samples).max())
    if peak < SILENCE:
        raise AudioError("the recording is silent: its loudest sample is below -80 dBFS.")
    if peak > LOUDEST:
        raise AudioError(f"the recording holds impossible values: a peak of {peak:.0e}, where full scale is 1.")


def _history(samples: np.ndarray, rate: int, channels: int, container: str, abrupt: bool) -> str:
    """One sentence: what the file was and what was done to it."""
    layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
    done = ["the file ends abruptly, and what is there was used"] if abrupt else []
    if channels > 1:
        done.append(f"the {channels} channels averaged to mono")
    if rate != SAMPLE_RATE:
        done.append(
            f"resampled to 22.05 kHz (band-limited{', content above 11 kHz removed' if rate > SAMPLE_RATE else ''})"
        )
    peak = float(np.abs(samples).max())
    if peak > 1:
        done.append(f"peaks reach {20 * np.log10(peak):+.1f} dB above full scale and will clip in 16-bit files")
    elif np.count_nonzero(np.abs(samples) >= 32767 / 32768) > 3:
        done.append("it looks clipped: several samples sit at full scale")
    what = f"{container}, {layout}, {rate / 1000:g} kHz, {len(samples) / rate:.2f} s"
    return f"{what}: {'; '.join(done) if done else 'used as it is'}."
