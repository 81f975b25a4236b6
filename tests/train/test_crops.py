"""Training segments: where they come from, that their mels are those of the whole recording, and the augmentation."""

import dataclasses

import numpy as np
import pytest
import torch

from tests.conftest import harmonic_tone
from train.config import PRESETS, with_input
from train.data.crops import MARGIN_SAMPLES, TAPS_PER_SIDE, Crops, resampled_crops
from train.data.guide import Guides
from train.data.pack import AUDIO, Clip, Pack, PackError
from vocoders.features import hw2_mel, log_hw2
from vocoders.hifigan.generator_input import GUIDE_GAIN
from vocoders.mel import HOP

CPU = torch.device("cpu")
PLAIN = dataclasses.replace(PRESETS["tiny"], pitch_shift=0.0, gain=(0.0, 0.0))


def made_pack(tmp_path, *clips: np.ndarray) -> Pack:
    """A pack of these int16 clips, all to train on."""
    np.concatenate(clips).astype("<i2").tofile(tmp_path / AUDIO)
    starts = np.cumsum([0, *(len(clip) for clip in clips)])
    return Pack(tmp_path, tuple(Clip(f"{i}", f"{i}", int(starts[i]), len(c), "") for i, c in enumerate(clips)))


def test_a_plain_segment_is_a_piece_of_a_clip_and_its_mel_that_of_the_whole_clip(tmp_path):
    whole = (harmonic_tone(25.0) * 32767).astype(np.int16)
    crops = Crops(made_pack(tmp_path, whole), PLAIN, CPU)
    # Frames of the whole clip lie on a grid of 256 samples, so a start on that grid is asked for
    start = torch.tensor([40 * HOP - MARGIN_SAMPLES - TAPS_PER_SIDE])
    waveform = resampled_crops(crops.audio, start, torch.ones(1), 4096 + 2 * MARGIN_SAMPLES)
    batch = crops.batch_of(waveform)
    assert np.array_equal(batch.target[0, 0] * 32768, whole[40 * HOP : 40 * HOP + 4096])
    mel = log_hw2(hw2_mel(whole.astype(np.float32) / 32768)).values[:, 40:56]
    assert batch.features.shape == (1, 80, 16)
    assert np.abs(batch.features[0].numpy() - mel).max() < 1e-4


@pytest.mark.parametrize("shift", [0.0, 2.0])
def test_a_guide_is_read_where_its_target_is(tmp_path, shift):
    """With the recording itself as its guide, the two cannot differ."""
    pack = made_pack(tmp_path, (harmonic_tone(25.0) * 32767).astype(np.int16))
    Guides(pack).path.write_bytes((tmp_path / AUDIO).read_bytes())
    config = dataclasses.replace(with_input(PLAIN, "guide"), pitch_shift=shift, gain=(-12.0, 12.0))
    batch = Crops(pack, config, CPU).draw(3, 4096, 4)
    assert batch.features.shape == (4, 336, 16)
    guide = batch.features[:, 80:].transpose(1, 2).flatten(1) / GUIDE_GAIN
    assert torch.allclose(guide, batch.target[:, 0], atol=1e-6)
    assert batch.target.abs().amax(-1).unique().numel() == 4  # their gains differ


def test_segments_never_cross_clips_and_every_start_is_equally_likely(tmp_path):
    lengths = (40_000, 80_000, 320_000, 5_000)  # the last has no room for a segment
    clips = [np.full(length, 100 * (i + 1)) for i, length in enumerate(lengths)]
    config = dataclasses.replace(PLAIN, segment=4096, long_segment=8192)
    crops = Crops(made_pack(tmp_path, *clips), config, CPU)
    counts = np.zeros(4)
    for step in range(200):
        target = crops.draw(step, 4096, 8).target * 32768
        assert (target.amax(-1) == target.amin(-1)).all()
        counts += np.bincount(target[:, 0, 0].long().numpy() // 100 - 1, minlength=4)
    rooms = np.array([length - crops._span(4096) + 1 for length in lengths[:3]])
    assert counts[3] == 0
    assert np.abs(counts[:3] / 1600 - rooms / rooms.sum()).max() < 0.04


def test_a_step_always_draws_the_same_and_ranks_and_steps_differ(pack):
    config = PRESETS["tiny"]
    first, again, other = (Crops(pack, config, CPU, rank) for rank in (0, 0, 1))
    assert torch.equal(first.draw(3, 4096, 4).target, again.draw(3, 4096, 4).target)
    assert not torch.equal(first.draw(3, 4096, 4).target, first.draw(4, 4096, 4).target)
    assert not torch.equal(first.draw(3, 4096, 4).target, other.draw(3, 4096, 4).target)


def sine(hertz: float, seconds: float = 2.0) -> torch.Tensor:
    time = np.arange(round(seconds * 22_050)) / 22_050
    return torch.from_numpy((0.5 * np.sin(2 * np.pi * hertz * time) * 32767).astype(np.int16))


@pytest.mark.parametrize("semitones", [-3.0, 0.37, 5.0])
def test_a_shift_of_n_semitones_is_n_semitones(semitones):
    ratio = 2 ** (semitones / 12)
    shifted = resampled_crops(sine(440), torch.zeros(1, dtype=torch.long), torch.tensor([ratio]), 16_384)[0]
    time = torch.arange(16_384) / 22_050
    # with the right frequency a least-squares fit of sine and cosine leaves nothing; a cent off, it leaves 1 %
    wanted = torch.stack([torch.sin(2 * np.pi * 440 * ratio * time), torch.cos(2 * np.pi * 440 * ratio * time)], dim=1)
    rest = shifted - (wanted @ torch.linalg.lstsq(wanted, shifted[:, None]).solution)[:, 0]
    assert rest.norm() / shifted.norm() < 2e-3


def test_shifting_up_does_not_alias():
    high = resampled_crops(sine(9_500), torch.zeros(1, dtype=torch.long), torch.tensor([1.41]), 8192)[0]
    assert high.abs().max() < 0.5 * 10 ** (-40 / 20)  # 13.4 kHz would fold back to 8.6


def test_a_gain_changes_the_level_and_never_clips(tmp_path):
    loud = (harmonic_tone(25.0) * 65_000).astype(np.int16)  # peaks at -0.1 dB
    config = dataclasses.replace(PLAIN, gain=(-12.0, 12.0))
    crops = Crops(made_pack(tmp_path, loud), config, CPU)
    peaks = torch.cat([crops.draw(step, 4096, 16).target.abs().amax(-1)[:, 0] for step in range(4)])
    assert peaks.max() <= 1
    assert peaks.min() < 0.5 < 0.9 < peaks.max()


def test_too_little_to_train_on_is_refused(tmp_path):
    with pytest.raises(PackError, match=r"has 2.3 s to train on; at least 20 s"):
        Crops(made_pack(tmp_path, np.ones(50_000)), PLAIN, CPU)
    with pytest.raises(PackError, match=r"longest clip of .* has 0.45 s, and a segment of this preset needs 0.48 s"):
        Crops(made_pack(tmp_path, *[np.ones(10_000)] * 50), dataclasses.replace(PLAIN, long_segment=9472), CPU)
