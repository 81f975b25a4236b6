"""The project's commands as one types them, but run in this process: one of their own takes seconds to import torch."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from common.command import run
from common.paths import ROOT


@dataclass(frozen=True)
class Done:
    stdout: str
    stderr: str


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def command(package: str, *arguments: object, code: int = 0) -> Done:
    """The output of `python -m package arguments`. Fails when it leaves with another exit code."""
    main = importlib.import_module(f"{package}.__main__").main
    out, err = io.StringIO(), io.StringIO()
    with (
        _inside(ROOT),
        mock.patch.object(sys, "argv", [f"{package}/__main__.py", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            run(main)
        except SystemExit as left:
            found = left.code or 0
    assert found == code, err.getvalue()
    return Done(out.getvalue(), err.getvalue())
