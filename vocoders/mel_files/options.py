"""The declared format of a mel file, from the command line or the page. Imports nothing slow."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

if TYPE_CHECKING:
    from vocoders.mel_files.format import MelFormat

Bands = Literal["hw2", "hifigan"]
Scale = Literal["power", "magnitude"]
Log = Literal["none", "e", "10", "db"]
BANDS, SCALES, LOGS = get_args(Bands), get_args(Scale), get_args(Log)
BARE_LOG = "hw2-e"  # what --log without a value stands for


@dataclass(frozen=True)
class Declared:
    """The declared format of a mel; None: not declared."""

    recipe: Bands | None = None
    scale: Scale | None = None
    log: Log | None = None

    OPTIONS: ClassVar[str] = "--recipe hw2|hifigan, --scale power|magnitude and --log none|e|10|db"

    @property
    def is_complete(self) -> bool:
        """Whether recipe, scale and logarithm are all declared."""
        return None not in (self.recipe, self.scale, self.log)

    def allows(self, mel_format: MelFormat) -> bool:
        """Whether the format agrees with all that is declared."""
        said = (self.recipe, self.scale, self.log)
        return all(
            said in (None, of_format)
            for said, of_format in zip(said, (mel_format.recipe, mel_format.scale, mel_format.log), strict=True)
        )


def add_mel_options(parser: argparse.ArgumentParser) -> None:
    """The options `declared_by` reads; arguments go through `with_bare_log` first."""
    told = parser.add_argument_group("what the mels are: the numbers tell where this does not")
    told.add_argument("--recipe", choices=BANDS, help="HTK bands of peak 1, or Slaney bands of area 1")
    told.add_argument("--scale", choices=SCALES, help="what the bands are sums of")
    told.add_argument(
        "--log",
        choices=(*LOGS, BARE_LOG),
        metavar="|".join(LOGS),
        help="which logarithm, none for linear values; without a value: the natural logarithm of hw2 power",
    )


def with_bare_log(arguments: Sequence[str]) -> list[str]:
    """`--log MEL` with the MEL left to be one: only a known logarithm is the value of --log."""
    following = [*arguments[1:], ""]
    return [
        f"--log={BARE_LOG}" if argument == "--log" and after not in LOGS else argument
        for argument, after in zip(arguments, following, strict=True)
    ]


def declared_by(args: argparse.Namespace) -> tuple[Declared, bool]:
    """The declaration, and whether it was --log alone. Errors: ValueError for --log alone beside the others."""
    if args.log != BARE_LOG:
        return Declared(args.recipe, args.scale, args.log), False
    if args.recipe or args.scale:
        raise ValueError(f"--log needs a value beside --recipe or --scale: {', '.join(LOGS)}")
    return Declared("hw2", "power", "e"), True
