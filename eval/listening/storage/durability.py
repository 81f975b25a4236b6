"""Whether answers outlive this process; the welcome page says so before the first one."""

from __future__ import annotations

import os
from pathlib import Path


def outlives_the_process(url: str, data_dir: Path) -> bool:
    """A database elsewhere, a dataset repository, or a disk that stays when a Space or a container is started anew."""
    if not url.startswith("sqlite") or os.environ.get("LISTENING_DATASET"):
        return True
    if "SPACE_ID" in os.environ:
        return False
    in_container = any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))
    return not in_container or data_dir.stat().st_dev != Path("/").stat().st_dev  # a volume is another device
