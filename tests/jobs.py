"""What the tests of the computing process let it do; quick to import, since every fresh process does."""

import ctypes
import os
import signal
import time
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


def endless(marks: Path, report):
    while True:
        with marks.open("a") as file:
            file.write(".")
        report()
        time.sleep(0.01)


def stuck(report):
    """In native code that keeps Python's lock, as a hanging library would: nothing in the process moves any more."""
    ctypes.PyDLL(None).pause()


def told_and_stuck(marks: Path, report):
    marks.touch()
    stuck(report)


def slow_but_alive(seconds, report):
    for _ in range(round(seconds / 0.05)):
        time.sleep(0.05)
        report()
    return "done"


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
