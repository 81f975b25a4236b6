"""ZeroGPU, the hardware of free Spaces: it stops a Space that never reports a function for its GPU.

Nothing here needs that GPU: networks run in OpenVINO on the CPU. So the report is made by a process of its own, because
in this one the `spaces` package would make PyTorch claim that there is CUDA, and generators would go where no GPU is.
"""

from __future__ import annotations

import os
import subprocess
import sys

_REPORT = """
import sys
sys.modules["torch"] = None  # nothing to patch: the report needs no PyTorch
import spaces, spaces.zero
spaces.GPU(duration=1)(lambda: None)
spaces.zero.startup()  # which Blocks.launch() would call, but the app is mounted in FastAPI and never launched
"""


def report_to_zero_gpu() -> None:
    """Does nothing anywhere else. Errors: RuntimeError with what the package said."""
    if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return
    done = subprocess.run([sys.executable, "-c", _REPORT], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ZeroGPU was not told that the app has started: {done.stderr.strip().splitlines()[-1]}")
