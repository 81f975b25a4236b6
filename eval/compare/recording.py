"""One recording through many systems: output after output, each measured as soon as it exists.

`compare` calls back with what happens, so that a page, a command or a test can show it; it knows none of them.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from eval.compare.measurement import Failure, Pair, as_it_lies, attempt, measure, placed
from eval.compare.native.placing import placed_native
from eval.compare.output_folder import GivenOutput, OutputFile
from eval.compare.overlap import on_timeline
from eval.metrics.alignment import Alignment, align
from eval.metrics.loudness import level_of
from eval.metrics.pitch import PitchTrack, cached_track, tracker_missing
from eval.metrics.registry import METRICS
from eval.metrics.worst_segment import worst_second
from vocoders.analysis import Analysis, RecentAnalyses, path, synthesize, synthesize_native
from vocoders.audio import SAMPLE_RATE, AtAnyRate, Recording, Waveform, own_of
from vocoders.hifigan.engine import precision_of
from vocoders.hifigan.precision import BFLOAT16
from vocoders.recordings.decoding import AudioError
from vocoders.systems import SoundProgress, System

ComparedSystem = System | OutputFile
IN_BFLOAT16 = "computed in bfloat16"
MIN_SECONDS_IN_PARTS = 8.0  # of an output whose beginning is reported: a shorter one is soon there
MIN_SECONDS_LEFT = 1.0  # of it; less than that is soon there, too
MIN_SECONDS_OF_A_PART = 3.0
MAX_PARTS = 4  # about, of an output, and the first block
_log = logging.getLogger(__name__)


class Cancelled(BaseException):
    """Raised inside `compare` by its caller's `on_event` to stop it. As with KeyboardInterrupt, no handler of failures
    takes it for one."""


@dataclass(frozen=True, eq=False)
class Output(AtAnyRate):
    """The output of a system for the recording: `samples` at 22 050 Hz are measured, `native` is played, and its levels are given.
    `metrics`: {name: value, None where undefined}, without those that are not measured yet. own: as of `AtAnyRate`."""

    system: ComparedSystem
    samples: np.ndarray
    lufs: float
    true_peak: float  # dBTP
    compute_seconds: float  # nan for an output made elsewhere
    alignment: Alignment | None = None  # with the recording, at 22 050 Hz; None for silence
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    worst: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # {metric: (start, stop)}, seconds
    pitch: PitchTrack | None = None  # its F0, once it is measured and where there is a tracker
    notes: tuple[str, ...] = ()  # of an output made elsewhere, as of `eval.compare.measurement`
    precision: str = ""  # in which its network computed, as of `eval.compare.measurement`
    own: Waveform | None = None

    @property
    def about(self) -> str:
        """The notices about this output, first since a row shows the beginning, then the sentence about the system."""
        noticed = "; ".join([*self.notes, *([IN_BFLOAT16] if self.precision == BFLOAT16 else [])])
        return f"{noticed[0].upper()}{noticed[1:]}. {self.system.about}" if noticed else self.system.about

    @property
    def real_time_factor(self) -> float:
        """Seconds of audio made per second of computing: above 1 is faster than real time."""
        return len(self.samples) / SAMPLE_RATE / self.compute_seconds


@dataclass(frozen=True, eq=False)
class Progress:
    """A system is under way. fraction: 0 to 1. part: the beginning of its output, where there is more than was reported before."""

    system: ComparedSystem
    fraction: float
    part: Waveform | None = None


@dataclass(frozen=True)
class Failed:
    """A system gave no output. reason: a sentence."""

    system: ComparedSystem
    reason: str


@dataclass(frozen=True)
class Measured:
    """Metrics of an output that was there before, where each is worst, and its F0; more may follow."""

    system: ComparedSystem
    metrics: Mapping[str, float | None]
    worst: Mapping[str, tuple[float, float]]
    pitch: PitchTrack | None

    def added_to(self, output: Output) -> Output:
        """The output with these values added to its own."""
        metrics, worst = {**output.metrics, **self.metrics}, {**output.worst, **self.worst}
        return replace(output, metrics=metrics, worst=worst, pitch=self.pitch)


Event = Progress | Output | Failed | Measured


def compare(
    recording: Recording,
    systems: Sequence[System | GivenOutput],
    on_event: Callable[[Event], None],
    analysis: Analysis | None = None,
) -> None:
    """Run every system on `recording`, in the given order. A system that fails does not stop the others.

    An output can be heard before it is measured; the quick metrics follow it at once, the others when all outputs are there.
    `compute_seconds` is front end and vocoder; loading weights is not counted, and a part that systems share
    is counted for each of them.

    systems: those that run here, and outputs made elsewhere, which are moved onto the recording and measured where both are.
    analysis: what is known of this recording already; nothing when not given.
    """
    analysis = analysis or Analysis(recording.samples, recording.own)
    outputs: list[tuple[Output, Pair | None]] = []
    for system in systems:
        if isinstance(system, GivenOutput):
            outputs += _given(system, recording, on_event)
            continue
        on_event(Progress(system, 0.0))

        def make(system: System = system) -> Output:
            return _output(system, analysis, recording, progress_of(system, recording.seconds, on_event))

        event = output_or_failed(system, make)
        on_event(event)
        if isinstance(event, Output):
            outputs.append((event, None))
            on_event(_measured(event, analysis, recording, quick=True))
    for output, pair in outputs:
        if pair:
            on_event(_measured_pair(output, pair, quick=False))
        else:
            on_event(_measured(output, analysis, recording, quick=False))


def progress_of(
    system: System, seconds: float, on_event: Callable[[Event], None]
) -> Callable[[float], None] | SoundProgress:
    """What a system of an output of so many seconds reports to: `Progress`, with parts of a long output, where they can be played as
    they are."""
    if seconds >= MIN_SECONDS_IN_PARTS and system.refinement is None and system.rate == system.native_rate:
        return _PartialProgress(system, seconds, on_event)
    return lambda fraction: on_event(Progress(system, fraction))


class _PartialProgress:
    """Reports the first block at once, and then a few larger parts: each costs a file and a picture."""

    def __init__(self, system: System, seconds: float, on_event: Callable[[Event], None]) -> None:
        self._system, self._seconds, self._on_event = system, seconds, on_event
        self._next = 0.0  # seconds of the output that the next part must have
        self._part: Waveform | None = None

    def __call__(self, fraction: float) -> None:
        part, self._part = self._part, None
        self._on_event(Progress(self._system, fraction, part))

    def made(self, samples: np.ndarray) -> None:
        done = len(samples) / self._system.rate
        if self._next <= done < self._seconds - MIN_SECONDS_LEFT:
            self._part = Waveform(samples.copy(), self._system.rate)
            self._next = done + max(MIN_SECONDS_OF_A_PART, self._seconds / MAX_PARTS)


def _given(
    given: GivenOutput, recording: Recording, on_event: Callable[[Event], None]
) -> list[tuple[Output, Pair | None]]:
    """Reports an output made elsewhere, and its quick metrics: the output with what is measured; nothing where it failed."""
    system = given.system
    on_event(Progress(system, 0.0))
    found: list[Pair] = []

    def make() -> Output:
        if given.recording is None:
            raise AudioError(given.error)
        pair = placed(recording, given.recording)
        found.append(pair)
        samples = on_timeline(given.recording.samples, pair.moved, len(recording.samples))
        native = placed_native(recording, given.recording, pair.moved)
        alignment = align(recording.samples, samples)
        return Output(system, samples, *level_of(native), math.nan, alignment, notes=pair.notes, own=own_of(native))

    event = output_or_failed(system, make)
    on_event(event)
    if isinstance(event, Failed):
        return []
    on_event(_measured_pair(event, found[0], quick=True))
    return [(event, found[0])]


def output_or_failed(system: ComparedSystem, make: Callable[[], Output]) -> Output | Failed:
    """The result of `make`; an unexpected failure is logged."""
    made = attempt(make)
    if not isinstance(made, Failure):
        return made
    if not made.is_expected:
        _log.warning("%s failed", system.id, exc_info=made.error)
    return Failed(system, made.reason)


_recent = RecentAnalyses()


def compare_again(
    recording: Recording, systems: Sequence[System | GivenOutput], on_event: Callable[[Event], None]
) -> None:
    """The same, with the cached analyses of the latest recordings."""
    compare(recording, systems, on_event, _recent.of(recording.samples, recording.own))


def _output(system: System, analysis: Analysis, recording: Recording, on_progress: Callable[[float], None]) -> Output:
    system.load()
    samples, native = synthesize(system, analysis, on_progress), synthesize_native(system, analysis, on_progress)

    def place() -> tuple[float, float, Alignment | None]:
        return *level_of(native), align(recording.samples, samples)

    lufs, peak, alignment = analysis.once((*path(system), "place"), place)
    return Output(
        system,
        samples,
        lufs,
        peak,
        analysis.seconds(system),
        alignment,
        precision=precision_of(system),
        own=own_of(native),
    )


def _measured(output: Output, analysis: Analysis, recording: Recording, quick: bool) -> Measured:
    def compute() -> Measured:
        return _measured_pair(output, as_it_lies(recording.samples, output.samples), quick)

    assert isinstance(output.system, System), "outputs made elsewhere have no path"
    return replace(analysis.once((*path(output.system), "metrics", quick), compute), system=output.system)


def _measured_pair(output: Output, pair: Pair, quick: bool) -> Measured:
    """A metric that fails is undefined here: it must never cost an output that can be heard."""
    metrics = [m for m in METRICS.values() if m.quick is quick and not m.on_request and not m.why_not()]
    values = measure(pair, metrics, keep_going=True).values
    begin = max(0, -pair.moved) / SAMPLE_RATE  # of the pair, in the recording
    places = {name: worst_second(name, pair.reference, pair.estimate) for name in values}
    found = {name: (begin + place[0], begin + place[1]) for name, place in places.items() if place}
    return Measured(output.system, values, found, _pitch(output))


def _pitch(output: Output) -> PitchTrack | None:
    if tracker_missing():
        return None
    try:
        return cached_track(output.samples)
    except Exception as error:
        _log.warning("the pitch of %s could not be tracked: %s", output.system.id, error)
        return None


def warm_up(systems: Sequence[System]) -> None:
    """Import and prepare what a comparison needs first: everything but networks, which load when they are asked for."""
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    hum = Recording("warm-up", (0.1 * np.sin(2 * np.pi * 220 * time)).astype(np.float32))
    compare(hum, [system for system in systems if not system.describe().parameters], lambda event: None)


def quick_first(systems: Sequence[System]) -> list[System]:
    """Signal processing before networks, so that something can be heard at once, and refined outputs last, which take what
    was computed before; else as given."""
    return sorted(systems, key=lambda system: (bool(system.describe().parameters), system.refinement is not None))
