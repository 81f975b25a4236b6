"""Writes generators.json: what the original implementations make of `formula.mel` with weights by formula.

It needs checkouts of the originals, which are no part of this repository, in one folder under these names: BigVGAN (NVIDIA),
vocos (gemelo-ai), ParallelWaveGAN (kan-bayashi), iSTFTNet (rishikksh20/iSTFTNet-pytorch), hifi-gan (jik876) and speechbrain.

python -m tests.golden.make_generators FOLDER
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import scipy.signal
import torch

from tests.golden.formula import mel, state_of
from vocoders.torchaudio_cpu import import_torchaudio

GOLDEN = Path(__file__).with_name("generators.json")
SMALL = {
    "upsample_rates": [4, 2], "upsample_kernel_sizes": [8, 4], "upsample_initial_channel": 16,
    "resblock_kernel_sizes": [3, 5], "resblock_dilation_sizes": [[1, 3, 5], [1, 2, 3]], "num_mels": 12,
    "sampling_rate": 16000, "hop_size": 8, "n_fft": 64, "win_size": 64, "fmin": 0, "fmax": 8000,
}  # fmt: skip


@contextmanager
def importing(folder: Path):
    """Modules of an original, which imports its own by their bare names."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if str(folder) in str(vars(sys.modules[name]).get("__file__", "")):
                del sys.modules[name]


def record(
    network: torch.nn.Module, run: Callable, config: dict, constants: tuple[str, ...] = (), gain: float = 1.0
) -> dict:
    """Shapes, and what `run(network)` gives with weights by formula. constants: last parts of the names of what is not learned.
    gain: of the last layer."""
    state = network.state_dict()
    kept = (
        {name.rpartition(".")[2]: value.flatten().tolist() for name, value in state.items() if name.endswith(constants)}
        if constants
        else {}
    )
    shapes = {name: list(value.shape) for name, value in state.items()}
    network.load_state_dict(state_of(shapes, kept, gain))
    with torch.inference_mode():
        output = run(network.eval()).flatten()
    return {
        "config": config,
        **({"gain": gain} if gain != 1 else {}),
        "constants": kept,
        "shapes": shapes,
        "output": [float(f"{x:.6g}") for x in output.tolist()],
    }


def bigvgan(folder: Path) -> dict:
    cases = {
        "BigVGAN 1, snake": {**SMALL, "resblock": "1", "activation": "snake", "snake_logscale": False},
        "BigVGAN 1, snakebeta": {**SMALL, "resblock": "2", "activation": "snakebeta", "snake_logscale": True},
        "BigVGAN 2": {**SMALL, "resblock": "1", "activation": "snakebeta", "snake_logscale": True,
                      "use_tanh_at_final": False, "use_bias_at_final": False},
    }  # fmt: skip
    with importing(folder / "BigVGAN") as load:
        model, attributes = load("bigvgan").BigVGAN, load("env").AttrDict
        return {
            name: record(model(attributes(config)), lambda net: net(mel(12)), config, ("filter",))
            for name, config in cases.items()
        }


def vocos(folder: Path) -> dict:
    sys.modules.setdefault("encodec", ModuleType("encodec")).EncodecModel = None  # which a mel model does not use
    cases = {}
    with importing(folder / "vocos") as load:
        for padding in ("center", "same"):
            config = {
                "feature_extractor": {
                    "class_path": "vocos.feature_extractors.MelSpectrogramFeatures",
                    "init_args": {"sample_rate": 16000, "n_fft": 64, "hop_length": 16, "n_mels": 12, "padding": padding},
                },
                "backbone": {
                    "class_path": "vocos.models.VocosBackbone",
                    "init_args": {"input_channels": 12, "dim": 16, "intermediate_dim": 32, "num_layers": 2},
                },
                "head": {
                    "class_path": "vocos.heads.ISTFTHead",
                    "init_args": {"dim": 16, "n_fft": 64, "hop_length": 16, "padding": padding},
                },
            }  # fmt: skip
            make = load("vocos.pretrained").instantiate_class
            network = load("vocos").Vocos(**{part: make((), init) for part, init in config.items()})
            cases[f"Vocos, {padding}"] = record(network, lambda net: net.decode(mel(12)), config, ("window", "fb"))
    return cases


def parallel_wavegan(folder: Path) -> dict:
    scipy.signal.kaiser = scipy.signal.windows.kaiser  # where it was when that program was written
    params = {
        "in_channels": 12, "channels": 16, "upsample_scales": [3, 2], "upsample_kernel_sizes": [6, 4],
        "resblock_kernel_sizes": [3, 5], "resblock_dilations": [[1, 3], [1, 2]],
    }  # fmt: skip
    framing = {"sampling_rate": 16000, "fft_size": 64, "hop_size": 6, "win_length": None, "num_mels": 12, "fmin": 80}
    cases = {}
    with importing(folder / "ParallelWaveGAN") as load:
        model = load("parallel_wavegan.models.hifigan").HiFiGANGenerator
        for double in (True, False):
            config = {**framing, "fmax": 7600, "generator_type": "HiFiGANGenerator",
                      "generator_params": {**params, "use_additional_convs": double}}  # fmt: skip
            name = f"ParallelWaveGAN's HiFi-GAN, {'two convolutions' if double else 'one'}"
            cases[name] = record(model(**config["generator_params"]), lambda net: net(mel(12)), config)
    return cases


def istftnet(folder: Path) -> dict:
    config = {**SMALL, "resblock": "1", "hop_size": 32, "gen_istft_n_fft": 16, "gen_istft_hop_size": 4}
    with importing(folder / "iSTFTNet") as load:
        network, stft = load("models").Generator(SimpleNamespace(**config)), load("stft").TorchSTFT
        inverse = stft(config["gen_istft_n_fft"], config["gen_istft_hop_size"], config["gen_istft_n_fft"]).inverse
        return {"iSTFTNet": record(network, lambda net: inverse(*net(mel(12))), config)}


def hifigan(folder: Path) -> dict:
    cases = {}
    with importing(folder / "hifi-gan") as load:
        for resblock in ("1", "2"):
            config = {**SMALL, "resblock": resblock, "num_mels": 80, "n_fft": 1024, "win_size": 1024}
            if resblock == "2":
                config["resblock_dilation_sizes"] = [[1, 3], [1, 2]]
            model = load("models").Generator
            cases[f"HiFi-GAN, resblock {resblock}"] = record(
                model(SimpleNamespace(**config)), lambda net: net(mel(80)), config
            )
    return cases


def speechbrain(folder: Path) -> dict:
    params = {
        "in_channels": 12, "out_channels": 1, "resblock_type": "1", "upsample_factors": [4, 2],
        "upsample_kernel_sizes": [8, 4], "upsample_initial_channel": 16, "resblock_kernel_sizes": [3, 5],
        "resblock_dilation_sizes": [[1, 3, 5], [1, 2, 3]],
    }  # fmt: skip
    framing = {"sample_rate": 16000, "n_fft": 64, "win_length": 64, "hop_length": 8, "n_mel_channels": 12,
               "mel_fmin": 0.0, "mel_fmax": 8000.0}  # fmt: skip
    with importing(folder / "speechbrain") as load:
        network = load("speechbrain.lobes.models.HifiGAN").HifiganGenerator(**params)
        return {"speechbrain's HiFi-GAN": record(network, lambda net: net(mel(12)), {**framing, **params})}


if __name__ == "__main__":
    import_torchaudio()
    originals = Path(sys.argv[1])
    makers = (hifigan, istftnet, parallel_wavegan, speechbrain, bigvgan, vocos)
    cases = {name: case for make in makers for name, case in make(originals).items()}
    GOLDEN.write_text(
        "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items()) + "\n}\n"
    )
