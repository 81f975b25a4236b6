"""Which revision of this project's code runs."""

from __future__ import annotations

import subprocess

from common.paths import ROOT


def revision() -> str:
    """Of this project's code, "-dirty" behind it when files were changed; "unknown" outside a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return done.stdout.strip() or "unknown"
