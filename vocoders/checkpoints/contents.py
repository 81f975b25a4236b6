"""The content of a generator's file, before and after the mel of its input is settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from vocoders.checkpoints.config import CheckpointError, brief
from vocoders.recipes.configs import read_recipe
from vocoders.recipes.recipe import MelRecipe

if TYPE_CHECKING:
    from pathlib import Path


class GeneratorConfig(Protocol):
    """The shape of a generator of some family: `HiFiGANConfig`, `BigVGANConfig`, `VocosConfig`, `HarmonicNoiseConfig`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def family(self) -> str:
        """Its name in sentences."""

    @property
    def bands(self) -> int:
        """Of the mel."""

    @property
    def hop(self) -> int:
        """Samples per frame."""

    @property
    def tail(self) -> int:
        """Samples that the waveform is shorter than frames * hop."""

    @property
    def context(self) -> int:
        """How many frames away a frame can still change a sample."""

    @property
    def multiply_adds(self) -> int:
        """Per frame."""

    @property
    def input_channels(self) -> int:
        """Of the generator's input: the mel's bands and what stands beside it, see `vocoders.hifigan.generator_input`."""

    @property
    def guide_iterations(self) -> int:
        """Of Griffin-Lim, which make the guide of a guided generator."""

    @property
    def is_enriched(self) -> bool:
        """Whether the input is more than the mel."""

    @property
    def is_guided(self) -> bool:
        """Whether a guide is part of the input."""

    def build(self) -> nn.Module:
        """Input (batch, channels, frames) -> waveform (batch, 1, samples)."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """`weights` are float32 with weight norm folded, named as in `config.build()`; `about` is free text by key.

    `notice`: what a trial found that is worth knowing, a sentence without full stop.
    """

    config: GeneratorConfig
    recipe: MelRecipe
    weights: Mapping[str, Tensor]
    about: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""

    def generator(self) -> nn.Module:
        """A generator in evaluation mode holding these weights."""
        with torch.device("meta"):
            generator = self.config.build()
        generator.load_state_dict(self.weights, assign=True)
        return generator.eval().requires_grad_(False)


@dataclass(frozen=True, eq=False)
class Contents:
    """`mel`: the recipe that the file names, or `teller` does. `assumed`: the recipe that its program would have used, with the
    framing that its configuration states; another may be named. `own`: the recipe behind `mel`, where the file holds it whole."""

    name: str  # of the file
    config: GeneratorConfig
    weights: Mapping[str, Tensor]
    mel: str | None
    teller: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    assumed: MelRecipe | None = None
    own: MelRecipe | None = None

    def on(self, recipe: str | MelRecipe | None) -> Checkpoint:
        """On the named mel, or on its own. Errors: `CheckpointError` when they contradict each other, or there is neither."""
        said = recipe.name if isinstance(recipe, MelRecipe) else recipe
        if None not in (said, self.mel) and said != self.mel:
            teller = f"as {self.teller} says" if self.teller else "as it says itself"
            raise CheckpointError(
                f"{self.name} was trained on the {self.mel} mel, not on {brief(said, str)}, {teller}."
            )
        if (chosen := self.own or recipe or self.mel or self.assumed) is None:
            raise CheckpointError(f"{self.name} does not say which mel it was trained on; name it: hw2 or hifigan.")
        return Checkpoint(self.config, recipe_of(chosen, self.config, self.name), self.weights, self.about)


def recipe_of(item: str | Path | MelRecipe, config: GeneratorConfig, where: str) -> MelRecipe:
    """A recipe, its name or file, if it fits the generator. Errors: `CheckpointError`."""
    try:
        recipe = item if isinstance(item, MelRecipe) else read_recipe(item)
    except ValueError as error:
        raise CheckpointError(f"{brief(error, str)}.") from error
    if config.is_enriched and config.is_guided and recipe.name != "hw2":
        raise CheckpointError(f"{where} is a guided generator, which takes the hw2 mel, not {recipe.name}.")
    if (recipe.bands, recipe.hop) != (config.bands, config.hop):
        raise CheckpointError(
            f"{where} takes {config.bands} bands every {config.hop} samples; the {recipe.name} mel has {recipe.bands} "
            f"every {recipe.hop}."
        )
    return recipe
