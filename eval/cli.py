"""`python -m eval score|compare`: outputs that exist, and recordings through many systems."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from common.command import complain, counting_bar, note, refuse_overwriting
from common.durable import write_text_durably
from eval.metrics.names import directions
from vocoders.audio import MAX_NATIVE_RATE, SAMPLE_RATE
from vocoders.hifigan.precision import add_precision
from vocoders.recordings.files import find_audio

if TYPE_CHECKING:
    from eval.compare.conditions import Conditions
    from eval.compare.score import Scores
    from eval.metrics.metric import Metric


MIN_RATE = 16_000  # Hz, of metrics: below it too little of the band is left


def add_comparing(commands) -> None:
    """The subcommands, below the `eval` parser's."""
    known = "; ".join(f"{name} ({better} is better)" for name, better in directions().items())
    metrics_help = f'comma-separated, or "all"; default those that are fast and say most: {known}'
    _add_score(commands, metrics_help)
    _add_compare(commands, metrics_help)


def _add_score(commands, metrics_help: str) -> None:
    score = commands.add_parser("score", help="metrics of estimates against references: two folders, or two files")
    score.add_argument("reference", type=Path, metavar="REFERENCE")
    score.add_argument(
        "estimate",
        type=Path,
        nargs="?",
        metavar="ESTIMATE",
        help="files named as the references, or with _generated[_e2e] behind",
    )
    score.add_argument(
        "--system",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="instead of ESTIMATE, once for each system; folders only: `compare` also runs systems by ID or file",
    )
    score.add_argument("--metrics", metavar="A,B", help=metrics_help)
    score.add_argument("--json", type=Path, metavar="FILE", help="also write {metrics: means, clips: per clip, ...}")
    score.add_argument(
        "--any-length",
        action="store_true",
        help="also measure estimates more than 2 %% longer or shorter than the reference",
    )
    _add_rate(score)
    _add_jobs(score)
    score.add_argument("--force", action="store_true", help="overwrite FILE")
    score.set_defaults(command=score_command)


def _add_compare(commands, metrics_help: str) -> None:
    compare = commands.add_parser("compare", help="a folder of recordings through many systems: results and a report")
    compare.add_argument(
        "audio",
        type=Path,
        metavar="AUDIO_DIR",
        help="recordings; or, with their outputs: a configuration of webMUSHRA, or a folder per condition, one called reference",
    )
    compare.add_argument(
        "--vocoders", default="", metavar="ID,ID", help="as `python -m vocoders list` names them, or files"
    )
    compare.add_argument(
        "--system",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="outputs made elsewhere, files named as the recordings; or one more ID or file",
    )
    compare.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="gets report.html, results.json, rows.csv, outputs"
    )
    compare.add_argument(
        "--baseline", metavar="ID", help="what the others are compared with (the first of all systems)"
    )
    compare.add_argument("--metrics", metavar="A,B", help=metrics_help)
    compare.add_argument(
        "--any-length",
        action="store_true",
        help="also measure outputs made elsewhere that are more than 2 %% longer or shorter than the recording",
    )
    _add_rate(compare)
    add_precision(compare)
    compare.add_argument("--every", type=int, default=1, metavar="N", help="use every Nth clip (1)")
    _add_jobs(compare)
    compare.add_argument("--dask", metavar="ADDRESS", help="run on this Dask cluster, whose workers see the same files")
    compare.add_argument("--force", action="store_true", help="write a finished DIR again; finished clips are kept")
    compare.set_defaults(command=compare_command)


def _add_jobs(command) -> None:
    command.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="clips at a time, which share the cores (1; -1: one per core)"
    )


def _add_rate(command) -> None:
    command.add_argument(
        "--rate",
        type=_rate,
        default=SAMPLE_RATE,
        metavar="HZ",
        help=f"of metrics that are defined at any rate, {MIN_RATE} to {MAX_NATIVE_RATE} ({SAMPLE_RATE})",
    )


def _rate(text: str) -> int:
    rate = int(text)
    if not MIN_RATE <= rate <= MAX_NATIVE_RATE:
        raise argparse.ArgumentTypeError(f"{rate} Hz; {MIN_RATE} to {MAX_NATIVE_RATE} Hz are allowed")
    return rate


def chosen_clips(args: argparse.Namespace) -> dict[Path, Path]:
    """Every Nth recording of AUDIO_DIR, as {name: path}. Errors: those of `find_audio`."""
    return every_nth(find_audio([args.audio]), args.every)


def every_nth(clips: dict[Path, Path], step: int) -> dict[Path, Path]:
    """Errors: ValueError for a step below 1."""
    if step < 1:
        raise ValueError("--every is at least 1")
    return dict(list(clips.items())[::step])


def conditions_in(args: argparse.Namespace) -> Conditions | None:
    """Recordings and outputs of a configuration of webMUSHRA, or of a folder per condition for which no system is named; None for
    recordings alone.

    Errors: ValueError for a configuration without references, and those of `read_conditions`.
    """
    from eval.compare.conditions import REFERENCE_FOLDER, read_conditions

    is_config = args.audio.is_file() and args.audio.suffix.lower() in (".yaml", ".yml")
    is_layout = (args.audio / REFERENCE_FOLDER).is_dir() and not (args.vocoders or args.system)
    if not is_config and not is_layout:
        return None
    found = read_conditions(args.audio)
    if not found.clips:
        raise ValueError(f"{args.audio}: no page has a reference, so there is nothing to measure against")
    return found


def score_command(args: argparse.Namespace) -> int:
    """`python -m eval score`. The exit status: 1 where something failed."""
    from eval.compare.score import score_folders
    from eval.metrics.registry import choose_metrics

    if args.json:
        refuse_overwriting([args.json], args.force)
    metrics = choose_metrics(args.metrics)
    found: dict[str, Scores] = {}
    for name, estimate in _estimates(args).items():
        with counting_bar("clip") as show:
            found[name] = score_folders(args.reference, estimate, metrics, show, args.any_length, args.rate, args.jobs)
        _print_scores(name, found[name], metrics)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        contents = {name: scores.as_json() for name, scores in found.items()}
        content = contents.get("", {"systems": contents})
        write_text_durably(args.json, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return 1 if any(scores.problems for scores in found.values()) else 0


def _estimates(args: argparse.Namespace) -> dict[str, Path]:
    """{name of the system: its files}; ESTIMATE has no name. Errors: ValueError."""
    from eval.compare.output_folder import named_folder

    if bool(args.estimate) == bool(args.system):
        raise ValueError("give either ESTIMATE or --system NAME=DIR, which may be repeated")
    if args.estimate:
        return {"": args.estimate}
    found: dict[str, Path] = {}
    for text in args.system:
        named = named_folder(text)
        if named is None or named[0] in found:
            raise ValueError(f"--system {text}: needed is NAME=DIR, each of another name; `eval compare` runs systems")
        found[named[0]] = named[1]
    return found


def _print_scores(name: str, scores: Scores, metrics: Sequence[Metric]) -> None:
    of = f"{name}: " if name else ""
    for problem in scores.problems:
        complain(f"{of}{problem}")
    for clip in scores.clips:
        for noticed in clip["notes"]:
            note(f"{of}{clip['name']}: {noticed}")
    if scores.unused:
        note(f"{of}there is no reference for {len(scores.unused)} of the estimates, such as {scores.unused[0]}")
    if name:
        print(name)
    for metric in metrics:
        print(_mean_line(metric, scores) + (f", at {scores.rates[metric.name]} Hz" if scores.rates else ""))
    print(f"{'clips':22} {len(scores.clips)}")


def _mean_line(metric: Metric, scores: Scores) -> str:
    value, n, clips = scores.metrics[metric.name], scores.n[metric.name], len(scores.clips)
    if value is not None:
        return f"{metric.name:22} {f'{value:.3f} {metric.unit}':17} n = {n}{f' of {clips}' if n < clips else ''}"
    line = f"{metric.name:22} undefined: {scores.undefined[metric.name]}"
    if (others := scores.of_the_others.get(metric.name)) is not None:
        line += f"; {f'{others:.3f} {metric.unit}'.strip()} over the {n} others"
    return line


def compare_command(args: argparse.Namespace) -> int:
    """`python -m eval compare`. The exit status: 1 where something failed."""
    from eval.compare.folder import compare_folder
    from eval.compare.output_folder import split_systems
    from eval.metrics.registry import choose_metrics

    refuse_overwriting([args.out / "results.json"], args.force)
    metrics, given = choose_metrics(args.metrics), conditions_in(args)
    clips = every_nth(given.clips, args.every) if given else chosen_clips(args)
    items, outputs = split_systems(args.vocoders, args.system, list(clips), given.outputs if given else ())
    failed = compare_folder(
        clips,
        items,
        args.out,
        outputs=outputs,
        baseline=args.baseline,
        metrics=metrics,
        jobs=args.jobs,
        dask=args.dask,
        any_length=args.any_length,
        rate=args.rate,
        precision=args.precision,
    )
    for problem in failed:
        complain(problem)
    for metric in metrics:
        if args.metrics not in (None, "all") and (reason := metric.why_not()):
            complain(f"{metric.name} was left out: {reason}")
    print(args.out / "report.html")
    return 1 if failed else 0
