"""A generator tried on a second of singing before it is used: the mel it is given must be the one it was trained on.

Shapes do not tell. Many mels have 80 bands and a hop of 256, and a generator that is given another mel, or built with other
dilations or upsampling rates than it was trained with, runs and makes noise. Its output of the shipped phrase does tell, brought
to 22 050 Hz if it is at another rate. The measure is the mean |difference| of the log hw2 mels of output and phrase (natural
logarithm of power), measured as

    right, trained to the end                 0.4 to 0.7    UNIVERSAL_V1, LJ_V1, this project's own
    wrong mel                                 5.6 to 6.8
    wrong dilations or rates                  2.7 to 5.5    on either mel; 2.0 where a guide helps
    weights as they are initialized           3.7 to 9      on one mel at least 0.85 times as much as on the other

So a distance below `MAX_TRAINED_DISTANCE` settles it. Above, nothing follows from the number alone: the generator may be hardly
trained. Then the alternatives are tried too, other mels with its bands and hop and the published dilations and rates that fit
its tensors, and it is refused only when the distance of one is below `MAX_FITTING_DISTANCE` and below `MAX_CLEAR_RATIO` times
the distance of the stated one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from common.paths import ASSETS
from vocoders.audio import SAMPLE_RATE, fit_length, resample
from vocoders.checkpoints.checkpoint import Checkpoint, CheckpointError, Contents, read_contents
from vocoders.harmonic_noise.noise import noise
from vocoders.hifigan.generator import V1, V3, HiFiGANConfig, multiply_adds
from vocoders.hifigan.generator_input import generator_input
from vocoders.hifigan.guide import guide_of
from vocoders.mel import HOP, HW2, RECIPES, log_mel_of
from vocoders.recipes.named import NAMED
from vocoders.recipes.recipe import MelRecipe

UNCHECKED = "-unchecked"  # behind the name of a mel: it is used without a trial
MAX_TRAINED_DISTANCE = 1.2  # Np of power
MAX_FITTING_DISTANCE = 2.5  # Np of power
MAX_CLEAR_RATIO = 0.6  # of a distance to that of the alternative
MAX_TRIAL_MULTIPLY_ADDS = 4 * multiply_adds(V1)  # per mel frame; a trial of a larger generator takes too long
MAX_SOUNDLESS_RATIO = 1e-4  # -80 dB, of an output's deviation per frame to the recording's: silence, or a constant
_UNSEEN = ("upsample_rates", "resblock_dilation_sizes")  # fields that no tensor's shape shows
_PHRASE = ASSETS / "examples" / "sung_phrase_low.flac"
_PASSAGE = slice(SAMPLE_RATE, SAMPLE_RATE + 86 * HOP)  # one second, all of it sung


def read_checked(path: Path, recipe: str | None = None, config_path: Path | None = None) -> Checkpoint:
    """As `read_checkpoint`, and then tried; a mel that nothing names is found. "hw2-unchecked" skips the trial.

    Errors: `CheckpointError`, also for a generator that makes no sound, or that something else fits clearly better.
    """
    contents = read_contents(path, config_path)
    if recipe and recipe.endswith(UNCHECKED):
        return contents.on(recipe.removesuffix(UNCHECKED))
    said = recipe or contents.mel or (HW2.name if contents.config.is_guided else None)
    if contents.config.multiply_adds > MAX_TRIAL_MULTIPLY_ADDS:
        return _noting(contents.on(said), "It is too large to be tried beforehand")
    return _on(contents, said) if said or contents.assumed else _found(contents)


def _on(contents: Contents, said: str | None) -> Checkpoint:
    checkpoint = contents.on(said)
    distance = _sounding(checkpoint, contents.name)
    if distance < MAX_TRAINED_DISTANCE:
        return checkpoint
    _refuse_others(contents, checkpoint, distance)
    return _noting(
        checkpoint,
        f"Its output of a sung phrase is far from the phrase (log-mel L1 {distance:.1f}; of a well-trained one below 1): it was hardly "
        "trained, or its configuration is another generator's",
    )


def _found(contents: Contents) -> Checkpoint:
    """On the mel that it clearly fits. Errors: `CheckpointError` when it is neither."""
    tried = sorted((_sounding(contents.on(name), contents.name), name) for name in RECIPES)
    (best, name), (other, _) = tried
    if best < MAX_FITTING_DISTANCE and best < MAX_CLEAR_RATIO * other:
        found = f"Nothing says which mel it was trained on; a trial found {name} (log-mel L1 {best:.1f} against {other:.1f})"
        return _noting(contents.on(name), found)
    _refuse_others(contents, contents.on(name), best)
    distances = " and ".join(f"{distance:.1f} on {name}" for distance, name in tried)
    raise CheckpointError(
        f"{contents.name} does not say which mel it was trained on, and a trial does not tell (log-mel L1 {distances}); name it, as "
        "@hw2 or @hifigan, and see whether config.json belongs to it."
    )


def _refuse_others(contents: Contents, checkpoint: Checkpoint, distance: float) -> None:
    """Errors: `CheckpointError` when something else fits clearly better than a checkpoint with this distance."""
    others = list(_others(checkpoint))
    distances = [distance_of(trial_output(other)) for other in others]
    best = int(np.argmin(distances)) if others else 0
    if others and distances[best] < MAX_FITTING_DISTANCE and distances[best] < MAX_CLEAR_RATIO * distance:
        raise CheckpointError(
            f"{contents.name}: {' and '.join(_differences(others[best], checkpoint))} (log-mel L1 of a trial {distances[best]:.1f} "
            f"against {distance:.1f}). To use it all the same: @{checkpoint.recipe.name}{UNCHECKED} behind its path, or untried on the page."
        )


def _others(checkpoint: Checkpoint) -> Iterator[Checkpoint]:
    """Alternatives to what is stated: on the other mel, or with published dilations or rates."""
    shapes = list(_published_shapes(checkpoint.config)) if isinstance(checkpoint.config, HiFiGANConfig) else []
    for recipe in [checkpoint.recipe] if checkpoint.config.is_guided else _like(checkpoint):
        for config in [checkpoint.config, *shapes]:
            if (recipe, config) != (checkpoint.recipe, checkpoint.config):
                yield dataclasses.replace(checkpoint, recipe=recipe, config=config)


def _like(checkpoint: Checkpoint) -> Iterable[MelRecipe]:
    """The recipe and others that it may be mistaken for: of the project's two each other, of any else those with names, as many
    as the time for a trial allows."""
    recipe = checkpoint.recipe
    if recipe.name in RECIPES:
        return RECIPES.values()
    same = [other for other in NAMED.values() if (other.bands, other.hop) == (recipe.bands, recipe.hop)]
    return [*dict.fromkeys([recipe, *same])][: 1 + 2 * MAX_TRIAL_MULTIPLY_ADDS // checkpoint.config.multiply_adds]


def _differences(right: Checkpoint, said: Checkpoint) -> list[str]:
    """Each as a sentence."""
    mels = [] if right.recipe == said.recipe else [f"it fits the {right.recipe.name} mel, not {said.recipe.name}"]
    shapes = [(field, getattr(right.config, field), getattr(said.config, field)) for field in _UNSEEN]
    return mels + [
        f"it was trained with {field} {_listed(wanted)}, not with {_listed(given)} as its configuration says"
        for field, wanted, given in shapes
        if wanted != given
    ]


def _listed(value: tuple) -> str:
    return str(value).replace("(", "[").replace(",)", "]").replace(")", "]")


def _published_shapes(config: HiFiGANConfig) -> Iterator[HiFiGANConfig]:
    """Others with the same tensors: rates that are half of their kernels, and the dilations of V1 or V3."""
    half = tuple(kernel // 2 for kernel in config.upsample_kernel_sizes)
    rates = config.upsample_rates if config.is_guided else half  # which a guide's layers fit too
    dilations = [
        model.resblock_dilation_sizes
        for model in (V1, V3)
        if list(map(len, model.resblock_dilation_sizes)) == list(map(len, config.resblock_dilation_sizes))
    ]
    for changed in dict.fromkeys(
        (rate, dilation)
        for rate in (config.upsample_rates, rates)
        for dilation in (config.resblock_dilation_sizes, *dilations)
    ):
        with contextlib.suppress(ValueError):  # no such generator
            other = dataclasses.replace(config, upsample_rates=changed[0], resblock_dilation_sizes=changed[1])
            if other != config:
                yield other


def _noting(checkpoint: Checkpoint, notice: str) -> Checkpoint:
    return dataclasses.replace(checkpoint, notice=notice)


def _sounding(checkpoint: Checkpoint, where: str) -> float:
    """The distance of its output, Np of power. Errors: `CheckpointError` when that is silent or constant."""
    output = trial_output(checkpoint)
    if is_soundless(output, phrase()):
        raise CheckpointError(f"{where} makes no sound: of a sung phrase it makes a constant {output.mean():.3f}.")
    return distance_of(output)


@functools.cache
def phrase() -> np.ndarray:
    """(22016,) float32, about -20 dBFS."""
    from vocoders.recordings.reader import read_recording

    return read_recording(_PHRASE).samples[_PASSAGE]


def trial_output(checkpoint: Checkpoint, samples: np.ndarray | None = None) -> np.ndarray:
    """The generator's output for the mel of a recording (the phrase) at 22 050 Hz: (n,) float32, a whole number of hw2 frames."""
    samples, recipe, config = phrase() if samples is None else samples, checkpoint.recipe, checkpoint.config
    length = len(samples) // HOP * HOP
    if recipe.rate != SAMPLE_RATE or recipe.hop != HOP:
        samples = resample(samples, SAMPLE_RATE, to=recipe.rate)
        samples = fit_length(samples, recipe.whole(len(samples)))
    mel = log_mel_of(samples, recipe)
    features = torch.from_numpy(mel)[None]
    if config.is_enriched:
        guide = torch.from_numpy(guide_of(mel, config.guide_iterations))[None] if config.is_guided else None
        drawn = torch.from_numpy(noise(0, length))[None]
        features = generator_input(features, config.input_channels, recipe, guide, drawn)
    with torch.inference_mode():
        output = checkpoint.generator()(features)[0, 0].numpy()
    return fit_length(resample(output, recipe.rate), length)


def distance_of(output: np.ndarray) -> float:
    """Mean |difference| of the log hw2 mels of an output and the phrase, Np of power; 0 for the phrase itself."""
    return float(np.abs(log_mel_of(output, HW2) - log_mel_of(phrase(), HW2)).mean())


def is_soundless(output: np.ndarray, reference: np.ndarray) -> bool:
    """Whether an output is silent, or constant, where the recording (both (n,)) is within 20 dB of its loudest frame."""
    made, wanted = (np.std(x[: len(x) // HOP * HOP].reshape(-1, HOP), axis=1) for x in (output, reference))
    loud = (wanted >= 0.1 * wanted.max()) & (wanted > 0)
    return bool(loud.any() and np.median(made[loud] / wanted[loud]) < MAX_SOUNDLESS_RATIO)
