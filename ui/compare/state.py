"""The state of a comparison: a value, without files, threads or HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from eval.compare.mel import GivenMel
from eval.compare.recording import ComparedSystem, Event, Failed, Measured, Output, Progress
from eval.metrics.loudness import Level, level_of, match_levels
from vocoders.audio import SAMPLE_RATE, Recording

REFERENCE = "reference"  # the id of the recording's track
RESIDUAL = "--residual"  # behind the id of an output


def residual_id(system: ComparedSystem) -> str:
    """The id of the track of what is left of the system's output without the recording."""
    return system.id + RESIDUAL


@dataclass(frozen=True)
class ComparisonState:
    """outputs: in the order in which they came. progress: {system: 0 to 1} of those that have begun; failures: {system: reason}.

    residuals: give every output a second track, of what is left when the recording is taken away. Of a mel alone there is neither
    that, nor a track of the recording.
    """

    source: Recording | GivenMel
    systems: tuple[ComparedSystem, ...]
    residuals: bool = False
    reference_loudness: tuple[float, float] | None = None  # LUFS, dBTP
    outputs: tuple[Output, ...] = ()
    progress: Mapping[str, float] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def recording(self) -> Recording | None:
        """The recording; None for a mel alone."""
        return self.source if isinstance(self.source, Recording) else None

    @property
    def rate(self) -> int:
        """Hz, the highest of what is played: of the player's sound, and twice the top of its pictures. Known before any output is."""
        own = [self.recording.native.rate] if self.recording else []
        return max([*own, *(system.native_rate for system in self.systems)], default=SAMPLE_RATE)

    @property
    def levels(self) -> dict[str, Level]:
        """{track: Level}, one static gain each, of the recording and of the outputs that are there."""
        measured = {output.system.id: (output.lufs, output.true_peak) for output in self.outputs}
        if self.reference_loudness:
            measured = {REFERENCE: self.reference_loudness, **measured}
        return match_levels(measured)

    def after(self, event: Event) -> ComparisonState:
        """The state after one more event."""
        system_id = event.system.id
        if isinstance(event, Progress):
            failures = {other: why for other, why in self.failures.items() if other != system_id}  # it may begin again
            return replace(self, progress={**self.progress, system_id: event.fraction}, failures=failures)
        if isinstance(event, Failed):
            return replace(self, failures={**self.failures, system_id: event.reason})
        if isinstance(event, Measured):
            outputs = tuple(event.added_to(o) if o.system.id == system_id else o for o in self.outputs)
            return replace(self, outputs=outputs)
        others = tuple(output for output in self.outputs if output.system.id != system_id)  # it may come again
        return replace(self, outputs=(*others, event))

    @property
    def summary(self) -> str:
        """How many systems are ready and failed, for people."""
        ready, failed = len(self.outputs), len(self.systems) - len(self.outputs)
        return f"{ready} {'system' if ready == 1 else 'systems'} ready" + (f", {failed} failed" if failed else "")


def begin(source: Recording | GivenMel, systems: Sequence[ComparedSystem], residuals: bool = False) -> ComparisonState:
    """Before the first event."""
    if not isinstance(source, Recording):
        return ComparisonState(source, tuple(systems))
    return ComparisonState(source, tuple(systems), residuals, level_of(source.native))


def told(event: Event) -> str:
    """The status line about an event."""
    title = event.system.title
    if isinstance(event, Progress):
        return f"{title}: {event.fraction:.0%}"
    if isinstance(event, Failed):
        return f"{title} failed"
    return f"{title} is measured" if isinstance(event, Measured) else f"{title} is ready"
