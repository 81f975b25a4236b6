"""Recordings on their way through systems: intermediate results that systems, or comparisons, share are computed once."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from vocoders.audio import SAMPLE_RATE, Waveform, check_mono, fit_length, resample
from vocoders.bridges import bridge
from vocoders.features import FeatureMismatch, Features, hw2_mel
from vocoders.mel import HW2
from vocoders.phase.refine import refine
from vocoders.step import Step
from vocoders.systems import Progress, System

Key = tuple[Hashable, ...]
_MEL: Key = ("mel",)  # where there is one instead of a recording
MAX_DURATION_DIFFERENCE_SECONDS, MAX_DURATION_DIFFERENCE_SHARE = 0.25, 0.02  # of an output; the larger of both
POLL_INTERVAL_SECONDS = 0.1  # between checks whether a waiting caller has been cancelled


class Analysis:
    """One recording and everything that was made of it. Thread-safe: concurrent requests for one key compute it once.

    Keys are the path so far: steps of a front end, then the vocoder, then the refinement, then what else is wanted.
    """

    def __init__(self, samples: np.ndarray, native: Waveform | None = None) -> None:
        """samples: the recording, (n,) floats at 22 050 Hz. native: the same at its own rate, where that is another: mels of
        recipes at other rates are made of it. Errors: ValueError for anything else."""
        check_mono(samples, "a recording")
        self.length: int | None = len(samples)
        self._native = native
        self._known: dict[Key, Any] = {(): samples}
        self._cost: dict[Key, float] = {}
        self._making: dict[Key, threading.Lock] = {}
        self._guard = threading.Lock()
        self._inside = threading.local()  # seconds this thread has spent in nested calls of `once`

    @classmethod
    def of_mel(cls, mel: Features) -> Analysis:
        """When there is no recording, only a mel: "hw2 mel" or "log hifigan mel". The other one is made through a bridge."""
        analysis = cls(np.zeros(0, dtype=np.float32))
        analysis.length, analysis._known = None, {_MEL: mel}
        return analysis

    def features(self, steps: tuple[Step, ...]) -> Features:
        """Features after these steps, each computed once per recording. Errors: `FeatureMismatch` where a mel is not enough."""
        if steps[1:]:
            return self.once(steps, lambda: steps[-1](self.features(steps[:-1])))
        if () in self._known:
            return self.once(steps, lambda: self._first(steps[0]))
        if (bridged := bridge(steps[0])) is None:
            raise FeatureMismatch("this system needs the recording itself; a mel is not enough")
        return self.once(steps, lambda: bridged(self._known[_MEL]))

    def _first(self, step: Step) -> Features:
        """A mel at another rate is made of the recording at its own rate: its upper bands are not those of 22 050 Hz."""
        if self._native and step.rate != SAMPLE_RATE:
            return step.apply(self._native.samples, self._native.rate)
        return step(self._known[()])

    def waveform(self, system: System, on_progress: Progress) -> np.ndarray:
        """The vocoder's output at 22 050 Hz, refined where the system says so; (m,) float32."""
        plain = self._plain(system, on_progress)
        if system.rate != SAMPLE_RATE:
            plain = self.once((*system.steps, system.load, SAMPLE_RATE), lambda: resample(plain, system.rate))
        refinement = system.refinement
        if refinement is None:
            return plain
        mel = self.features((hw2_mel,)).values
        return self.once(path(system), lambda: refine(plain, mel, HW2, refinement, on_progress), _wanted(on_progress))

    def native(self, system: System, on_progress: Progress) -> Waveform:
        """The same at `System.native_rate`."""
        rate = system.native_rate
        if rate == SAMPLE_RATE:
            return Waveform(self.waveform(system, on_progress), rate)
        return Waveform(resample(self._plain(system, on_progress), system.rate, rate), rate)

    def length_at(self, rate: int) -> int | None:
        """Samples of the recording at that rate; None where there is none."""
        if self.length is None or rate == SAMPLE_RATE:
            return self.length
        length, own = (len(self._native.samples), self._native.rate) if self._native else (self.length, SAMPLE_RATE)
        return round(length * rate / own)

    def _plain(self, system: System, on_progress: Progress) -> np.ndarray:
        """The vocoder's output at `system.rate`, before refinement."""
        features, vocoder = self.features(system.steps), system.load()
        key = (*system.steps, system.load)
        return self.once(key, lambda: self._checked(vocoder(features, on_progress), system), _wanted(on_progress))

    def _checked(self, samples: np.ndarray, system: System) -> np.ndarray:
        """Errors: ValueError for an output of another duration, which would be cut or padded without a word."""
        if self.length is None:
            return samples
        made, wanted = len(samples) / system.rate, self.length / SAMPLE_RATE
        if abs(made - wanted) > max(MAX_DURATION_DIFFERENCE_SECONDS, MAX_DURATION_DIFFERENCE_SHARE * wanted):
            raise ValueError(
                f"{system.title} makes {made:.2f} s of a recording of {wanted:.2f} s; is its output at {system.rate} Hz?"
            )
        return samples

    def seconds(self, system: System) -> float:
        """Seconds that the system cost to compute, with every part counted that another system had computed already."""
        whole = path(system)
        used = {whole[:count] for count in range(1, len(whole) + 1)} | ({(hw2_mel,)} if system.refinement else set())
        return sum(self._cost.get(key, 0.0) for key in used)

    def once(self, key: Key, make: Callable[[], Any], on_wait: Callable[[], None] = lambda: None) -> Any:
        """The result of `make`, computed once per key. on_wait is called now and then while another thread computes it, and
        may raise to end the waiting. An exception of `make` is not kept: the next call tries again."""
        entered, outer = time.perf_counter(), getattr(self._inside, "seconds", 0.0)
        with self._guard:
            making = self._making.setdefault(key, threading.Lock())
        while not making.acquire(timeout=POLL_INTERVAL_SECONDS):
            on_wait()
        try:
            if key not in self._known:
                self._inside.seconds, began = 0.0, time.perf_counter()
                self._known[key] = make()
                self._cost[key] = time.perf_counter() - began - self._inside.seconds
            return self._known[key]
        finally:
            making.release()
            self._inside.seconds = outer + time.perf_counter() - entered

    @property
    def nbytes(self) -> int:
        """Of the arrays it holds."""
        native = self._native.samples.nbytes if self._native else 0
        return native + sum(
            value.values.nbytes if isinstance(value, Features) else getattr(value, "nbytes", 0)
            for value in list(self._known.values())
        )


def _wanted(on_progress: Progress) -> Callable[[], None]:
    """What a waiting caller asks now and then; it raises where the work is not wanted any more."""
    return lambda: on_progress(0.0)


def path(system: System) -> Key:
    """The key of a system's waveform."""
    return (
        (*system.steps, system.load) if system.refinement is None else (*system.steps, system.load, system.refinement)
    )


def synthesize(system: System, analysis: Analysis, on_progress: Progress = lambda fraction: None) -> np.ndarray:
    """The output of `system` for a recording: float32 samples, as long as the recording (or as its mel, 256 per frame).

    Errors: `Unavailable`; `FeatureMismatch` when the system needs more than the analysis holds.
    """
    samples = analysis.waveform(system, on_progress)
    return samples if analysis.length is None else fit_length(samples, analysis.length)


def synthesize_native(system: System, analysis: Analysis, on_progress: Progress = lambda fraction: None) -> Waveform:
    """The output of `system` at the rate of its vocoder, see `Analysis.native`; as long as the recording. Errors: as above."""
    found = analysis.native(system, on_progress)
    length = analysis.length_at(found.rate)
    return found if length is None else Waveform(fit_length(found.samples, length), found.rate)


class RecentAnalyses:
    """The analyses of the recordings asked for last, so that asking again, or for one more system, costs only what is
    new. Bounded by the memory of their arrays; the newest always stays."""

    def __init__(self, max_bytes: int = 250_000_000) -> None:
        self._max_bytes = max_bytes
        self._analyses: OrderedDict[bytes, Analysis] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, samples: np.ndarray, native: Waveform | None = None) -> Analysis:
        """The analysis of a recording, as for `Analysis`: the cached one of equal samples, or a new one that replaces the oldest."""
        content = hashlib.blake2b(np.ascontiguousarray(samples).data, digest_size=16)
        if native:
            content.update(native.rate.to_bytes(4, "big"))
            content.update(np.ascontiguousarray(native.samples).data)
        key = content.digest()
        with self._guard:
            analysis = self._analyses.setdefault(key, Analysis(samples, native))
            self._analyses.move_to_end(key)
            while len(self._analyses) > 1 and sum(a.nbytes for a in self._analyses.values()) > self._max_bytes:
                self._analyses.popitem(last=False)
        return analysis
