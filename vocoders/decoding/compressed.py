"""Compressed files through FFmpeg: what its decoders give, less what the encoder had put around the sound."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vocoders.decoding.containers import Container
from vocoders.decoding.id3 import skip_tags
from vocoders.decoding.mpeg_audio import frame_header, promises_length
from vocoders.decoding.ogg import pages_of
from vocoders.decoding.stream import AudioError, Stream

if TYPE_CHECKING:
    from av import AudioFrame, Packet
    from av.container import InputContainer

MAX_DAMAGE = 0.2  # share of the frames; a file of which more cannot be decoded is refused
CODECS = {
    "mp1", "mp2", "mp3", "aac", "alac", "opus", "vorbis", "flac", "wmav1", "wmav2", "wmapro", "wmalossless", "wavpack", "tta",
    "speex", "amrnb", "amrwb", "ac3", "eac3",
}  # fmt: skip
_COUNTED = {"flac", "wv", "tta"}  # demuxers whose header counts samples
_GUESSED = {"aac", "amr"}  # demuxers that know no length and estimate one
_LAYER_3_DELAY = 1105  # samples: 576 of the usual encoder, 529 of every decoder
_LAYER_2_DELAY = 481  # samples: of the two filterbanks


@contextlib.contextmanager
def open_compressed(path: Path, container: Container) -> Iterator[Stream]:
    """Errors: `AudioError`, also while the blocks are taken."""
    import av

    av.logging.set_level(av.logging.ERROR)
    with path.open("rb") as file, av.logging.Capture(local=True) as log:
        try:
            with av.open(file, format=container.demuxer) as source:
                yield _Reader(source, container, path, log).stream()
        except av.FFmpegError as error:
            raise AudioError(f"the file is damaged or cut short, and cannot be decoded ({_reason(error)}).") from error


class _Reader:
    """One sound track on its way out of a file."""

    def __init__(self, source: InputContainer, container: Container, path: Path, log: list) -> None:
        self._source, self._container, self._path, self._log = source, container, path, log
        if not source.streams.audio:
            raise AudioError("there is no sound in the file.")
        self._track = source.streams.audio[0]
        codec = self._track.codec_context
        self._codec = codec.name.removesuffix("float").removeprefix("lib")
        if self._codec not in CODECS and not self._codec.startswith("pcm_"):
            raise AudioError(f"its sound is coded as {codec.name}, which is not read.")
        codec.thread_count = 1
        codec.options = {"err_detect": "crccheck+bitstream+buffer+explode"}
        if self._codec in ("wmav1", "wmav2"):
            # FFmpeg drops two frames, which is right for one encoder and takes 46 ms of sound from another
            codec.options = {**codec.options, "flags2": "skip_manual"}
        self._packets = 0
        self._damaged: list[int] = []  # numbers of packets

    def stream(self) -> Stream:
        frames = self._frames()
        first = next(frames, None)
        if first is None:
            raise AudioError("the file is damaged or cut short: nothing in it can be decoded.")
        packets, second = self._packets, next(frames, None)
        # The first frames may be shorter by what a header told FFmpeg to skip
        self._full = max(first.samples, second.samples if second else 0)
        self._rate, self._layout = first.sample_rate, first.layout.name
        self._skipped = max(0, packets * self._full - first.samples)
        stream = Stream(
            self._container.name,
            first.sample_rate,
            first.layout.nb_channels,
            lambda: self._blocks(stream, [frame for frame in (first, second) if frame], frames),
            self._promised(),
            0 if self._container.demuxer in _COUNTED else 2 * self._full + first.sample_rate // 200,
        )
        return stream

    def _blocks(self, stream: Stream, begun: list[AudioFrame], rest: Iterator[AudioFrame]) -> Iterator[np.ndarray]:
        def decoded() -> Iterator[np.ndarray]:
            for frame in (*begun, *rest):
                if (frame.sample_rate, frame.layout.name) != (self._rate, self._layout):
                    raise AudioError(
                        f"its sound changes from {self._rate:,} Hz {self._layout} to {frame.sample_rate:,} Hz {frame.layout.name} on the way."
                    )
                yield _as_floats(frame)

        padding = 2 * self._full if self._container.demuxer == "mov" else 0
        yield from _without_end(_without_start(decoded(), self._leading()), stream.promised, padding)
        stream.notices += self._what_is_wrong()

    def _frames(self) -> Iterator[AudioFrame]:
        import av

        packets = self._source.demux(self._track)
        while True:
            before = len(self._log)
            try:
                packet = next(packets)
            except (StopIteration, EOFError):
                return
            except av.FFmpegError:  # of the container; nothing comes behind it
                self._damaged.append(self._packets)
                return
            if packet.size:
                self._packets += 1
                if self._packets == 1:
                    self._first = bytes(packet)
            try:
                yield from self._decode(packet)
            except av.FFmpegError:
                self._damaged.append(self._packets)
            else:
                if len(self._log) > before:
                    self._damaged.append(self._packets)

    def _decode(self, packet: Packet) -> list[AudioFrame]:
        if self._codec == "mp3" and packet.size:
            header = frame_header(bytes(packet)[:8])
            if header and packet.size < header.length:  # FFmpeg would fill the frame with something
                self._damaged.append(self._packets)
                return []
        return packet.decode()

    def _leading(self) -> int:
        """Samples before the sound that are neither the recording's nor skipped already, because no header tells of them."""
        if self._codec == "opus":
            head = self._track.codec_context.extradata or b""
            return max(0, int.from_bytes(head[10:12], "little") - self._skipped)  # RFC 7845; WebM's own word may differ
        if self._codec in ("wmav1", "wmav2"):
            return self._full
        if self._skipped:
            return 0
        if self._codec == "mp3":
            header = frame_header(self._first[:8])
            return 0 if header and header.reaches_back else _LAYER_3_DELAY
        # The first frame of AAC has none before it to overlap with
        return {"aac": self._full, "mp2": _LAYER_2_DELAY, "mp1": _LAYER_2_DELAY}.get(self._codec, 0)

    def _promised(self) -> float | None:
        demuxer = self._container.demuxer
        if demuxer in _GUESSED or (demuxer == "mp3" and not self._counts_frames()):
            return None
        if self._track.duration:
            return float(self._track.duration * self._track.time_base) * self._rate
        return self._source.duration / 1e6 * self._rate if self._source.duration else None

    def _counts_frames(self) -> bool:
        with self._path.open("rb") as file:
            skip_tags(file)
            return promises_length(file.read(512))

    def _what_is_wrong(self) -> list[str]:
        damaged = set(self._damaged)
        last = {self._packets}
        if len(damaged - last) > MAX_DAMAGE * self._packets:
            raise AudioError(
                f"the file is damaged: {len(damaged)} of its {self._packets} frames cannot be decoded as they should."
            )
        found = []
        if damaged - last:
            found.append(f"{len(damaged - last)} of its {self._packets} frames are damaged")
        if damaged & last:
            found.append("it ends in the middle of a frame")
        if self._container.demuxer == "ogg":
            found += _what_is_wrong_with(self._path)
        if len(self._source.streams.audio) > 1:
            found.append(f"it has {len(self._source.streams.audio)} sound tracks, of which the first was used")
        return found


def _what_is_wrong_with(path: Path) -> list[str]:
    pages = pages_of(path)
    found = []
    if pages.damaged or pages.missing:
        found.append(
            f"{pages.damaged + pages.missing} of its {pages.total + pages.missing} pages are damaged or missing"
        )
    if not pages.ended:  # a cut download, but also some browsers' live recordings
        found.append("it ends abruptly")
    if pages.chained:
        found.append(f"it holds {pages.chained + 1} recordings one behind the other")
    return found


def _as_floats(frame: AudioFrame) -> np.ndarray:
    """(n, channels) float32, full scale 1."""
    values = frame.to_ndarray()
    if values.dtype.kind == "u":
        values = values.astype(np.float32) / 128 - 1
    elif values.dtype.kind == "i":
        values = values.astype(np.float32) / -float(np.iinfo(values.dtype).min)
    channels = frame.layout.nb_channels
    return np.asarray(values.T if frame.format.is_planar else values.reshape(-1, channels), dtype=np.float32)


def _without_start(blocks: Iterator[np.ndarray], samples: int) -> Iterator[np.ndarray]:
    for block in blocks:
        if samples < len(block):
            yield block[samples:]
        samples = max(0, samples - len(block))


def _without_end(blocks: Iterator[np.ndarray], promised: float | None, padding: int) -> Iterator[np.ndarray]:
    """Cut at the promised length where at most `padding` samples lie behind it: the encoder's last frame, filled up. Where more
    do, it is the promise that is wrong, and all are kept."""
    total, held = 0, []
    for block in blocks:
        total += len(block)
        held.append(block)
        if promised is None or total <= promised or total > promised + padding:
            yield from held
            held = []
    if held:
        end = np.concatenate(held)
        yield end[: len(end) - (total - round(promised))]


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or type(error).__name__).rstrip(".").lower()
