"""What a run computes on: a device or several, of this process or of those beside it."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # slow to import
    from lightning.fabric import Fabric


def fabric_of(accelerator: str, devices: str) -> Fabric:
    """One process, or one of those that torchrun started. accelerator, devices: as of the command line."""
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
