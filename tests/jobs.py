"""Jobs that tests give the computing process; quick to import, since every fresh process does."""

import ctypes
import os
import signal
import threading
from pathlib import Path

import numpy as np


def counted(upto, report):
    for number in range(upto):
        report(number, -number)
    return os.getpid()


def refused(report):
    raise ValueError("the reason")


def unsendable(report):
    raise type("Local", (Exception,), {})("its words")


def endless(marks: Path, ended: Path, report):
    try:
        while True:
            with marks.open("a") as file:
                file.write(".")
            report()
    finally:
        ended.touch()


def stuck(report):
    """In native code that keeps Python's lock, as a hanging library would: nothing in the process moves any more."""
    ctypes.PyDLL(None).pause()


def told_and_stuck(marks: Path, report):
    marks.touch()
    stuck(report)


def done_the_second_time(begun: Path, report):
    """The first time it never ends."""
    with begun.open("a") as file:
        file.write(".")
    if begun.stat().st_size == 1:
        threading.Event().wait()
    return "done"


def count_griffin_lims(recording, systems, report):
    """How often Griffin-Lim ran for a comparison."""
    from unittest.mock import patch

    from eval.compare.recording import compare_again
    from vocoders import catalogue

    with patch.object(catalogue, "griffin_lim", wraps=catalogue.griffin_lim) as counted:
        compare_again(recording, systems, report)
    return counted.call_count


def killed(tries: Path, survive_at: int, report):
    """The process dies under this job until it was tried that often."""
    with tries.open("a") as file:
        file.write(".")
    if tries.stat().st_size < survive_at:
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


def grow(megabytes, report):
    grow.kept = np.ones(megabytes * 131_072)


def pid_of(report):
    return os.getpid()


def sent_back(value, report):
    return value


# Faults of decoders in the process that tests/vocoders/recordings/test_contained.py gives them.


def crash_over_a_file(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave_over_a_file(*_: object) -> None:
    os._exit(0)


def grow_over_a_file(*_: object) -> None:
    bytearray(4_000_000_000)


def hang_over_a_file(*_: object) -> None:
    threading.Event().wait()
