"""Files decoded in a process of their own: the same recording comes back, and what breaks there breaks nothing here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.paths import ROOT
from tests import jobs
from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE
from vocoders.recordings import contained as contained_audio
from vocoders.recordings.contained import overview_contained, read_recording_contained
from vocoders.recordings.overview import overview_of
from vocoders.recordings.passage import Passage
from vocoders.recordings.reader import AudioError, Limits, read_recording

PHONE = ROOT / "tests" / "audio_files" / "phone.m4a"


def test_what_comes_back_is_what_is_read_here():
    there, here = (
        read(PHONE, Limits(), "mine", Passage(0.5, 1.5)) for read in (read_recording_contained, read_recording)
    )
    assert np.array_equal(there.samples, here.samples)
    assert (there.name, there.history, there.rate, there.notices) == (here.name, here.history, here.rate, here.notices)


def test_a_refusal_is_the_same_sentence(tmp_path):
    (tmp_path / "list.wav").write_text("not a recording")
    for read in (read_recording_contained, read_recording):
        with pytest.raises(AudioError, match=r"^list\.wav: this is not a WAV"):
            read(tmp_path / "list.wav")


@pytest.mark.parametrize("work", [jobs.crash_over_a_file, jobs.leave_over_a_file, jobs.grow_over_a_file])
def test_a_decoder_that_breaks_is_a_sentence(work):
    with pytest.raises(AudioError, match=r"phone\.m4a: the file could not be decoded within the memory and time"):
        contained_audio._contained(work, PHONE, Limits(), None)


def test_a_decoder_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(contained_audio, "MAX_WAIT_SECONDS", 0.5)
    with pytest.raises(AudioError, match=r"phone\.m4a: the file takes too long to decode"):
        contained_audio._contained(jobs.hang_over_a_file, PHONE, Limits(), None)


# ------------------------------------------------ overviews


@pytest.fixture(scope="module")
def song(tmp_path_factory) -> Path:
    """30 s, loudest from 12 to 16 s, with the full scale of the right channel only at 25 s."""
    levels = np.repeat([0.1, 0.6, 0.05], np.array([12, 4, 14]) * SAMPLE_RATE)
    left = harmonic_tone(30.0) * levels.astype(np.float32)
    right = np.zeros_like(left)
    right[25 * SAMPLE_RATE] = 0.9
    path = tmp_path_factory.mktemp("song") / "song.flac"
    soundfile.write(path, np.stack([left, right], axis=1), SAMPLE_RATE)
    return path


def test_an_overview_shows_length_peaks_and_the_loudest_part(song):
    reports = []
    overview = overview_of(song, Limits(max_seconds=10.0), on_progress=reports.append)
    assert overview.seconds == 30
    assert reports[-1] == 30
    assert reports == sorted(reports)
    assert len(overview.peaks) == 600  # 20 a second
    assert overview.peaks[500] == pytest.approx(0.9, abs=1e-3)
    assert overview.peaks[260] == pytest.approx(0.3, abs=0.06)
    loudest = overview.loudest
    assert loudest.end - loudest.start == 10
    assert loudest.start <= 12
    assert loudest.end >= 16
    there = overview_contained(song, Limits(max_seconds=10.0))
    assert np.array_equal(there.peaks, overview.peaks)
    assert there.loudest == loudest


def test_a_short_recording_is_suggested_as_a_whole_and_a_longer_one_than_allowed_refused(song):
    assert overview_of(song, Limits()).loudest == Passage(0.0, 30.0)
    with pytest.raises(AudioError, match=r"song\.flac: the recording lasts more than 0\.25 minutes"):
        overview_of(song, Limits(max_file_seconds=15))
