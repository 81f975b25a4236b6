"""VGGish's front end against librosa, its network against the layers written out, and where its weights are looked for."""

import librosa
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from eval.metrics.vggish import BANDS, VGGish, log_mel, vggish_embeddings, vggish_missing


@pytest.fixture(scope="module")
def weights():
    torch.manual_seed(0)
    return VGGish().state_dict()


def test_the_front_end_is_librosas_with_the_same_settings(rng):
    samples = rng.normal(0, 0.1, 16_000)
    ahead = (512 - 400) // 2  # librosa puts the window into the middle of the FFT frame
    theirs = librosa.feature.melspectrogram(
        y=np.pad(samples, (ahead, 512)),
        sr=16_000,
        n_fft=512,
        win_length=400,
        hop_length=160,
        center=False,
        power=1,
        n_mels=BANDS,
        fmin=125,
        fmax=7500,
        htk=True,
        norm=None,
    )
    ours = log_mel(samples)
    # librosa's triangles are straight in Hz, VGGish's in mel: equal but for the slopes within a band
    difference = np.abs(ours - np.log(theirs.T[: len(ours)] + 0.01))
    assert np.median(difference) < 0.02
    assert difference.max() < 0.25


@torch.inference_mode()
def test_the_network_is_its_layers(weights):
    model = VGGish()
    model.load_state_dict(weights)
    x = torch.randn(2, 1, 96, 64)
    y = x
    for index, pooled in ((0, True), (3, True), (6, False), (8, True), (11, False), (13, True)):
        y = F.relu(F.conv2d(y, weights[f"features.{index}.weight"], weights[f"features.{index}.bias"], padding=1))
        y = F.max_pool2d(y, 2) if pooled else y
    y = y.transpose(1, 3).transpose(1, 2).reshape(2, -1)  # channels last, as TensorFlow flattens
    for index in (0, 2, 4):
        y = F.linear(y, weights[f"embeddings.{index}.weight"], weights[f"embeddings.{index}.bias"])
        y = F.relu(y) if index < 4 else y
    assert torch.allclose(model(x), y, atol=1e-5)


def test_weights_are_given_by_name_and_short_clips_are_padded(weights, tmp_path, monkeypatch, tone):
    monkeypatch.setenv("VGGISH_WEIGHTS", str(tmp_path / "vggish.pth"))
    assert "set VGGISH_WEIGHTS" in vggish_missing()
    with pytest.raises(ValueError, match="set VGGISH_WEIGHTS"):
        vggish_embeddings([tone])
    torch.save(weights, tmp_path / "vggish.pth")
    assert vggish_missing() is None
    (found,) = vggish_embeddings([tone[:8000]])
    assert found.shape == (2, 128)  # two seconds, 0.96 s each
    assert np.isfinite(found).all()
    assert np.allclose(
        vggish_embeddings([tone[:8000] + np.float32(0.1)])[0][0], found[0], atol=0.05
    )  # the mean is removed


def test_short_clips_share_batches(weights, tmp_path, monkeypatch, rng):
    """Five clips of 3 s and one of 20 s: 35 examples in three batches, each clip's embeddings those of the clip alone."""
    torch.save(weights, tmp_path / "vggish.pth")
    monkeypatch.setenv("VGGISH_WEIGHTS", str(tmp_path / "vggish.pth"))
    clips = [rng.normal(0, 0.1, 22_050 * seconds).astype(np.float32) for seconds in (3, 3, 3, 20, 3, 3)]
    alone = [vggish_embeddings([clip])[0] for clip in clips]
    sizes: list[int] = []
    forward = VGGish.forward
    monkeypatch.setattr(VGGish, "forward", lambda model, x: (sizes.append(len(x)), forward(model, x))[1])
    together = vggish_embeddings(clips)
    assert [len(found) for found in together] == [3, 3, 3, 20, 3, 3]
    assert sizes == [16, 16, 3]
    for one, other in zip(alone, together):
        assert np.abs(one - other).max() < 1e-5 * np.abs(one).max()
    assert vggish_embeddings([]) == []
