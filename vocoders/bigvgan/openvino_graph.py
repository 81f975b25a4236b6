"""The BigVGAN generator as an OpenVINO graph: the same arithmetic as `vocoders.bigvgan.generator`, in another order.

* An activation never interleaves its two samples per input sample. The even and the odd ones are two signals, each a short filter
  of the input (the polyphase form of the upsampling), through the snake alike; the low-pass filter of the way down is the sum of
  two filters of them. All four are depthwise convolutions without stride, which compilers do best.
* sin^2 has the period pi, so it is a polynomial of the distance from the nearest multiple: the CPU plugin computes a sine one
  number at a time.
"""

from __future__ import annotations

import numpy as np

from vocoders.bigvgan.activations import TAPS, TINY
from vocoders.bigvgan.generator import BigVGANConfig
from vocoders.hifigan.openvino_layers import Layers

SINE_TERMS = 6  # of sin^2(pi r) = r^2 (c0 + c1 r^2 + ...), |r| <= 1/2: within 3e-8
_BEFORE, _AFTER = (
    TAPS // 4 - 1,
    TAPS // 4,
)  # samples of one phase that a low-pass filter needs to one side and the other


def build_graph(config: BigVGANConfig, weights: dict[str, np.ndarray]):
    """Inputs: (1, bands, frames) float32, and trims (upsamplings, 2) int64; output (1, 1, samples)."""
    from openvino import Model, opset13

    mel = opset13.parameter([1, config.bands, -1], np.float32)
    cuts = opset13.parameter([len(config.upsample_rates), 2], np.int64)
    make = _Layers(opset13, weights, config)
    x = make.conv(mel, "conv_pre")
    parallel = len(config.resblock_kernel_sizes)
    for stage, rate in enumerate(config.upsample_rates):
        x = make.upsample(x, f"ups.{stage}.0", stage, rate, cuts)
        blocks = [
            make.block(x, f"resblocks.{stage * parallel + index}", dilations)
            for index, dilations in enumerate(config.resblock_dilation_sizes)
        ]
        x = opset13.multiply(make.total(blocks), np.float32(1 / parallel))
    x = make.conv(make.activation(x, "activation_post"), "conv_post")
    x = opset13.tanh(x) if config.use_tanh_at_final else opset13.clamp(x, -1.0, 1.0)
    return Model([x], [mel, cuts], "bigvgan")


class _Layers(Layers):
    """With anti-aliased snakes, and residual blocks of them."""

    def __init__(self, ops, weights: dict[str, np.ndarray], config: BigVGANConfig) -> None:
        super().__init__(ops, weights)
        self._config = config
        self._sine = sine_squared_terms()

    def block(self, x, name: str, dilations: tuple[int, ...]):
        for index, dilation in enumerate(dilations):
            if self._config.resblock == 1:
                inner = self.activation(x, f"{name}.activations.{2 * index}")
                inner = self.conv(inner, f"{name}.convs1.{index}", dilation)
                inner = self.activation(inner, f"{name}.activations.{2 * index + 1}")
                inner = self.conv(inner, f"{name}.convs2.{index}")
            else:
                inner = self.conv(self.activation(x, f"{name}.activations.{index}"), f"{name}.convs.{index}", dilation)
            x = self._ops.add(x, inner)
        return x

    def activation(self, x, name: str):
        """`AntiAliased`: beyond the ends both filters find the first or last value."""
        ops, reach = self._ops, TAPS // 4
        up = 2 * self._weights[f"{name}.upsample.filter"].reshape(-1)[::-1]
        x = ops.pad(x, [0, 0, reach], [0, 0, reach], "edge")
        even = self._snake(self._depthwise(x, np.append(up[0::2], 0)), name)
        odd = self._snake(self._depthwise(x, np.insert(up[1::2], 0, 0)), name)
        first, last = self._samples(even, 0, 1), self._samples(odd, -1, np.iinfo(np.int64).max)
        even = ops.concat([*[first] * _BEFORE, even, *[last] * _AFTER], 2)
        odd = ops.concat([*[first] * _AFTER, odd, *[last] * _BEFORE], 2)
        down = self._weights[f"{name}.downsample.lowpass.filter"].reshape(-1)
        return ops.add(self._depthwise(even, down[1::2]), self._depthwise(odd, down[0::2]))

    def _samples(self, x, start: int, stop: int):
        return self._ops.slice(x, *(np.array([value], np.int64) for value in (start, stop, 1, 2)))

    def _depthwise(self, x, taps: np.ndarray):
        """One filter for every channel, without padding."""
        kernel = np.tile(taps.astype(np.float32), (x.get_output_partial_shape(0)[1].get_length(), 1, 1, 1))
        return self._ops.group_convolution(x, kernel, [1], [0], [0], [1])

    def _snake(self, x, name: str):
        """x + sin^2(alpha x) / beta."""
        ops = self._ops
        alpha = self._scaled(f"{name}.act.alpha")
        beta = self._scaled(f"{name}.act.beta") if self._config.activation == "snakebeta" else alpha
        turns = ops.multiply(x, (alpha / np.float32(np.pi)).astype(np.float32))
        turns = ops.subtract(turns, ops.round(turns, "half_to_even"))
        square = ops.multiply(turns, turns)
        *lower, total = map(np.float32, self._sine)
        for term in reversed(lower):
            total = ops.add(ops.multiply(total, square), term)
        sine = ops.multiply(square, total)
        return ops.add(x, ops.multiply(sine, (1 / (beta + TINY)).astype(np.float32)))

    def _scaled(self, name: str) -> np.ndarray:
        """(1, channels, 1), as the snake multiplies by it."""
        values = self._weights[name].astype(np.float64)
        return (np.exp(values) if self._config.snake_logscale else values)[None, :, None]


def sine_squared_terms() -> np.ndarray:
    """c0, c1, ... of sin^2(pi r) / r^2 in powers of r^2, by least squares at Chebyshev's points."""
    squares = 0.125 * (1 + np.cos(np.pi * (np.arange(200) + 0.5) / 200))
    powers = squares[:, None] ** np.arange(SINE_TERMS)
    return np.linalg.lstsq(powers, np.sin(np.pi * np.sqrt(squares)) ** 2 / squares, rcond=None)[0]
