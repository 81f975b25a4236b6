"""All recruiting platforms, by the id that studies store."""

from __future__ import annotations

from eval.listening.recruiting.mturk import MTurk
from eval.listening.recruiting.plain import Plain
from eval.listening.recruiting.platform import Platform
from eval.listening.recruiting.prolific import Prolific

PLATFORMS: dict[str, Platform] = {platform.id: platform for platform in (Prolific(), MTurk(), Plain())}


def platform_of(name: str) -> Platform:
    """The platform of that id. Errors: ValueError for an unknown one."""
    if name not in PLATFORMS:
        raise ValueError(f"platform: {name!r} is unknown; there are {', '.join(PLATFORMS)}")
    return PLATFORMS[name]
