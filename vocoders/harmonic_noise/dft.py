"""The DFT of real frames and its inverse; a spectrum is two rows of real numbers, its real and its imaginary part: (..., 2, bins).

ONNX has no complex numbers, and few of its runtimes have an FFT, so an exported graph has one step of Cooley & Tukey's (1965). With
size = rows * COLUMNS, sample r + rows c and bin b + COLUMNS a,

    x[r, c] ──▶ DFT over c ──▶ × exp(-2 pi i r b / size) ──▶ DFT over r ──▶ X[a, b]

and the inverse is its mirror image. Both DFTs are products with small constant matrices: of 1024 samples, an eighth of the
multiplications of one matrix of the whole, and less than a hundredth of its numbers. PyTorch has an FFT, which is faster.

Both ways have the rounding error of float32, and the network's input, which has logarithms of nearly silent bins, enlarges it: on a
recording, samples of large random weights are some 1e-4 from those of double precision, either way.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

COLUMNS = 32  # size is a multiple


def real_dft(frames: Tensor, size: int, bins: int) -> Tensor:
    """(..., size) -> the lowest `bins` of size // 2 + 1: (..., 2, bins)."""
    if not torch.onnx.is_in_onnx_export():
        spectrum = torch.fft.rfft(frames, size)[..., :bins]
        return torch.stack([spectrum.real, spectrum.imag], dim=-2)
    rows, used = size // COLUMNS, -(-bins // COLUMNS)
    x = frames.unflatten(-1, (COLUMNS, rows)).transpose(-1, -2)
    over_columns = _powers(COLUMNS, COLUMNS, -COLUMNS)
    parts = x @ _constant(over_columns.real), x @ _constant(over_columns.imag)
    turned = torch.cat(_product(parts, _powers(rows, COLUMNS, -size)), dim=-2)
    return (_left(_powers(used, rows, -rows)) @ turned).unflatten(-2, (2, used)).flatten(-2)[..., :bins]


def inverse_real_dft(spectrum: Tensor, size: int) -> Tensor:
    """(..., 2, up to size // 2 + 1 bins; missing ones are 0) -> (..., size). The last and the first bin count without imaginary part."""
    if not torch.onnx.is_in_onnx_export():
        real, imaginary = spectrum.unbind(-2)
        return torch.fft.irfft(torch.complex(real, imaginary), size)
    bins, rows = int(spectrum.shape[-1]), size // COLUMNS
    used = -(-bins // COLUMNS)
    sides = np.full(bins, 2.0)  # how often a bin stands in the whole spectrum, of both signs
    sides[0 :: size // 2] = 1.0
    x = F.pad(spectrum * _constant(sides / size), (0, used * COLUMNS - bins))
    over_rows = _left(_powers(rows, used, rows)) @ x.unflatten(-1, (used, COLUMNS)).flatten(-3, -2)
    real, imaginary = _product(over_rows.split(rows, dim=-2), _powers(rows, COLUMNS, size))
    over_columns = _powers(COLUMNS, COLUMNS, COLUMNS)
    samples = real @ _constant(over_columns.real) - imaginary @ _constant(over_columns.imag)
    return samples.transpose(-1, -2).flatten(-2)


def _powers(rows: int, columns: int, period: int) -> np.ndarray:
    """exp(2 pi i row column / period), complex128 (rows, columns)."""
    return np.exp(2j * np.pi * np.outer(np.arange(rows), np.arange(columns)) / period)


def _left(matrix: np.ndarray) -> Tensor:
    """As a real matrix that multiplies a real part above an imaginary one from the left."""
    return _constant(np.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]]))


def _product(parts: tuple[Tensor, Tensor], factor: np.ndarray) -> tuple[Tensor, Tensor]:
    """Of two complex numbers each, elementwise: real and imaginary part."""
    real, imaginary = parts
    c, s = _constant(factor.real), _constant(factor.imag)
    return real * c - imaginary * s, real * s + imaginary * c


def _constant(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)
