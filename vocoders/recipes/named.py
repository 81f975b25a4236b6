"""The recipes that have names, and the name of one that has none.

Each is a fact of a public implementation: `hw2` is torchaudio's `MelSpectrogram` with `pad=384, center=False` (the course
homework's mel); `hifigan` is `mel_spectrogram` of jik876/hifi-gan (Kong et al. 2020), which NVIDIA/BigVGAN uses at other rates
and up to half the rate; `vocos-24k` is gemelo-ai/vocos (Siuzdak 2023); `parallel-wavegan` and its kin are kan-bayashi's and
ESPnet's, before the statistics of their training data are applied; `speecht5` is that of Hugging Face transformers.
"""

from __future__ import annotations

import dataclasses
import difflib

from vocoders.recipes.recipe import MelRecipe, digest

HW2 = MelRecipe("hw2", power=2, epsilon=0.0, scale="htk", unit_area=False, padding="constant")
HIFIGAN = MelRecipe("hifigan", power=1, epsilon=1e-9, scale="slaney", unit_area=True, padding="reflect")
_NVIDIA = dataclasses.replace(HIFIGAN, fmax=None)
_CENTRED = dataclasses.replace(HIFIGAN, epsilon=0.0, pad=512)
_KAN_BAYASHI = dataclasses.replace(_CENTRED, fmin=80.0, fmax=7600.0, log_base=10.0, floor=1e-10)
_VOCOS = dataclasses.replace(_CENTRED, rate=24_000, bands=100, fmax=None, scale="htk", unit_area=False, floor=1e-7)


def _named(name: str, like: MelRecipe, **changes) -> MelRecipe:
    return dataclasses.replace(like, name=name, **changes)


NAMED = {
    recipe.name: recipe
    for recipe in (
        HW2,
        HIFIGAN,
        _named("bigvgan-22k", _NVIDIA),
        _named("bigvgan-24k", _NVIDIA, rate=24_000, bands=100),
        _named("bigvgan-44k", _NVIDIA, rate=44_100, bands=128),
        _named("bigvgan-44k-512x", _NVIDIA, rate=44_100, bands=128, n_fft=2048, win_length=2048, hop=512, pad=768),
        _named("vocos-24k", _VOCOS),
        _named("parallel-wavegan-22k", _KAN_BAYASHI),
        _named("parallel-wavegan-24k", _KAN_BAYASHI, rate=24_000, n_fft=2048, win_length=1200, hop=300, pad=1024),
        _named("speecht5", _KAN_BAYASHI, rate=16_000),
        _named("speechbrain-22k", _CENTRED),
        _named("speechbrain-16k", _CENTRED, rate=16_000, fmax=None),
    )
}


def known_recipe(name: str) -> MelRecipe:
    """Errors: ValueError with the known names, the nearest first."""
    if name not in NAMED:
        near = difflib.get_close_matches(name, NAMED, 1)
        raise ValueError(
            f"unknown mel recipe {name[:60]!r}; known: {', '.join([*near, *(n for n in NAMED if n not in near)])}"
        )
    return NAMED[name]


def with_its_name(recipe: MelRecipe) -> MelRecipe:
    """The same mel under the name it has here; one that has none is called after its content.

    So a file that calls its mel hw2 does not make it hw2, and equal names always mean equal mels.
    """
    for known in NAMED.values():
        if dataclasses.replace(recipe, name=known.name) == known:
            return known
    return dataclasses.replace(recipe, name=f"mel-{digest(recipe)}")
