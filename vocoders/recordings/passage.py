"""A part of a recording, by time."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Passage:
    """start and end in seconds from the beginning of the file; end None: to its end."""

    start: float = 0.0
    end: float | None = None

    def __post_init__(self) -> None:
        if self.start < 0 or (self.end is not None and self.end <= self.start):
            raise ValueError(f"a passage ends after it begins; {self} does not")

    def __str__(self) -> str:
        return f"{clock(self.start)} to {'the end' if self.end is None else clock(self.end)}"


def seconds_of(text: str) -> float:
    """ "75", "75.5", "1:15" or "1:02:03.5" -> seconds. Errors: ValueError."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is no time; write seconds, minutes:seconds or hours:minutes:seconds, such as 1:10.5"
        )
    hours, minutes, seconds = match.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + float(seconds)


def clock(seconds: float) -> str:
    """75.5 -> "1:15.5"."""
    minutes, rest = divmod(round(seconds, 2), 60)
    return f"{int(minutes)}:{rest:05.2f}".rstrip("0").rstrip(".") if rest % 1 else f"{int(minutes)}:{int(rest):02d}"


def add_passage(parser: argparse.ArgumentParser) -> None:
    """The options `passage_of` reads."""
    time = "seconds, or minutes:seconds"
    parser.add_argument("--from", dest="start", metavar="TIME", help=f"where the passage to use begins: {time} (0)")
    parser.add_argument("--to", dest="end", metavar="TIME", help=f"where it ends: {time} (the end of the file)")


def passage_of(args: argparse.Namespace) -> Passage | None:
    """None for the whole recording. Errors: ValueError."""
    if args.start is None and args.end is None:
        return None
    return Passage(seconds_of(args.start or "0"), None if args.end is None else seconds_of(args.end))
