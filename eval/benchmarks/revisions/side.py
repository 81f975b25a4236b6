"""A warm process that runs one revision's code, as its parent sees it."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from types import TracebackType
from typing import Any

MEASURED_PROCESS = Path(__file__).with_name("measured_process.py")
MAX_ANSWER_SECONDS = 900.0  # a minute of sound through the slowest system takes two on one core

MAX_REASON = 200  # characters of why a revision does not have something


class Missing(Exception):
    """A revision does not have what was asked for. The message is the reason."""


class Side:
    """Starts when it is made, and ends with its `with` block. Uses the Python and the packages of this process."""

    def __init__(self, name: str, folder: Path) -> None:
        """name: for messages; folder: the revision's files."""
        self.name = name
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  it is closed with the process
        self._process = subprocess.Popen(
            [sys.executable, str(MEASURED_PROCESS)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
        )

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def ask(self, do: str, **request: Any) -> dict:
        """An answer of `measured_process.py`. Errors: `Missing`; ValueError where the process ended or does not answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **request}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ValueError(self._end()) from None
        if not select.select([self._process.stdout], [], [], MAX_ANSWER_SECONDS)[0]:
            raise ValueError(f"{self.name} did not answer within {MAX_ANSWER_SECONDS:g} s ({request.get('name', do)})")
        if not (line := self._process.stdout.readline()):
            raise ValueError(self._end())
        answer = json.loads(line)
        if "missing" in answer:
            raise Missing(textwrap.shorten(answer["missing"], MAX_REASON, placeholder=" …"))
        return answer

    def _end(self) -> str:
        """Why the process is no more, in a sentence."""
        status = self._process.wait()
        self._said.seek(0)
        last = self._said.read().decode(errors="replace").strip().splitlines()[-1:]
        return f"the process of {self.name} ended with {status}{': ' if last else ''}{''.join(last)}"
