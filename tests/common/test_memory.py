"""What the process asks of glibc's allocator."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARRAY_BYTES = 20_000_000
PAGES_OF_AN_ARRAY = ARRAY_BYTES // 4096


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_freed_memory_serves_the_next_arrays():
    """Without it each of them is mapped anew: a page fault for every page."""
    script = f"""
import resource, numpy as np
from common.memory import reuse_freed_memory
reuse_freed_memory()
def layers():
    arrays = [np.ones({ARRAY_BYTES}, np.uint8) for _ in range(5)]
layers()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    layers()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < PAGES_OF_AN_ARRAY
