"""Generators that people bring: a file, read and tried, as a system."""

from __future__ import annotations

import dataclasses
import functools
import logging
import re
from pathlib import Path
from typing import Any

from vocoders.audio import SAMPLE_RATE
from vocoders.checkpoints.checkpoint import Checkpoint, read_checkpoint
from vocoders.checkpoints.contained import read_contained
from vocoders.checkpoints.contents import GeneratorConfig
from vocoders.checkpoints.trial import UNCHECKED, read_checked
from vocoders.features import front_end
from vocoders.hifigan.engine import LoadNetwork
from vocoders.hifigan.generator import parameter_count
from vocoders.recipes.named import NAMED
from vocoders.recipes.recipe import MelRecipe
from vocoders.systems import Call, Card, System

_log = logging.getLogger(__name__)


def _written(path: Path | None) -> tuple[int, int] | None:
    """When, and how long it is: another file under the same name is another generator."""
    if path is None:
        return None
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


@functools.lru_cache(maxsize=64)
def _checked(contained: bool, path: Path, recipe: str | None, config_path: Path | None, *_written: Any) -> Checkpoint:
    """The facts about a generator that has been read and tried; without its weights, which may be large."""
    if contained:
        checkpoint = read_contained(path, recipe, config_path, checked=True)
    else:
        checkpoint = read_checked(path, recipe, config_path)
        if checkpoint.notice:
            _log.warning("note: %s: %s.", path, checkpoint.notice)
    return dataclasses.replace(checkpoint, weights={})


def _brought(
    contained: bool, path: Path, said: str | None, mel: MelRecipe, config_path: Path | None, *_written: Any
) -> Checkpoint:
    """A generator that was tried before, and then found to take this mel."""
    name = mel.name if mel.name in NAMED else said and said.removesuffix(UNCHECKED)
    checkpoint = (read_contained if contained else read_checkpoint)(path, name, config_path)
    return dataclasses.replace(checkpoint, recipe=mel)


def own_checkpoint_system(
    path: Path, recipe: str | None = None, config_path: Path | None = None, contained: bool = False
) -> System:
    """A generator somebody brings, read and tried now, as a system named after its file. See `read_checked`.

    contained: for a stranger's. Errors: `CheckpointError`.
    """
    written = _all_written(path, config_path)
    checkpoint = _checked(contained, path, recipe, config_path, *written)
    mel = checkpoint.recipe
    name = slug(path.stem)
    about = f"{_sentence(path, checkpoint)}{f' {checkpoint.notice}.' if checkpoint.notice else ''}"
    load = LoadNetwork(Call(_brought, (contained, path, recipe, mel, config_path, *written)))
    describe = Call(_brought_card, (contained, path, recipe, config_path, *written))
    return System(name, f"Your {name}", about, front_end(mel), load, describe, rate=mel.rate)


def checked_config(path: Path, recipe: str | None, config_path: Path | None) -> GeneratorConfig:
    """The shape of a stranger's generator, which `own_checkpoint_system` has read and tried. Errors: `CheckpointError`."""
    return _checked(True, path, recipe, config_path, *_all_written(path, config_path)).config


def _all_written(path: Path, config_path: Path | None) -> list[tuple[int, int] | None]:
    return [_written(file) for file in (path, *([config_path] if config_path else _beside(path)))]


def _sentence(path: Path, checkpoint: Checkpoint) -> str:
    """Family and rate only where they are not the usual ones."""
    family, mel = checkpoint.config.family, checkpoint.recipe
    kind = "" if family == "hifigan" else f", a {FAMILY_NAMES[family]} generator"
    rate = "" if mel.rate == SAMPLE_RATE else f" at {mel.rate} Hz, resampled to {SAMPLE_RATE} Hz for metrics"
    return f"Your checkpoint {path.name}{kind}, on the {mel.name} mel{rate}."


FAMILY_NAMES = {  # of `GeneratorConfig.family`, for people
    "hifigan": "HiFi-GAN",
    "bigvgan": "BigVGAN",
    "vocos": "Vocos",
    "harmonic-noise": "harmonic-plus-noise",
}


def _brought_card(contained: bool, path: Path, *how: Any) -> Card:
    return card_of(_checked(contained, path, *how), "not stated", path.name)


_COMPANIONS = (
    "config*.json",
    "*.yml",
    "*.yaml",
    "stats.*",
    "preprocessor_config.json",
)  # that a checkpoint may be read with


def _beside(path: Path) -> list[Path]:
    found = {other for pattern in _COMPANIONS for other in path.parent.glob(pattern)}
    return sorted(found)[:64]


def slug(name: str) -> str:
    """A file's name as an id: letters, digits, _ and -, at most 40."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:40] or "checkpoint"


def card_of(checkpoint: Checkpoint, licence: str, source: str) -> Card:
    """licence: where the checkpoint itself names none."""
    about = checkpoint.about
    return Card(parameter_count(checkpoint.config), about.get("licence", licence), source, about)
