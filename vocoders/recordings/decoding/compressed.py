"""Compressed files through FFmpeg: what its decoders give, less what the encoder had put around the sound."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vocoders.recordings.decoding.containers import Container
from vocoders.recordings.decoding.endings import ends_early
from vocoders.recordings.decoding.id3 import skip_tags
from vocoders.recordings.decoding.mpeg_audio import frame_header, promises_length
from vocoders.recordings.decoding.ogg import pages_of
from vocoders.recordings.decoding.stream import AudioError, Stream, is_lossless

if TYPE_CHECKING:
    from av import AudioFrame, Packet
    from av.container import InputContainer

MAX_CHANNELS = 8
MAX_DAMAGE = 0.2  # share of the frames; a file of which more cannot be decoded is refused
CODECS = {
    "mp1", "mp2", "mp3", "aac", "alac", "opus", "vorbis", "flac", "wmav1", "wmav2", "wmapro", "wmalossless", "wavpack", "tta",
    "speex", "amrnb", "amrwb", "ac3", "eac3",
}  # fmt: skip
_SAMPLE_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}  # FFmpeg's names: numpy's
_COUNTED = {"flac", "wv", "tta"}  # demuxers whose header counts samples
_GUESSED = {"aac", "amr"}  # demuxers that know no length and estimate one
_LAYER_3_DELAY = 1105  # samples: 576 of the usual encoder, 529 of every decoder
_LAYER_2_DELAY = 481  # samples: of the two filterbanks


@contextlib.contextmanager
def open_compressed(path: Path, container: Container) -> Iterator[Stream]:
    """Errors: `AudioError`, also while the blocks are taken."""
    import av

    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)  # or the same fault of the next file would not be told
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(av.logging.Capture(local=True))
        file = stack.enter_context(path.open("rb"))
        with _as_audio_errors():
            source = stack.enter_context(av.open(file, format=container.demuxer, metadata_errors="replace"))
            stream = _Reader(source, container, path, log).stream()
        yield stream


@contextlib.contextmanager
def _as_audio_errors() -> Iterator[None]:
    """Whatever a decoder raises over a broken file: its own errors, and those of the reading and of the texts in the header."""
    import av

    try:
        yield
    except AudioError:
        raise
    except (av.FFmpegError, OSError, ValueError, OverflowError, MemoryError) as error:
        raise AudioError(f"the file is damaged or cut short, and cannot be decoded ({_reason(error)}).") from error


class _Frame(NamedTuple):
    """samples: (n, channels) float32. format: rate in Hz and layout of the channels."""

    samples: np.ndarray
    format: tuple[int, str]


class _Reader:
    """One sound track on its way out of a file."""

    def __init__(self, source: InputContainer, container: Container, path: Path, log: list) -> None:
        self._source, self._container, self._path, self._log = source, container, path, log
        if not source.streams.audio:
            raise AudioError("there is no sound in the file.")
        self._track = source.streams.audio[0]
        codec = self._track.codec_context
        if codec is None:
            raise AudioError("its sound is coded in a way that is not known here.")
        self._codec = codec.name.removesuffix("float").removeprefix("lib")
        if self._codec not in CODECS and not self._codec.startswith("pcm_"):
            raise AudioError(f"its sound is coded as {codec.name}, which is not read.")
        codec.thread_count = 1
        codec.options = {"err_detect": "crccheck+bitstream+buffer+explode"}
        if self._codec in ("wmav1", "wmav2"):
            # FFmpeg drops two frames, which is right for one encoder and takes 46 ms of sound from another
            codec.options = {**codec.options, "flags2": "skip_manual"}
        self._packets = 0
        self._ends_early = ends_early(path, container.demuxer)
        self._damaged: set[int] = set()  # numbers of packets

    def stream(self) -> Stream:
        frames = self._frames()
        first = next(frames, None)
        if first is None:
            raise AudioError("the file is damaged or cut short: nothing in it can be decoded.")
        packets, second = self._packets, next(frames, None)
        begun = [frame for frame in (first, second) if frame]
        # The first frames may be shorter by what a header told FFmpeg to skip
        self._full = max(len(frame.samples) for frame in begun)
        self._format = first.format
        self._skipped = max(0, packets * self._full - len(first.samples))
        rate, _ = first.format
        stream = Stream(
            self._container.name,
            rate,
            first.samples.shape[1],
            lambda: self._blocks(stream, begun, frames),
            self._promised(),
            0.5 if self._container.demuxer in _COUNTED else 2 * self._full + rate // 200,
            lossy="" if is_lossless(self._codec) else self._codec,
        )
        return stream

    def _blocks(self, stream: Stream, begun: list[_Frame], rest: Iterator[_Frame]) -> Iterator[np.ndarray]:
        padding = 2 * self._full if self._container.demuxer == "mov" else 0
        blocks = map(self._samples_of, itertools.chain(begun, rest))
        yield from _without_end(_without_start(blocks, self._leading()), stream.promised, padding)
        stream.notices += self._what_is_wrong()

    def _samples_of(self, frame: _Frame) -> np.ndarray:
        if frame.format != self._format:
            (rate, layout), (now, then) = self._format, frame.format
            raise AudioError(f"its sound changes from {rate:,} Hz {layout} to {now:,} Hz {then} on the way.")
        return frame.samples

    def _frames(self) -> Iterator[_Frame]:
        """Of the packets that are as they should be: what a decoder makes of a damaged one is not the recording."""
        packets = self._source.demux(self._track)
        while True:
            before = len(self._log)
            with _as_audio_errors():
                packet = self._next(packets)
                # As arrays at once: a frame is the decoder's memory
                frames = [
                    _Frame(_as_floats(frame), (frame.sample_rate, frame.layout.name))
                    for frame in (self._decode(packet) if packet else [])
                ]
            if len(self._log) > before:
                self._damaged.add(self._packets)
            if packet is None:
                return
            if self._packets not in self._damaged and (packet.size or not self._ends_early):
                yield from frames

    def _next(self, packets: Iterator[Packet]) -> Packet | None:
        """None at the end, also when the container is broken there: nothing comes behind."""
        import av

        try:
            packet = next(packets)
        except (StopIteration, EOFError):
            return None
        except av.FFmpegError:
            self._damaged.add(self._packets)
            return None
        if packet.size:
            self._packets += 1
            if self._packets == 1:
                self._first, self._first_position = bytes(packet), packet.pos
        return packet

    def _decode(self, packet: Packet) -> list[AudioFrame]:
        import av

        if self._codec in ("mp1", "mp2", "mp3") and packet.size:
            header = frame_header(bytes(packet)[:8])
            if header and packet.size < header.length:  # FFmpeg would fill the frame with something
                self._damaged.add(self._packets)
                return []
        try:
            return packet.decode()
        except av.FFmpegError:
            self._damaged.add(self._packets)
            return []

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
            return round(self._track.duration * self._track.time_base * self._format[0])
        return round(self._source.duration / 1e6 * self._format[0]) if self._source.duration else None

    def _misplaced_start(self) -> bool:
        """Whether the first frame of MPEG audio is neither right behind the tags nor behind a frame that is a tag itself."""
        if self._container.demuxer != "mp3" or self._first_position is None:
            return False
        with self._path.open("rb") as file:
            skip_tags(file)
            begin = file.tell()
            header = frame_header(file.read(8))
        return self._first_position not in (begin, begin + (header.length if header else 0))

    def _counts_frames(self) -> bool:
        with self._path.open("rb") as file:
            skip_tags(file)
            return promises_length(file.read(512))

    def _what_is_wrong(self) -> list[str]:
        damaged, last = self._damaged, {self._packets}
        if len(damaged - last) > MAX_DAMAGE * self._packets:
            raise AudioError(
                f"the file is damaged: {len(damaged)} of its {self._packets} frames cannot be decoded as they should."
            )
        found = []
        if damaged - last:
            found.append(f"{len(damaged - last)} of its {self._packets} frames are damaged and were left out")
        if damaged & last:
            found.append("it ends in the middle of a frame")
        elif self._ends_early:
            found.append("it ends abruptly")
        if self._container.demuxer == "mov" and (left_out := self._track.frames - self._packets) > 2:
            found.append(f"its header leaves out {left_out * self._full / self._format[0]:.2f} s of the sound in it")
        if self._misplaced_start():
            found.append("its first frames are damaged and were left out")
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
    """(n, channels) float32, full scale 1. Errors: `AudioError`.

    PyAV's own `to_ndarray` takes a ninth plane of a frame of eight channels, from an address that is none.
    """
    channels, kind = frame.layout.nb_channels if frame.layout else 0, frame.format.name.removesuffix("p")
    if not 0 < channels <= MAX_CHANNELS or kind not in _SAMPLE_TYPES:
        raise AudioError(
            f"its sound has {channels} channels of the type {kind}; up to {MAX_CHANNELS} channels can be decoded."
        )
    planes = frame.planes[: channels if frame.format.is_planar else 1]
    count = frame.samples * channels // len(planes)
    values = np.stack([np.frombuffer(plane, _SAMPLE_TYPES[kind], count) for plane in planes])
    if values.dtype.kind == "u":
        values = values.astype(np.float32) / 128 - 1
    elif values.dtype.kind == "i":
        values = values.astype(np.float32) / -float(np.iinfo(values.dtype).min)
    return np.array(values.T if frame.format.is_planar else values.reshape(-1, channels), dtype=np.float32)


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
