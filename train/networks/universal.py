"""UNIVERSAL_V1 as a starting point for another input: only its first layer is solved anew, in closed form.

Wanted is a conv_pre' with conv_pre'(our input) = conv_pre(the mel it was trained on) on real recordings. A convolution
is linear, so that is a ridge regression over windows of 7 frames: a few seconds instead of thousands of steps.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from train.data.pack import Pack
from vocoders.checkpoints.checkpoint import read_checkpoint
from vocoders.hifigan.generator import HiFiGANConfig
from vocoders.hifigan.generator_input import generator_input
from vocoders.hifigan.original import original_weights
from vocoders.mel import HIFIGAN, MelRecipe, MelSpectrogram, log_mel

KERNEL_FRAMES = 7  # of conv_pre
FITTED_SECONDS = 840.0  # of recordings to solve on
RIDGE = 1e-3  # relative to the mean square of the input


def universal_weights(
    pack: Pack, config: HiFiGANConfig, recipe: MelRecipe, seconds: float = FITTED_SECONDS
) -> dict[str, Tensor]:
    """Plain weights of a V1 generator for `recipe` and `config.input_channels`; of a guided one without those layers.

    Errors: ValueError for another shape than V1's; `Unavailable` without the package that carries the original.
    """
    original = read_checkpoint(original_weights("universal"), recipe="hifigan")
    if original.weights["ups.0.weight"].shape[0] != config.upsample_initial_channel or config.resblock != 1:
        raise ValueError("UNIVERSAL_V1 is a V1 generator; use a v1 preset to start from it")
    weight, bias = original.weights["conv_pre.weight"], original.weights["conv_pre.bias"]
    channels = config.frame_channels
    if recipe == HIFIGAN and channels == weight.shape[1]:
        return dict(original.weights)
    own, other = MelSpectrogram(HIFIGAN), MelSpectrogram(recipe)

    def pairs() -> Iterable[tuple[Tensor, Tensor]]:
        for waveform in _recordings(pack, seconds):
            mel = log_mel(other(waveform))
            wanted = F.conv1d(log_mel(own(waveform))[None], weight, bias, padding=KERNEL_FRAMES // 2)[0]
            yield generator_input(mel, channels, recipe), wanted

    solved_weight, solved_bias = solve_convolution(pairs())
    return {**original.weights, "conv_pre.weight": solved_weight, "conv_pre.bias": solved_bias}


def _recordings(pack: Pack, seconds: float) -> Iterable[Tensor]:
    """Training clips spread evenly over the pack, float (n,)."""
    clips = [clip for clip in pack.split("train") if clip.seconds > 0.5]
    mean = sum(clip.seconds for clip in clips) / len(clips)
    for clip in clips[:: max(1, round(mean * len(clips) / seconds))]:
        yield torch.from_numpy(pack.samples(clip))


def solve_convolution(pairs: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """The convolution of `KERNEL_FRAMES` frames that best maps inputs (channels, frames) to outputs (outputs, frames).

    Returns its weight (outputs, channels, KERNEL_FRAMES) and bias (outputs,), for zero padding of KERNEL_FRAMES // 2. Ridge
    regression by the normal equations, in float64; the bias is not shrunk. Errors: ValueError without any pair.
    """
    gram = cross = None
    for x, y in pairs:
        padded = F.pad(x, (KERNEL_FRAMES // 2, KERNEL_FRAMES // 2))
        windows = padded.unfold(-1, KERNEL_FRAMES, 1)  # (channels, frames, KERNEL_FRAMES)
        rows = windows.permute(1, 0, 2).flatten(1).double()
        rows = torch.cat([rows, rows.new_ones(len(rows), 1)], dim=1)
        gram = rows.T @ rows + (0 if gram is None else gram)
        cross = rows.T @ y.T.double() + (0 if cross is None else cross)
    if gram is None or cross is None:
        raise ValueError("no input and output is given to solve on")
    penalty = RIDGE * gram.diagonal()[:-1].mean()
    gram.diagonal()[:-1] += penalty
    solution = torch.linalg.solve(gram, cross).float()
    weight = solution[:-1].T.unflatten(1, (-1, KERNEL_FRAMES)).contiguous()
    return weight, solution[-1].contiguous()
