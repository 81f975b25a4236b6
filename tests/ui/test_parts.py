"""The beginning of an output that is under way: the samples of the whole, played beside the others, and gone where there is no rest."""

import threading

import numpy as np
import pytest
import soundfile

from eval.compare.mel import GivenMel, compare_mel
from eval.compare.recording import MAX_PARTS, MIN_SECONDS_IN_PARTS, Output, Progress, compare, progress_of
from tests.conftest import harmonic_tone
from tests.fakes import fake_system
from tests.robustness.checkpoint_cases import small_safetensors
from ui.compare.job import CompareJob
from vocoders.audio import SAMPLE_RATE, Recording
from vocoders.catalogue import find_system
from vocoders.features import hw2_mel
from vocoders.phase.refine import Refinement

LONG = Recording("long", harmonic_tone(20.0).astype(np.float32))


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "small.safetensors"
    path.write_bytes(small_safetensors())
    return find_system(str(path))


def events_of(recording, system):
    events = []
    compare(recording, [system], events.append)
    parts = [event.part for event in events if isinstance(event, Progress) and event.part]
    return parts, next(event for event in events if isinstance(event, Output))


def test_parts_are_the_beginning_of_the_output(network):
    parts, output = events_of(LONG, network)
    lengths = [len(part.samples) for part in parts]
    assert 2 <= len(parts) <= MAX_PARTS + 1
    assert lengths == sorted(set(lengths))
    assert lengths[0] <= 4 * SAMPLE_RATE, "the first block at once"
    for part in parts:
        assert part.rate == output.native.rate
        assert np.array_equal(part.samples, output.native.samples[: len(part.samples)])


def test_a_mel_without_a_recording_has_them_too(network):
    events = []
    compare_mel(GivenMel("mel", hw2_mel(LONG.samples), "hw2"), [network], events.append)
    assert any(isinstance(event, Progress) and event.part for event in events)


def test_short_outputs_and_those_that_change_afterwards_have_none(network):
    short = Recording("short", LONG.samples[: int((MIN_SECONDS_IN_PARTS - 0.1) * SAMPLE_RATE)])
    assert events_of(short, network)[0] == []
    for other in ({"refinement": Refinement()}, {"rate": 96_000}):
        system = fake_system("other")
        told = []
        tell = progress_of(type(system)(**{**vars(system), **other}), 20.0, told.append)
        assert not hasattr(tell, "made")
        tell(0.5)
        assert told[0].fraction == 0.5


def blockwise(blocks, then=lambda: None):
    """A vocoder that makes a sine as loud as -20 dB in so many blocks, and then does something."""

    def vocoder(features, on_progress):
        samples = np.zeros(features.values.shape[1] * 256, np.float32)
        edges = np.linspace(0, len(samples), blocks + 1).astype(int)
        for stop in edges[1:-1]:
            samples[:stop] = 0.1 * np.sin(np.arange(stop) * 0.05)
            on_progress.made(samples[:stop])
            on_progress(stop / len(samples))
        then()
        samples[:] = 0.1 * np.sin(np.arange(len(samples)) * 0.05)
        return samples

    return vocoder


def views_of(system, store, stop=None):
    folder = store.new()
    return folder, list(CompareJob(LONG, [system], folder).run(stop or threading.Event()))


def test_a_part_is_a_track_with_sound_until_the_output_is_there(store):
    folder, views = views_of(fake_system("sine", blockwise(6)), store)
    tracks = [view.player["tracks"][1] for view in views]
    partial = [track for track in tracks if track["state"] == "running" and track["audio"]]
    assert len({track["audio"]["url"] for track in partial}) >= 2
    for track in partial:
        samples, rate = soundfile.read(folder.path / track["audio"]["url"].rpartition("/")[2])
        assert rate == SAMPLE_RATE
        assert len(samples) == len(LONG.samples), "silence is in the place of the rest"
        assert np.abs(samples[:SAMPLE_RATE]).max() > 0.09
        assert not samples[-SAMPLE_RATE:].any()
        assert store.find(folder.token, track["image"]["url"].rpartition("/")[2])
        assert track["download"] is None
    last = tracks[-1]
    assert last["state"] == "ready"
    assert last["audio"]["url"] not in {track["audio"]["url"] for track in partial}
    assert partial[0]["gain_db"] == pytest.approx(last["gain_db"], abs=0.5), "a steady tone: its beginning is as loud"


def test_a_stopped_or_failed_output_leaves_no_beginning(store):
    stop = threading.Event()
    _, views = views_of(fake_system("sine", blockwise(6, stop.set)), store, stop)
    last = views[-1].player["tracks"][1]
    assert (last["state"], last["audio"]) == ("stopped", None)

    def fail():
        raise RuntimeError("out of luck")

    _, views = views_of(fake_system("sine", blockwise(6, fail)), store)
    assert any(view.player["tracks"][1]["audio"] for view in views)
    last = views[-1].player["tracks"][1]
    assert (last["state"], last["audio"]) == ("failed", None)
