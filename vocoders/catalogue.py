"""Every system there is: the built-in table, and checkpoints that people bring."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

import numpy as np

from common.paths import ASSETS
from vocoders.checkpoints.brought import card_of, own_checkpoint_system, slug
from vocoders.checkpoints.checkpoint import Checkpoint, read_checkpoint, read_header, training_history
from vocoders.features import (
    Features,
    hw2_mel,
    invert,
    log_hifigan_mel,
    log_hw2,
    mislabel,
    remel,
    stft_magnitude,
)
from vocoders.hifigan.engine import LoadNetwork
from vocoders.hifigan.original import original_card, original_checkpoint, original_missing
from vocoders.onnx_files.system import onnx_system
from vocoders.phase.griffin_lim import ITERATIONS, griffin_lim
from vocoders.phase.refine import Refinement
from vocoders.plugins import function_system, installed, is_path
from vocoders.step import Step
from vocoders.systems import Call, Card, Progress, System, Unavailable
from vocoders.torchscript import TORCHSCRIPT, torchscript_system

# This project's generators, by id. Each has its model card beside it, under the same name.
OWN_CHECKPOINTS = {
    name: ASSETS / "checkpoints" / f"{name}.safetensors"
    for name in ("hifigan-hw2", "hifigan-hw2-guided", "harmonic-noise")
}


class GriffinLimVocoder:
    """Phases for STFT magnitudes, see `vocoders.phase.griffin_lim`."""

    expects = "STFT magnitude"

    def __call__(self, features: Features, on_progress: Progress) -> np.ndarray:
        """Magnitudes (513, frames) -> (frames * 256,) float32. Errors: `FeatureMismatch`."""
        return griffin_lim(features.require(self.expects, by="Griffin-Lim"), on_progress=on_progress)


def _griffin_lim_card() -> Card:
    return Card(0, "-", f"Griffin & Lim 1984, momentum of Perraudin et al. 2013, {ITERATIONS} iterations")


def _original_system(
    name: str,
    title: str,
    about: str,
    steps: tuple[Step, ...],
    weights: str = "universal",
    refinement: Refinement | None = None,
) -> System:
    load, why_not = LoadNetwork(Call(original_checkpoint, (weights,))), Call(original_missing, (weights,))
    return System(name, title, about, steps, load, original_card, why_not, refinement)


# The project's own models.


def _own_missing(path: Path) -> str | None:
    return None if path.is_file() else "not trained yet: no checkpoint in assets/checkpoints"


def _own(path: Path) -> Checkpoint:
    if reason := _own_missing(path):
        raise Unavailable(reason)
    return read_checkpoint(path)


def _own_card(path: Path) -> Card:
    if _own_missing(path):
        return Card(0, "-", "this project")
    checkpoint = read_header(path)
    tuned = any(run.get("start") == "universal" for run in training_history(checkpoint.about))
    return card_of(checkpoint, "-", f"this project{', fine-tuned from UNIVERSAL_V1' if tuned else ''}")


def _own_system(name: str, title: str, about: str, path: Path, refinement: Refinement | None = None) -> System:
    """name: of the system, which may be the generator's with something more."""
    load, describe, why_not = LoadNetwork(Call(_own, (path,))), Call(_own_card, (path,)), Call(_own_missing, (path,))
    return System(name, title, about, (hw2_mel, log_hw2), load, describe, why_not, refinement)


BUILT_IN = (
    System(
        "griffin-lim-oracle",
        "Griffin-Lim, oracle",
        "Given the recording's own STFT magnitudes, which no mel holds: only phase is lost. A bound, not a mel vocoder.",
        (stft_magnitude,),
        GriffinLimVocoder,
        _griffin_lim_card,
    ),
    System(
        "griffin-lim",
        "Griffin-Lim from the mel",
        "Griffin-Lim with no more than a mel: magnitudes estimated from 80 bands; above 8 kHz, where the mel ends, a linear estimate.",
        (hw2_mel, invert),
        GriffinLimVocoder,
        _griffin_lim_card,
    ),
    _own_system(
        "hifigan-hw2",
        "HiFi-GAN, own training",
        "A plain HiFi-GAN V1 on the hw2 mel, as the homework had one: UNIVERSAL_V1, fine-tuned by this project for hours on two "
        "CPU cores, not from scratch.",
        OWN_CHECKPOINTS["hifigan-hw2"],
    ),
    _original_system(
        "hifigan-original",
        "HiFi-GAN, original",
        "UNIVERSAL_V1 on the mel it was trained on: the original on its own terms.",
        (log_hifigan_mel,),
    ),
    _original_system(
        "hifigan-original-lj",
        "HiFi-GAN, original, one speaker",
        "LJ_V1 on its own mel: trained on one woman reading, and on no singing.",
        (log_hifigan_mel,),
        weights="LJSpeech",
    ),
    _original_system(
        "hifigan-original-mismatch",
        "HiFi-GAN, wrong mel",
        "UNIVERSAL_V1 given the raw hw2 mel, on which it was not trained: the homework's “original” row.",
        (hw2_mel, mislabel),
    ),
    _original_system(
        "hifigan-original-bridged",
        "HiFi-GAN, bridged",
        "The same hw2 mel, inverted to a spectrum and turned into HiFi-GAN's own mel: the mismatch repaired, no training.",
        (hw2_mel, invert, remel),
    ),
    _original_system(
        "hifigan-original-refined",
        "HiFi-GAN, bridged and refined",
        "The bridged output corrected towards the mel: steady pitch, no training; on read speech slightly less natural.",
        (hw2_mel, invert, remel),
        refinement=Refinement(),
    ),
    _own_system(
        "hifigan-hw2-refined",
        "HiFi-GAN, own training, refined",
        "The fine-tuned model's output, corrected towards the same mel in the same way.",
        OWN_CHECKPOINTS["hifigan-hw2"],
        Refinement(),
    ),
    _own_system(
        "harmonic-noise",
        "Harmonic-plus-noise, own training",
        "A small network at frame rate, trained from scratch: it weights partials, made from the Griffin-Lim waveform of the mel, "
        "and noise. Far fewer operations than HiFi-GAN.",
        OWN_CHECKPOINTS["harmonic-noise"],
    ),
    _own_system(
        "hifigan-hw2-guided",
        "HiFi-GAN, own training, guided",
        "The fine-tuned model with a second input, the Griffin-Lim waveform of the same mel, from which it takes the phases: a "
        "steady pitch without refinement.",
        OWN_CHECKPOINTS["hifigan-hw2-guided"],
    ),
)


COMPARED = (  # what a comparison shows unless other systems are chosen: the homework's three, then what repairs them
    "griffin-lim",
    "hifigan-hw2",
    "hifigan-original",
    "harmonic-noise",
    "hifigan-hw2-guided",
    "hifigan-original-refined",
    "hifigan-hw2-refined",
)


# Systems by the ids that people give.


def find_systems(text: str, may_import: bool = True) -> list[System]:
    """Systems from a comma-separated list of ids; an item may also be a checkpoint's path, an entry point of an installed
    package, or `module:function`, see `vocoders.plugins`.

    may_import: whether `module:function` and `torchscript:PATH@RECIPE`, which run code, are allowed.

    Where neither the file nor its configuration says which mel it was trained on, PATH@RECIPE does, with the name of a recipe
    (hw2, hifigan, others of `vocoders.recipes.named`) or its YAML file, or a trial finds it; PATH@hw2-unchecked is not tried. Files of one name are told apart by their folders.
    Errors: ValueError listing the known ids; `CheckpointError`.
    """
    items = split_items(text)
    if not items:
        raise ValueError("name at least one vocoder")
    found = _told_apart([find_system(item, may_import) for item in items], [checkpoint_path(item)[0] for item in items])
    names = [system.id for system in found]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"named twice: {', '.join(sorted(repeated))}")
    return found


def _told_apart(systems: list[System], paths: list[Path]) -> list[System]:
    """Checkpoints that share an id get as many of their folders before it as it takes."""
    folders = [Path(os.path.abspath(path)).parent.parts[1:] if is_file(path) else () for path in paths]
    ids = [system.id for system in systems]
    for depth in range(1, max(map(len, folders)) + 1):
        shared = {name for name in ids if ids.count(name) > 1}
        for index, (system, above) in enumerate(zip(systems, folders)):
            if ids[index] in shared and len(above) >= depth:
                ids[index] = "-".join([*map(slug, above[-depth:]), system.id])
    return [
        dataclasses.replace(system, id=name, title=f"Your {name}") if name != system.id else system
        for system, name in zip(systems, ids)
    ]


def split_items(text: str) -> list[str]:
    """The items of a comma-separated list. Commas in the path of a file that is there do not divide it."""
    parts, items = text.split(","), []
    while parts:
        longest = next(
            n for n in range(len(parts), 0, -1) if n == 1 or is_file(checkpoint_path(",".join(parts[:n]))[0])
        )
        items.append(",".join(parts[:longest]).strip())
        del parts[:longest]
    return [item for item in items if item]


def checkpoint_path(item: str) -> tuple[Path, str | None]:
    """PATH or PATH@RECIPE -> the path and the mel, where one is named: a recipe's name or its file. Folders and files may have an
    @ in their names."""
    whole = Path(item.strip())
    named = re.fullmatch(r"(.+)@([\w-]*|[^@]+\.(?:ya?ml|json))", item.strip())
    return (whole, None) if named is None or is_file(whole) else (Path(named[1]), named[2])


def is_file(path: Path) -> bool:
    """Whether there is a file; False, too, for what can be no path."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long to be a path
        return False


def find_system(item: str, may_import: bool = True) -> System:
    """One system by its id or a checkpoint's path, as in `find_systems`, with the same errors."""
    by_id = {system.id: system for system in BUILT_IN}
    if item in by_id:
        return by_id[item]
    path, recipe = checkpoint_path(item)
    if is_file(path):
        is_onnx = path.suffix.lower() == ".onnx"
        system = onnx_system(slug(path.stem), path, recipe) if is_onnx else own_checkpoint_system(path, recipe)
        return dataclasses.replace(system, id=f"{system.id}-own") if system.id in by_id else system
    plugins = installed()
    if item in plugins:
        return function_system(item, plugins[item].value)
    if is_path(item) or item.startswith(TORCHSCRIPT):
        if not may_import:
            raise ValueError(f"{item} would run code, so it can only be named on the command line")
        program = item.removeprefix(TORCHSCRIPT)
        return function_system(slug(item), item) if program == item else torchscript_system(*checkpoint_path(program))
    known = f"known: {', '.join([*by_id, *plugins])}, or the path of a checkpoint"
    if len(path.parts) > 1 or path.suffix or recipe is not None or re.match("(g|do)_[0-9]", item):
        if path.is_dir():
            raise ValueError(f"{path} is a folder; name the checkpoint in it")
        raise ValueError(f"there is no file {path}, and no vocoder of that name; {known}")
    raise ValueError(f"unknown vocoder {item!r}; {known}")
