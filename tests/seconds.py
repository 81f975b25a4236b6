"""Seconds of processor time that each file of tests takes, with all processes that it starts: what a selection and an order rest on.

    ./run test --measure    writes tests/seconds.json anew for the files that were run
    ./run test quick        only files that were measured below MAX_QUICK_SECONDS, the quickest first, MAX_ALL_QUICK_SECONDS in all,
                            and none that needs a browser

Several processes run the longest files first, so that they end together; a file that was never measured counts as long.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import os
from pathlib import Path

import pytest

from common.paths import ROOT

MEASURED = ROOT / "tests" / "seconds.json"
MAX_QUICK_SECONDS = 2.0  # of one file
MAX_ALL_QUICK_SECONDS = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")  # per second


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="run only the quick files of tests, in less than a minute")
    parser.addoption("--measure", action="store_true", help=f"write the processor time of the files to {MEASURED.name}")


@functools.cache
def measured() -> dict[str, float]:
    """{file: seconds}"""
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def name_of(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT).as_posix()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The others, and folders of others, are not even imported, which would take as long as the quick ones."""
    if config.getoption("--quick") and not any((ROOT / name).is_relative_to(collection_path) for name in quick_files()):
        return True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: -measured().get(name_of(item), math.inf))


@functools.cache
def quick_files() -> set[str]:
    quickest = sorted(
        (seconds, name)
        for name, seconds in measured().items()
        if seconds < MAX_QUICK_SECONDS and not name.startswith("tests/browser/")
    )
    sums = itertools.accumulate(seconds for seconds, _ in quickest)
    return {name for (_, name), total in zip(quickest, sums) if total <= MAX_ALL_QUICK_SECONDS}


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--measure"):
        config.pluginmanager.register(_Measuring(config), "seconds of the files")


class _Measuring:
    def __init__(self, config: pytest.Config) -> None:
        self.worker_output = getattr(config, "workeroutput", None)
        self.seconds: dict[str, float] = {}
        self.before = processor_seconds()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Before the fixtures of a file end: a browser's processes that end after it are nobody's descendants, their time is lost."""
        if nextitem is None or nextitem.path != item.path:
            now = processor_seconds()
            name = name_of(item)
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self.before
            self.before = now

    def pytest_collection_finish(self) -> None:
        self.before = processor_seconds()  # imports are no file's

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node) -> None:
        self.seconds |= node.workeroutput.get("seconds", {})

    def pytest_sessionfinish(self) -> None:
        if self.worker_output is not None:
            self.worker_output["seconds"] = self.seconds
            return
        found = {name: seconds for name, seconds in measured().items() if (ROOT / name).exists()}
        found |= {name: round(seconds, 1) for name, seconds in self.seconds.items()}
        MEASURED.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def processor_seconds() -> float:
    """Of this process and all that descend from it, those that have ended and were waited for included."""
    parents, ticks = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        parents[int(stat.parent.name)] = int(fields[1])
        ticks[int(stat.parent.name)] = sum(map(int, fields[11:15]))

    def is_ours(process: int) -> bool:
        return process == os.getpid() or (process in parents and is_ours(parents[process]))

    return sum(spent for process, spent in ticks.items() if is_ours(process)) / _TICKS
