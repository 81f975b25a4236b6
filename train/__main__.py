"""python -m train: from a folder of recordings to a HiFi-GAN that the app and the commands load."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
from pathlib import Path

from train.config import PRESETS, TrainConfig, preset_named, with_amplitude
from vocoders.command import complain, refuse_overwriting, run


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_prepare(commands)
    _add_fit(commands)
    _add_export(commands)
    return parser.parse_args()


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
    prepare.set_defaults(command=prepare_command)


def _add_fit(commands) -> None:
    fit = commands.add_parser("fit", help="train a generator on a pack; several devices or machines through torchrun")
    fit.add_argument("--data", type=Path, required=True, metavar="PACK")
    fit.add_argument("--preset", default="fast-v1", metavar="NAME", help=f"{', '.join(PRESETS)} (fast-v1)")
    fit.add_argument("--out", type=Path, required=True, metavar="RUN", help="a folder for everything the run leaves")
    fit.add_argument("--resume", action="store_true", help="go on with the run in RUN, with its own preset and options")
    budget = fit.add_argument_group("budget: the schedule spans it, whichever way it is given")
    budget.add_argument("--minutes", type=float, help="wall-clock minutes of training, over all sessions")
    budget.add_argument("--steps", type=int, help="training steps (the preset's own number)")
    budget.add_argument("--session-minutes", type=float, metavar="M", help="save and leave after so long, to --resume")
    options = fit.add_argument_group("options of the preset that can be changed")
    options.add_argument("--recipe", choices=("hw2", "hifigan"), help="the mel to train on (hw2)")
    options.add_argument(
        "--input", choices=("mel", "amplitude"), help="log mel, or log mel and its inversion to 513 bins (mel)"
    )
    for name, unit in (("batch", "segments"), ("segment", "samples"), ("lr", "learning rate"), ("seed", "a number")):
        kind = float if name == "lr" else int
        options.add_argument(f"--{name}", type=kind, metavar="N", help=f"{unit}, for the preset's own")
    options.add_argument("--generator-only", type=float, metavar="SHARE", help="share before the discriminators join")
    options.add_argument("--validate-every", type=int, metavar="N", help="steps between validations")
    saving = fit.add_argument_group("saving and devices")
    saving.add_argument("--save-minutes", type=float, default=5.0, metavar="M", help="between saves, minutes (5)")
    saving.add_argument("--compact-state", action="store_true", help="also save RUN/compact: files of at most 15 MiB")
    saving.add_argument(
        "--accelerator", default="auto", choices=("auto", "cpu", "cuda"), help="what to train on (auto)"
    )
    saving.add_argument("--devices", default="auto", help="how many of them (auto; torchrun decides by itself)")
    fit.set_defaults(command=fit_command)


def _add_export(commands) -> None:
    export = commands.add_parser("export", help="a run's averaged generator -> a file the app and the commands load")
    export.add_argument("run", type=Path, metavar="RUN")
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="FILE.safetensors, or g_XXXXXXXX")
    export.add_argument("--latest", action="store_true", help="the last state instead of the best by validation")
    export.add_argument("--half", action="store_true", help="float16 weights, half the size")
    export.add_argument("--licence", default="", help="of the result, kept in the file")
    export.add_argument("--jik876", action="store_true", help="the original's format, with a config.json beside it")
    export.add_argument("--force", action="store_true", help="overwrite FILE")
    export.set_defaults(command=export_command)


def prepare_command(args: argparse.Namespace) -> int:
    from tqdm import tqdm

    from train.prepare import prepare

    with tqdm(unit="file", disable=None) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        pack = prepare(
            args.audio,
            args.out,
            validation=args.validation,
            seed=args.seed,
            licence=args.licence,
            jobs=args.jobs,
            on_progress=advance,
        )
    for skipped in pack.skipped:
        complain(f"skipped {skipped['reason']}")
    print(f"{args.out}: {pack.summary()}; {len(pack.skipped)} files skipped")
    return 0


def fit_command(args: argparse.Namespace) -> int:
    from train.guards import TrainingStopped
    from train.loop import Session, fit
    from train.pack import open_pack
    from train.saving import load
    from train.universal import universal_weights
    from vocoders.mel import recipe_named

    saved = load(args.out) if args.resume else None
    if saved is None:
        refuse_overwriting([args.out / "run.json"], force=False, instead="--resume goes on with it")
    preset = saved["about"]["preset"] if saved else args.preset
    config = _with_options(TrainConfig.from_json(saved["config"]) if saved else preset_named(preset), args)
    pack = open_pack(args.data)
    with _progress_bar() as show, _one_line(TrainingStopped):
        fit(
            args.out,
            pack,
            config,
            _budget(args, saved["about"]["budget"] if saved else None, config),
            _fabric(args),
            preset=preset,
            session=Session(args.save_minutes, args.session_minutes, args.compact_state, show),
            start_weights=(lambda: universal_weights(pack, config.generator, recipe_named(config.recipe)))
            if config.start == "universal"
            else None,
            saved=saved,
        )
    return 0


def _with_options(config: TrainConfig, args: argparse.Namespace) -> TrainConfig:
    """The preset, or the resumed run's configuration, with what was changed on the command line."""
    if args.resume and (args.recipe or args.input):
        raise ValueError("--recipe and --input belong to a run's beginning; they cannot change on the way")
    names = ("recipe", "batch", "segment", "lr", "seed", "generator_only", "validate_every")
    changes = {name: value for name in names if (value := getattr(args, name)) is not None}
    if args.batch:
        changes["long_batch"] = max(1, round(args.batch * config.long_batch / config.batch))
    if args.segment:
        changes["long_segment"] = max(args.segment, config.long_segment if args.segment <= config.segment else 0)
    if args.lr:
        changes["generator_only_lr"] = config.generator_only_lr * args.lr / config.lr
    config = dataclasses.replace(config, **changes)
    return with_amplitude(config) if args.input == "amplitude" else config


def _budget(args: argparse.Namespace, saved: dict | None, config: TrainConfig):
    from train.schedule import Budget

    if args.steps and args.minutes:
        raise ValueError("a budget is either --steps or --minutes, not both")
    if args.steps or args.minutes:
        return Budget(args.steps, args.minutes)
    return Budget(**saved) if saved else Budget(steps=config.steps)


def _fabric(args: argparse.Namespace):
    """One process, or one of those that torchrun started."""
    import warnings

    import torch
    from lightning.fabric import Fabric

    warnings.filterwarnings("ignore", category=UserWarning, module="lightning")
    torch.set_float32_matmul_precision("high")  # TF32 on GPUs that have it; changes nothing on a CPU
    torch.backends.cudnn.benchmark = True
    devices, nodes = args.devices if args.devices == "auto" else int(args.devices), 1
    if "LOCAL_WORLD_SIZE" in os.environ:
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    elif args.accelerator == "cpu" or not torch.cuda.is_available():
        devices = 1 if devices == "auto" else devices
    fabric = Fabric(accelerator=args.accelerator, devices=devices, num_nodes=nodes)
    fabric.launch()
    return fabric


@contextlib.contextmanager
def _one_line(kind: type[Exception]):
    """That exception as the one-line error of a command."""
    try:
        yield
    except kind as error:
        raise ValueError(str(error)) from error


@contextlib.contextmanager
def _progress_bar():
    """A bar on stderr in percent of the budget; what it yields is called with (step, share, values)."""
    from tqdm import tqdm

    form = "{percentage:3.0f}%|{bar}| {elapsed} < {remaining}{postfix}"
    with tqdm(total=100, bar_format=form, disable=None) as bar:

        def show(step: int, progress: float, values: dict) -> None:
            bar.set_postfix(step=step, mel=f"{values.get('mel', float('nan')):.3f}", refresh=False)
            bar.update(100 * progress - bar.n)

        yield show


def export_command(args: argparse.Namespace) -> int:
    from train.export import export

    refuse_overwriting([args.out], args.force)
    checkpoint = export(
        args.run, args.out, latest=args.latest, half=args.half, licence=args.licence, jik876=args.jik876
    )
    about = checkpoint.about
    print(f"{args.out}: {about['preset']}, step {about['steps']}, {args.out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    run(lambda: (args := parse_args()).command(args))
