"""Layers of generators as nodes of an OpenVINO graph.

Two things are done differently than in PyTorch, with the same result:

* A transposed convolution that makes r samples of one is a plain convolution that makes r x channels, phase by phase,
  whose phases are then interleaved. Plain convolutions are what compilers do best.
* A window carries context that only the first layers need. Every upsampling drops what no later layer looks at, see
  `vocoders.hifigan.windows.trims`; it costs nothing, because the interleaved phases need their ends cut anyway.
"""

from __future__ import annotations

import numpy as np


class Layers:
    """Layers as graph nodes; names are those of the weights. Signals are (1, channels, samples)."""

    def __init__(self, ops, weights: dict[str, np.ndarray]) -> None:
        self._ops, self._weights = ops, weights

    def total(self, terms: list):
        first, *others = terms
        for term in others:
            first = self._ops.add(first, term)
        return first

    def conv(self, x, name: str, dilation: int = 1):
        kernel = self._weights[f"{name}.weight"]
        pad = dilation * (kernel.shape[2] - 1) // 2
        bias = self._weights.get(f"{name}.bias", np.zeros(len(kernel), np.float32))
        return self._plain(x, name, kernel, bias, pad, dilation)

    def _plain(self, x, name: str, kernel: np.ndarray, bias: np.ndarray, pad: int, dilation: int = 1):
        y = self._ops.convolution(x, self._ops.constant(kernel), [1], [pad], [pad], [dilation])
        y.set_friendly_name(name)  # under which a profile lists it
        return self._ops.add(y, bias.reshape(1, -1, 1))

    def upsample(self, x, name: str, stage: int, rate: int, cuts):
        """A transposed convolution, less what `cuts` says. Tap j = m * rate + phase of the kernel moves an input
        sample m places on, in that phase; the taps are thus (phase x channels) kernels of length m."""
        ops, bias = self._ops, self._weights[f"{name}.bias"]
        kernel = self._weights[f"{name}.weight"]  # (in, out, taps)
        inputs, outputs, taps = kernel.shape
        padding = (taps - rate + 1) // 2  # that the transposed convolution takes off at the left end
        places = max(2, -(-taps // rate))
        kernel = np.pad(kernel, ((0, 0), (0, 0), (0, places * rate - taps))).reshape(inputs, outputs, places, rate)
        kernel = np.ascontiguousarray(kernel[:, :, ::-1].transpose(3, 1, 0, 2).reshape(rate * outputs, inputs, places))
        y = self._plain(x, name, kernel, np.tile(bias, rate), pad=places - 1)
        y = ops.depth_to_space(y, "blocks_first", rate)
        left, right = (self.cut(cuts, stage, side) for side in (0, 1))
        excess = (places - 1) * rate - padding  # at the right end; never 0, so -excess counts from there
        start, stop = ops.add(left, np.array([padding], np.int64)), ops.subtract(np.array([-excess], np.int64), right)
        return ops.slice(y, start, stop, np.array([1], np.int64), np.array([2], np.int64))

    def cut(self, cuts, stage: int, side: int):
        """(1,) samples that an upsampling drops at its left (0) or right (1) end."""
        return self._ops.gather_nd(cuts, np.array([[stage, side]], np.int64))
