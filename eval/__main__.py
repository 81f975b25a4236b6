"""python -m eval: measure what vocoders make."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING

from common.command import complain, counting_bar, mention, note, refuse_overwriting, run
from common.durable import write_text_durably
from eval.listening.cli import add_listening
from eval.metrics.names import directions
from vocoders.recordings.files import find_audio

if TYPE_CHECKING:
    from eval.compare.score import Scores
    from eval.metrics.metric import Metric
    from vocoders.audio import Recording


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m eval", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    known = "; ".join(f"{name} ({better} is better)" for name, better in directions().items())
    metrics_help = f'comma-separated, or "all"; default those that are fast and say most: {known}'
    score = commands.add_parser("score", help="metrics of estimates against references: two folders, or two files")
    score.add_argument("reference", type=Path, metavar="REFERENCE")
    score.add_argument(
        "estimate", type=Path, metavar="ESTIMATE", help="files named as the references, or with _generated[_e2e] behind"
    )
    score.add_argument("--metrics", metavar="A,B", help=metrics_help)
    score.add_argument("--json", type=Path, metavar="FILE", help="also write {metrics: means, clips: per clip, ...}")
    score.add_argument(
        "--any-length",
        action="store_true",
        help="also measure estimates more than 2 %% longer or shorter than the reference",
    )
    score.add_argument("--force", action="store_true", help="overwrite FILE")
    score.set_defaults(command=score_command)

    compare = commands.add_parser("compare", help="a folder of recordings through many systems: results and a report")
    compare.add_argument("audio", type=Path, metavar="AUDIO_DIR")
    compare.add_argument(
        "--vocoders", required=True, metavar="ID,ID", help="as `python -m vocoders list` names them, or files"
    )
    compare.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="gets report.html, results.json, rows.csv, outputs"
    )
    compare.add_argument("--baseline", metavar="ID", help="what the others are compared with (the first of --vocoders)")
    compare.add_argument("--metrics", metavar="A,B", help=metrics_help)
    compare.add_argument("--every", type=int, default=1, metavar="N", help="use every Nth clip (1)")
    compare.add_argument("--jobs", type=int, default=1, metavar="N", help="clips at a time (1; -1: one per core)")
    compare.add_argument("--dask", metavar="ADDRESS", help="run on this Dask cluster, whose workers see the same files")
    compare.add_argument("--force", action="store_true", help="write a finished DIR again; finished clips are kept")
    compare.set_defaults(command=compare_command)

    homework = commands.add_parser("homework", help="the course homework's table on your recordings, explained")
    homework.add_argument("audio", type=Path, metavar="AUDIO_DIR", help="M4Singer, or any singing")
    homework.add_argument(
        "--out", type=Path, default=Path("homework"), metavar="DIR", help="as of compare (./homework)"
    )
    homework.add_argument("--every", type=int, default=1, metavar="N", help="use every Nth clip (1)")
    homework.add_argument("--jobs", type=int, default=1, metavar="N", help="clips at a time (1; -1: one per core)")
    homework.add_argument("--force", action="store_true", help="write a finished DIR again; finished clips are kept")
    homework.set_defaults(command=homework_command)

    study = commands.add_parser(
        "refine-study", help="how the settings of the refinement were chosen, on your recordings"
    )
    study.add_argument("audio", type=Path, metavar="AUDIO_DIR", help="its sub-folders are reported one by one too")
    study.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets report.html, study.json, rows.csv")
    study.add_argument("--system", default="hifigan-original-bridged", metavar="ID", help="whose outputs are refined")
    study.add_argument(
        "--metrics", metavar="A,B", default=None, help="default: M-STFT, log-mel L1, F0, F0 jitter, Distill-MOS"
    )
    study.add_argument("--every", type=int, default=1, metavar="N", help="use every Nth clip (1)")
    study.add_argument("--force", action="store_true", help="overwrite a report in DIR")
    study.set_defaults(command=study_command)

    speed = commands.add_parser("speed", help="every stage and the whole page against the same steps done plainly")
    speed.add_argument("--rounds", type=int, default=7, metavar="N", help="timed turns of either side (7)")
    speed.add_argument("--seconds", type=float, default=10.0, metavar="S", help="length of the clip (10)")
    speed.add_argument(
        "--long", type=float, default=0.0, metavar="MINUTES", help="also the peak memory of a file this long (0: not)"
    )
    speed.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers")
    speed.add_argument("--force", action="store_true", help="overwrite FILE")
    speed.set_defaults(command=speed_command)

    diagnosis = commands.add_parser(
        "mel-diagnosis", help="how often the kind of a mel file is told: the confusion table"
    )
    diagnosis.add_argument("audio", type=Path, metavar="AUDIO_DIR", help="recordings, made into every kind of mel")
    diagnosis.add_argument("--every", type=int, default=1, metavar="N", help="use every Nth clip (1)")
    diagnosis.set_defaults(command=diagnosis_command)

    add_listening(commands)
    return parser.parse_args()


def _chosen_clips(args: argparse.Namespace) -> dict[Path, Path]:
    if args.every < 1:
        raise ValueError("--every is at least 1")
    return dict(list(find_audio([args.audio]).items())[:: args.every])


def score_command(args: argparse.Namespace) -> int:
    from eval.compare.score import score_folders
    from eval.metrics.registry import choose_metrics

    if args.json:
        refuse_overwriting([args.json], args.force)
    metrics = choose_metrics(args.metrics)
    with counting_bar("clip") as show:
        scores = score_folders(args.reference, args.estimate, metrics, show, args.any_length)
    for problem in scores.problems:
        complain(problem)
    for clip in scores.clips:
        for noticed in clip["notes"]:
            note(f"{clip['name']}: {noticed}")
    if scores.unused:
        note(f"there is no reference for {len(scores.unused)} of the estimates, such as {scores.unused[0]}")
    for metric in metrics:
        print(_mean_line(metric, scores))
    print(f"{'clips':22} {len(scores.clips)}")
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        content = dataclasses.asdict(scores)
        write_text_durably(args.json, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return 1 if scores.problems else 0


def _mean_line(metric: Metric, scores: Scores) -> str:
    value, n, clips = scores.metrics[metric.name], scores.n[metric.name], len(scores.clips)
    if value is not None:
        return f"{metric.name:22} {f'{value:.3f} {metric.unit}':17} n = {n}{f' of {clips}' if n < clips else ''}"
    line = f"{metric.name:22} undefined: {scores.undefined[metric.name]}"
    if (others := scores.of_the_others.get(metric.name)) is not None:
        line += f"; {f'{others:.3f} {metric.unit}'.strip()} over the {n} others"
    return line


def compare_command(args: argparse.Namespace) -> int:
    from eval.compare.folder import compare_folder
    from eval.metrics.registry import choose_metrics

    refuse_overwriting([args.out / "results.json"], args.force)
    metrics = choose_metrics(args.metrics)
    failed = compare_folder(
        _chosen_clips(args),
        args.vocoders,
        args.out,
        baseline=args.baseline,
        metrics=metrics,
        jobs=args.jobs,
        dask=args.dask,
    )
    for problem in failed:
        complain(problem)
    for metric in metrics:
        if args.metrics not in (None, "all") and (reason := metric.why_not()):
            complain(f"{metric.name} was left out: {reason}")
    print(args.out / "report.html")
    return 1 if failed else 0


def homework_command(args: argparse.Namespace) -> int:
    from eval.compare.folder import compare_folder
    from eval.homework.table import as_text, systems
    from eval.metrics.registry import choose_metrics

    refuse_overwriting([args.out / "results.json"], args.force)
    failed = compare_folder(
        _chosen_clips(args),
        systems(),
        args.out,
        baseline="griffin-lim",
        metrics=choose_metrics("M-STFT,log2f0_mean,F0 error,F0 gross errors,Distill-MOS"),
        jobs=args.jobs,
    )
    for problem in failed:
        complain(problem)
    results = json.loads((args.out / "results.json").read_text(encoding="utf-8"))
    asked, n = len({row["clip"] for row in results["clips"]}), results["n"]
    print(as_text(results["metrics"], max(n.values())))
    for name in [name for name in n if n[name] < asked]:
        print(f"{name}: over the {n[name]} of {asked} clips for which every system has it")
    for name, reason in results["undefined"].items():
        print(f"{name}: not computed; {reason}")
    return 1 if failed else 0


def study_command(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from eval.benchmarks.refinement_ablation import MEASURED, run_study, write_study
    from eval.compare.clip_task import LIMITS
    from eval.metrics.registry import choose_metrics
    from vocoders.catalogue import find_system
    from vocoders.recordings.reader import read_recording

    refuse_overwriting([args.out / "report.html"], args.force)
    system = find_system(args.system)
    metrics = choose_metrics(args.metrics or ",".join(MEASURED))
    if missing := [f"{metric.name}: {reason}" for metric in metrics if (reason := metric.why_not())]:
        raise ValueError(f"{'; '.join(missing)}; choose others with --metrics")

    def read(path: Path) -> Recording:
        recording = read_recording(path, LIMITS, str(path))
        mention(recording, path)
        return recording

    clips = [
        (name.parts[0] if len(name.parts) > 1 else "", functools.partial(read, path))
        for name, path in _chosen_clips(args).items()
    ]
    with tqdm(total=len(clips), unit="clip", disable=None) as bar:
        studied, problems = run_study(clips, system, metrics, bar.update)
    for problem in problems:
        complain(problem)
    write_study(args.out, studied, system)
    print(args.out / "report.html")
    return 1 if problems else 0


def speed_command(args: argparse.Namespace) -> int:
    from eval.benchmarks.speed_report import report_speed

    if args.json:
        refuse_overwriting([args.json], args.force)
    if args.rounds < 1 or args.seconds <= 0 or args.long < 0:
        raise ValueError("--rounds is at least 1, --seconds is positive, and --long is not negative")
    content = report_speed(args.rounds, args.seconds, args.long)
    if args.json:
        write_text_durably(args.json, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return 0


def diagnosis_command(args: argparse.Namespace) -> int:
    from eval.mels.confusion import as_text, try_folder

    with counting_bar("clip") as show:
        print(as_text(try_folder(_chosen_clips(args), on_clip=show)))
    return 0


def main() -> int:
    args = parse_args()
    return args.command(args)


if __name__ == "__main__":
    run(main)
