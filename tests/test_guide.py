"""Guides: Griffin-Lim from the mel alone, made bit by bit, for recordings and for packs; and generators that hear them."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from eval.pitch import f0_error
from tests.conftest import harmonic_tone
from train.config import PRESETS, with_input
from train.generator import fold, new_generator
from train.guide import make_guide
from train.loop import fit
from train.pack import AUDIO, GUIDE, open_pack
from train.schedule import Budget
from train.validation import ValidationSet
from vocoders.audio import to_pcm16
from vocoders.checkpoint import Checkpoint, CheckpointError
from vocoders.chunks import CHUNK, OVERLAP
from vocoders.features import hw2_mel, invert, log_hw2
from vocoders.generator_input import WITH_GUIDE, generator_input
from vocoders.griffin_lim import griffin_lim
from vocoders.guide import ITERATIONS, Guide, guide_of
from vocoders.hifigan import V3, Generator, multiply_adds
from vocoders.mel import HIFIGAN, HW2

GUIDED = with_input(dataclasses.replace(PRESETS["tiny"], generator_only=1.0), "guide")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def long_tone() -> np.ndarray:
    """Two and a half chunks."""
    return harmonic_tone(2.5 * CHUNK * 256 / 22_050)


@pytest.fixture
def guided_pack(pack, tmp_path):
    """A pack whose folder a test may write to."""
    for path in pack.root.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return open_pack(tmp_path)


def test_a_guide_is_griffin_lim_from_the_mel(tone):
    mel = hw2_mel(tone)
    wanted = griffin_lim(invert(mel).values, iterations=ITERATIONS)
    found = guide_of(log_hw2(mel).values)
    assert found.shape == wanted.shape
    assert f0_error(tone, found) < 0.05
    assert np.corrcoef(found, wanted)[0, 1] > 0.95  # the mel's floor is all that differs


def test_what_is_asked_for_in_pieces_is_the_same(long_tone):
    mel = log_hw2(hw2_mel(long_tone)).values
    edges = [0, 100, CHUNK - OVERLAP, CHUNK, 2 * CHUNK + 1, mel.shape[1]]
    guide = Guide(mel)
    first = guide.between(0, 100).copy()
    assert guide._ready < CHUNK  # not more than was needed
    parts = [guide.between(start, stop) for start, stop in itertools.pairwise(edges)]
    assert np.array_equal(first, parts[0])
    assert np.array_equal(np.concatenate(parts), guide_of(mel))


def test_partials_run_on_from_chunk_to_chunk(long_tone):
    """Where two chunks of unrelated phases are faded into each other, half of the power is lost on the way."""
    guide = guide_of(log_hw2(hw2_mel(long_tone)).values)
    power = (guide[: len(guide) // 1024 * 1024] ** 2).reshape(-1, 1024).mean(axis=1)
    recorded = (long_tone[: len(power) * 1024] ** 2).reshape(-1, 1024).mean(axis=1)
    level = 10 * np.log10(power / recorded)
    for seam in (CHUNK, 2 * CHUNK - OVERLAP):
        around = level[(seam - OVERLAP) * 256 // 1024 : seam * 256 // 1024]
        assert np.abs(around - np.median(level)).max() < 1.0


def test_a_generator_that_does_not_hear_its_guide_yet_is_the_one_it_was():
    plain = Generator(V3)
    guided = new_generator(dataclasses.replace(V3, input_channels=WITH_GUIDE), plain.state_dict())
    mel, guide = torch.randn(2, 80, 20), torch.randn(2, 20 * 256)
    features = generator_input(mel, WITH_GUIDE, HW2, guide)
    with torch.no_grad():
        assert torch.allclose(guided(features), plain(mel), atol=1e-6)
        for layer in guided.guides:
            layer.weight.fill_(0.1)
            assert not torch.allclose(guided(features), plain(mel), atol=1e-6)
            layer.weight.zero_()
    assert set(fold(guided.state_dict())) == set(Generator(guided.config).state_dict())
    assert multiply_adds(guided.config) > multiply_adds(V3)


def test_a_guided_generator_needs_a_guide_and_the_hw2_mel():
    with pytest.raises(ValueError, match="needs a guide beside the mel"):
        generator_input(torch.zeros(80, 3), WITH_GUIDE, HW2)
    with pytest.raises(CheckpointError, match="for the hw2 mel, not for hifigan"):
        Checkpoint(dataclasses.replace(V3, input_channels=WITH_GUIDE), HIFIGAN, {})
    with pytest.raises(ValueError, match="recipe is hifigan; allowed: hw2 for a guided generator"):
        dataclasses.replace(GUIDED, recipe="hifigan")


def test_a_packs_guides_are_made_once_clip_by_clip(guided_pack):
    assert not guided_pack.has_guide
    seen = []
    make_guide(guided_pack, jobs=1, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, len(guided_pack.clips)) for number in range(1, len(guided_pack.clips) + 1)]
    clip = guided_pack.clips[3]
    recording = guided_pack.samples(clip)
    wanted = to_pcm16(guide_of(log_hw2(hw2_mel(recording)).values)[: clip.samples])
    assert np.array_equal(guided_pack.guide_samples(clip) * 32768, wanted)
    written = (guided_pack.root / GUIDE).stat().st_mtime_ns
    make_guide(guided_pack, jobs=1)
    assert (guided_pack.root / GUIDE).stat().st_mtime_ns == written
    (guided_pack.root / GUIDE).write_bytes(b"")
    assert not open_pack(guided_pack.root).has_guide


def test_training_learns_to_use_the_guide(guided_pack, fabric, tmp_path):
    """With the recordings for guides there is nothing easier: what is learned within seconds beats what a mel can give."""
    (guided_pack.root / GUIDE).write_bytes((guided_pack.root / AUDIO).read_bytes())
    with_guide = fit(tmp_path / "guided", guided_pack, GUIDED, Budget(steps=80), fabric)
    without = fit(tmp_path / "plain", guided_pack, with_input(GUIDED, "mel"), Budget(steps=80), fabric)
    losses = [
        ValidationSet(guided_pack, state.config, CPU).judge(fold(state.average.values)).loss
        for state in (with_guide, without)
    ]
    assert losses[0] < 0.8 * losses[1]
