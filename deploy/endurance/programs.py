"""Programs that run beside this one: started, waited for, killed, and ended with it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from common.paths import ROOT

START_SECONDS = 900.0  # until a program that does not answer has failed; machines are busy
POLL_SECONDS = 0.2  # between two looks; each costs the machine under test something
STOP_SECONDS = 10.0  # after SIGTERM
DEBIAN_PACKAGES = {"postgres": "postgresql", "redis-server": "redis-server", "nginx": "nginx-light"}


class Process(Protocol):
    """The part of `subprocess.Popen` that is used here."""

    pid: int

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""

    def kill(self) -> None:
        """With SIGKILL."""

    def terminate(self) -> None:
        """With SIGTERM."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status. Errors: `subprocess.TimeoutExpired`."""


Start = Callable[[Sequence[str], Path], Process]  # arguments of Python, file for what it says


class Program:
    """A program that can be killed and started again."""

    def __init__(self, name: str, start: Callable[[], Process], is_ready: Callable[[], bool], log: Path) -> None:
        """is_ready: whether it answers; log: what it says."""
        self.name, self._start, self._is_ready, self._log = name, start, is_ready, log
        self.kills = 0
        self._process = start()

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Errors: RuntimeError with its last words, where it has ended or says nothing for too long."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = self._log.read_text(errors="replace")[-2000:] if self._log.is_file() else ""
                raise RuntimeError(f"{self.name} did not start: {words}")
            time.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """With SIGKILL."""
        self._process.kill()
        self._process.wait()
        self.kills += 1

    def start_again(self) -> None:
        """After `kill`; does not wait until it answers."""
        self._process = self._start()

    def stop(self) -> None:
        """Orderly, or else by SIGKILL."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def find(name: str) -> str:
    """The path of a program. Errors: ValueError that names the Debian package it is in."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = str(installed[-1]) if installed else shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if found is None:
        raise ValueError(f"{name} is not installed: apt-get install {DEBIAN_PACKAGES.get(name, name)}")
    return found


def start_command(command: Sequence[str], log: Path, user: str | None = None) -> subprocess.Popen:
    """user: whom it runs as, where this program may choose."""
    options: dict[str, Any] = {}
    if user and os.geteuid() == 0:
        entry = pwd.getpwnam(user)
        options = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    with log.open("ab") as file:
        return subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, cwd="/", **options
        )


def start_python(arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> subprocess.Popen:
    """A Python like this one, in the project's folder."""
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )


def listens(port: int) -> bool:
    """Whether somebody accepts connections there, on this machine."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """One that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processor_seconds(pid: int) -> float:
    """That a process has used so far, its threads included, its children not; 0 for one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family_seconds(pid: int) -> float:
    """That a process and its children have used so far, those that have ended too."""
    seconds = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
        if path.parent.name == str(pid):
            seconds += sum(map(int, fields[11:15]))
        elif fields[1] == str(pid):
            seconds += int(fields[11]) + int(fields[12])
    return seconds / os.sysconf("SC_CLK_TCK")


def raise_on_sigterm() -> None:
    """SIGTERM ends this program as Ctrl-C does, so that what it started ends too."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
