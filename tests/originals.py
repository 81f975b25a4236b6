"""A generator as the original HiFi-GAN's trainer leaves it."""

import dataclasses

from vocoders.hifigan.generator import V3

CONFIG = {
    **{key: value for key, value in dataclasses.asdict(V3).items() if key != "input_channels"},
    "resblock": "2",  # a string, as in the original's files
    "num_mels": 80,
    "sampling_rate": 22050,
    "hop_size": 256,
    "learning_rate": 0.0002,
}


def with_weight_norm(weights):
    state = {}
    for name, tensor in weights.items():
        if name.endswith("weight"):
            state[f"{name}_v"] = tensor * 3
            state[f"{name}_g"] = tensor.flatten(1).norm(dim=1).view(-1, 1, 1)
        else:
            state[name] = tensor
    return state
