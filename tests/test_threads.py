"""Threads that wait do not take the core from those that compute: PyTorch's OpenMP says what it was told when it is loaded."""

import os
import subprocess
import sys

import pytest

from common import THREAD_SPINS
from common.paths import ROOT


def told(imports: str, **environment: str) -> str:
    """What OpenMP says of itself, `imports` and then PyTorch being imported."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    done = subprocess.run(
        [sys.executable, "-c", f"import {imports}, torch"],
        cwd=ROOT,
        env={**others, "OMP_DISPLAY_ENV": "verbose", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


@pytest.mark.parametrize("imports", ["app", "vocoders.catalogue", "train.commands", "eval.__main__", "server.process"])
def test_every_way_in_settles_it_before_pytorch_is_there(imports):
    assert f"GOMP_SPINCOUNT = '{THREAD_SPINS}'" in told(imports)


def test_what_the_environment_says_stays():
    assert f"GOMP_SPINCOUNT = '{THREAD_SPINS}'" not in told("common", OMP_WAIT_POLICY="ACTIVE")
    assert "GOMP_SPINCOUNT = '7'" in told("common", GOMP_SPINCOUNT="7")
