"""python -m deploy: put the app on Hugging Face as a Gradio Space."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from common.command import run
from deploy.card import check_card, hardware_flavours
from deploy.files import SpaceFile, space_files, version
from deploy.space import Target, publish

ROOT = Path(__file__).parents[1]
TOKEN_FOR_ANSWERS = "SPACE_HF_TOKEN"  # the Space's own, not the uploader's


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="whether the README's front matter is what a Space understands")
    check.set_defaults(command=check_command)
    space = commands.add_parser(
        "space", help="upload what git tracks, without the tests, and print the Space's address"
    )
    space.add_argument("space", type=_repository, metavar="OWNER/NAME")
    space.add_argument("--private", action="store_true", help="visible to the owner only")
    space.add_argument(
        "--hardware",
        choices=hardware_flavours(),
        metavar="FLAVOUR",
        help="cpu-basic, cpu-upgrade, zero-a10g, t4-small, ...",
    )
    space.add_argument(
        "--dataset",
        type=_repository,
        metavar="OWNER/ANSWERS",
        help=f"private dataset repository that gets a copy of all answers; {TOKEN_FOR_ANSWERS} is the token that may write it",
    )
    space.add_argument("--dry-run", action="store_true", help="list what would go; needs no token and no network")
    space.add_argument("--force", action="store_true", help="replace the files of a Space that exists already")
    space.set_defaults(command=space_command)
    endurance = commands.add_parser(
        "endurance",
        help="the proof that several servers lose nothing under load and kills; needs PostgreSQL, Redis, nginx",
    )
    endurance.add_argument("--raters", type=int, default=300, metavar="N", help="simulated raters (300)")
    endurance.add_argument("--studies", type=int, default=3, metavar="N", help="studies that they take part in (3)")
    endurance.add_argument("--minutes", type=float, default=10.0, metavar="M", help="of all sessions together (10)")
    endurance.add_argument(
        "--kill-every", type=float, default=30.0, metavar="SECONDS", help="a process of the app, and a worker (30)"
    )
    endurance.add_argument("--apps", type=int, default=3, metavar="N", help="processes of the app (3)")
    endurance.add_argument("--workers", type=int, default=2, metavar="N", help="workers of the Dask cluster (2)")
    endurance.set_defaults(command=endurance_with)
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    return args.command(args)


def check_command(args: argparse.Namespace) -> int:
    card = check_card(ROOT)
    print(f"{card['title']}: Gradio {card['sdk_version']}, Python {card['python_version']}, {card['app_file']}")
    return 0


def space_command(args: argparse.Namespace) -> int:
    check_card(ROOT, args.hardware)
    files = space_files(ROOT)
    if args.dry_run:
        _show(files)
        return 0
    answers_token = os.environ.get(TOKEN_FOR_ANSWERS, "").strip()
    if args.dataset and not answers_token:
        raise ValueError(
            f"--dataset: set {TOKEN_FOR_ANSWERS} to a fine-grained token that may write {args.dataset} and nothing else; "
            "the Space keeps it as its secret HF_TOKEN"
        )
    target = Target(args.space, args.private, args.hardware, args.dataset, answers_token)
    print(publish(target, files, f"Vocoder Listening Lab {version(ROOT)}", args.force))
    return 0


def endurance_with(args: argparse.Namespace) -> int:
    from deploy.endurance.command import Plan, endurance_command  # only here: the other commands need no database

    seconds = 60 * args.minutes
    return endurance_command(
        Plan(args.raters, args.studies, seconds, args.kill_every, apps=args.apps, workers=args.workers)
    )


def _show(files: list[SpaceFile]) -> None:
    for file in files:
        print(f"{file.size:>10}  {'large' if file.large else 'git':5}  {file.path}")
    large = [file for file in files if file.large]
    print(
        f"{len(files)} files, {sum(file.size for file in files) / 1e6:.1f} MB; "
        f"{len(large)} of them, {sum(file.size for file in large) / 1e6:.1f} MB, are kept outside git (LFS or Xet)",
        file=sys.stderr,
    )


def _repository(text: str) -> str:
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not OWNER/NAME")
    return text


if __name__ == "__main__":
    run(main)
