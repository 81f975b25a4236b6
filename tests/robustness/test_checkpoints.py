"""Every checkpoint becomes a system or one sentence; nothing in it runs; what it costs is bounded.

python -m pytest tests/robustness/test_checkpoints.py --proof -s
"""

import multiprocessing
import resource
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from common.sandbox import MAX_CPU_SECONDS, MAX_MEMORY_BYTES
from tests.robustness.checkpoint_cases import MARK, checkpoint_case, greedy_pickles, write_config, zipped
from tests.robustness.family_cases import family_case
from tests.robustness.pool import run_cases
from ui.vocoders.cards import catalogue
from vocoders.analysis import Analysis, synthesize
from vocoders.catalogue import own_checkpoint_system
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.checkpoints.contained import read_contained
from vocoders.onnx_files.system import inspect

MAX_READING_SECONDS, MAX_READING_MEGABYTES = 30.0, 300.0  # of processor time, with ample room; of memory
HUM = (0.1 * np.sin(np.arange(8_000) / 20)).astype(np.float32)


def read_one(number: int, folder: Path) -> str:
    """Every third case is a checkpoint of this project or of the original HiFi-GAN, the others are of any family."""
    own, number = number % 3 == 0, number // 3 if number % 3 == 0 else number
    path = checkpoint_case(number, folder) if own else family_case(number, folder)
    try:
        if path.suffix == ".onnx":
            return _inspected(path)
        system = own_checkpoint_system(path, "hw2" if own and not path.suffix else None)
    except CheckpointError as error:
        message = str(error)
        assert message[-1] in ".?", message
        assert "\n" not in message, message
        assert len(message) < 600, message
        assert str(folder) not in message, message
        return "refused"
    finally:
        assert not (folder / MARK).exists(), "code in a checkpoint was executed"
    catalogue([system])
    if number % 8 == 0:  # a network of nonsense makes nonsense, or says that it cannot
        samples = synthesize(system, Analysis(HUM))
        assert samples.shape == HUM.shape
        assert samples.dtype == np.float32
    return "used"


def _inspected(path: Path) -> str:
    """As the process does that looks at ONNX networks."""
    try:
        inspect(path, None)
    except ValueError as error:
        raise CheckpointError(f"{error}.") from error
    return "used"


def test_a_hostile_checkpoint_is_used_or_refused_in_a_sentence(scale):
    """In short, a fault of one checkpoint in 80 is found with 95 % (1 - (1 - 1/80)^250); of one in 13,000 in full."""
    tally = run_cases(read_one, range(scale(250, 40_000)))
    print(f"\n{tally.line('checkpoints')}")
    assert tally.crashes == {}
    assert tally.used > tally.cases / 50, "mutants that are all refused at the door prove little"
    assert tally.slowest < MAX_READING_SECONDS
    assert tally.hungriest < MAX_READING_MEGABYTES
    assert tally.growth < 100, "memory that is not given back"


def test_a_pickle_that_asks_for_everything_gets_a_bounded_part_of_it(tmp_path, scale):
    """As the page reads what strangers bring: in a process of its own. In short only those that end soon."""
    write_config(tmp_path)
    path, names = tmp_path / "g_1", list(greedy_pickles())[: scale(1, 99)]
    highest = 0.0
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:  # whose only children these readers are
        for name in names:
            for content in (greedy_pickles()[name], zipped(greedy_pickles()[name])):
                path.write_bytes(content)
                message, highest = pool.submit(read_elsewhere, path).result()
                assert message.startswith("g_1 ")
                assert message.endswith(".")
                print(f"\n{name} in {len(content)} bytes: refused")
    count = 2 * len(names)
    print(
        f"greedy pickles: {count} cases, {count} refused, 0 crashed; at most {highest / 1e6:.0f} MB and {MAX_CPU_SECONDS} s"
    )
    assert highest < MAX_MEMORY_BYTES + 500e6


def read_elsewhere(path: Path) -> tuple[str, float]:
    """(what it is refused with, most bytes that any reader so far had in use)"""
    with pytest.raises(CheckpointError) as caught:
        read_contained(path, "hw2")
    highest = 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return str(caught.value), highest
