"""The plain way is correct, so that being faster than it means something; and how the turns are timed."""

import numpy as np
import pytest
import torch

from eval.benchmarks import plain_inference as plain
from eval.benchmarks.revisions.parts import PARTS
from eval.benchmarks.speed import Pair, convergences, measure, random_checkpoint, stages
from eval.benchmarks.speed_report import line
from tests.conftest import harmonic_tone
from vocoders.analysis import Analysis, synthesize
from vocoders.audio import fit_length
from vocoders.catalogue import COMPARED, find_systems
from vocoders.features import hw2_mel
from vocoders.features import log_hifigan_mel as our_log_hifigan_mel
from vocoders.hifigan.generator import V2, V3


@pytest.mark.parametrize("config", [V2, V3], ids=["V2", "V3"])
@torch.inference_mode()
def test_the_plain_generator_makes_our_samples(config):
    checkpoint = random_checkpoint(config)
    mel = torch.randn(1, 80, 12)
    difference = plain.original_generator(checkpoint)(mel) - checkpoint.generator()(mel)
    assert difference.abs().max() < 1e-6


def test_the_plain_mels_are_ours_but_for_the_padding_of_the_ends(tone):
    whole = tone[: 256 * 100]
    ours, found = hw2_mel(whole).values, plain.hw2_mel(whole)
    assert np.abs(ours - found)[:, 2:-2].max() < 1e-4 * ours.max()
    logarithm = plain.log_hifigan_mel(plain.magnitude(whole))
    assert np.abs(logarithm - our_log_hifigan_mel(whole).values).max() < 1e-3


def test_the_plain_comparison_makes_all_outputs(tmp_path):
    def silent(mel: torch.Tensor) -> torch.Tensor:
        return torch.zeros(1, 1, mel.shape[-1] * 256)

    systems = plain.PlainSystems(dict.fromkeys(COMPARED, silent))
    assert tuple(systems.steps(harmonic_tone(0.6))) == COMPARED
    systems.compare(harmonic_tone(0.6), tmp_path)
    assert len(list(tmp_path.glob("*.wav"))) == len(COMPARED)
    assert len(list(tmp_path.glob("*-difference.png"))) == len(COMPARED)


def test_the_plain_takes_of_networks_sound_like_ours(tone):
    """Up to librosa's phases and the pseudo-inverse: the levels of loud bands agree."""
    steps = plain.PlainSystems(plain.original_generators()).steps(tone[: 256 * 60])
    analysis = Analysis(tone[: 256 * 60])
    # A clipped pseudo-inverse fills the gaps between partials, which a guide shows to the network
    allowed = {
        "hifigan-hw2": 0.1,
        "hifigan-original": 0.1,
        "hifigan-hw2-guided": 0.5,
        "harmonic-noise": 0.75,
    }  # nepers of power
    for system_id, most in allowed.items():
        ours, found = synthesize(find_systems(system_id)[0], analysis), fit_length(steps[system_id](), 256 * 60)
        bands = [np.log(plain.hw2_mel(output)[:, 4:-4].mean(axis=1) + 1e-4) for output in (ours, found)]
        loud = bands[0] > bands[0].max() - 8
        assert loud.sum() > 15
        assert np.abs(bands[0] - bands[1])[loud].mean() < most, system_id


def test_our_griffin_lim_converges_as_well_as_librosas():
    """Single seeds differ by 20 %; the mean over clips is what counts, and the framings differ at the ends."""
    pairs = [convergences(harmonic_tone(2.0, f0)) for f0 in (110.0, 165.0, 247.0, 392.0)]
    ours, theirs = np.mean(pairs, axis=0)
    assert ours < 1.05 * theirs


def test_every_stage_runs(tone, tmp_path):
    pairs = stages(tone[: 256 * 30], tmp_path)
    assert {pair.name for pair in pairs} <= set(PARTS)
    for pair in pairs:
        made = pair.ours()
        assert len(made if isinstance(made, (bytes, np.ndarray)) else made.values)


def test_both_sides_take_turns_and_the_first_turn_does_not_count():
    order: list[str] = []
    pairs = [Pair("a", lambda: order.append("plain"), lambda: order.append("ours")), Pair("b", None, lambda: None)]
    first, second = measure(pairs, audio=2.0, rounds=3)
    assert order == ["plain", "ours"] * 4
    assert first.ratio == first.plain / first.ours
    assert second.ratio is None
    assert "x" not in line(second)
    assert line(second).split()[:2] == ["b", "-"]
