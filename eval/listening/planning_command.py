"""`python -m eval listening plan`, `simulate` and `coverage`: a study before it is run, by simulation."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from common.command import counting_bar, refuse_overwriting
from common.durable import write_text_durably
from eval.listening.analysis.precision import Spread
from eval.listening.simulation.power_curve import RATERS, STUDIES, Curve, power_curve
from eval.listening.tasks.registry import TASKS

DEFAULT_CLIPS = (6, 12, 24)


def add_planning(actions) -> None:
    """The subcommands, below the `listening` parser's."""
    plan = actions.add_parser(
        "plan", help="how many raters, clips and minutes a difference takes, by simulated studies"
    )
    units = "; ".join(f"{task.id} {task.difference:g} {task.effect_unit}" for task in TASKS.values())
    plan.add_argument("--mode", required=True, choices=list(TASKS), help="the kind of test")
    plan.add_argument("--difference", type=float, metavar="D", help=f"to be found ({units})")
    plan.add_argument("--clips", type=int, nargs="+", default=list(DEFAULT_CLIPS), metavar="N", help="(%(default)s)")
    plan.add_argument("--raters", type=int, nargs="+", default=list(RATERS), metavar="N", help="(%(default)s)")
    plan.add_argument("--systems", type=int, metavar="N", help="of the study (as few as there can be)")
    plan.add_argument("--studies", type=int, default=STUDIES, metavar="N", help="simulated (%(default)s)")
    plan.add_argument("--seed", type=int, default=0, metavar="N", help="(%(default)s)")
    plan.add_argument(
        "--spread",
        type=float,
        nargs=3,
        metavar=("LISTENERS", "CLIPS", "ANSWER"),
        help="standard deviations of one condition, of a study like yours (assumed ones, which are printed)",
    )
    plan.add_argument("--svg", type=Path, metavar="FILE", help="also draw the curve of the first number of clips")
    plan.add_argument("--force", action="store_true", help="overwrite FILE")
    plan.set_defaults(command=plan_command)
    simulate = actions.add_parser(
        "simulate", help="a study of simulated listeners, a tenth of whom answer by chance, with its report"
    )
    simulate.add_argument("--mode", required=True, choices=list(TASKS), help="the kind of test")
    simulate.add_argument("--difference", type=float, metavar="D", help="between two systems (as of plan)")
    simulate.add_argument("--raters", type=int, default=24, metavar="N", help="(%(default)s)")
    simulate.add_argument("--clips", type=int, default=12, metavar="N", help="(%(default)s)")
    simulate.add_argument("--systems", type=int, metavar="N", help="(as few as there can be)")
    simulate.add_argument("--seed", type=int, default=0, metavar="N", help="(%(default)s)")
    simulate.add_argument("--out", type=Path, metavar="DIR", help="also write report.html and results.json")
    simulate.add_argument("--force", action="store_true", help="overwrite")
    simulate.set_defaults(command=simulate_command)
    coverage = actions.add_parser("coverage", help="how often the intervals of simulated studies hold the truth")
    coverage.add_argument("--mode", nargs="+", choices=list(TASKS), default=list(TASKS), help="(all)")
    coverage.add_argument("--raters", type=int, default=24, metavar="N", help="(%(default)s)")
    coverage.add_argument("--clips", type=int, default=12, metavar="N", help="(%(default)s)")
    coverage.add_argument("--studies", type=int, default=500, metavar="N", help="(%(default)s)")
    coverage.add_argument("--seed", type=int, default=0, metavar="N", help="(%(default)s)")
    coverage.set_defaults(command=coverage_command)


def plan_command(args: argparse.Namespace) -> int:
    """Prints a line of powers per number of clips, then what they mean."""
    if args.svg:
        refuse_overwriting([args.svg], args.force)
    spread = Spread(*(2 * deviation**2 for deviation in args.spread)) if args.spread else None
    curves = []
    for items in args.clips:
        with counting_bar("study") as show:
            asked = (args.mode, items, args.difference, args.systems, args.raters, args.studies, args.seed, spread)
            curves.append(power_curve(*asked, report=show))
    print("power".ljust(18) + "".join(f"{count:>7}" for count in sorted(set(args.raters))) + "  raters")
    for curve in curves:
        print(_row(curve, sorted(set(args.raters))))
    for curve in curves:
        print(curve.verdict)
    print(curves[0].assumed)
    if args.svg:
        from markupsafe import escape

        from eval.reports.plan import curve_drawing

        write_text_durably(args.svg, str(escape(curve_drawing(curves[0]))))
    return 0


def _row(curve: Curve, raters: list[int]) -> str:
    """Points that were left out are certain."""
    known = {point.raters: f"{point.power:.2f}" for point in curve.points}
    return f"{curve.items} clips, {curve.minutes} min".ljust(18) + "".join(f"{known.get(n, '1.00'):>7}" for n in raters)


def simulate_command(args: argparse.Namespace) -> int:
    """Prints what the study finds and what is true."""
    from eval.listening.simulation.example import simulated_example
    from eval.reports.study import study_report

    paths = [args.out / name for name in ("report.html", "results.json")] if args.out else []
    refuse_overwriting(paths, args.force)
    task = TASKS[args.mode]
    difference = task.difference if args.difference is None else args.difference
    found = simulated_example(args.mode, args.raters, args.clips, difference, args.systems, args.seed)
    n, effect = found.results["n"], found.effect
    print(
        f"{n['started']} raters, {found.careless} of them answering by chance; {n['screened']} after screening, {n['votes_screened']} votes"
    )
    interval = "no interval" if effect.low is None else f"[{effect.low:.2f}, {effect.high:.2f}]"
    print(f"{task.contrast[1]} against {task.contrast[0]}: {effect.mean:.2f} {interval}; truth {found.truth:.2f}")
    print(found.said)
    if paths:
        args.out.mkdir(parents=True, exist_ok=True)
        write_text_durably(paths[0], study_report(found.results, {}))
        write_text_durably(paths[1], json.dumps(found.results, indent=2, ensure_ascii=False) + "\n")
        print(paths[0])
    return 0


def coverage_command(args: argparse.Namespace) -> int:
    """Prints a line per kind of test."""
    from eval.listening.simulation.coverage import coverage

    print(
        f"{args.studies} studies of {args.raters} raters x {args.clips} clips: intervals that hold the truth; studies that find it"
    )
    for mode in args.mode:
        found = coverage(mode, args.raters, args.clips, studies=args.studies, seed=args.seed)
        print(f"{mode:11} {found.share:7.1%} {found.found:7.1%}   truth {found.truth:.3g}", flush=True)
    return 0
