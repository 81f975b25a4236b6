"""Both engines against the generator itself: any length, any shape of network, cut into windows or not."""

import dataclasses
import functools
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from common.paths import ROOT
from vocoders.checkpoints.checkpoint import Checkpoint
from vocoders.features import FeatureMismatch, Features
from vocoders.hifigan import openvino_generator
from vocoders.hifigan.engine import HiFiGANVocoder, PyTorchGenerator, make_engine
from vocoders.hifigan.generator import V2, V3, Generator, HiFiGANConfig
from vocoders.hifigan.generator_input import WITH_GUIDE, generator_input
from vocoders.hifigan.guide import guide_of
from vocoders.hifigan.openvino_generator import MAX_CACHED, OpenVINOGenerator
from vocoders.hifigan.windows import MAX_KEPT_FRAMES, frames_per_window, windows
from vocoders.mel import HOP, HW2

# one upsampling without overlap, one whose kernel is no multiple of its rate, different blocks
ODD = HiFiGANConfig(1, (4, 8, 8), (4, 10, 20), 64, (3, 7), ((1, 3), (1, 2)))
WINDOWED = 2 * MAX_KEPT_FRAMES + 90  # frames that no engine takes in one piece
GUIDED = dataclasses.replace(ODD, input_channels=WITH_GUIDE)


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOCODER_CACHE_DIR", str(folder))
        patch.setattr(
            "vocoders.hifigan.generator.HiFiGANConfig.guide_iterations", 4
        )  # what is tested holds for any guide
        yield folder


def loud_checkpoint(config: HiFiGANConfig, seed: int = 2) -> Checkpoint:
    """Random weights large enough that every layer matters for the output."""
    torch.manual_seed(seed)
    generator = Generator(config)
    for parameter in generator.parameters():
        if parameter.ndim == 3:
            torch.nn.init.kaiming_normal_(parameter)
    generator.conv_post.weight.data *= 0.02  # but not so large that tanh hides them
    return Checkpoint(config, HW2, generator.state_dict())


def mel_of_noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(-2, 1, (80, frames)).astype(np.float32)


def in_one_piece(checkpoint: Checkpoint, mel: np.ndarray) -> np.ndarray:
    guide = (
        torch.from_numpy(guide_of(mel, checkpoint.config.guide_iterations))[None]
        if checkpoint.config.is_guided
        else None
    )
    with torch.inference_mode():
        features = generator_input(torch.from_numpy(mel)[None], checkpoint.config.input_channels, HW2, guide)
        return checkpoint.generator()(features)[0, 0].numpy()


@pytest.fixture(scope="module", params=[V2, V3], ids=["V2", "V3"])
def checkpoint(request) -> Checkpoint:
    return loud_checkpoint(request.param)


@pytest.fixture(scope="module", params=["pytorch", "openvino"])
def vocoder(request, checkpoint) -> HiFiGANVocoder:
    return HiFiGANVocoder(checkpoint, request.param)


@pytest.fixture(scope="module", params=[ODD, GUIDED], ids=["odd", "guided"])
def small_checkpoint(request) -> Checkpoint:
    """For what windows and engines do, whatever network they run: with its guide and without."""
    return loud_checkpoint(request.param)


@pytest.fixture(scope="module", params=["pytorch", "openvino"])
def small_vocoder(request, small_checkpoint) -> HiFiGANVocoder:
    return HiFiGANVocoder(small_checkpoint, request.param)


@functools.cache
def whole_output(config: HiFiGANConfig, frames: int) -> np.ndarray:
    """The network's samples in one piece, computed once for all engines."""
    return in_one_piece(loud_checkpoint(config), mel_of_noise(frames))


def assert_whole(vocoder: HiFiGANVocoder, config: HiFiGANConfig, frames: int) -> None:
    seen: list[float] = []
    found = vocoder(Features("log hw2 mel", mel_of_noise(frames)), seen.append)
    whole = whole_output(config, frames)
    assert found.shape == (frames * HOP,)
    assert 1e-3 < whole.std() < 0.8
    assert np.abs(found - whole).max() < 1e-5
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize("frames", [13, WINDOWED])
def test_both_engines_give_the_samples_of_the_whole(vocoder, checkpoint, frames):
    assert_whole(vocoder, checkpoint.config, frames)


@pytest.mark.parametrize("frames", [1, 13, 157, 300, WINDOWED])
def test_both_engines_give_the_samples_of_the_whole_of_any_length(small_vocoder, small_checkpoint, frames):
    assert_whole(small_vocoder, small_checkpoint.config, frames)


def test_streamed_blocks_are_the_same_samples_and_come_one_by_one(small_vocoder):
    vocoder = small_vocoder
    features = Features("log hw2 mel", mel_of_noise(3 * MAX_KEPT_FRAMES))
    blocks = list(vocoder.stream(features))
    assert len(blocks) >= 3
    assert max(map(len, blocks)) <= MAX_KEPT_FRAMES * HOP
    assert np.array_equal(np.concatenate(blocks), vocoder(features))


def test_leaving_early_ends_the_work_and_harms_nothing(small_vocoder, request):
    vocoder = small_vocoder
    features = Features("log hw2 mel", mel_of_noise((3 + vocoder._engine.parallel) * MAX_KEPT_FRAMES))
    whole, asked = vocoder(features), []
    source = vocoder._input
    vocoder._input = lambda *part: asked.append(part) or source(*part)
    try:
        # a run that was cut off in the middle must not change the next one
        for _ in range(10 if request.config.getoption("--proof") else 3):
            asked.clear()
            first = next(stream := vocoder.stream(features))
            stream.close()
            assert len(asked) <= 1 + vocoder._engine.parallel
    finally:
        vocoder._input = source
    assert np.array_equal(first, whole[: len(first)])
    assert np.array_equal(vocoder(features), whole)


def test_two_comparisons_can_use_one_vocoder_at_a_time(small_checkpoint):
    from concurrent.futures import ThreadPoolExecutor

    vocoder = HiFiGANVocoder(small_checkpoint)
    mels = [Features("log hw2 mel", mel_of_noise(300, seed)) for seed in range(4)]
    alone = [vocoder(mel) for mel in mels]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(vocoder, mels))
    for one, other in zip(alone, together):
        assert np.abs(one - other).max() < 1e-6


def test_features_of_another_kind_are_refused(checkpoint):
    with pytest.raises(FeatureMismatch, match="takes the log hw2 mel, not the log hifigan mel"):
        HiFiGANVocoder(checkpoint)(Features("log hifigan mel", np.zeros((80, 4), np.float32)))


def test_without_openvino_pytorch_runs_and_the_log_says_so(checkpoint, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with caplog.at_level(logging.WARNING):
        engine = make_engine(checkpoint)
    assert isinstance(engine, PyTorchGenerator)
    assert "OpenVINO cannot be used" in caplog.text
    with pytest.raises(ImportError):
        make_engine(checkpoint, "openvino")


def test_what_was_compiled_is_found_again_by_content_alone(cache):
    def folders() -> set[Path]:
        return set((cache / "openvino").iterdir())

    first = loud_checkpoint(V3, seed=10)
    OpenVINOGenerator(first)
    after_first = folders()
    blob = next(file for folder in after_first for file in folder.iterdir())
    written = blob.stat().st_mtime_ns
    OpenVINOGenerator(Checkpoint(V3, HW2, {name: value.clone() for name, value in first.weights.items()}))
    assert folders() == after_first
    assert blob.stat().st_mtime_ns == written
    changed = {name: value.clone() for name, value in first.weights.items()}
    changed["conv_post.bias"] += 0.25
    other = HiFiGANVocoder(Checkpoint(V3, HW2, changed))
    assert len(folders()) == len(after_first) + 1
    mel = mel_of_noise(20)
    wanted = in_one_piece(Checkpoint(V3, HW2, changed), mel)
    assert np.abs(other(Features("log hw2 mel", mel)) - wanted).max() < 1e-5


def test_the_cache_stays_small_and_a_spoilt_file_is_made_anew(cache):
    small = HiFiGANConfig(2, (8, 8, 4), (16, 16, 8), 16, (3,), ((1,),))
    for seed in range(MAX_CACHED + 2):
        OpenVINOGenerator(loud_checkpoint(small, seed))
    assert len(list((cache / "openvino").iterdir())) == MAX_CACHED
    for blob in (cache / "openvino").rglob("*.blob"):
        blob.chmod(0o644)
        blob.write_bytes(b"spoilt")
    again = loud_checkpoint(small, MAX_CACHED + 1)
    mel = mel_of_noise(9)
    found = HiFiGANVocoder(again, "openvino")(Features("log hw2 mel", mel))
    assert np.abs(found - in_one_piece(again, mel)).max() < 1e-5


def test_a_cache_that_cannot_be_written_is_done_without(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VOCODER_CACHE_DIR", str(tmp_path / "file"))
    assert isinstance(make_engine(loud_checkpoint(V3), "openvino"), OpenVINOGenerator)


def test_a_cache_that_goes_away_while_it_is_written_is_done_without(monkeypatch, tmp_path):
    """As when two processes compile the same network, or one removes the folders used least lately."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(openvino_generator, "cache_folder", lambda *_: tmp_path / "file" / "folder")
    checkpoint, mel = loud_checkpoint(V3), mel_of_noise(9)
    found = HiFiGANVocoder(checkpoint, "openvino")(Features("log hw2 mel", mel))
    assert np.abs(found - in_one_piece(checkpoint, mel)).max() < 1e-5


def test_signals_are_still_handled_when_engines_have_come_and_gone(tmp_path):
    """OpenVINO moves the stack of signal handlers; an app that was asked to end must not crash instead."""
    script = """
import signal
from tests.vocoders.test_engine import ODD, loud_checkpoint
from vocoders.hifigan.openvino_generator import OpenVINOGenerator
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
first, second = (OpenVINOGenerator(loud_checkpoint(ODD, seed)) for seed in (1, 2))
del first
del second
signal.raise_signal(signal.SIGTERM)
"""
    environment = {**os.environ, "VOCODER_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr


def test_recordings_of_many_lengths_do_not_add_up(tmp_path):
    """Every length is compiled for: kept without a bound, those of eight recordings take 400 MB more."""
    script = """
import numpy as np
from common.memory import memory
from vocoders.checkpoints.checkpoint import Checkpoint
from vocoders.features import Features
from vocoders.hifigan.engine import HiFiGANVocoder
from vocoders.hifigan.generator import V2, Generator
from vocoders.mel import HW2
vocoder = HiFiGANVocoder(Checkpoint(V2, HW2, Generator(V2).state_dict()), "openvino")
for number in range(16):
    vocoder(Features("log hw2 mel", np.full((80, 100 + 7 * number), -4, np.float32)))
    if number in (7, 15):
        print(memory() or 0)
"""
    environment = {**os.environ, "VOCODER_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    before, after = map(int, done.stdout.split())
    assert after - before < 100e6


@given(st.integers(1, 2000), st.integers(1, 300), st.integers(0, 40))
def test_windows_tile_the_mel_with_one_length_and_full_context(frames, kept, context):
    parts = list(windows(frames, kept, context))
    assert [part.first for part in parts] == list(range(0, frames, kept))
    assert [part.last for part in parts] == [*(part.first for part in parts[1:]), frames]
    assert len({part.stop - part.start for part in parts}) == 1
    for part in parts:
        assert 0 <= part.start <= max(0, part.first - context)
        assert min(frames, part.last + context) <= part.stop <= frames


@given(st.integers(1, 20_000), st.integers(1, 8))
def test_windows_come_out_even(frames, parallel):
    kept = frames_per_window(frames, parallel)
    assert 1 <= kept <= MAX_KEPT_FRAMES
    count = len(list(windows(frames, kept, 13)))
    assert count == 1 or count % parallel == 0 or kept * count - frames < count
