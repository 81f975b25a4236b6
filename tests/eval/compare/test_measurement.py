"""One output beside its reference: where it is measured, what is lost, what failed, and how a row is kept."""

import json
from dataclasses import replace

import numpy as np
import pytest

from common.unavailable import Unavailable
from eval.compare.intervals import plain_mean
from eval.compare.measurement import Failure, Measurement, Row, as_it_lies, attempt, measure, placed
from eval.compare.summary import mean_table
from eval.metrics.metric import Metric
from eval.metrics.registry import choose_metrics
from vocoders.audio import Recording

LATE = 6615  # samples, 0.3 s


def breaking(error: Exception) -> Metric:
    def compute(reference, estimate):
        raise error

    return Metric("broken", "", "", "", compute)


def test_an_output_made_here_is_measured_with_its_delay_and_a_file_without(tone):
    late = np.pad(tone, (LATE, 0))
    metrics = choose_metrics("M-STFT,delay")
    here = measure(as_it_lies(tone, late[: len(tone)]), metrics)
    elsewhere = measure(placed(Recording("a", tone), Recording("b", late)), metrics)
    assert here.values["M-STFT"] > 0.5
    assert (here.moved, here.notes) == (0, ())
    assert elsewhere.values == {"M-STFT": 0.0, "delay": LATE}
    assert elsewhere.moved == LATE
    assert elsewhere.notes == ("it is 300 ms late (6615 samples); measured after being moved onto its reference",)


def test_lost_is_what_the_reference_has_and_its_output_has_not(tone):
    other = tone * np.float32(0.5)
    never = Metric("never", "", "", "", lambda reference, estimate: float("nan"))
    lost = Metric("lost", "", "", "", lambda reference, estimate: 0.0 if estimate is reference else float("nan"))
    found = measure(as_it_lies(tone, other), [never, lost])
    assert found == Measurement({"never": None, "lost": None}, ("lost",))


def test_a_metric_that_raises_fails_the_output_or_is_noted(tone):
    metrics = [breaking(RuntimeError("it broke")), *choose_metrics("M-STFT")]
    with pytest.raises(RuntimeError, match="it broke"):
        measure(as_it_lies(tone, tone), metrics)
    found = measure(as_it_lies(tone, tone), metrics, keep_going=True)
    assert found.values == {"broken": None, "M-STFT": 0.0}
    assert found.lost == ("broken",)
    assert found.notes == ("broken could not be computed: RuntimeError: it broke",)


@pytest.mark.parametrize(
    ("error", "reason", "expected"),
    [
        (Unavailable("the weights are missing"), "the weights are missing", True),
        (KeyError("x"), "KeyError: 'x'", False),
        (MemoryError(), "MemoryError: ", False),
    ],
)
def test_every_exception_is_a_failure_with_a_reason(error, reason, expected):
    def make():
        raise error

    found = attempt(make)
    assert isinstance(found, Failure)
    assert (found.reason, found.is_expected) == (reason, expected)
    assert attempt(lambda: 7) == 7


def test_an_interruption_is_no_failure():
    def make():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(make)


def test_a_row_is_written_as_before_and_read_again():
    """The fields of the first format are all there; those that came later only where they say something."""
    first = {
        "clip": "a", "system": "s", "seconds": 1.5, "compute_seconds": 0.25, "metrics": {"M-STFT": 1.0, "F0 error": None},
        "error": "", "peak_bytes": None, "sha256": "", "history": "WAV.", "notices": ["clipped"],
    }  # fmt: skip
    row = Row(**first)
    assert json.loads(json.dumps(row.as_json())) == first
    late = row.with_measurement(Measurement({"M-STFT": 2.0}, ("F0 error",), 300, ("it is late",)))
    content = json.loads(json.dumps(late.as_json()))
    assert content == first | {"metrics": {"M-STFT": 2.0}, "lost": ["F0 error"], "moved": 300, "notes": ["it is late"]}
    assert Row(**content) == replace(late, lost=["F0 error"], notes=["it is late"])


def test_means_with_and_without_intervals_are_over_the_same_clips():
    rows = [Row(f"c{i}", s, 1.0, 0.0, {"m": None if (i, s) == (2, "b") else i + 1.0}) for i in range(8) for s in "ab"]
    full, plain = mean_table(rows, ["m"]), mean_table(rows, ["m"], plain_mean)
    expected = np.mean([1, 2, 4, 5, 6, 7, 8])
    for system in "ab":
        assert full[system]["m"].mean == plain[system]["m"].mean == pytest.approx(expected)
        assert full[system]["m"].n == plain[system]["m"].n == 7
        assert full[system]["m"].low < expected < full[system]["m"].high
        assert plain[system]["m"].low is None
