"""Files of plain samples, and what else libsndfile knows, read until it has no more."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vocoders.recordings.decoding.chunks import SampleBytes, sample_bytes
from vocoders.recordings.decoding.stream import AudioError, Stream, Unreadable, is_lossless

BLOCK_FRAMES = 65_536  # decoded at a time


@contextlib.contextmanager
def open_lossless(path: Path, container: str) -> Iterator[Stream]:
    """Errors: `Unreadable` for what libsndfile does not know, or would read wrongly; `AudioError` while it decodes."""
    import soundfile

    found = sample_bytes(path, container)
    if found and found.promised == 0 and found.present:
        raise Unreadable("the header says that nothing is in it", said=True)
    with contextlib.ExitStack() as stack:
        # By its number: libsndfile takes no name that is not UTF-8. The number is given away: libsndfile 1.2.0 closes one that it
        # cannot use, asked to or not, and a number that is closed twice may be another file's by then
        number = os.open(path, os.O_RDONLY)
        try:
            file = stack.enter_context(soundfile.SoundFile(number, closefd=True))
        except (soundfile.LibsndfileError, OverflowError, ValueError) as error:
            if found and found.missing:
                raise Unreadable(
                    f"the header promises {found.missing:,} more bytes than there are", said=True
                ) from error
            raise Unreadable(_reason(error)) from error
        if "MPEG" in file.subtype:  # its length would be a guess from the first frame
            raise Unreadable("MPEG audio inside")
        lossy = "" if is_lossless(file.subtype) else file.subtype
        stream = Stream(container, file.samplerate, file.channels, lambda: _blocks(file), lossy=lossy)
        _promise(stream, found, file.frames)
        yield stream


def _promise(stream: Stream, found: SampleBytes | None, frames: int) -> None:
    if found is None:
        stream.promised = frames
    elif found.promised is not None and found.present:
        # A single missing byte can be one out of the middle, behind which every sample is wrong: it is always told
        stream.promised = frames + (max(1.0, frames * found.missing / found.present) if found.missing else 0)
    if found and found.contradicts_itself:
        stream.notices.append("its header contradicts itself about rate, channels or bits")
    if found and found.unclaimed:
        stream.notices.append(f"{found.unclaimed:,} bytes behind the samples are not in the header and were not read")


def _blocks(file) -> Iterator[np.ndarray]:
    """`read` and not `blocks`: that one fills a block that comes short with what was in memory before."""
    import soundfile

    with np.errstate(invalid="ignore"):  # NaN is judged later
        while True:
            try:
                block = file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
            except (soundfile.LibsndfileError, RuntimeError) as error:
                raise AudioError(f"the file is damaged and cannot be decoded ({_reason(error)}).") from error
            if not len(block):
                return
            yield block


def _reason(error: Exception) -> str:
    """libsndfile's words without the name of the file, which here is only a number."""
    return str(error).rpartition(": ")[2].strip().rstrip(".") or type(error).__name__
