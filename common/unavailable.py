"""The error of what cannot run here, apart from all that may raise it: commands know it before they load anything."""

from __future__ import annotations


class Unavailable(RuntimeError):
    """A system that cannot run here; the message says why and what would help."""
