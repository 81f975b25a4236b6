"""A card per system: what it is, its way from recording to sound, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from ui.markup import fill
from ui.vocoders.training_panel import training_panel
from vocoders.hifigan.precision import differences_of
from vocoders.systems import System


def catalogue(systems: Sequence[System]) -> str:
    """HTML: a card for every system."""
    return fill("vocoders/templates/catalogue.html", cards=[_card(system) for system in systems])


def _card(system: System) -> dict[str, object]:
    """The values that the template shows of a system; of one that cannot run here only the reason, not its weights."""
    reason = system.why_not()
    path = [
        "recording",
        *(step.label for step in system.steps),
        "vocoder",
        *(["refinement"] if system.refinement else []),
    ]
    card: dict[str, object] = {"system": system, "reason": reason, "path": path}
    if reason:
        return card
    about = system.describe()
    return card | {
        "about": about,
        "training": training_panel(about.training),
        "in_bfloat16": differences_of(system.id),
    }
