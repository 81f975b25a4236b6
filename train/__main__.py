"""python -m train: from a folder of recordings to a HiFi-GAN that the app and the commands load."""

from __future__ import annotations

import argparse
from pathlib import Path

from common.command import run
from train.preset_names import DEFAULT_PRESET, INPUT_NAMES, PURPOSES
from train.voice.bounds import DEFAULT_MINUTES, OWN_RECORDINGS


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_voice(commands)
    _add_prepare(commands)
    _add_guide(commands)
    _add_fit(commands)
    _add_export(commands)
    _add_upper_band(commands)
    _add_bench(commands)
    _add_ablate(commands)
    return parser.parse_args()


def _add_voice(commands) -> None:
    voice = commands.add_parser(
        "voice",
        help="recordings of a voice -> a generator for it, in minutes; the same command goes on where it was stopped",
    )
    voice.add_argument(
        "audio",
        type=Path,
        nargs="+",
        metavar="AUDIO",
        help="files, or folders in depth, whose sub-folders are speakers",
    )
    voice.add_argument(
        "--out", type=Path, required=True, metavar="VOICE", help="a folder; the result is in VOICE/files"
    )
    voice.add_argument("--from-scratch", action="store_true", help="a new model (it adapts the shipped harmonic-noise)")
    length = voice.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=DEFAULT_MINUTES, metavar="M", help="of training (10)")
    length.add_argument("--steps", type=int, metavar="N", help="training steps instead, for a trial")
    voice.add_argument(
        "--licence", default=OWN_RECORDINGS, metavar="TEXT", help=f"of the recordings, for the card ({OWN_RECORDINGS})"
    )
    voice.add_argument("--batch", type=int, metavar="N", help="segments per step, fewer for little memory (6)")
    voice.add_argument("--nice", type=int, default=0, metavar="N", help="run at a lower priority, 1 to 19 (0)")
    voice.add_argument("--stop-with-stdin", action="store_true", help="stop, and keep what is learned, when stdin ends")
    _add_devices(voice)
    voice.set_defaults(command="voice_command")


def _add_prepare(commands) -> None:
    prepare = commands.add_parser("prepare", help="recordings of any rate and format -> a pack of 22 050 Hz mono int16")
    prepare.add_argument("audio", type=Path, metavar="AUDIO_DIR", help="searched in depth; sub-folders are speakers")
    prepare.add_argument("--out", type=Path, required=True, metavar="PACK", help="a folder; one begun earlier goes on")
    prepare.add_argument(
        "--validation", type=float, default=0.05, metavar="SHARE", help="share of the audio held out, by speaker (0.05)"
    )
    prepare.add_argument("--seed", type=int, default=1, help="of the choice of held-out speakers (1)")
    prepare.add_argument("--licence", default="", help="of recordings whose manifest.json names none")
    prepare.add_argument("--jobs", type=int, default=-1, help="processes (-1: one per core)")
    prepare.set_defaults(command="prepare_command")


def _add_guide(commands) -> None:
    guide = commands.add_parser("guide", help="Griffin-Lim of a pack's clips, which guided generators train with")
    guide.add_argument("--data", type=Path, required=True, metavar="PACK", help="they are kept in it")
    guide.add_argument("--iterations", type=int, default=192, metavar="N", help="of Griffin-Lim (192)")
    guide.add_argument("--jobs", type=int, default=-1, help="processes (-1: one per core)")
    guide.set_defaults(command="guide_command")


def _add_fit(commands) -> None:
    fit = commands.add_parser("fit", help="train a generator on a pack; several devices or machines through torchrun")
    fit.add_argument("--data", type=Path, required=True, metavar="PACK")
    presets = "; ".join(f"{name}: {purpose}" for name, purpose in PURPOSES.items())
    fit.add_argument("--preset", metavar="NAME", help=f"{presets} ({DEFAULT_PRESET})")
    fit.add_argument("--out", type=Path, required=True, metavar="RUN", help="a folder for everything the run leaves")
    fit.add_argument(
        "--from",
        dest="start",
        type=Path,
        metavar="FILE",
        help="begin with the generator of a .safetensors of this project, of the preset's shape and mel; with or without a guide",
    )
    fit.add_argument(
        "--discriminators",
        type=Path,
        metavar="FILE",
        help="with --from: begin with the discriminators that `export --discriminators` wrote, or the original's do_XXXXXXXX",
    )
    fit.add_argument("--resume", action="store_true", help="go on with the run in RUN, with its own preset and options")
    budget = fit.add_argument_group("budget: the schedule spans it, whichever way it is given")
    budget.add_argument("--minutes", type=float, help="wall-clock minutes of training, over all sessions")
    budget.add_argument("--steps", type=int, help="training steps (the preset's own number)")
    budget.add_argument("--session-minutes", type=float, metavar="M", help="save and leave after so long, to --resume")
    options = fit.add_argument_group("options of the preset that can be changed")
    options.add_argument("--recipe", choices=("hw2", "hifigan"), help="the mel to train on (hw2)")
    options.add_argument(
        "--input",
        choices=INPUT_NAMES,
        help="log mel, alone or with its inversion to 513 bins or its Griffin-Lim (mel)",
    )
    for name, unit in (("batch", "segments"), ("segment", "samples"), ("lr", "learning rate"), ("seed", "a number")):
        kind = float if name == "lr" else int
        options.add_argument(f"--{name}", type=kind, metavar="N", help=f"{unit}, for the preset's own")
    options.add_argument("--generator-only", type=float, metavar="SHARE", help="share before the discriminators join")
    options.add_argument(
        "--discriminators-only",
        type=float,
        metavar="SHARE",
        help="share after that in which the generator waits for them",
    )
    options.add_argument("--validate-every", type=int, metavar="N", help="steps between validations")
    saving = fit.add_argument_group("saving and devices")
    saving.add_argument("--save-minutes", type=float, default=5.0, metavar="M", help="between saves, minutes (5)")
    saving.add_argument("--compact-state", action="store_true", help="also save RUN/compact: files of at most 15 MiB")
    _add_devices(saving)
    fit.set_defaults(command="fit_command")


def _add_export(commands) -> None:
    export = commands.add_parser("export", help="a run's averaged generator -> a file the app and the commands load")
    export.add_argument("run", type=Path, metavar="RUN")
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="FILE.safetensors, or g_XXXXXXXX")
    export.add_argument("--latest", action="store_true", help="the last state instead of the best by validation")
    export.add_argument("--half", action="store_true", help="float16 weights, half the size")
    export.add_argument(
        "--guide-iterations",
        type=int,
        metavar="N",
        help="of Griffin-Lim at synthesis, for a harmonic-plus-noise generator: more, steadier and slower (192)",
    )
    export.add_argument("--licence", default="", help="of the result, kept in the file")
    export.add_argument("--scores", type=Path, metavar="JSON", help="what `eval score --json` wrote, kept in the file")
    export.add_argument("--jik876", action="store_true", help="the original's format, with a config.json beside it")
    export.add_argument(
        "--discriminators",
        type=Path,
        metavar="FILE",
        help="also write the last state's discriminators, with the original's names (do_XXXXXXXX), to go on with",
    )
    export.add_argument("--force", action="store_true", help="overwrite FILE")
    export.set_defaults(command="export_command")


def _add_upper_band(commands) -> None:
    fit = commands.add_parser("upper-band", help="fit what Griffin-Lim from a mel assumes above 8 kHz")
    fit.add_argument("--data", type=Path, required=True, metavar="PACK")
    fit.add_argument("--out", type=Path, required=True, metavar="FILE.npz", help="the app's is assets/upper-band.npz")
    fit.add_argument("--seed", type=int, default=1, help="of frames and levels (1)")
    fit.add_argument("--force", action="store_true", help="overwrite FILE.npz")
    fit.set_defaults(command="upper_band_command")


def _add_bench(commands) -> None:
    bench = commands.add_parser("bench", help="audio seconds trained per second, against the usual trainer structure")
    bench.add_argument("--data", type=Path, required=True, metavar="PACK")
    bench.add_argument("--size", default="v1", choices=("v1", "v2", "v3"), help="of the generator (v1)")
    bench.add_argument("--batch", type=int, default=16, help="segments per step, for every contender (16)")
    bench.add_argument("--segment", type=int, default=8192, help="samples (8192)")
    bench.add_argument("--rounds", type=int, default=7, help="timed turns of every contender (7)")
    bench.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers")
    bench.add_argument("--force", action="store_true", help="overwrite FILE")
    _add_devices(bench)
    bench.set_defaults(command="bench_command")


def _add_ablate(commands) -> None:
    ablate = commands.add_parser(
        "ablate",
        help="what each choice of the harmonic-plus-noise vocoder is worth: variants, trained and measured alike",
    )
    ablate.add_argument("--data", type=Path, required=True, metavar="PACK", help="with guides, see `train guide`")
    ablate.add_argument(
        "--clips",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="recordings; a row has a mean for each folder",
    )
    ablate.add_argument("--out", type=Path, required=True, metavar="FILE.json", help="what is in it is not done again")
    ablate.add_argument("--steps", type=int, default=400, help="of every run (400)")
    ablate.add_argument(
        "--metrics", default="M-STFT,F0 error,Distill-MOS", metavar="NAMES", help="(M-STFT,F0 error,Distill-MOS)"
    )
    _add_devices(ablate)
    ablate.set_defaults(command="ablate_command")


def _add_devices(command) -> None:
    command.add_argument("--accelerator", default="auto", choices=("auto", "cpu", "cuda"), help="what to run on (auto)")
    command.add_argument("--devices", default="auto", help="how many of them (auto; torchrun decides by itself)")


def main() -> int:
    args = parse_args()
    from train import commands  # takes seconds to load: a wrong option is answered before

    return getattr(commands, args.command)(args)


if __name__ == "__main__":
    run(main)
