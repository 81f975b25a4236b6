"""The HiFi-GAN generator as an OpenVINO graph: the same arithmetic as `vocoders.hifigan.generator`."""

from __future__ import annotations

import numpy as np

from vocoders.hifigan.generator import LAST_SLOPE, HiFiGANConfig
from vocoders.hifigan.openvino_layers import Layers
from vocoders.mel import HOP, N_MELS


def build_graph(config: HiFiGANConfig, weights: dict[str, np.ndarray]):
    """Inputs: (1, input_channels, frames) float32, and trims (upsamplings, 2) int64; output (1, 1, samples)."""
    from openvino import Model, opset13

    features = opset13.parameter([1, config.input_channels, -1], np.float32)
    cuts = opset13.parameter([len(config.upsample_rates), 2], np.int64)
    make = _Layers(opset13, weights, config.slope)
    mel, guide = make.split(features) if config.is_guided else (features, None)
    x = make.conv(mel, "conv_pre")
    parallel = len(config.resblock_kernel_sizes)
    for stage, rate in enumerate(config.upsample_rates):
        x = make.upsample(make.leaky(x), f"ups.{stage}", stage, rate, cuts)
        if guide is not None:
            x = opset13.add(x, make.guide(guide, stage, config, cuts))
        blocks = [
            make.block(x, f"resblocks.{stage * parallel + index}", dilations)
            for index, dilations in enumerate(config.resblock_dilation_sizes)
        ]
        x = opset13.multiply(make.total(blocks), np.float32(1 / parallel))
    x = opset13.tanh(make.conv(make.leaky(x, LAST_SLOPE), "conv_post"))
    return Model([x], [features, cuts], "hifigan")


class _Layers(Layers):
    """With leaky ReLUs, residual blocks of them, and the guide."""

    def __init__(self, ops, weights: dict[str, np.ndarray], slope: float) -> None:
        super().__init__(ops, weights)
        self._slope = slope

    def leaky(self, x, slope: float | None = None):
        return self._ops.prelu(x, np.array([self._slope if slope is None else slope], np.float32))

    def block(self, x, name: str, dilations: tuple[int, ...]):
        for index, dilation in enumerate(dilations):
            if f"{name}.convs1.0.weight" in self._weights:
                inner = self.conv(self.leaky(x), f"{name}.convs1.{index}", dilation)
                inner = self.conv(self.leaky(inner), f"{name}.convs2.{index}")
            else:
                inner = self.conv(self.leaky(x), f"{name}.convs.{index}", dilation)
            x = self._ops.add(x, inner)
        return x

    def split(self, features):
        """A guided generator's input -> mel (1, 80, frames), guide (1, 1, samples)."""
        ops = self._ops
        mel, frames = ops.variadic_split(features, np.int64(1), np.array([N_MELS, HOP], np.int64)).outputs()
        return mel, ops.reshape(
            ops.transpose(frames, np.array([0, 2, 1], np.int64)), np.array([1, 1, -1], np.int64), False
        )

    def guide(self, guide, stage: int, config: HiFiGANConfig, cuts):
        """The guide at the rate of an upsampling, less what this one and those before it dropped."""
        ops, (length, stride) = self._ops, config.guide_kernels[stage]
        dropped = []
        for side in (0, 1):
            total = np.array([0], np.int64)
            for earlier, rate in enumerate(config.upsample_rates[: stage + 1]):
                total = ops.add(ops.multiply(total, np.array([rate], np.int64)), self.cut(cuts, earlier, side))
            dropped.append(total)
        pad = (length - stride) // 2
        kernel = ops.constant(self._weights[f"guides.{stage}.weight"])
        y = ops.convolution(guide, kernel, [stride], [pad], [pad], [1])
        end = ops.subtract(ops.gather(ops.shape_of(y), np.array([2], np.int64), np.int64(0)), dropped[1])
        return ops.slice(y, dropped[0], end, np.array([1], np.int64), np.array([2], np.int64))
