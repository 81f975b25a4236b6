"""What a JSON or YAML file is, by the keys that only such files have."""

from __future__ import annotations

from collections.abc import Mapping

_KEYS = (  # of nested keys, a dot stands between
    ("study", "a configuration of webMUSHRA", ("pages",)),
    ("study", "a listening study", ("name", "mode", "systems")),
    ("study", "a listening study", ("name", "mode", "outputs")),
    ("recipe", "a mel recipe", ("power", "scale", "padding")),
    ("extractor", "the settings of transformers' feature extractor", ("feature_extractor_type",)),
    ("configuration", "the configuration of a generator of Coqui TTS", ("generator_model_params",)),
    ("configuration", "the configuration of a generator of ParallelWaveGAN", ("generator_type",)),
    ("configuration", "the configuration of a generator of ParallelWaveGAN", ("generator_params",)),
    ("configuration", "the configuration of a SpeechT5HifiGan of transformers", ("model_in_dim",)),
    ("configuration", "the configuration of a Vocos", ("backbone", "head")),
    ("configuration", "the configuration of a Vocos", ("model.init_args.backbone",)),
    ("configuration", "the configuration of a BigVGAN", ("upsample_rates", "snake_logscale")),
    ("configuration", "the configuration of an iSTFTNet", ("upsample_rates", "gen_istft_n_fft")),
    ("configuration", "the configuration of a HiFi-GAN", ("upsample_rates",)),
    ("configuration", "the configuration of a HiFi-GAN of speechbrain", ("upsample_factors",)),
)


def kind_of_mapping(content: Mapping) -> tuple[str, str]:
    """(kind as in `Recognized`, what it is in words). Any other mapping may be a configuration that some reader knows."""
    for kind, what, keys in _KEYS:
        if all(_has(content, key) for key in keys):
            return kind, what
    return "configuration", "a configuration of unknown kind"


def _has(content: object, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(content, Mapping) or part not in content:
            return False
        content = content[part]
    return True
