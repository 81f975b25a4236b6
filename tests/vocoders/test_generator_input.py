"""The richer input of a generator: the mel's own inversion, the same in NumPy and in torch, frame by frame."""

import dataclasses

import numpy as np
import pytest
import torch

from vocoders.checkpoints.checkpoint import Checkpoint, read_checkpoint, write_safetensors
from vocoders.features import hw2_mel, log_hw2
from vocoders.hifigan.engine import HiFiGANVocoder
from vocoders.hifigan.generator import V3, Generator
from vocoders.hifigan.generator_input import WITH_AMPLITUDE, generator_input
from vocoders.hifigan.windows import MAX_KEPT_FRAMES
from vocoders.mel import HIFIGAN, HW2, mel_of
from vocoders.phase.inversion import invert_mel, invert_mel_tensor

RICH = dataclasses.replace(V3, input_channels=WITH_AMPLITUDE)


@pytest.mark.parametrize("recipe", [HW2, HIFIGAN])
def test_tensors_are_inverted_as_arrays_are(recipe, tone):
    mel = mel_of(tone, recipe)
    batch = torch.from_numpy(np.stack([mel, mel / 2]))
    found = invert_mel_tensor(batch, recipe)
    for one, wanted in zip(found, (mel, mel / 2)):
        assert np.allclose(one, invert_mel(wanted, recipe), rtol=1e-3, atol=1e-5)


def test_the_mel_comes_first_and_its_inverted_log_amplitude_below(tone):
    log = torch.from_numpy(log_hw2(hw2_mel(tone)).values)
    assert generator_input(log, 80, HW2) is log
    rich = generator_input(log, WITH_AMPLITUDE, HW2)
    assert rich.shape == (593, log.shape[1])
    assert torch.equal(rich[:80], log)
    wanted = np.log(np.maximum(invert_mel(np.exp(log.numpy())), 1e-5))
    assert np.abs(rich[80:].numpy() - wanted).max() < 1e-2
    with pytest.raises(ValueError, match="80 or 593 or 336 or 592 input channels, not 81"):
        generator_input(log, 81, HW2)


def test_a_generator_with_it_is_loaded_and_run_from_a_mel(tmp_path, tone):
    torch.manual_seed(0)
    written = Checkpoint(RICH, HW2, Generator(RICH).state_dict())
    write_safetensors(tmp_path / "rich.safetensors", written)
    checkpoint = read_checkpoint(tmp_path / "rich.safetensors")
    features = log_hw2(hw2_mel(np.tile(tone, 4)))
    assert features.values.shape[1] > MAX_KEPT_FRAMES + 2 * RICH.context  # more than one window
    with torch.inference_mode():
        log = torch.from_numpy(features.values)[None]
        whole = checkpoint.generator()(generator_input(log, WITH_AMPLITUDE, HW2))[0, 0].numpy()
    assert np.abs(HiFiGANVocoder(checkpoint)(features) - whole).max() < 1e-5
