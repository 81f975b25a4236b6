"""A result of a signal is computed once, also for two threads that ask at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from common.content_cache import cached_by_content


def test_two_threads_that_ask_at_once_share_one_computation():
    computing, finish, asked = threading.Event(), threading.Event(), []

    @cached_by_content(2)
    def peak(samples: np.ndarray) -> float:
        asked.append(threading.get_ident())
        computing.set()
        assert finish.wait(30)
        return float(samples.max())

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(peak, np.full(3, 5.0))
        assert computing.wait(30)
        second = pool.submit(peak, np.full(3, 5.0))
        finish.set()
        assert (first.result(), second.result()) == (5, 5)
    assert len(asked) == 1


def test_a_failure_is_not_remembered():
    asked = []

    @cached_by_content(2)
    def peak(samples: np.ndarray) -> float:
        asked.append(len(samples))
        if len(asked) == 1:
            raise ValueError("not now")
        return float(samples.max())

    with pytest.raises(ValueError, match="not now"):
        peak(np.ones(3))
    assert (peak(np.ones(3)), peak(np.ones(3)), len(asked)) == (1, 1, 2)
