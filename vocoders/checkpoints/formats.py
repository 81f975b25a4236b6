"""The kind of a file, from its first bytes and its tensors' names: whose checkpoint, and which network.

The names are those of the public implementations: huggingface/transformers, coqui-ai/TTS, kan-bayashi/ParallelWaveGAN,
Lightning, NVIDIA/BigVGAN, gemelo-ai/vocos, jaywalnut310/vits and RVC, espnet2, openvpi's NSF-HiFiGAN, maum-ai/univnet,
NVIDIA's WaveGlow and Tacotron 2, lmnt-com/diffwave, fatchord/WaveRNN, EnCodec and DAC.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

TORCHSCRIPT_PROGRAM = "a TorchScript program"
_BEGINNINGS = {  # first bytes -> what such a file is
    b"version https://git-lfs": "a pointer of Git LFS; the weights themselves were not downloaded",
    b"<!DOCTYPE": "a web page",
    b"<!doctype": "a web page",
    b"<html": "a web page",
    b"<?xml": "an XML file",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file (Keras, perhaps)",
    b"GGUF": "a GGUF file",
    b"\x93NUMPY": "a NumPy array",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"RIFF": "a WAV recording",
    b"fLaC": "a FLAC recording",
}
_LATENT = "whose decoder takes a latent instead of a mel"
_SPEAKER = "a generator that takes a speaker embedding beside the mel"
_REFUSED = (  # what it is, and beginnings of tensor names: it is that when each occurs
    ("a VITS with an F0 (RVC, so-vits-svc), whose decoder takes a latent and the F0 instead of a mel", ("dec.m_source.",)),
    ("an NSF-HiFiGAN, which takes the F0 beside the mel", ("m_source.", "noise_convs.")),
    (f"a VITS, {_LATENT}", ("dec.", "flow.")),
    (f"a VITS, {_LATENT}", ("waveform_decoder.", "posterior_encoder.")),
    (f"a VITS of ESPnet, {_LATENT}", ("tts.generator.decoder.", "tts.generator.posterior_encoder.")),
    ("a JETS of ESPnet, whose decoder takes hidden values instead of a mel", ("tts.generator.generator.", "tts.generator.alignment_module.")),
    ("an XTTS, whose decoder takes a latent of its language model instead of a mel", ("hifigan_decoder.waveform_decoder.",)),
    (_SPEAKER, ("conv_pre.", "cond.")),
    (_SPEAKER, ("conv_pre.", "cond_layer.")),
    (_SPEAKER, ("input_conv.", "global_conv.")),
    ("a ParallelWaveGAN, which takes noise beside the mel", ("first_conv.", "upsample_net.")),
    ("a UnivNet, which takes noise beside the mel", ("conv_pre.", "res_stack.")),
    ("a WaveGlow, which takes noise beside the mel", ("convinv.", "WN.")),
    ("a DiffWave, which reaches its output from noise in many steps", ("diffusion_embedding.", "residual_layers.")),
    ("a WaveRNN, which takes its own earlier samples beside the mel", ("upsample.resnet.", "rnn1.")),
    ("a MelGAN", ("melgan.",)),
    ("a neural codec, which decodes its own codes instead of a mel", ("encoder.", "quantizer.", "decoder.")),
    ("a Tacotron 2, which makes mels instead of taking them", ("encoder.convolutions.", "decoder.attention_rnn.")),
    ("a discriminator", ("discriminators.0.",)),
)  # fmt: skip
_NETWORKS = (
    *_REFUSED,
    ("a BigVGAN", ("resblocks.0.activations.",)),
    ("a BigVGAN", ("ups.0.0.",)),
    ("a Vocos", ("backbone.", "head.")),
    ("a generator of ParallelWaveGAN", ("input_conv.", "upsamples.")),
    ("a SpeechT5HifiGan of Hugging Face transformers", ("conv_pre.", "upsampler.")),
)
# What programs put before the names of a network's tensors
PREFIXES = ("", "module.", "generator.", "model_g.", "model.", "vocoder.", "net_g.")


def network(names: Iterable[object]) -> str | None:
    """The network that a state dict with these tensor names is of, with its article; None where that is unknown."""
    return _first(names, _NETWORKS)


def refused_network(names: Iterable[object]) -> str | None:
    """The same for networks that need more than a mel, or are no generators."""
    return _first(names, _REFUSED)


def _first(names: Iterable[object], networks: tuple) -> str | None:
    bare = {name[len(prefix) :] for name in map(str, names) for prefix in PREFIXES if name.startswith(prefix)}
    for what, beginnings in networks:
        if all(any(name.startswith(beginning) for name in bare) for beginning in beginnings):
            return what
    return None


def program(content: Mapping) -> str | None:
    """Whose training checkpoint this is, from its top-level entries, and of what; None for what is not known."""
    if "pytorch-lightning_version" in content:
        return _from("a checkpoint of PyTorch Lightning", content.get("state_dict"))
    model = content.get("model")
    if not isinstance(model, Mapping):
        return None
    if isinstance(model.get("generator"), Mapping):
        return _from("a checkpoint of ParallelWaveGAN", model["generator"])
    if any(str(name).startswith(("model_g.", "model_d.", "waveform_decoder.")) for name in model):
        return _from("a checkpoint of Coqui TTS", model)
    return network(model)


def _from(what: str, state: object) -> str:
    held = network(state) if isinstance(state, Mapping) else None
    return f"{what} with {held}" if held and held not in what and "ParallelWaveGAN" not in what else what


def is_generator(state: Mapping) -> bool:
    """Whether these are the names of the original's generator, weight norm or not."""
    return all(
        any(str(name).startswith(f"{part}.") for name in state)
        for part in ("conv_pre", "ups", "resblocks", "conv_post")
    )


def without_module(state: Mapping) -> Mapping:
    """Names as they were before torch's `DataParallel` wrapped the generator."""
    if state and all(str(name).startswith("module.") for name in state):
        return {str(name).removeprefix("module."): value for name, value in state.items()}
    return state


def file_format(path: Path) -> str | None:
    """The kind of a file in which torch saves no tensors, with its article; None for one that torch may have saved."""
    with path.open("rb") as file:
        beginning = file.read(64)
    if not beginning:
        return "an empty file"
    for first, what in _BEGINNINGS.items():
        if beginning.startswith(first):
            return what
    # An onnx.ModelProto begins with its field 1, the version of its format, and field 2, the producer's name, or 8, a domain's
    if path.suffix.lower() == ".onnx" or (
        beginning[0] == 0x08 and beginning[1:2] < b"\x20" and beginning[2:3] in b"\x12\x3a\x42"
    ):
        return "an ONNX network"
    return _archive(path)


def _archive(path: Path) -> str | None:
    try:
        if not zipfile.is_zipfile(path):
            return None
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError):
        return None  # what reads it will say so
    if any("/code/" in name or name.endswith("/constants.pkl") for name in names):
        return TORCHSCRIPT_PROGRAM
    if names and all(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays"
    return None
