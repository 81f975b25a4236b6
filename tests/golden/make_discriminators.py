"""Writes discriminators.json: what the original HiFi-GAN's discriminators make of `formula.voice` with weights by formula, and the
names and shapes of their weights. On the way, their own classes load a file of ours, strictly, and give our outputs.

It needs a checkout of jik876/hifi-gan, which is no part of this repository, under the name hifi-gan in a folder.

python -m tests.golden.make_discriminators FOLDER
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from tests.golden.formula import tensor, voice
from tests.golden.make_generators import importing
from train.config import PRESETS
from train.networks.discriminator_files import write_discriminators
from train.networks.discriminators import Discriminators

GOLDEN = Path(__file__).with_name("discriminators.json")
VALUES = 12  # kept of every feature map


def state_of(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Weights of a discriminator; those with spectral norm get singular vectors that belong to them, or their norm is arbitrary."""
    state = {name: tensor(name, shape) for name, shape in shapes.items()}
    for name in [name for name in state if name.endswith("weight_orig")]:
        matrix = state[name].flatten(1).double()
        right = torch.ones(matrix.shape[1], dtype=torch.float64)
        for _ in range(8):
            left = nn.functional.normalize(matrix @ right, dim=0)
            right = nn.functional.normalize(matrix.T @ left, dim=0)
        stem = name.removesuffix("orig")
        state[f"{stem}u"], state[f"{stem}v"] = left.float(), right.float()
    return state


def kept(maps: Sequence[Tensor]) -> list[list[float]]:
    """`VALUES` numbers, evenly spaced, of each feature map of one sub-discriminator."""
    flat = [one.flatten() for one in maps]
    return [one[:: -(-len(one) // VALUES)].tolist() for one in flat]


def waveform() -> Tensor:
    """(1, 1, 2560), which is a multiple of the periods 2 and 5 only."""
    return torch.from_numpy(voice())[None, None]


@torch.inference_mode()
def outputs(networks: Mapping[str, nn.Module]) -> dict[str, list]:
    """Of the original's classes, whose forward compares two waveforms and gives feature maps third."""
    return {
        name: [kept(maps) for maps in network.eval()(waveform(), waveform())[2]] for name, network in networks.items()
    }


def assert_ours_load_there(originals: Mapping[str, nn.Module]) -> None:
    torch.manual_seed(0)
    ours = Discriminators(PRESETS["paper-v1"]).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "do_00000001"
        content = {"discriminators": ours.state_dict(), "step": 1, "discriminator_optimizer": {}}
        write_discriminators(path, content)
        file = torch.load(path, weights_only=True)
    for name, network in originals.items():
        network.load_state_dict(file[name], strict=True)
    with torch.inference_mode():
        wanted = ours(waveform())
        for name, network in originals.items():
            for ones, others in zip(wanted[name], network.eval()(waveform(), waveform())[2], strict=True):
                for one, other in zip(ones, others, strict=True):
                    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * float(other.abs().max()))


if __name__ == "__main__":
    with importing(Path(sys.argv[1]) / "hifi-gan") as load:
        models = load("models")
        networks = {"mpd": models.MultiPeriodDiscriminator(), "msd": models.MultiScaleDiscriminator()}
    assert_ours_load_there(networks)
    shapes = {
        family: {name: list(value.shape) for name, value in network.state_dict().items()}
        for family, network in networks.items()
    }
    for family, network in networks.items():
        network.load_state_dict(state_of(shapes[family]), strict=True)
    rounded = {
        family: [[[float(f"{x:.6g}") for x in one] for one in maps] for maps in found]
        for family, found in outputs(networks).items()
    }
    GOLDEN.write_text(json.dumps({"shapes": shapes, "outputs": rounded}) + "\n")
