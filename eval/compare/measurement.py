"""Systems x metrics: an output of a clip is put beside its reference, measured, and becomes a row of a table.

    a system that runs here    as_it_lies ─┐
    a variant of refinement    as_it_lies ─┼─▶ Pair ─▶ measure ─▶ Measurement ─▶ Row ─▶ means: eval.compare.summary
    a file made elsewhere      placed     ─┘

Page, commands, studies and benchmarks mean the same by these words:

    failed     There is no output of the clip that can be measured. `Row.error` is the reason, and the row has no values.
    undefined  None: a metric has no value for this pair. Where the reference has one with itself, the output has *lost* it,
               which is a failure in that metric.
    notes      Sentences without full stop about the output; `notices` are those about the recording.
    history    One sentence about the recording's file and what was done to it; `output_history` is that of the output's.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

import numpy as np

from common.unavailable import Unavailable
from eval.compare.native.placing import common_part, placed_native
from eval.compare.overlap import LengthError, overlap
from eval.compare.suspicions import about_file, suspicions
from eval.metrics.metric import Metric
from vocoders.audio import SAMPLE_RATE, Recording, Waveform
from vocoders.features import FeatureMismatch
from vocoders.recordings.decoding import AudioError

T = TypeVar("T")
_SENTENCES = (Unavailable, FeatureMismatch, AudioError, LengthError)  # whose messages a person can act on as they are
_LATER = {"lost", "moved", "notes", "output_history", "rate", "precision"}  # fields that older results do not have

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Pair:
    """An output beside its reference, ready to be measured.

    reference, estimate: (n,) float at 22 050 Hz, what both have in common. whole: both as they came, (n,) and (m,), for metrics
    of the delay itself. moved: samples the output was late and has been moved by. at_rate: both once more, (k,) at a rate that was
    asked for, for metrics of any rate; None for 22 050 Hz.
    """

    reference: np.ndarray
    estimate: np.ndarray
    whole: tuple[np.ndarray, np.ndarray]
    moved: int = 0
    notes: tuple[str, ...] = ()
    at_rate: tuple[np.ndarray, np.ndarray] | None = None


@dataclass(frozen=True)
class Measurement:
    """values: {metric: value, None where undefined}; lost: metrics that only the output left undefined; moved: samples by
    which it was moved onto its reference; notes: what was noticed about it."""

    values: dict[str, float | None]
    lost: tuple[str, ...] = ()
    moved: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One clip through one system: the row of every table and file.

    seconds: of the clip; compute_seconds: front end and vocoder, 0 for an output made elsewhere. metrics: {name: value, None
    where undefined}. peak_bytes: the most the whole process held meanwhile; None where the operating system does not tell.
    sha256: of the output's file. rate: Hz of metrics of any rate, where it is not 22 050. precision: in which the network computed;
    "" where there is none, or it is not known.
    """

    clip: str
    system: str
    seconds: float
    compute_seconds: float
    metrics: dict[str, float | None]
    error: str = ""
    peak_bytes: int | None = None
    sha256: str = ""
    history: str = ""
    notices: Sequence[str] = ()
    lost: Sequence[str] = ()
    moved: int = 0
    notes: Sequence[str] = ()
    output_history: str = ""
    rate: int | None = None
    precision: str = ""

    def with_measurement(self, found: Measurement) -> Row:
        """The row with these values, and what was noticed while they were measured."""
        return replace(self, metrics=found.values, lost=found.lost, moved=found.moved, notes=found.notes)

    def as_json(self) -> dict:
        """As in results.json and in the records of `eval.compare.clip_task`, from which `Row(**content)` is read; the fields
        that came later stand there where they say anything."""
        return {name: value for name, value in asdict(self).items() if value or name not in _LATER}


@dataclass(frozen=True)
class Failure:
    """Instead of an output, or of its measurement."""

    error: Exception

    @property
    def is_expected(self) -> bool:
        """Whether the error's message is a sentence about the input, not a fault of this program."""
        return isinstance(self.error, _SENTENCES)

    @property
    def reason(self) -> str:
        """For the row: the sentence, or the error's class and message."""
        return str(self.error) if self.is_expected else f"{type(self.error).__name__}: {self.error}"


def attempt(make: Callable[[], T]) -> T | Failure:
    """The result of `make`. Its exception, of whatever kind, costs this output and not the others."""
    try:
        return make()
    except Exception as error:
        return Failure(error)


def as_it_lies(reference: np.ndarray, samples: np.ndarray) -> Pair:
    """Of an output made here from the reference, (n,) both: its delay is the system's own doing, and is measured with it."""
    return Pair(reference, samples, (reference, samples))


def as_it_lies_at(rate: int, reference: Recording, samples: np.ndarray, native: Waveform) -> Pair:
    """The same, to be measured at a rate that is asked for. native: the output at its own rate."""
    pair = as_it_lies(reference.samples, samples)
    if rate == SAMPLE_RATE:
        return pair
    return replace(pair, at_rate=common_part(reference, native, rate, 0, len(samples)))


def placed(reference: Recording, output: Recording, any_length: bool = False, rate: int = SAMPLE_RATE) -> Pair:
    """Of an output made elsewhere: moved onto its reference, cut to what both have in common, and looked at for faults.

    any_length: accept an output that is far longer or shorter than its reference. rate: Hz, that was asked for.
    Errors: `LengthError`, see `eval.compare.overlap`.
    """
    common = overlap(reference.samples, output.samples, any_length)
    of_files = [
        f"the {which}: {notice}"
        for which, recording in (("reference", reference), ("estimate", output))
        for notice in recording.notices
    ]
    found = (*about_file(reference, output, rate), *suspicions(common.reference, common.estimate, output.rate, rate))
    notes = (*of_files, *common.notes, *found)
    pair = Pair(common.reference, common.estimate, (reference.samples, output.samples), common.delay, notes)
    if rate == SAMPLE_RATE:
        return pair
    native, begin = placed_native(reference, output, common.delay), max(0, -common.delay)
    return replace(pair, at_rate=common_part(reference, native, rate, begin, len(common.reference)))


def measure(
    pair: Pair,
    metrics: Sequence[Metric],
    on_metric: Callable[[str], None] = lambda name: None,
    keep_going: bool = False,
) -> Measurement:
    """on_metric: called with each name before its metric is computed. keep_going: a metric that raises is lost and noted; else
    its exception is the caller's, to whom the output has failed."""
    values: dict[str, float | None] = {}
    lost, notes = [], [*pair.notes]
    for metric in metrics:
        on_metric(metric.name)
        measured = pair.whole if metric.in_place else (pair.reference, pair.estimate)
        if metric.any_rate and pair.at_rate is not None:
            measured = pair.at_rate
        value = attempt(functools.partial(metric.value, *measured))
        if isinstance(value, Failure):
            if not keep_going:
                raise value.error
            _log.warning("%s could not be computed: %s", metric.name, value.reason)
            notes.append(f"{metric.name} could not be computed: {value.reason}")
            lost.append(metric.name)
            value = None
        elif value is None and not metric.in_place and metric.value(pair.whole[0], pair.whole[0]) is not None:
            lost.append(metric.name)
        values[metric.name] = value
    return Measurement(values, tuple(lost), pair.moved, tuple(notes))
