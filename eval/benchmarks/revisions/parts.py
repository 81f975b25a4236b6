"""What is measured, by name: the parts of a comparison, and every system from a recording to its output.

This file is also run inside other revisions, by `measured_process.py`. It imports nothing of the project but within functions, where
what a revision does not have yet, or any more, is missing in that part alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

Work = Callable[[], object]
Part = Callable[
    [np.ndarray], Work
]  # of a recording, (n,) float32 at 22 050 Hz; what it needs is loaded before the work


def _v1(samples: np.ndarray) -> Work:
    from vocoders.catalogue import find_system

    return _on_hifigan_mel(find_system("hifigan-original").load(), samples)


def _untrained_size(name: str, samples: np.ndarray) -> Work:
    return _on_hifigan_mel(_untrained(name), samples)


def _on_hifigan_mel(vocoder: Any, samples: np.ndarray) -> Work:
    from vocoders.features import Features, log_hifigan_mel

    return functools.partial(vocoder, Features(vocoder.expects, log_hifigan_mel(samples).values))


@functools.cache
def _untrained(name: str) -> Any:
    """V2 or V3 with random weights, the same in every process: its speed is that of a trained one."""
    import torch

    from vocoders.checkpoints.checkpoint import Checkpoint
    from vocoders.hifigan import generator
    from vocoders.hifigan.engine import HiFiGANVocoder
    from vocoders.mel import HIFIGAN

    torch.manual_seed(0)
    config = getattr(generator, name)
    return HiFiGANVocoder(Checkpoint(config, HIFIGAN, generator.Generator(config).state_dict()))


def _griffin_lim(samples: np.ndarray) -> Work:
    from vocoders.phase.griffin_lim import griffin_lim
    from vocoders.phase.stft import stft

    return functools.partial(griffin_lim, np.abs(stft(samples)).T, iterations=32)


def _hw2_mel(samples: np.ndarray) -> Work:
    from vocoders.features import hw2_mel

    return functools.partial(hw2_mel, samples)


def _inversion(samples: np.ndarray) -> Work:
    from vocoders.features import hw2_mel
    from vocoders.phase.inversion import invert_mel

    return functools.partial(invert_mel, hw2_mel(samples).values)


def _guide(samples: np.ndarray) -> Work:
    from vocoders.features import hw2_mel, log_hw2
    from vocoders.hifigan.guide import guide_of

    return functools.partial(guide_of, log_hw2(hw2_mel(samples)).values)


def _refinement(samples: np.ndarray) -> Work:
    from vocoders.features import hw2_mel
    from vocoders.phase.refine import refine

    return functools.partial(refine, samples, hw2_mel(samples).values)


def _picture(samples: np.ndarray) -> Work:
    from eval.reports import spectrogram

    return functools.partial(spectrogram.level_png, spectrogram.level(samples))


def _metrics(samples: np.ndarray) -> Work:
    """Those that are computed unasked, of the recording with a little noise against itself."""
    from eval.metrics.registry import choose_metrics

    noise = np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    estimate, metrics = samples + 0.01 * noise, [metric for metric in choose_metrics(None) if not metric.why_not()]
    return lambda: np.array([metric.value(samples, estimate) for metric in metrics], dtype=float)


PARTS: dict[str, Part] = {
    "V1 generator": _v1,
    "V2 generator": functools.partial(_untrained_size, "V2"),
    "V3 generator": functools.partial(_untrained_size, "V3"),
    "Griffin-Lim, 32 iterations": _griffin_lim,
    "hw2 mel": _hw2_mel,
    "mel inversion": _inversion,
    "guide": _guide,
    "refinement": _refinement,
    "a spectrogram's picture": _picture,
    "all default metrics of an output": _metrics,
}


def whole_system(system_id: str, samples: np.ndarray) -> Work:
    """From the recording to the output, with nothing known before but the weights."""
    from vocoders.analysis import Analysis, synthesize
    from vocoders.catalogue import find_system

    system = find_system(system_id)
    system.load()
    return lambda: synthesize(system, Analysis(samples))


def systems() -> list[str]:
    """Ids of the catalogue, in its order."""
    from vocoders.catalogue import BUILT_IN

    return [system.id for system in BUILT_IN]


def work_of(name: str, samples: np.ndarray) -> Work:
    """Of a part or a system, by its name, ready to be timed."""
    return PARTS[name](samples) if name in PARTS else whole_system(name, samples)
