"""The commands of `python -m train`: from arguments to calls."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

from common.command import complain, counting_bar, mention, refuse_overwriting
from train.benchmark.commands import ablate_command as ablate_command
from train.benchmark.commands import bench_command as bench_command
from train.config import TrainConfig, preset_named, with_input
from train.data.pack import Pack, open_pack
from train.preset_names import DEFAULT_PRESET
from train.voice.command import voice_command as voice_command


def prepare_command(args: argparse.Namespace) -> int:
    """`python -m train prepare`: audio files -> a pack. The exit status."""
    from train.data.prepare import prepare

    with counting_bar("file") as show:
        pack = prepare(
            args.audio,
            args.out,
            validation=args.validation,
            seed=args.seed,
            licence=args.licence,
            jobs=args.jobs,
            on_progress=show,
        )
    for clip in pack.clips:
        mention(clip, clip.path)
    for skipped in pack.skipped:
        complain(f"skipped {skipped['reason']}")
    print(f"{args.out}: {pack.summary()}; {len(pack.skipped)} files skipped")
    return 0


def guide_command(args: argparse.Namespace) -> int:
    """`python -m train guide`: adds the guides of all clips to a pack. The exit status."""
    from train.data.guide import Guides

    pack = open_pack(args.data)
    with counting_bar("part") as show:
        guides = Guides(pack, args.iterations)
        guides.make(args.jobs, show)
    print(f"{guides.path}: the guides of {len(pack.clips)} clips")
    return 0


def fit_command(args: argparse.Namespace) -> int:
    """`python -m train fit`: trains, or goes on with a run. The exit status."""
    from train.export import BEST
    from train.guards import TrainingStopped
    from train.loop import Session, fit
    from train.saving import COMPACT, INDEX, STATE, load

    saved = load(args.out) if args.resume else None
    if saved is None:
        there = [args.out / name for name in (STATE, f"{COMPACT}/{INDEX}", BEST)]
        refuse_overwriting(there, force=False, instead="--resume goes on with it")
    preset = saved["about"]["preset"] if saved else args.preset or _default_preset(args.accelerator)
    if args.preset and args.preset != preset:
        raise ValueError(f"{args.out} is a run of the preset {preset}; it cannot go on as {args.preset}")
    config = _with_options(TrainConfig.from_json(saved["config"]) if saved else preset_named(preset), args)
    pack = open_pack(args.data)
    config, start_weights, before = _start(args, config, pack, preset)
    discriminators_before = _discriminators_before(args)
    with _progress_bar() as show, _one_line(TrainingStopped):
        fit(
            args.out,
            pack,
            config,
            _budget(args, saved["about"]["budget"] if saved else None, config),
            fabric_of(args.accelerator, args.devices),
            preset=preset,
            session=Session(args.save_minutes, args.session_minutes, args.compact_state, show),
            start_weights=start_weights,
            discriminators_before=discriminators_before,
            before=before,
            saved=saved,
        )
    return 0


def _default_preset(accelerator: str) -> str:
    """Errors: ValueError where it would take weeks."""
    import torch

    if accelerator == "cpu" or not torch.cuda.is_available():
        raise ValueError(
            f"{DEFAULT_PRESET}, the preset without --preset, needs a GPU and there is none; on a CPU --preset finetune-v1 goes on "
            f"from a trained generator, and --preset tiny is a trial; --preset {DEFAULT_PRESET} trains it all the same"
        )
    return DEFAULT_PRESET


def _start(
    args: argparse.Namespace, config: TrainConfig, pack: Pack, preset: str
) -> tuple[TrainConfig, Callable | None, list[dict]]:
    """The run, its first weights, and the runs that made them, newest first.

    A harmonic-plus-noise generator goes on in the shape that it has, whatever the preset's is.
    """
    from train.networks.generator import in_shape_of
    from train.networks.universal import universal_weights
    from vocoders.checkpoints.checkpoint import read_checkpoint, training_history
    from vocoders.harmonic_noise.generator import HarmonicNoiseConfig
    from vocoders.hifigan.generator import HiFiGANConfig
    from vocoders.mel import recipe_named

    if config.start == "universal":
        shape = config.generator
        assert isinstance(shape, HiFiGANConfig)  # `TrainConfig` allows no other to start from UNIVERSAL_V1
        return config, lambda: universal_weights(pack, shape, recipe_named(config.recipe)), []
    if config.start == "scratch" or args.resume:
        return config, None, []
    if args.start is None:
        raise ValueError(f"the preset {preset} goes on from a trained generator; say which: --from FILE")
    if args.start.suffix != ".safetensors":
        raise ValueError(f"{args.start}: --from takes the .safetensors file that `train export` wrote")
    checkpoint = read_checkpoint(args.start)
    given = checkpoint.config
    if isinstance(given, HarmonicNoiseConfig) and isinstance(config.generator, HarmonicNoiseConfig):
        given = in_shape_of(given, config.generator)
        config = dataclasses.replace(config, generator=given)
    shapes: set[object] = {config.generator}
    if isinstance(config.generator, HiFiGANConfig) and config.generator.is_guided:  # it may start from one without
        shapes.add(dataclasses.replace(config.generator, input_channels=config.generator.frame_channels))
    if given not in shapes or checkpoint.recipe.name != config.recipe:
        raise ValueError(
            f"{args.start.name} has another shape or another mel than this run; choose the preset to fit it"
        )
    return config, lambda: dict(checkpoint.weights), training_history(checkpoint.about)


def _discriminators_before(args: argparse.Namespace) -> dict | None:
    """The discriminators that a new run begins with. Errors: ValueError."""
    from train.networks.discriminator_files import read_discriminators

    if args.discriminators is None:
        return None
    if args.start is None:
        raise ValueError(
            "--discriminators belong to the generator they were trained against: give it, too, with --from FILE"
        )
    return read_discriminators(args.discriminators)


def _with_options(config: TrainConfig, args: argparse.Namespace) -> TrainConfig:
    """The preset, or the resumed run's configuration, with what was changed on the command line."""
    if args.resume and (args.recipe or args.input or args.start or args.discriminators):
        raise ValueError(
            "--recipe, --input, --from and --discriminators belong to a run's beginning; they cannot change on the way"
        )
    names = ("recipe", "batch", "segment", "lr", "seed", "generator_only", "discriminators_only", "validate_every")
    changes = {name: value for name in names if (value := getattr(args, name)) is not None}
    if args.batch:
        changes["long_batch"] = max(1, round(args.batch * config.long_batch / config.batch))
    if args.segment:
        changes["long_segment"] = args.segment * max(1, config.long_segment // config.segment)
    if args.lr:
        changes["generator_only_lr"] = config.generator_only_lr * args.lr / config.lr
    if args.start:
        changes["start"] = "checkpoint"
    if args.input:  # first: a guide, which the recipe may not go with, can be given up
        config = with_input(config, args.input)
    return dataclasses.replace(config, **changes)


def _budget(args: argparse.Namespace, saved: dict | None, config: TrainConfig):
    from train.schedule import Budget

    if args.steps is not None or args.minutes is not None:
        return Budget(args.steps, args.minutes)
    return Budget(**saved) if saved else Budget(steps=config.steps)


def fabric_of(accelerator: str, devices: str):
    """One process, or one of those that torchrun started. accelerator, devices: as of the command line."""
    import warnings

    import torch
    from lightning.fabric import Fabric

    warnings.filterwarnings("ignore", category=UserWarning, module="lightning")
    torch.set_float32_matmul_precision("high")  # TF32 on GPUs that have it; changes nothing on a CPU
    torch.backends.cudnn.benchmark = True
    count: str | int = devices if devices == "auto" else int(devices)
    nodes = 1
    if "LOCAL_WORLD_SIZE" in os.environ:
        count = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // count
    elif accelerator == "cpu" or not torch.cuda.is_available():
        count = 1 if count == "auto" else count
    fabric = Fabric(accelerator=accelerator, devices=count, num_nodes=nodes)
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
    """`python -m train export`: a run -> a checkpoint for inference. The exit status."""
    from train.export import check_name, export
    from train.networks.discriminator_files import write_discriminators
    from train.saving import load

    check_name(args.out, args.jik876)
    beside = [args.out.with_name("config.json")] if args.jik876 else []
    beside += [args.discriminators] if args.discriminators else []
    refuse_overwriting([args.out, *beside], args.force)
    metrics = _scores(args.scores) if args.scores else None
    checkpoint = export(
        args.run,
        args.out,
        latest=args.latest,
        half=args.half,
        licence=args.licence,
        metrics=metrics,
        jik876=args.jik876,
        guide_iterations=args.guide_iterations,
    )
    about = checkpoint.about
    if args.discriminators:
        write_discriminators(args.discriminators, load(args.run))
    print(f"{args.out}: {about['preset']}, step {about['steps']}, {args.out.stat().st_size / 1e6:.1f} MB")
    return 0


def _scores(path: Path) -> dict[str, float | None]:
    """Errors: ValueError for a file that `eval score --json` did not write."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("metrics"), dict):
        raise ValueError(f"{path} holds no scores; `python -m eval score --json` writes them")
    return content["metrics"]


def upper_band_command(args: argparse.Namespace) -> int:
    """`python -m train upper-band`: fits the linear model of the band above 8 kHz. The exit status."""
    from train.small_models.upper_band import fit_upper_band

    refuse_overwriting([args.out], args.force)
    with counting_bar("clip") as show:
        upper_band = fit_upper_band(open_pack(args.data), args.seed, show)
    upper_band.save(args.out)
    for name, value in upper_band.about.items():
        print(f"{name}: {value}")
    return 0
