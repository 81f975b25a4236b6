"""Results shared between systems, comparisons and people, and their cost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from eval.compare.recording import Cancelled, Measured, Output, compare
from eval.metrics.pitch import track_pitch
from vocoders.analysis import Analysis, RecentAnalyses
from vocoders.audio import Recording
from vocoders.catalogue import find_systems


def test_who_comes_second_waits_and_gets_the_same():
    analysis, made = Analysis(np.zeros(9, np.float32)), []
    begun, waited = threading.Event(), threading.Event()

    def make() -> object:
        begun.set()
        assert waited.wait(60), "the second does not wait"
        made.append(object())
        return made[-1]

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(analysis.once, ("slow",), make)
        assert begun.wait(60)
        second = pool.submit(analysis.once, ("slow",), make, waited.set)
        assert first.result(60) is second.result(60)
    assert len(made) == 1


def test_who_waits_can_leave_and_a_failure_is_tried_again():
    analysis, begun, go = Analysis(np.zeros(9, np.float32)), threading.Event(), threading.Event()

    def fail() -> None:
        begun.set()
        go.wait(60)
        raise MemoryError

    def leave() -> None:
        raise Cancelled

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(analysis.once, ("slow",), fail)
        assert begun.wait(60)
        with pytest.raises(Cancelled):
            analysis.once(("slow",), fail, leave)
        go.set()
        with pytest.raises(MemoryError):
            first.result(60)
    assert analysis.once(("slow",), lambda: 7) == 7


def test_costs_add_up_without_counting_anything_twice(monkeypatch):
    analysis, now = Analysis(np.zeros(9, np.float32)), [0.0]
    monkeypatch.setattr("vocoders.analysis.time", SimpleNamespace(perf_counter=lambda: now[0]))

    def work(seconds: float) -> float:
        now[0] += seconds
        return seconds

    def outer() -> float:
        analysis.once(("inner",), lambda: work(2.0))
        analysis.once(("inner",), lambda: work(2.0))  # known by now
        return work(1.0)

    analysis.once(("outer",), outer)
    assert analysis._cost == {("inner",): 2.0, ("outer",): 1.0}


def test_a_second_comparison_of_the_same_recording_makes_only_what_is_new(tone, monkeypatch):
    from vocoders import catalogue

    recent, outputs = RecentAnalyses(), []
    recording = Recording("tone", tone[:22_050])

    def run(ids: str) -> list[Output]:
        found: list[Output] = []
        compare(
            Recording("the same", recording.samples.copy()),
            find_systems(ids),
            lambda event: found.append(event) if isinstance(event, Output) else None,
            recent.of(recording.samples.copy()),
        )
        return found

    outputs = run("griffin-lim,griffin-lim-oracle")
    monkeypatch.setattr(catalogue, "griffin_lim", lambda *_, **__: pytest.fail("Griffin-Lim ran again"))
    again = run("griffin-lim")
    assert again[0].samples is outputs[0].samples or np.array_equal(again[0].samples, outputs[0].samples)
    assert again[0].metrics == outputs[0].metrics
    assert again[0].compute_seconds == outputs[0].compute_seconds > 0


def test_a_measured_take_brings_its_pitch_along(tone):
    """So that the page need not track it again, in another process."""
    outputs, measured = [], []
    kinds = {Output: outputs.append, Measured: measured.append}
    compare(
        Recording("tone", tone[:22_050]),
        find_systems("griffin-lim"),
        lambda event: kinds.get(type(event), lambda _: None)(event),
    )
    output = measured[0].added_to(outputs[0])
    wanted = track_pitch(output.samples)
    assert np.array_equal(output.pitch.hertz, wanted.hertz)
    assert output.pitch.voiced.any()


def test_recent_analyses_are_bounded_and_keyed_by_content():
    recent = RecentAnalyses(max_bytes=10_000)
    one, two, three = (np.full(1000, value, np.float32) for value in (0.1, 0.2, 0.3))
    first = recent.of(one)
    assert recent.of(one.copy()) is first
    recent.of(two)
    assert recent.of(one) is first
    recent.of(three)  # 12 kB: the one not asked for the longest, `two`, must go
    assert recent.of(one) is first
    large = recent.of(np.zeros(100_000, np.float32))
    assert recent.of(np.zeros(100_000, np.float32)) is large
    assert recent.of(one) is not first


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (np.zeros((2, 512), np.float32), r"a recording must be a mono float array \(n,\), not float32 \(2, 512\)"),
        (np.zeros((512, 2), np.float32), "mono float array"),
        (np.zeros(512, np.int16), r"not int16 \(512,\)"),
        (np.full(512, np.nan, np.float32), "a recording holds values that are not numbers"),
    ],
)
def test_what_is_no_recording_is_refused(wrong, reason):
    with pytest.raises(ValueError, match=reason):
        Analysis(wrong)
