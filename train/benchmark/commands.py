"""The commands of `python -m train` that measure: `bench` and `ablate`."""

from __future__ import annotations

import argparse
import json

from common.command import counting_bar, refuse_overwriting
from common.durable import write_text_durably
from train.config import preset_named
from train.data.pack import open_pack


def bench_command(args: argparse.Namespace) -> int:
    """`python -m train bench`: throughput of this trainer and of a plain one. The exit status."""
    import torch
    from tqdm import tqdm

    from train.benchmark.throughput import PLAIN, bench
    from train.commands import fabric_of
    from train.loop import hardware

    if args.json:
        refuse_overwriting([args.json], args.force)
    pack, fabric = open_pack(args.data), fabric_of(args.accelerator, args.devices)
    with tqdm(total=args.rounds + 1, unit="round", disable=None) as bar:
        rates = bench(
            pack, args.size, fabric, batch=args.batch, segment=args.segment, rounds=args.rounds, on_round=bar.update
        )
    device = hardware(fabric)
    print(f"{device}, torch {torch.__version__}, batch {args.batch} x {args.segment}, median of {args.rounds}")
    for name, rate in rates.items():
        print(f"{name:38} {rate:9.3f} audio s/s   {rate / rates[PLAIN]:5.2f} x")
    if args.json:
        write_text_durably(args.json, json.dumps({"device": device, "rates": rates}, indent=2) + "\n")
    return 0


def ablate_command(args: argparse.Namespace) -> int:
    """`python -m train ablate`: a row for each variant of the harmonic-plus-noise vocoder. The exit status."""
    from eval.metrics.registry import choose_metrics
    from train.benchmark.ablation import ablate
    from train.benchmark.variants import variants
    from train.commands import fabric_of
    from vocoders.recordings.files import find_audio
    from vocoders.recordings.reader import read_recording

    metrics = choose_metrics(args.metrics)
    groups = {
        folder.name: [read_recording(path).samples for path in find_audio([folder]).values()] for folder in args.clips
    }
    if len(groups) < len(args.clips):
        raise ValueError("--clips: two folders of one name; a row's columns are called like them")
    pack, fabric = open_pack(args.data), fabric_of(args.accelerator, args.devices)
    with counting_bar("variant") as show:
        rows = ablate(
            pack, variants(preset_named("harmonic-noise")), groups, metrics, args.steps, fabric, args.out, show
        )
    width = max(map(len, rows))
    print(f"{'':{width}}  {'M':>5}  " + "  ".join(f"{group}: {', '.join(m.name for m in metrics)}" for group in groups))
    for name, row in rows.items():
        numbers = "   ".join(
            " ".join(f"{row[group].get(metric.name, float('nan')):7.3f}" for metric in metrics) for group in groups
        )
        print(f"{name:{width}}  {row['network']['millions of parameters']:5.2f}  {numbers}")
    return 0
