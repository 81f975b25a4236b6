"""python -m vocoders: list systems, make mels, turn mels and recordings into sound."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from common.command import complain, mention, refuse_overwriting, run
from common.durable import write_durably
from common.unavailable import Unavailable
from vocoders.audio import SAMPLE_RATE, Waveform, write_wav
from vocoders.hifigan.precision import add_precision
from vocoders.mel_files.options import add_mel_options, declared_by, with_bare_log
from vocoders.recordings.files import find_audio
from vocoders.recordings.passage import add_passage, passage_of

if TYPE_CHECKING:  # what these import takes seconds: a wrong option is answered before
    from vocoders.analysis import Analysis
    from vocoders.recordings.reader import Limits
    from vocoders.systems import System

IDS = "an id from `list`, the path of a checkpoint (FILE.safetensors, g_00050000@hw2, FILE@recipe.yaml), module:function, or torchscript:FILE.pt@RECIPE"


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m vocoders", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="every system: id, title, mel, parameters, licence, source")
    listing.add_argument("--json", action="store_true", help="a JSON array instead of a table")
    listing.set_defaults(command=list_systems)

    mel = commands.add_parser("mel", help="a recording -> its hw2 mel: .npy, float32 (80, frames), linear power")
    mel.add_argument("audio", type=Path, metavar="AUDIO")
    mel.add_argument("out", type=Path, metavar="OUT.npy", help="frames = samples at 22 050 Hz // 256")
    mel.set_defaults(command=make_mel)

    synth = commands.add_parser("synth", help="mels -> DIR/<name>.wav, 22 050 Hz PCM-16")
    synth.add_argument(
        "mels",
        type=Path,
        nargs="+",
        metavar="MEL",
        help=".npy, .npz or .pt, (80, frames); FILE:NAME where it holds several",
    )
    synth.add_argument("--vocoder", required=True, metavar="ID", help=IDS)
    synth.add_argument("--out", type=Path, required=True, metavar="DIR")
    add_mel_options(synth)
    synth.set_defaults(command=synthesize_mels)

    resynth = commands.add_parser("resynth", help="recordings -> DIR/<id>/<name>.wav, as long as the resampled input")
    resynth.add_argument("audio", type=Path, nargs="+", metavar="AUDIO|DIR")
    resynth.add_argument("--vocoders", required=True, metavar="ID,ID", help=IDS)
    resynth.add_argument("--out", type=Path, required=True, metavar="DIR")
    resynth.set_defaults(command=resynthesize)

    export = commands.add_parser("export", help="a generator -> OUT.onnx, with its mel recipe in the metadata")
    export.add_argument(
        "generator", metavar="ID", help="hifigan-original, hifigan-original-lj, or the path of a checkpoint"
    )
    export.add_argument(
        "out", type=Path, metavar="OUT.onnx", help="log mel (1, bands, frames) -> waveform (1, 1, samples)"
    )
    export.set_defaults(command=export_generator)

    for command in (synth, resynth):
        command.add_argument(
            "--native-rate",
            action="store_true",
            help="write at each vocoder's own rate, up to 48 kHz, not at 22 050 Hz",
        )
        add_precision(command)
    for command in (mel, resynth):
        command.add_argument(
            "--max-seconds", type=float, default=600.0, help="longest recording or passage used, in seconds (600)"
        )
        add_passage(command)
    for command in (mel, synth, resynth, export):
        command.add_argument("--force", action="store_true", help="overwrite what is there")
    return parser.parse_args(with_bare_log(sys.argv[1:]))


def main() -> int:
    args = parse_args()
    return args.command(args)


def list_systems(args: argparse.Namespace) -> int:
    from vocoders.catalogue import BUILT_IN, find_system
    from vocoders.plugins import installed

    rows = [_row(system) for system in [*BUILT_IN, *map(find_system, installed())]]
    if args.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    for row in rows:
        millions = f"{row['parameters'] / 1e6:.2f} M" if row["parameters"] else "-"
        print(f"{row['id']:26} {row['title']:33} mel {row['mel']:8} {millions:>8}  {row['licence']}; {row['source']}")
        if row["unavailable"]:
            print(f"{'':26} cannot run: {row['unavailable']}")
    return 0


def _row(system: System) -> dict:
    card = system.describe()
    return {
        "id": system.id,
        "title": system.title,
        "about": system.about,
        "mel": system.mel,
        "takes_mel_files": system.takes_hw2_mel,
        "parameters": card.parameters,
        "licence": card.licence,
        "source": card.source,
        "unavailable": system.why_not(),
    }


def make_mel(args: argparse.Namespace) -> int:
    from vocoders.mel import HW2, mel_of
    from vocoders.recordings.reader import read_recording

    if args.out.suffix != ".npy":
        raise ValueError(f"{args.out}: the mel is written as .npy; name the output so")
    refuse_overwriting([args.out], args.force)
    recording = read_recording(args.audio, _limits(args), str(args.audio), passage_of(args))
    mention(recording, args.audio)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.save(content, mel_of(recording.samples, HW2))
    write_durably(args.out, content.getbuffer())
    return 0


def synthesize_mels(args: argparse.Namespace) -> int:
    from vocoders.catalogue import find_system
    from vocoders.hifigan.engine import in_precision
    from vocoders.mel_files.reading import analysis_of_mel, output_name

    declared, is_bare_log = declared_by(args)
    system = in_precision(find_system(args.vocoder), args.precision)
    if not system.takes_hw2_mel:
        raise ValueError(f"{system.id} needs the recording itself, not only its mel; use resynth")
    jobs = {mel: args.out / f"{output_name(mel)}.wav" for mel in args.mels}
    if len(set(jobs.values())) < len(args.mels):
        raise ValueError("two mel files have the same name, so one would overwrite the other")
    refuse_overwriting(jobs.values(), args.force)
    return _render(
        [(system, mel, out) for mel, out in jobs.items()],
        lambda mel: analysis_of_mel(mel, declared, system, is_bare_log),
        args.native_rate,
    )


def resynthesize(args: argparse.Namespace) -> int:
    from vocoders.analysis import Analysis
    from vocoders.catalogue import find_systems
    from vocoders.hifigan.engine import in_precision
    from vocoders.recordings.reader import read_recording

    systems = [in_precision(system, args.precision) for system in find_systems(args.vocoders)]
    for system in systems:
        if reason := system.why_not():
            raise Unavailable(f"{system.id}: {reason}")
    jobs = [
        (system, path, args.out / system.id / f"{name}.wav")
        for name, path in find_audio(args.audio).items()
        for system in systems
    ]
    refuse_overwriting([out for _, _, out in jobs], args.force)
    limits, passage = _limits(args), passage_of(args)

    def analyse(path: Path) -> Analysis:
        recording = read_recording(path, limits, str(path), passage)
        mention(recording, path)
        return Analysis(recording.samples, recording.own)

    return _render(jobs, analyse, args.native_rate)


def export_generator(args: argparse.Namespace) -> int:
    from vocoders.onnx_files.export import export_onnx
    from vocoders.onnx_files.generator import generator_of

    if args.out.suffix != ".onnx":
        raise ValueError(f"{args.out}: a generator is written as .onnx; name the output so")
    refuse_overwriting([args.out], args.force)
    checkpoint = generator_of(args.generator)
    difference = export_onnx(checkpoint, args.out)
    print(
        f"{args.out}: {checkpoint.recipe.name} mel, {checkpoint.recipe.described()}; within {difference:.1g} of PyTorch"
    )
    return 0


def _limits(args: argparse.Namespace) -> Limits:
    from vocoders.recordings.reader import Limits

    return Limits(max_seconds=args.max_seconds, max_megabytes=1000)


def _render(jobs: list[tuple[System, Path, Path]], analyse, native_rate: bool) -> int:
    """Write every job's wav and print its path. A bad input costs one line on stderr and the exit code, no more."""
    from tqdm import tqdm

    from vocoders.analysis import synthesize, synthesize_native

    bad: set[Path] = set()
    current: tuple[Path, Analysis] | None = None
    for system, path, out in tqdm(jobs, unit="file", disable=None):
        if path in bad:
            continue
        try:
            if current is None or current[0] != path:
                current = (path, analyse(path))
            native = synthesize_native(system, current[1]) if native_rate else None
            made = native or Waveform(synthesize(system, current[1]), SAMPLE_RATE)
            clipped = write_wav(out, made.samples, made.rate)
        except ValueError as error:
            complain(error)
            bad.add(path)
            continue
        if clipped:
            tqdm.write(f"{out}: {clipped} samples clipped", file=sys.stderr)
        print(out, flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    run(main)
