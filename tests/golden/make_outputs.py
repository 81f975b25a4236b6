"""Writes outputs.json: what the original implementations make of a recording, `formula.voice`, through their own mel functions and
their own generators, with weights by formula. Every `STRIDE`-th sample is kept.

The originals are those of `make_generators`, and TTS (coqui-ai), vits (jaywalnut310) and espnet in the same folder.

python -m tests.golden.make_outputs FOLDER
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest import mock

import librosa
import numpy as np
import scipy.signal
import torch

from tests.golden.formula import voice
from tests.golden.make_generators import importing, record
from vocoders.torchaudio_cpu import import_torchaudio

GOLDEN = Path(__file__).with_name("outputs.json")
STRIDE = 5
BANDS = 20
SHAPE = {
    "upsample_rates": [8, 8], "upsample_kernel_sizes": [16, 16], "upsample_initial_channel": 16,
    "resblock_kernel_sizes": [3, 5], "resblock_dilation_sizes": [[1, 3, 5], [1, 2, 3]],
}  # fmt: skip
FRAMING = {
    "num_mels": BANDS, "sampling_rate": 22050, "hop_size": 64, "n_fft": 256, "win_size": 256, "fmin": 0, "fmax": 8000,
}  # fmt: skip
COQUI_NAMES = {"upsample_rates": "upsample_factors"}
KAN_BAYASHI_NAMES = {
    "upsample_rates": "upsample_scales", "upsample_initial_channel": "channels",
    "resblock_dilation_sizes": "resblock_dilations",
}  # fmt: skip


def samples() -> torch.Tensor:
    return torch.from_numpy(voice())[None]


def shape_named(names: dict[str, str], **more) -> dict:
    return {names.get(name, name): value for name, value in SHAPE.items()} | more


@contextmanager
def older_libraries():
    """As the programs of 2020 call them: librosa's filters by position, and spectra as pairs of real numbers."""
    filters, stft = librosa.filters.mel, torch.stft

    def by_position(sr, n_fft, n_mels, fmin, fmax):
        return filters(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)

    def real(*arguments, **options):
        if "return_complex" in options:
            return stft(*arguments, **options)
        return torch.view_as_real(stft(*arguments, **options, return_complex=True))

    with mock.patch.object(librosa.filters, "mel", by_position), mock.patch.object(torch, "stft", real):
        yield


def of_meldataset(load, config: dict) -> torch.Tensor:
    names = ("n_fft", "num_mels", "sampling_rate", "hop_size", "win_size", "fmin", "fmax")
    return load("meldataset").mel_spectrogram(samples(), *(config[name] for name in names))


def hifigan(folder: Path) -> dict:
    cases = {}
    for resblock in ("1", "2"):
        config = {**SHAPE, **FRAMING, "num_mels": 80, "n_fft": 1024, "win_size": 1024, "resblock": resblock}
        if resblock == "2":
            config["resblock_dilation_sizes"] = [[1, 3], [1, 2]]
        with importing(folder / "hifi-gan") as load, older_libraries():
            network, mel = load("models").Generator(SimpleNamespace(**config)), of_meldataset(load, config)
            cases[f"HiFi-GAN, resblock {resblock}"] = record(network, lambda net, mel=mel: net(mel), config, gain=10)
    return cases


def istftnet(folder: Path) -> dict:
    config = {**SHAPE, **FRAMING, "resblock": "1", "upsample_rates": [4, 4], "upsample_kernel_sizes": [8, 8],
              "gen_istft_n_fft": 16, "gen_istft_hop_size": 4}  # fmt: skip
    with importing(folder / "iSTFTNet") as load, older_libraries():
        network, mel = load("models").Generator(SimpleNamespace(**config)), of_meldataset(load, config)
        inverse = load("stft").TorchSTFT(16, 4, 16).inverse
        return {"iSTFTNet": record(network, lambda net: inverse(*net(mel)), config)}


def bigvgan(folder: Path) -> dict:
    cases = {}
    with importing(folder / "BigVGAN") as load:
        for version, options in {
            "1": {"activation": "snake", "snake_logscale": False},
            "2": {"activation": "snakebeta", "snake_logscale": True, "use_tanh_at_final": False, "use_bias_at_final": False},
        }.items():  # fmt: skip
            config = {**SHAPE, **FRAMING, "fmax": None, "resblock": "1", **options}
            network, mel = load("bigvgan").BigVGAN(load("env").AttrDict(config)), of_meldataset(load, config)
            cases[f"BigVGAN {version}"] = record(network, lambda net, mel=mel: net(mel), config, ("filter",), gain=0.1)
    return cases


def vocos(folder: Path) -> dict:
    sys.modules.setdefault("encodec", ModuleType("encodec")).EncodecModel = None  # which a mel model does not use
    framing = {"n_fft": 256, "hop_length": 64, "padding": "center"}
    config = {
        "feature_extractor": {
            "class_path": "vocos.feature_extractors.MelSpectrogramFeatures",
            "init_args": {**framing, "sample_rate": 22050, "n_mels": BANDS},
        },
        "backbone": {
            "class_path": "vocos.models.VocosBackbone",
            "init_args": {"input_channels": BANDS, "dim": 16, "intermediate_dim": 32, "num_layers": 2},
        },
        "head": {"class_path": "vocos.heads.ISTFTHead", "init_args": {**framing, "dim": 16}},
    }
    with importing(folder / "vocos") as load:
        make = load("vocos.pretrained").instantiate_class
        network = load("vocos").Vocos(**{part: make((), init) for part, init in config.items()})
        return {"Vocos": record(network, lambda net: net(samples()), config, ("window", "fb"))}


def statistics() -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation per band of a log10 mel: (BANDS,) float32 each."""
    return np.linspace(-2, -3, BANDS, dtype=np.float32), np.linspace(0.5, 1.5, BANDS, dtype=np.float32)


def parallel_wavegan(folder: Path) -> dict:
    scipy.signal.kaiser = scipy.signal.windows.kaiser  # where it was when that program was written
    framing = {"sampling_rate": 22050, "fft_size": 256, "hop_size": 64, "win_length": 240, "num_mels": BANDS, "fmin": 80,
               "fmax": 7600}  # fmt: skip
    params = shape_named(KAN_BAYASHI_NAMES, in_channels=BANDS)
    config = {**framing, "window": "hann", "generator_type": "HiFiGANGenerator", "generator_params": params}
    mean, deviation = statistics()
    with importing(folder / "ParallelWaveGAN") as load:
        mel = load("parallel_wavegan.bin.preprocess").logmelfilterbank(voice(), **framing)
        given = torch.from_numpy(((mel - mean) / deviation).T[None])
        network = load("parallel_wavegan.models.hifigan").HiFiGANGenerator(**params)
        return {"ParallelWaveGAN": record(network, lambda net: net(given), config, gain=5)}


def espnet(folder: Path) -> dict:
    framing = {
        "fs": 22050,
        "n_fft": 256,
        "hop_length": 64,
        "win_length": None,
        "n_mels": BANDS,
        "fmin": 80,
        "fmax": 7600,
    }
    params = shape_named(KAN_BAYASHI_NAMES)
    config = {
        "feats_extract": "fbank", "feats_extract_conf": framing, "normalize": "global_mvn",
        "tts": "joint_text2wav", "tts_conf": {"vocoder_type": "hifigan_generator", "vocoder_params": params},
    }  # fmt: skip
    mean, deviation = statistics()
    with importing(folder / "espnet") as load:
        mel, _ = load("espnet2.tts.feats_extract.log_mel_fbank").LogMelFbank(**framing)(samples(), torch.tensor([2560]))
        given = ((mel - torch.from_numpy(mean)) / torch.from_numpy(deviation)).transpose(1, 2)
        network = load("espnet2.gan_tts.hifigan.hifigan").HiFiGANGenerator(in_channels=BANDS, **params)
        return {"ESPnet": record(network, lambda net: net(given), config, gain=5)}


def coqui(folder: Path) -> dict:
    audio = {
        "sample_rate": 22050, "fft_size": 256, "hop_length": 64, "win_length": 256, "num_mels": BANDS, "mel_fmin": 0.0,
        "mel_fmax": 8000.0, "spec_gain": 1.0, "log_func": "np.log", "signal_norm": False, "stft_pad_mode": "reflect",
    }  # fmt: skip
    params = shape_named(COQUI_NAMES, resblock_type="1", in_channels=BANDS, out_channels=1)
    config = {"audio": audio, "generator_model": "hifigan_generator", "generator_model_params": params}
    sys.modules.setdefault("trainer", ModuleType("trainer"))
    sys.modules.setdefault("trainer.io", ModuleType("trainer.io")).load_fsspec = None  # which reads files
    with importing(folder / "TTS") as load:
        steps = load("TTS.utils.audio.numpy_transforms")
        spectrum = np.abs(steps.stft(y=voice(), fft_size=256, hop_length=64, win_length=256, pad_mode="reflect"))
        basis = steps.build_mel_basis(sample_rate=22050, fft_size=256, num_mels=BANDS, mel_fmin=0.0, mel_fmax=8000.0)
        mel = steps.amp_to_db(x=steps.spec_to_mel(spec=spectrum, mel_basis=basis), gain=1.0, base=np.e)
        given = torch.from_numpy(np.float32(mel))[None]
        network = load("TTS.vocoder.models.hifigan_generator").HifiganGenerator(**params)
        return {"Coqui TTS": record(network, lambda net: net(given), config, gain=0.2)}


def speechbrain(folder: Path) -> dict:
    framing = {"sample_rate": 22050, "hop_length": 64, "win_length": 256, "n_fft": 256, "n_mel_channels": BANDS}
    edges = {"mel_fmin": 0.0, "mel_fmax": 8000.0}
    params = shape_named(COQUI_NAMES, resblock_type="1", in_channels=BANDS, out_channels=1)
    with importing(folder / "speechbrain") as load:
        module = load("speechbrain.lobes.models.HifiGAN")
        mel = module.mel_spectogram(*framing.values(), *edges.values(), 1, False, "slaney", "slaney", True, samples())
        network = module.HifiganGenerator(**params)
        return {"speechbrain": record(network, lambda net: net(mel), {**framing, **edges, **params}, gain=4)}


def vits(folder: Path) -> dict:
    data = {"sampling_rate": 22050, "filter_length": 256, "hop_length": 64, "win_length": 256, "n_mel_channels": BANDS,
            "mel_fmin": 0.0, "mel_fmax": None}  # fmt: skip
    config = {"train": {}, "data": data, "model": {**SHAPE, "resblock": "1"}}
    sys.modules.setdefault("monotonic_align", ModuleType("monotonic_align"))  # which aligns text
    with importing(folder / "vits") as load, older_libraries():
        names = ("filter_length", "n_mel_channels", "sampling_rate", "hop_length", "win_length", "mel_fmin", "mel_fmax")
        mel = load("mel_processing").mel_spectrogram_torch(samples(), *(data[name] for name in names))
        order = ("resblock_kernel_sizes", "resblock_dilation_sizes", "upsample_rates", "upsample_initial_channel",
                 "upsample_kernel_sizes")  # fmt: skip
        network = load("models").Generator(BANDS, "1", *(SHAPE[name] for name in order))
        return {"the decoder of VITS": record(network, lambda net: net(mel), config, gain=0.05)}


def speecht5(folder: Path) -> dict:
    """Of the installed transformers. Its lengths are whole milliseconds: a hop of 352 samples and a window of 882."""
    from transformers import SpeechT5FeatureExtractor, SpeechT5HifiGan, SpeechT5HifiGanConfig

    shape = {**SHAPE, "upsample_rates": [16, 22], "upsample_kernel_sizes": [32, 44], "model_in_dim": BANDS}
    config = {**shape, "sampling_rate": 22050, "model_type": "hifigan"}
    options = {"num_mel_bins": BANDS, "win_length": 40}
    extractor = SpeechT5FeatureExtractor(sampling_rate=22050, **options)
    padded = np.pad(voice(), (0, 8 * 352 - len(voice())))
    mel = torch.from_numpy(np.float32(extractor(audio_target=padded, sampling_rate=22050)["input_values"][0]))
    network = SpeechT5HifiGan(SpeechT5HifiGanConfig(**config))
    return {"SpeechT5HifiGan": record(network, lambda net: net(mel), {**config, **options})}


def thinned(case: dict) -> dict:
    output = np.array(case["output"])[: len(voice())]
    assert output.std() > 0.01
    assert np.abs(output).max() < 0.99, "a file of 16 bits would clip it"
    return {**case, "output": [round(x, 5) for x in output[::STRIDE].tolist()]}


if __name__ == "__main__":
    import_torchaudio()
    originals = Path(sys.argv[1])
    makers = (hifigan, istftnet, bigvgan, vocos, parallel_wavegan, espnet, coqui, speechbrain, vits, speecht5)
    found = {}
    for make in makers:
        found |= make(originals)
    lines = [f"{json.dumps(name)}: {json.dumps(thinned(case))}" for name, case in found.items()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
