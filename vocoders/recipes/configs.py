"""Mel recipes from the configuration files of public implementations, and from files of our own.

Each function takes the parsed file and gives the recipe under its name, see `vocoders.recipes.named`. A key that such a file leaves
out has the value that its program takes then. Errors of all: ValueError naming the key, its value and what is allowed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vocoders.recipes.named import NAMED, known_recipe, with_its_name
from vocoders.recipes.recipe import MelRecipe, recipe_from

MAX_BYTES = 65_536


def _recipe(**fields: Any) -> MelRecipe:
    return with_its_name(recipe_from(fields))


def _of_key(config: Mapping, keys: Mapping[str, str], fixed: Mapping[str, Any]) -> MelRecipe:
    """The recipe whose fields stand under other names. An error names the key in the file, not the field."""
    fields = {field: config[key] for key, field in keys.items() if config.get(key) is not None}
    if config.get("fmax", 0) is None or config.get("mel_fmax", 0) is None:
        fields["fmax"] = None
    try:
        return _recipe(**{**fixed, **fields})
    except ValueError as error:
        field, _, rest = str(error).partition(" ")
        names = {field: key for key, field in keys.items() if key in config}
        raise ValueError(f"{names.get(field, field)} {rest}") from error


def _only(config: Mapping, needed: Mapping[str, object]) -> None:
    """Errors: ValueError naming a key that is there with another value than the needed one."""
    for key, value in needed.items():
        if config.get(key, value) != value:
            raise ValueError(f"{key} is {config[key]!r}; only mels with {key} {value} can be made here")


def of_hifigan(config: Mapping) -> MelRecipe:
    """config.json of jik876/hifi-gan, of NVIDIA/BigVGAN, and of many that follow them."""
    keys = {
        "sampling_rate": "rate", "num_mels": "bands", "n_fft": "n_fft", "hop_size": "hop", "win_size": "win_length",
        "fmin": "fmin", "fmax": "fmax",
    }  # fmt: skip
    return _of_key(config, keys, {})


def of_parallel_wavegan(config: Mapping, mean: Sequence[float] = (), deviation: Sequence[float] = ()) -> MelRecipe:
    """config.yml of kan-bayashi/ParallelWaveGAN, and the statistics of its training data."""
    keys = {
        "sampling_rate": "rate", "num_mels": "bands", "fft_size": "n_fft", "hop_size": "hop", "win_length": "win_length",
        "window": "window", "fmin": "fmin", "fmax": "fmax",
    }  # fmt: skip
    base = config.get("log_base", 10.0)
    fixed = _librosa(config.get("fft_size", 1024)) | {
        "fmin": 0.0, "fmax": None, "floor": 1e-10, "log_base": "e" if base is None else base,
        "mean": tuple(map(float, mean)), "deviation": tuple(map(float, deviation)),
    }  # fmt: skip
    return _of_key(config, keys, fixed)


def of_espnet(config: Mapping, mean: Sequence[float] = (), deviation: Sequence[float] = ()) -> MelRecipe:
    """config.yaml of espnet2, whose `feats_extract` is fbank; mean and deviation of `normalize`, where it is global_mvn."""
    _only(config, {"feats_extract": "fbank"})
    given = config.get("feats_extract_conf")
    said = {"fs": 16_000, "fmin": 80, "fmax": 7600, "log_base": 10.0, **(given if isinstance(given, Mapping) else {})}
    _only(said, {"center": True, "normalized": False, "onesided": True})
    if rate := re.fullmatch(r"(\d{1,6})(k?)", str(said["fs"])):
        said["fs"] = int(rate[1]) * (1000 if rate[2] else 1)
    keys = {
        "fs": "rate", "n_mels": "bands", "n_fft": "n_fft", "hop_length": "hop", "win_length": "win_length", "window": "window",
        "fmin": "fmin", "fmax": "fmax",
    }  # fmt: skip
    fixed = _librosa(said.get("n_fft", 1024)) | {
        "fmin": 0.0, "epsilon": 1e-10, "epsilon_mode": "clamp", "floor": 1e-10,
        "scale": "htk" if said.get("htk", False) else "slaney",
        "log_base": "e" if said["log_base"] is None else said["log_base"],
        "mean": tuple(map(float, mean)), "deviation": tuple(map(float, deviation)),
    }  # fmt: skip
    return _of_key(said, keys, fixed)


def of_vits(data: Mapping) -> MelRecipe:
    """The section "data" of config.json of jaywalnut310/vits and of many that follow it."""
    keys = {
        "sampling_rate": "rate", "n_mel_channels": "bands", "filter_length": "n_fft", "hop_length": "hop",
        "win_length": "win_length", "mel_fmin": "fmin", "mel_fmax": "fmax",
    }  # fmt: skip
    return _of_key(data, keys, {"epsilon": 1e-6, "fmax": None})


def of_coqui(audio: Mapping) -> MelRecipe:
    """The section "audio" of config.json of coqui-ai/TTS."""
    said = {"signal_norm": True, **audio}  # as that program has it where the key is absent
    _only(said, {"signal_norm": False, "do_amp_to_db_mel": True, "stats_path": None, "preemphasis": 0.0})
    keys = {
        "sample_rate": "rate", "num_mels": "bands", "fft_size": "n_fft", "hop_length": "hop", "win_length": "win_length",
        "mel_fmin": "fmin", "mel_fmax": "fmax",
    }  # fmt: skip
    gain, base = audio.get("spec_gain", 20), 10.0 if audio.get("log_func", "np.log10") == "np.log10" else math.e
    if not isinstance(gain, (int, float)) or not 0 < gain <= 100:
        raise ValueError(f"spec_gain is {gain!r}; allowed: numbers above 0 up to 100")
    fixed = _librosa(audio.get("fft_size", 1024)) | {
        "fmin": 0.0, "fmax": None, "floor": 1e-8, "log_base": base ** (1 / gain),
        "padding": audio.get("stft_pad_mode", "reflect"),
    }  # fmt: skip
    return _of_key(audio, keys, fixed)


def of_speechbrain(config: Mapping) -> MelRecipe:
    """hyperparams.yaml of a vocoder of speechbrain, or the hparams of its training."""
    _only(config, {"mel_normalized": False, "dynamic_range_compression": True})
    keys = {
        "sample_rate": "rate", "n_mel_channels": "bands", "n_mels": "bands", "n_fft": "n_fft", "hop_length": "hop",
        "win_length": "win_length", "mel_fmin": "fmin", "mel_fmax": "fmax", "power": "power", "mel_scale": "scale",
    }  # fmt: skip
    fixed = _librosa(config.get("n_fft", 1024)) | {
        "floor": 1e-5, "fmin": 0.0, "unit_area": config.get("norm", "slaney") == "slaney",
    }  # fmt: skip
    return _of_key(config, keys, fixed)


def of_vocos(extractor: Mapping) -> MelRecipe:
    """init_args of the feature_extractor in config.yaml of gemelo-ai/vocos."""
    keys = {"sample_rate": "rate", "n_mels": "bands", "n_fft": "n_fft", "hop_length": "hop"}
    vocos = NAMED["vocos-24k"].as_dict() | {"name": "vocos"}
    n_fft, hop = extractor.get("n_fft", vocos["n_fft"]), extractor.get("hop_length", vocos["hop"])
    padding = extractor.get("padding", "center")
    if padding not in ("center", "same"):
        raise ValueError(f"padding is {padding!r}; allowed: center or same")
    if isinstance(n_fft, int) and isinstance(hop, int):
        vocos |= {"win_length": n_fft, "pad": n_fft // 2 if padding == "center" else (n_fft - hop) // 2}
    return _of_key(extractor, keys, vocos)


def of_speecht5(config: Mapping) -> MelRecipe:
    """preprocessor_config.json of transformers' SpeechT5FeatureExtractor; lengths are in milliseconds there."""
    rate = config.get("sampling_rate", 16_000)
    if not isinstance(rate, int) or isinstance(rate, bool):
        raise ValueError(f"sampling_rate is {rate!r}; whole numbers are allowed")
    window, hop = (config.get(key, usual) for key, usual in (("win_length", 64), ("hop_length", 16)))
    if not isinstance(window, int) or not isinstance(hop, int):
        raise ValueError(f"win_length and hop_length are {window!r} and {hop!r}; whole milliseconds are allowed")
    length = window * rate // 1000
    n_fft = 2 ** max(6, math.ceil(math.log2(max(length, 1))))
    return _recipe(
        **_librosa(n_fft),
        rate=rate,
        n_fft=n_fft,
        win_length=length,
        hop=hop * rate // 1000,
        bands=config.get("num_mel_bins", 80),
        fmin=config.get("fmin", 80),
        fmax=config.get("fmax", 7600),
        floor=config.get("mel_floor", 1e-10),
        log_base=10.0,
    )


def _librosa(n_fft: object) -> dict[str, Any]:
    """The defaults of librosa and torchaudio: frames centred on multiples of the hop, no epsilon."""
    return {"epsilon": 0.0, "pad": n_fft // 2 if isinstance(n_fft, int) else n_fft}


def read_recipe(item: str | Path) -> MelRecipe:
    """A recipe by its name, or from a YAML or JSON file of `MelRecipe`'s fields. Errors: ValueError, naming the file."""
    if str(item) in NAMED:
        return NAMED[str(item)]
    path = Path(item)
    if path.suffix not in (".yaml", ".yml", ".json"):
        return known_recipe(str(item))
    if not path.is_file():
        raise ValueError(f"there is no file {path.name} with a mel recipe")
    try:
        fields = parsed(path)
        return with_its_name(recipe_from(fields))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def parsed(path: Path) -> dict:
    """The mapping in a YAML or JSON file; tags that would make objects are passed over. Errors: ValueError."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"it has {path.stat().st_size / 1e6:.2f} MB; at most {MAX_BYTES / 1e6:.2f} MB are read")
    return parsed_text(path.read_text(encoding="utf-8"), path.suffix)


def parsed_text(text: str, suffix: str) -> dict:
    """The same of a file's content; suffix: ".json" for JSON. Errors: ValueError."""
    try:
        data = json.loads(text) if suffix == ".json" else _yaml(text)
    except RecursionError as error:
        raise ValueError("it is nested without end") from error
    if not isinstance(data, dict):
        raise ValueError("it holds no mapping")
    return data


def _yaml(text: str) -> object:
    import yaml

    class Plain(yaml.SafeLoader):
        """Of `!new:torch.nn.Linear {a: 1}`, the mapping; hyperpyyaml's references stay what they are, text."""

        def compose_node(self, parent, index):
            if self.check_event(yaml.AliasEvent):
                raise ValueError("it has aliases (*name), which are not read")
            return super().compose_node(parent, index)

    def untagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Plain.add_multi_constructor("!", untagged)
    Plain.add_multi_constructor("tag:yaml.org,2002:python/", untagged)
    try:
        return yaml.load(text, Plain)  # a safe loader
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(f"it is not valid YAML ({str(error).splitlines()[0]})") from error
