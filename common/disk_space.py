"""When there is too little room to begin anything new."""

from __future__ import annotations

import shutil
from pathlib import Path

NEEDED_BYTES = 200e6  # of free space


def is_full(folder: Path, needed: float = NEEDED_BYTES) -> bool:
    """Whether fewer than `needed` bytes are free where the folder lies. Errors: `OSError` where there is no such folder."""
    return shutil.disk_usage(folder).free < needed
