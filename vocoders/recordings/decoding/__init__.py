r"""Audio files of every kind -> the samples that are in them, and what their headers promised.

    first bytes -> containers -> lossless   (libsndfile) \
                              -> compressed (FFmpeg)      -> Stream -> blocks of samples

Only what a decoder gives is a sample: nothing is filled in, and a header's claim is never believed, only compared.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from vocoders.recordings.decoding.compressed import open_compressed
from vocoders.recordings.decoding.containers import READABLE, container_of
from vocoders.recordings.decoding.lossless import open_lossless
from vocoders.recordings.decoding.stream import AudioError, Stream, Unreadable

__all__ = ["READABLE", "AudioError", "Stream", "open_audio"]


@contextlib.contextmanager
def open_audio(path: Path) -> Iterator[Stream]:
    """A file with sound in it, ready to be decoded. Errors: `AudioError`, also while its blocks are taken."""
    container = container_of(path)
    if container is None:
        raise AudioError(f"this is not a {READABLE} file, whatever its name says.")
    with contextlib.ExitStack() as stack:
        known = []
        if container.lossless:
            try:
                yield stack.enter_context(open_lossless(path, container.name))
                return
            except Unreadable as error:
                if container.demuxer is None:
                    raise AudioError(f"the file is damaged or cut short, and cannot be decoded ({error}).") from error
                known = [str(error)] if error.said else []
        stream = stack.enter_context(open_compressed(path, container))
        stream.notices += known
        yield stream
