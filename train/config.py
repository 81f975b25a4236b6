"""The configuration of a training run, one frozen value that is saved with the run, and the presets.

A *share* is a fraction of the whole run, 0 to 1, whether its budget is counted in steps or in minutes.

Sources: `paper-*` is the recipe of Kong et al. 2020 (jik876/hifi-gan, config_v1 to v3). `fast-*` keeps the generators
and replaces the rest: resolution discriminators (UnivNet, Jang et al. 2021), a mel loss at many resolutions (Kumar et
al. 2023), a phase without discriminators first, an averaged generator, cosine decay.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vocoders.harmonic_noise.generator import HarmonicNoiseConfig
from vocoders.hifigan.generator import V1, V2, V3, HiFiGANConfig, require
from vocoders.hifigan.generator_input import WITH_AMPLITUDE, WITH_GUIDE
from vocoders.mel import HOP, N_MELS, recipe_named

SCALES = (32, 64, 128, 256, 512, 1024, 2048)  # samples; windows of the multi-scale mel loss
RESOLUTIONS = (512, 1024, 2048)  # samples; windows of a spectral loss or of resolution discriminators
MEL_L1, M_STFT = "mel L1", "M-STFT"  # what the best generator of a run is chosen by
TINY_GENERATOR = HiFiGANConfig(2, (8, 8, 4), (16, 16, 8), 32, (3,), ((1, 3),))  # learns within seconds; for tests


@dataclass(frozen=True)
class TrainConfig:
    """Errors: ValueError naming the bad value and what is allowed."""

    generator: HiFiGANConfig | HarmonicNoiseConfig
    recipe: str = "hw2"  # the mel: "hw2" or "hifigan"
    start: str = "scratch"  # or "universal": UNIVERSAL_V1 with conv_pre solved for this input; or "checkpoint": a file
    # data
    batch: int = 16  # segments per step, on every device
    segment: int = 8192  # samples, a multiple of 256
    long_segment: int = 8192  # samples, once `long_from` of the run is over
    long_from: float = 0.67  # share
    long_batch: int = 16
    pitch_shift: float = 0.0  # semitones either way, uniform, by resampling
    gain: tuple[float, float] = (0.0, 0.0)  # dB, uniform in this range
    # the generator's losses
    mel_weight: float = 45.0
    mel_windows: tuple[int, ...] = ()  # samples; none: the recipe's own log mel, as in the paper
    stft_weight: float = 0.0  # of the multi-resolution STFT loss
    stft_windows: tuple[int, ...] = ()  # samples
    phase_weight: float = 0.0  # of the loss on how fast phases advance
    phase_windows: tuple[int, ...] = ()  # samples
    hop_weight: float = 0.0  # of the loss on lines at multiples of the hop rate; needs segments of 8192 or more
    feature_weight: float = 2.0  # of feature matching
    # discriminators
    period_channels: int = 32  # of the first layer of the multi-period one, 32 in the paper; 0: none
    scale_discriminators: int = 3  # of the multi-scale one, 3 in the paper
    resolution_windows: tuple[int, ...] = ()  # samples, one spectrogram discriminator each
    resolution_channels: int = 32
    resolution_exponent: float = 1.0  # of the magnitudes that they are given; below 1: compressed
    bfloat16: bool = False  # inside the discriminators, on hardware made for it
    generator_bfloat16: float = 0.0  # share, from the beginning, in which the generator is in bfloat16 too, likewise
    # optimisation
    lr: float = 2e-4  # of the generator, AdamW
    discriminator_lr: float = 2e-4
    generator_only: float = 0.0  # share before the discriminators join
    discriminators_only: float = 0.0  # share after that in which the generator waits until they tell real from made
    generator_only_lr: float = 2e-4
    warm_up: int = 0  # steps from 0 to the full rate
    epoch_decay: float = 0.0  # rates multiplied by this per epoch; 0: cosine over the run
    final_share: float = 0.05  # of the rates, where the cosine ends
    betas: tuple[float, float] = (0.8, 0.99)
    clip: float = 0.0  # largest gradient norm of the generator; 0: as it comes
    average: float = 0.0  # decay per step of the averaged generator that is exported; 0: no averaging
    # budget and watching
    steps: int = 50_000  # when neither --steps nor --minutes is given
    validate_every: int = 1000  # steps
    validation_seconds: float = 40.0  # length of the fixed validation set
    seed: int = 1

    def __post_init__(self) -> None:
        recipe_named(self.recipe)
        hw2 = not self.generator.is_guided or self.recipe == "hw2"
        require(hw2, "recipe", self.recipe, "hw2 for a guided generator")
        for name in ("segment", "long_segment"):
            value = getattr(self, name)
            require(value >= 8 * HOP and value % HOP == 0, name, value, f"a multiple of {HOP} from {8 * HOP}")
        for name in ("batch", "long_batch", "steps", "validate_every"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        for name in ("generator_only", "discriminators_only", "long_from", "generator_bfloat16"):
            require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "a share from 0 to 1")
        waits, rest = self.discriminators_only, 1 - self.generator_only
        require(waits <= rest, "discriminators_only", waits, "what generator_only leaves of the run")
        require(0 < self.resolution_exponent <= 1, "resolution_exponent", self.resolution_exponent, "above 0, up to 1")
        for name in ("mel_windows", "stft_windows", "phase_windows", "resolution_windows"):
            windows = getattr(self, name)
            fits = all(16 <= window <= 4096 and window % 4 == 0 for window in windows)
            require(fits, name, windows, "multiples of 4 from 16 to 4096 samples")
        shortest = min(self.segment, self.long_segment)
        require(not self.hop_weight or shortest >= 8192, "segment", shortest, "8192 or more with hop_weight")
        require(0 <= self.pitch_shift <= 12, "pitch_shift", self.pitch_shift, "0 to 12 semitones")
        require(0 < self.lr < 1, "lr", self.lr, "above 0, below 1")
        require(0 <= self.average < 1, "average", self.average, "from 0, below 1")
        starts = ("scratch", "universal", "checkpoint")
        require(self.start in starts, "start", self.start, ", ".join(starts))
        universal = self.start != "universal" or isinstance(self.generator, HiFiGANConfig)
        require(universal, "start", self.start, "universal for HiFi-GANs only")
        require(self.period_channels % 4 == 0, "period_channels", self.period_channels, "a multiple of 4")
        possible = self.generator_only == 1 or self.has_discriminators
        require(possible, "generator_only", self.generator_only, "1, or name a discriminator")

    @property
    def has_discriminators(self) -> bool:
        """Whether any discriminator is trained; without, only the spectral losses are."""
        return bool(self.period_channels or self.scale_discriminators or self.resolution_windows)

    @property
    def judged_by(self) -> str:
        """The validation loss that decides which generator is the best. A guide has the mel before anything is learned, so for
        guided generators it is M-STFT."""
        return M_STFT if self.generator.is_guided else MEL_L1

    def to_json(self) -> dict:
        """All fields as plain values, from which `from_json` makes an equal configuration."""
        values = dataclasses.asdict(self)
        return values | {"generator": {"family": self.generator.family, **values["generator"]}}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainConfig:
        """The inverse of `to_json`, with JSON's lists made tuples again."""
        fields = {name: _tuples(value) for name, value in values.items()}
        shape = {name: _tuples(value) for name, value in values["generator"].items()}
        family = shape.pop("family", HiFiGANConfig.family)  # older runs do not name it
        fields["generator"] = HarmonicNoiseConfig(**shape) if family == "harmonic-noise" else HiFiGANConfig(**shape)
        return cls(**fields)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _paper(generator: HiFiGANConfig) -> TrainConfig:
    return TrainConfig(generator, epoch_decay=0.999)


def _fast(generator: HiFiGANConfig) -> TrainConfig:
    return TrainConfig(
        generator,
        batch=32,
        long_batch=16,
        long_segment=16_384,
        pitch_shift=3.0,
        gain=(-12.0, 3.0),
        mel_weight=15.0,
        mel_windows=SCALES,
        stft_weight=2.0,
        stft_windows=RESOLUTIONS,
        period_channels=8,
        scale_discriminators=0,
        resolution_windows=RESOLUTIONS,
        bfloat16=True,
        generator_only=0.12,
        generator_only_lr=5e-4,
        warm_up=100,
        clip=100.0,
        average=0.999,
    )


PRESETS: dict[str, TrainConfig] = {
    **{f"paper-v{number}": _paper(shape) for number, shape in ((1, V1), (2, V2), (3, V3))},
    **{f"fast-v{number}": _fast(shape) for number, shape in ((1, V1), (2, V2), (3, V3))},
    # Feasible on two CPU cores with 13.9 M parameters: start from a trained generator and go gently.
    "finetune-v1": dataclasses.replace(
        _fast(V1),
        start="universal",
        batch=4,
        long_batch=2,
        pitch_shift=2.0,
        resolution_channels=8,
        lr=3e-5,
        generator_only=0.5,
        generator_only_lr=3e-5,
        warm_up=60,
        average=0.995,
        generator_bfloat16=0.85,  # up to 1.6 times as fast; the end is in the precision of inference
        betas=(0.9, 0.999),  # steadier than the paper's with so few segments a step
        steps=1500,
        validate_every=100,
        validation_seconds=24.0,
    ),
    # Seconds on one core; what the tests train.
    "tiny": dataclasses.replace(
        _fast(TINY_GENERATOR),
        batch=4,
        segment=4096,
        long_batch=2,
        long_segment=8192,
        pitch_shift=1.0,
        mel_windows=(128, 512, 1024),
        stft_windows=(256, 1024),
        period_channels=4,
        resolution_windows=(512,),
        resolution_channels=4,
        bfloat16=False,
        generator_only=0.5,
        generator_only_lr=2e-3,
        lr=1e-3,
        warm_up=5,
        average=0.9,
        steps=60,
        validate_every=20,
        validation_seconds=2.0,
    ),
}


# A trained generator goes on, towards steadier partials and finer spectra: longer segments, long windows, losses on phases and the hop rate.
PRESETS["polish-v1"] = dataclasses.replace(
    PRESETS["finetune-v1"],
    start="checkpoint",
    segment=16_384,
    long_batch=4,
    stft_weight=12.0,
    stft_windows=(*RESOLUTIONS, 4096),  # the longest tells low partials apart, and what lies between them
    phase_weight=60.0,
    phase_windows=(1024, 2048, 4096),
    hop_weight=4.0,
    period_channels=0,  # discriminators from scratch, at so few segments a step, learn nothing within hours
    resolution_windows=(),
    generator_only=1.0,
    lr=4e-5,
    generator_only_lr=4e-5,
    final_share=0.02,
    warm_up=150,
    average=0.998,
    steps=8000,
    validate_every=400,
)


# A trained generator is conditioned on the guide as well, which gives the phase of every partial: it need not invent it.
PRESETS["guided-v1"] = dataclasses.replace(
    PRESETS["polish-v1"],
    generator=dataclasses.replace(V1, input_channels=WITH_GUIDE),
    lr=1e-4,
    generator_only_lr=1e-4,
)


# Within an hour on two CPU cores, from scratch: the pitch comes with the guide, and a step is cheap enough for real batches.
PRESETS["harmonic-noise"] = TrainConfig(
    HarmonicNoiseConfig(gain_bands=64, bin_channels=16),
    batch=6,
    segment=16_384,
    long_batch=6,
    long_segment=16_384,
    pitch_shift=2.0,
    gain=(-12.0, 3.0),
    mel_weight=15.0,
    mel_windows=SCALES,
    stft_weight=12.0,
    stft_windows=(*RESOLUTIONS, 4096),
    feature_weight=4.0,
    period_channels=0,
    scale_discriminators=0,
    resolution_windows=RESOLUTIONS,
    resolution_channels=16,
    resolution_exponent=0.3,
    bfloat16=True,
    lr=2e-3,
    discriminator_lr=4e-4,
    generator_only=0.6,
    generator_only_lr=2e-3,
    warm_up=100,
    final_share=0.02,
    clip=100.0,
    average=0.998,
    steps=2000,
    validate_every=200,
    validation_seconds=24.0,
)


def preset_named(name: str) -> TrainConfig:
    """Errors: ValueError listing the presets."""
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; known: {', '.join(PRESETS)}")
    return PRESETS[name]


INPUTS = {"mel": N_MELS, "amplitude": WITH_AMPLITUDE, "guide": WITH_GUIDE}


def with_input(config: TrainConfig, name: str) -> TrainConfig:
    """The same run for a generator that gets the mel, also the mel's inverted log amplitude, or also its guide; by the
    names of `INPUTS`. Errors: ValueError for a generator of another family, whose input is settled."""
    if not isinstance(config.generator, HiFiGANConfig):
        raise ValueError(f"--input is for HiFi-GANs; a {config.generator.family} generator takes a guide and noise")
    generator = dataclasses.replace(config.generator, input_channels=INPUTS[name])
    return dataclasses.replace(config, generator=generator)
