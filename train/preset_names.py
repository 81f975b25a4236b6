"""Names of presets and inputs, listed without importing PyTorch; `train.config` defines them."""

from __future__ import annotations

DEFAULT_PRESET = "fast-v1"
PURPOSES = {  # of every preset
    "paper-v1": "HiFi-GAN V1 by its paper's recipe, for days on a GPU",
    "paper-v2": "the same for the small V2",
    "paper-v3": "the same for the fast V3",
    "fast-v1": "V1 from scratch in hours on a GPU",
    "fast-v2": "the same for the small V2",
    "fast-v3": "the same for the fast V3",
    "finetune-v1": "V1 from the original's weights, for some hours on a few CPU cores",
    "tiny": "a trial of a minute, on any machine",
    "polish-v1": "goes on with a trained V1 (--from), towards finer spectra",
    "harmonic-noise": "a small harmonic-plus-noise vocoder, within an hour on two CPU cores (`train guide` first)",
    "guided-v1": "the same with a Griffin-Lim guide beside the mel (`train guide` first)",
}
INPUT_NAMES = ("mel", "amplitude", "guide")
