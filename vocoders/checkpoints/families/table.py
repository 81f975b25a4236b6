"""The table of families. The first that knows a state reads it, so the particular come before the general."""

from __future__ import annotations

from collections.abc import Mapping

from vocoders.bigvgan.generator import BigVGANConfig
from vocoders.checkpoints.contents import GeneratorConfig
from vocoders.checkpoints.families.bigvgan import BIGVGAN
from vocoders.checkpoints.families.espnet import ESPNET
from vocoders.checkpoints.families.family import Family
from vocoders.checkpoints.families.hifigan import HIFIGAN
from vocoders.checkpoints.families.parallel_wavegan import PARALLEL_WAVEGAN
from vocoders.checkpoints.families.speechbrain import SPEECHBRAIN
from vocoders.checkpoints.families.speecht5 import SPEECHT5
from vocoders.checkpoints.families.vits import VITS
from vocoders.checkpoints.families.vocos import VOCOS
from vocoders.checkpoints.formats import refused_network
from vocoders.harmonic_noise.generator import HarmonicNoiseConfig
from vocoders.hifigan.generator import HiFiGANConfig
from vocoders.vocos.generator import VocosConfig

FAMILIES = (BIGVGAN, VOCOS, ESPNET, PARALLEL_WAVEGAN, SPEECHT5, SPEECHBRAIN, VITS, HIFIGAN)
CONFIGS: dict[str, type[GeneratorConfig]] = {
    config.family: config for config in (HiFiGANConfig, BigVGANConfig, VocosConfig, HarmonicNoiseConfig)
}


def family_of(state: Mapping) -> Family | None:
    """None also for networks that look like one of these and need more than a mel."""
    if refused_network(state):
        return None
    return next((family for family in FAMILIES if family.knows(state)), None)
