"""python -m eval: measure what vocoders make."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from eval.metrics import METRICS, choose_metrics
from eval.score import score_folders
from vocoders.command import complain, refuse_overwriting, run


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m eval", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    known = "; ".join(f"{m.name} ({m.better} is better)" for m in METRICS.values())
    score = commands.add_parser("score", help="metrics of a folder of estimates against a folder of references")
    score.add_argument("reference", type=Path, metavar="REFERENCE_DIR")
    score.add_argument("estimate", type=Path, metavar="ESTIMATE_DIR", help="files named as the references, any format")
    score.add_argument("--metrics", metavar="A,B", help=f"comma-separated, default all: {known}")
    score.add_argument("--json", type=Path, metavar="FILE", help="also write {metrics: means, clips: per clip}")
    score.add_argument("--force", action="store_true", help="overwrite FILE")
    score.set_defaults(command=score_command)
    return parser.parse_args()


def score_command(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    if args.json:
        refuse_overwriting([args.json], args.force)
    metrics = choose_metrics(args.metrics)
    with tqdm(unit="clip", disable=None) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        scores = score_folders(args.reference, args.estimate, metrics, advance)
    for problem in scores.problems:
        complain(problem)
    for metric in metrics:
        value = scores.metrics[metric.name]
        reason = scores.undefined.get(metric.name, "for no clip defined")
        print(f"{metric.name:22} {f'undefined: {reason}' if value is None else f'{value:.3f} {metric.unit}'}".rstrip())
    print(f"{'clips':22} {len(scores.clips)}")
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        content = dataclasses.asdict(scores)
        args.json.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if scores.problems else 0


if __name__ == "__main__":
    run(lambda: (args := parse_args()).command(args))
