"""Guides: Griffin-Lim from the mel alone, made bit by bit, for recordings and for packs; and generators that hear them."""

import dataclasses
import itertools

import numpy as np
import pytest
import soundfile
import torch

from eval.metrics.pitch import f0_error
from tests.command import command
from tests.conftest import harmonic_tone
from tests.vocoders.test_engine import in_one_piece, loud_checkpoint, mel_of_noise
from train.config import PRESETS, with_input
from train.data.guide import Guides
from train.data.pack import AUDIO, PackError, open_pack
from train.loop import fit
from train.networks.generator import fold_weight_norm, new_generator
from train.saving import STATE
from train.schedule import Budget
from train.validation import ValidationSet
from vocoders.audio import to_pcm16
from vocoders.checkpoints.checkpoint import (
    Checkpoint,
    CheckpointError,
    read_checkpoint,
    training_history,
    write_safetensors,
)
from vocoders.features import Features, hw2_mel, invert, log_hw2
from vocoders.hifigan.engine import HiFiGANVocoder
from vocoders.hifigan.generator import V3, Generator, HiFiGANConfig, multiply_adds
from vocoders.hifigan.generator_input import WITH_GUIDE, generator_input
from vocoders.hifigan.guide import FULL_BAND_ITERATIONS, ITERATIONS, Guide, guide_of
from vocoders.mel import HIFIGAN, HW2
from vocoders.phase.chunks import CHUNK_FRAMES, OVERLAP_FRAMES
from vocoders.phase.griffin_lim import griffin_lim

GUIDED = with_input(dataclasses.replace(PRESETS["tiny"], generator_only=1.0), "guide")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def long_tone() -> np.ndarray:
    """Two and a half chunks."""
    return harmonic_tone(2.5 * CHUNK_FRAMES * 256 / 22_050)


FEW = 4  # iterations


@pytest.fixture
def hasty(monkeypatch) -> None:
    """For what must hold for any guide."""
    monkeypatch.setattr(HiFiGANConfig, "guide_iterations", FEW)


@pytest.fixture
def guided_pack(pack, tmp_path):
    """A pack whose folder a test may write to."""
    for path in pack.root.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return open_pack(tmp_path)


def test_a_guide_is_griffin_lim_from_the_mel(tone):
    mel = hw2_mel(tone)
    wanted = griffin_lim(invert(mel).values, iterations=FULL_BAND_ITERATIONS, low_band_iterations=ITERATIONS)
    found = guide_of(log_hw2(mel).values)
    assert found.shape == wanted.shape
    assert f0_error(tone, found) < 0.05
    assert np.corrcoef(found, wanted)[0, 1] > 0.95  # the mel's floor is all that differs


def test_what_is_asked_for_in_pieces_is_the_same(long_tone):
    mel = log_hw2(hw2_mel(long_tone)).values
    edges = [0, 100, CHUNK_FRAMES - OVERLAP_FRAMES, CHUNK_FRAMES, 2 * CHUNK_FRAMES + 1, mel.shape[1]]
    guide = Guide(mel, FEW)
    first = guide.between(0, 100).copy()
    assert guide._ready < CHUNK_FRAMES  # not more than was needed
    parts = [guide.between(start, stop) for start, stop in itertools.pairwise(edges)]
    assert np.array_equal(first, parts[0])
    assert np.array_equal(np.concatenate(parts), guide_of(mel, FEW))


def test_partials_run_on_from_chunk_to_chunk(long_tone):
    """Where two chunks of unrelated phases are faded into each other, half of the power is lost on the way."""
    guide = guide_of(log_hw2(hw2_mel(long_tone)).values)
    power = (guide[: len(guide) // 1024 * 1024] ** 2).reshape(-1, 1024).mean(axis=1)
    recorded = (long_tone[: len(power) * 1024] ** 2).reshape(-1, 1024).mean(axis=1)
    level = 10 * np.log10(power / recorded)
    for seam in (CHUNK_FRAMES, 2 * CHUNK_FRAMES - OVERLAP_FRAMES):
        around = level[(seam - OVERLAP_FRAMES) * 256 // 1024 : seam * 256 // 1024]
        assert np.abs(around - np.median(level)).max() < 1.0


@pytest.mark.parametrize("frames", [1, 31, CHUNK_FRAMES + 1, CHUNK_FRAMES + OVERLAP_FRAMES, 2 * CHUNK_FRAMES + 50])
@pytest.mark.parametrize("rates", [(8, 8, 2, 2), (1, 16, 16)])
@pytest.mark.parametrize("engine", ["pytorch", "openvino"])
def test_engines_cut_mel_and_guide_alike(engine, rates, frames, hasty, tmp_path, monkeypatch):
    monkeypatch.setenv("VOCODER_CACHE_DIR", str(tmp_path))
    kernels = tuple(rate + 2 for rate in rates)
    checkpoint = loud_checkpoint(HiFiGANConfig(1, rates, kernels, 16, (3,), ((1, 3),), WITH_GUIDE))
    mel = mel_of_noise(frames)
    found = HiFiGANVocoder(checkpoint, engine)(Features("log hw2 mel", mel))
    whole = in_one_piece(checkpoint, mel)
    assert whole.std() > 1e-3
    assert np.abs(found - whole).max() < 1e-5


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
    assert set(fold_weight_norm(guided.state_dict())) == set(Generator(guided.config).state_dict())
    assert multiply_adds(guided.config) > multiply_adds(V3)


def test_a_guided_generator_needs_a_guide_and_the_hw2_mel(tmp_path):
    with pytest.raises(ValueError, match="needs a guide beside the mel"):
        generator_input(torch.zeros(80, 3), WITH_GUIDE, HW2)
    with pytest.raises(ValueError, match="has 3 frames; there is no guide up to 4"):
        Guide(np.zeros((80, 3), np.float32)).between(0, 4)
    config = dataclasses.replace(V3, input_channels=WITH_GUIDE)
    write_safetensors(tmp_path / "wrong.safetensors", Checkpoint(config, HIFIGAN, Generator(config).state_dict()))
    with pytest.raises(CheckpointError, match=r"wrong.safetensors is a guided generator, which takes the hw2 mel, not"):
        read_checkpoint(tmp_path / "wrong.safetensors")
    with pytest.raises(ValueError, match="recipe is hifigan; allowed: hw2 for a guided generator"):
        dataclasses.replace(GUIDED, recipe="hifigan")


def test_a_packs_guides_are_made_clip_by_clip_and_go_on_where_they_were_stopped(guided_pack):
    guides = Guides(guided_pack, FEW)
    seen, clips = [], len(guided_pack.clips)

    def stop_after_five(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guides.make(jobs=1, on_progress=stop_after_five)
    assert not guides.are_made
    with pytest.raises(PackError, match=r"has no guides of 4 iterations; make them first: .* --iterations 4"):
        _ = guides.audio
    beside = guides.path.with_name(f"{guides.path.name}.part")
    with beside.open("ab") as file:
        file.write(b"half of a clip")
    guides.make(jobs=1, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, clips) for number in range(1, clips + 1)]
    for clip in guided_pack.clips:
        recording = guided_pack.samples(clip)
        wanted = to_pcm16(guide_of(log_hw2(hw2_mel(recording)).values, FEW)[: clip.samples])
        assert np.array_equal(guides.samples(clip) * 32768, wanted)
    written = guides.path.stat().st_mtime_ns
    guides.make(jobs=1)
    assert guides.path.stat().st_mtime_ns == written
    assert not beside.exists()


def test_guides_of_another_pack_of_the_same_length_are_not_taken_for_these(guided_pack):
    Guides(guided_pack).path.write_bytes(bytes(guided_pack.audio.nbytes))
    assert Guides(guided_pack).are_made
    first, *others = guided_pack.clips
    changed = dataclasses.replace(guided_pack, clips=(dataclasses.replace(first, sha256="another"), *others))
    assert not Guides(changed).are_made


def test_from_a_pack_to_a_guided_model_with_the_commands(guided_pack, hasty, tmp_path):
    """A plain run; guides; a guided run that goes on from it, is left, resumed and exported; an output."""
    data, tiny = ("--data", guided_pack.root), ("--preset", "tiny", "--accelerator", "cpu", "--generator-only", "1")
    command("train", "fit", *data, *tiny, "--steps", "2", "--out", tmp_path / "plain")
    command("train", "export", tmp_path / "plain", "--out", tmp_path / "plain.safetensors", "--latest")
    start = (*data, *tiny, "--input", "guide", "--from", tmp_path / "plain.safetensors", "--out", tmp_path / "guided")
    said = command("train", "fit", *start, "--steps", "4", code=1).stderr
    assert "has no guides of 4 iterations; make them first" in said
    assert said.count("\n") == 1
    assert "the guides of 12 clips" in command("train", "guide", *data, "--jobs", "1", "--iterations", "4").stdout
    command("train", "fit", *start, "--steps", "4", "--session-minutes", "0", "--compact-state")
    (tmp_path / "guided" / STATE).unlink()
    resume = ("--resume", *data, "--out", tmp_path / "guided", "--accelerator", "cpu")
    command("train", "fit", *resume)
    command("train", "export", tmp_path / "guided", "--out", tmp_path / "guided.safetensors", "--half")
    checkpoint = read_checkpoint(tmp_path / "guided.safetensors")
    assert checkpoint.config.is_guided
    assert [run["start"] for run in training_history(checkpoint.about)] == ["checkpoint", "scratch"]
    soundfile.write(tmp_path / "song.wav", harmonic_tone(1.0), 22_050)
    arguments = (tmp_path / "song.wav", "--vocoders", tmp_path / "guided.safetensors", "--out", tmp_path / "outputs")
    command("vocoders", "resynth", *arguments)
    assert len(list((tmp_path / "outputs").rglob("*.wav"))) == 1


def test_training_learns_to_use_the_guide(guided_pack, fabric, tmp_path):
    """With the recordings for guides there is nothing easier: what is learned within seconds beats what a mel can give."""
    Guides(guided_pack).path.write_bytes((guided_pack.root / AUDIO).read_bytes())
    with_guide = fit(tmp_path / "guided", guided_pack, GUIDED, Budget(steps=60), fabric)
    without = fit(tmp_path / "plain", guided_pack, with_input(GUIDED, "mel"), Budget(steps=60), fabric)
    losses = [
        ValidationSet(guided_pack, state.config, CPU).evaluate(fold_weight_norm(state.average.values)).mel_l1
        for state in (with_guide, without)
    ]
    assert losses[0] < 0.8 * losses[1]
