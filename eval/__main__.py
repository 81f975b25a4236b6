"""python -m eval: measure what vocoders make."""

from __future__ import annotations

import argparse
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING

from common.command import complain, counting_bar, mention, refuse_overwriting, run
from common.durable import write_text_durably
from eval.cli import add_comparing, chosen_clips
from eval.listening.cli import add_listening

if TYPE_CHECKING:
    from vocoders.audio import Recording


MAX_MEMORY_SECONDS = 600  # of a recording whose memory is measured


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m eval", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_comparing(commands)

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

    speed = commands.add_parser(
        "speed", help="every stage and the whole page against the same steps done plainly, or against another revision"
    )
    speed.add_argument("--rounds", type=int, default=7, metavar="N", help="timed turns of either side (7)")
    speed.add_argument("--seconds", type=float, default=10.0, metavar="S", help="length of the clip (10)")
    speed.add_argument(
        "--long", type=float, default=0.0, metavar="MINUTES", help="also the peak memory of a file this long (0: not)"
    )
    speed.add_argument(
        "--against",
        metavar="REVISION",
        help="instead: parts, systems and page of this tree in turns with those of a commit, branch or tag; a table in Markdown",
    )
    speed.add_argument(
        "--memory",
        type=_lengths,
        nargs="?",
        const="20,60,180",
        default=(),
        metavar="S,S",
        help="instead, or with --against too: the peak memory of each system for recordings of so many seconds (20,60,180)",
    )
    speed.add_argument(
        "--only", metavar="A,B", help="of --against and --memory: ids of systems, names of parts, or “the page” (all)"
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

    precision = commands.add_parser(
        "precision", help="what bfloat16 changes in the outputs of networks, on your recordings"
    )
    precision.add_argument("audio", type=Path, metavar="AUDIO_DIR", help="recordings")
    precision.add_argument(
        "--vocoders",
        metavar="ID,ID",
        help="three or more, whose differences are the measure (those that are compared by default)",
    )
    precision.add_argument("--metrics", metavar="A,B", default=None, help="default: those of compare")
    precision.add_argument("--every", type=int, default=1, metavar="N", help="use every Nth clip (1)")
    precision.add_argument(
        "--json", type=Path, metavar="FILE", help="also write {digest of a network: its differences}"
    )
    precision.add_argument(
        "--force",
        action="store_true",
        help="add to a FILE that is there, in the place of what it says of the same systems",
    )
    precision.set_defaults(command=precision_command)

    roofline = commands.add_parser(
        "roofline", help="how far every layer of a HiFi-GAN is from what the processor can do"
    )
    roofline.add_argument(
        "generator",
        nargs="?",
        default="hifigan-original",
        metavar="ID",
        help="hifigan-original, hifigan-hw2, hifigan-hw2-guided, or the path of a checkpoint (hifigan-original)",
    )
    roofline.add_argument("--seconds", type=float, default=3.0, metavar="S", help="of sound that is made (3)")
    roofline.set_defaults(command=roofline_command)

    add_listening(commands)
    return parser.parse_args()


def _lengths(text: str) -> tuple[float, ...]:
    """Seconds, at least two of them."""
    lengths = tuple(float(part) for part in text.split(","))
    if len(lengths) < 2 or not all(0 < seconds <= MAX_MEMORY_SECONDS for seconds in lengths):
        raise argparse.ArgumentTypeError(f"{text!r}; needed are two or more lengths, up to {MAX_MEMORY_SECONDS} s each")
    return lengths


def homework_command(args: argparse.Namespace) -> int:
    from eval.compare.folder import compare_folder
    from eval.homework.table import as_text, systems
    from eval.metrics.registry import choose_metrics

    refuse_overwriting([args.out / "results.json"], args.force)
    failed = compare_folder(
        chosen_clips(args),
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
    from eval.compare.clip_task import CLIP_LIMITS
    from eval.metrics.registry import choose_metrics
    from vocoders.catalogue import find_system
    from vocoders.recordings.reader import read_recording

    refuse_overwriting([args.out / "report.html"], args.force)
    system = find_system(args.system)
    metrics = choose_metrics(args.metrics or ",".join(MEASURED))
    if missing := [f"{metric.name}: {reason}" for metric in metrics if (reason := metric.why_not())]:
        raise ValueError(f"{'; '.join(missing)}; choose others with --metrics")

    def read(path: Path) -> Recording:
        recording = read_recording(path, CLIP_LIMITS, str(path))
        mention(recording, path)
        return recording

    clips = [
        (name.parts[0] if len(name.parts) > 1 else "", functools.partial(read, path))
        for name, path in chosen_clips(args).items()
    ]
    with tqdm(total=len(clips), unit="clip", disable=None) as bar:
        studied, problems = run_study(clips, system, metrics, bar.update)
    for problem in problems:
        complain(problem)
    write_study(args.out, studied, system)
    print(args.out / "report.html")
    return 1 if problems else 0


def speed_command(args: argparse.Namespace) -> int:
    from eval.benchmarks.revisions.report import report_memory, report_revisions
    from eval.benchmarks.speed_report import report_speed

    if args.json:
        refuse_overwriting([args.json], args.force)
    if args.rounds < 1 or args.seconds <= 0 or args.long < 0:
        raise ValueError("--rounds is at least 1, --seconds is positive, and --long is not negative")
    if args.only and not (args.against or args.memory):
        raise ValueError("--only chooses among what --against and --memory measure")
    if (args.against or args.memory) and args.long:
        raise ValueError("--long belongs to the comparison with plain steps; --memory measures systems one by one")
    chosen = [name for part in (args.only or "").split(",") if (name := part.strip())]
    if args.against:
        content = report_revisions(args.against, args.rounds, args.seconds, chosen, args.memory)
    elif args.memory:
        content = report_memory(args.memory, chosen)
    else:
        content = report_speed(args.rounds, args.seconds, args.long)
    if args.json:
        write_text_durably(args.json, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return 0


def diagnosis_command(args: argparse.Namespace) -> int:
    from eval.mels.confusion import as_text, try_folder

    with counting_bar("clip") as show:
        print(as_text(try_folder(chosen_clips(args), on_clip=show)))
    return 0


def precision_command(args: argparse.Namespace) -> int:
    from eval.benchmarks.precision import MIN_SYSTEMS, as_text, differences, measure_clip, write_measured
    from eval.compare.clip_task import CLIP_LIMITS
    from eval.metrics.registry import choose_metrics
    from vocoders.catalogue import COMPARED, find_systems
    from vocoders.hifigan.openvino_generator import multiplies_bfloat16
    from vocoders.recordings.reader import read_recording

    if args.json:
        refuse_overwriting([args.json], args.force)
    if not multiplies_bfloat16():
        raise ValueError("this processor has no instructions for bfloat16, so every precision is float32 here")
    systems = find_systems(args.vocoders or ",".join(COMPARED))
    if len(systems) < MIN_SYSTEMS:
        raise ValueError(f"name at least {MIN_SYSTEMS} systems with --vocoders: how they differ is the measure")
    metrics = [metric for metric in choose_metrics(args.metrics) if not metric.why_not()]
    clips = chosen_clips(args)
    measured = []
    with counting_bar("clip") as show:
        for done, path in enumerate(clips.values(), 1):
            measured.append(measure_clip(read_recording(path, CLIP_LIMITS, str(path)), systems, metrics))
            show(done, len(clips))
    found = differences(measured, [metric.name for metric in metrics])
    print(as_text(found))
    if args.json:
        write_measured(args.json, found, systems)
    return 0


def roofline_command(args: argparse.Namespace) -> int:
    from eval.benchmarks.roofline import as_text, roofline
    from vocoders.hifigan.openvino_generator import multiplies_bfloat16
    from vocoders.hifigan.precision import BFLOAT16, FLOAT32
    from vocoders.onnx_files.generator import generator_of

    if not 0 < args.seconds <= 10:
        raise ValueError("--seconds is above 0, and at most 10")
    checkpoint = generator_of(args.generator)
    for precision in (FLOAT32, BFLOAT16) if multiplies_bfloat16() else (FLOAT32,):
        print(as_text(roofline(checkpoint, args.seconds, precision)), end="\n\n")
    return 0


def main() -> int:
    args = parse_args()
    return args.command(args)


if __name__ == "__main__":
    run(main)
