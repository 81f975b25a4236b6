"""A card per system: what it is, its way from recording to sound, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from ui.markup import escape
from ui.vocoders.training_panel import training_panel
from vocoders.systems import System


def catalogue(systems: Sequence[System]) -> str:
    """HTML: a card for every system."""
    return f'<div class="page-cards">{"".join(_card(system) for system in systems)}</div>'


def _card(system: System) -> str:
    reason = system.why_not()
    steps = ["recording", *(step.label for step in system.steps), "vocoder"]
    path = " → ".join(escape(part) for part in [*steps, *(["refinement"] if system.refinement else [])])
    foot = f'<p class="page-card-state">Cannot run here: {escape(reason)}.</p>' if reason else _origin(system)
    return (
        f'<article class="page-card{" page-card-off" if reason else ""}"><h3>{escape(system.title)}</h3>'
        f'<p>{escape(system.about)}</p><p class="page-path">{path}</p>{foot}</article>'
    )


def _origin(system: System) -> str:
    card = system.describe()
    size = f"{card.parameters / 1e6:.2f} M parameters" if card.parameters else "nothing learned"
    return (
        f"{training_panel(card.training)}"
        f'<p class="page-card-foot"><code>{escape(system.id)}</code> · {size} · {escape(card.licence)}<br>'
        f"{escape(card.source)}</p>"
    )
