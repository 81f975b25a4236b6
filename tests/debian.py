"""Real servers that tests need, from Debian's packages: installed where this may be done, else the test is skipped and says why."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.endurance.programs import Program
from deploy.endurance.service import missing_packages, redis_server

LOCK = Path(tempfile.gettempdir()) / "tests-install-debian-packages.lock"


def require_servers() -> None:
    """PostgreSQL, Redis and nginx are there afterwards."""
    with LOCK.open("w") as file:  # two workers of pytest would refuse each other dpkg's lock
        fcntl.flock(file, fcntl.LOCK_EX)
        missing = missing_packages()
        if not missing:
            return
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            pytest.skip(f"apt-get install {' '.join(missing)}, which needs root and Debian")
        quietly = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "capture_output": True, "text": True}
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quietly)
        done = subprocess.run(["apt-get", "install", "-y", "-qq", *missing], check=False, **quietly)
        if done.returncode:
            pytest.skip(f"apt-get could not install {' '.join(missing)}: {done.stderr.strip()[-300:]}")


def running_redis(folder: Path) -> Iterator[tuple[str, Program]]:
    """(its address, the server), for a fixture."""
    require_servers()
    url, program = redis_server(folder)
    program.wait_until_ready()
    yield url, program
    program.stop()
