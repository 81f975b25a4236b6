"""The part of an estimate that is measured, and the notice about the rest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.compare.overlap import LengthError, overlap
from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE
from vocoders.mel import HOP


def test_an_equally_long_estimate_in_its_place_is_measured_as_it_is(tone, rng):
    estimate = (0.8 * tone + rng.normal(0, 0.01, len(tone))).astype(np.float32)
    common = overlap(tone, estimate)
    assert np.array_equal(common.reference, tone)
    assert np.array_equal(common.estimate, estimate)
    assert (common.delay, common.notes) == (0, ())


@pytest.mark.parametrize("late", [1, 21, 110, HOP, -HOP])
def test_within_a_frame_nothing_is_moved(tone, late):
    reference = np.pad(tone, 300)
    common = overlap(reference, np.roll(reference, late))
    assert common.delay == 0
    assert np.array_equal(common.estimate, np.roll(reference, late))
    where = f"{abs(late) / 22.05:.0f} ms {'late' if late > 0 else 'early'} ({abs(late)} samples)"
    assert list(common.notes) == ([f"it is {where}; measured where it is"] if abs(late) > 21 else [])


@settings(max_examples=30)
@given(before=st.just(0) | st.integers(HOP + 1, SAMPLE_RATE), behind=st.integers(0, 20 * SAMPLE_RATE))
def test_silence_around_an_estimate_is_not_measured(before, behind):
    reference = harmonic_tone(1.5)
    common = overlap(reference, np.pad(reference, (before, behind)))
    assert common.delay == before
    assert np.array_equal(common.reference, reference)
    assert np.array_equal(common.estimate, reference)
    said = [f"it is {before / 22.05:.0f} ms late ({before} samples); measured after being moved onto its reference"]
    silence = [f"{behind / SAMPLE_RATE:.2f} s of silence behind the reference's end are not measured"]
    assert list(common.notes) == (said if before else []) + (silence if behind > HOP else [])


@pytest.mark.parametrize(
    ("frame", "measured"), [(0.4, False), (0.97, False), (0.985, True), (1.0, True), (1.015, True)]
)
def test_beyond_two_percent_another_length_is_refused(frame, measured):
    reference = harmonic_tone(2.0)
    estimate = harmonic_tone(2.0 * frame) if frame > 1 else reference[: round(frame * len(reference))]
    if measured:
        common = overlap(reference, estimate)
        assert len(common.reference) == len(common.estimate) == min(len(reference), len(estimate))
        assert len(common.notes) == (0 if frame == 1 else 1)
    else:
        with pytest.raises(
            LengthError, match=rf"lasts {2 * frame:.2f} s and its reference 2.00 s, {1 - frame:.0%} less; at most 2%"
        ):
            overlap(reference, estimate)
        common = overlap(reference, estimate, any_length=True)
        assert np.array_equal(common.reference, estimate)
        missing = f"the last {2 * (1 - frame):.2f} s of the reference are missing in it, and not measured"
        assert common.notes == (missing,)


def test_a_start_that_is_missing_is_refused_too(tone):
    with pytest.raises(LengthError, match="13% less"):
        overlap(tone, tone[4410:])
    common = overlap(tone, tone[4410:], any_length=True)
    assert np.array_equal(common.reference, tone[4410:])
    assert common.notes[0].startswith("it is 200 ms early")
    assert common.notes[1] == "the first 0.20 s of the reference are missing in it, and not measured"


def test_what_sounds_beyond_the_reference_is_length(tone, rng):
    longer = np.concatenate([tone, 0.05 * rng.normal(size=11_025).astype(np.float32)])
    with pytest.raises(LengthError, match=r"lasts 2.00 s and its reference 1.50 s, 33% more"):
        overlap(tone, longer)
    common = overlap(tone, longer, any_length=True)
    assert np.array_equal(common.estimate, tone)
    assert common.notes == ("0.50 s behind the reference's end are not measured",)
    with pytest.raises(LengthError, match="33% more"):  # before it, as well
        overlap(tone, np.concatenate([longer[len(tone) :], tone]))


def test_a_tail_that_dies_away_into_silence_is_not_taken_for_length(tone):
    """Twenty milliseconds sound beyond the reference, as a vocoder's last window does; then there is silence."""
    tail = 0.05 * tone[:441] * np.linspace(1, 0, 441, dtype=np.float32)
    common = overlap(tone, np.concatenate([tone, tail, np.zeros(90_000, np.float32)]))
    assert np.array_equal(common.estimate, tone)
    assert common.notes == ("4.10 s behind the reference's end are not measured",)


def test_a_late_estimate_of_the_same_length_has_lost_its_end(tone):
    common = overlap(tone, np.pad(tone, (11_025, 0))[: len(tone)])
    assert common.delay == 11_025
    assert np.array_equal(common.estimate, tone[:-11_025])
    assert common.notes == (
        "it is 500 ms late (11025 samples); measured after being moved onto its reference",
        "the last 0.50 s of the reference are missing in it, and not measured",
    )


def test_where_nothing_tells_the_place_that_is_said(tone, rng):
    common = overlap(tone, rng.normal(0, 0.1, len(tone) + 600).astype(np.float32))
    assert (common.delay, len(common.estimate)) == (0, len(tone))
    assert "cannot be told" in common.notes[0]


def test_inverted_polarity_is_said(tone):
    assert overlap(tone, -tone).notes == ("its polarity is inverted",)
