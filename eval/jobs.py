"""Clips side by side: processes that together use no more threads than there are cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
# What `joblib.cpu_count` obeys, by which OpenVINO, STFT and pitch tracker size their pools
_CORES = "LOKY_MAX_CPU_COUNT"


@dataclass(frozen=True)
class Division:
    """jobs x threads is at most the number of cores. threads: of each process."""

    jobs: int
    threads: int


def divide(jobs: int, items: int, cores: int) -> Division:
    """jobs: processes that were asked for, of which no more start than there are cores and items; -1: one per core, -2: one less.

    OMP_NUM_THREADS, where it is set, is the most that a process may have. Errors: ValueError for 0 jobs.
    """
    if jobs == 0:
        raise ValueError("--jobs is a number of processes, or -1 for one per core")
    asked = jobs if jobs > 0 else max(1, cores + 1 + jobs)
    processes = max(1, min(asked, cores, items))
    most = os.environ.get("OMP_NUM_THREADS", "")
    threads = cores // processes
    return Division(processes, min(threads, int(most)) if most.isdigit() and int(most) else threads)


def side_by_side(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int | None
) -> Iterator[tuple[int, Result]]:
    """(index of the item, result), in the order in which they are done. work: a function of a module, which raises nothing.

    jobs: as of `divide`; with one process it is this one, which keeps its threads. None: the joblib backend that the caller has
    chosen, whose processes have the threads that their environment allows. Errors: those of `divide`.
    """
    import joblib

    division = None if jobs is None else divide(jobs, len(items), joblib.cpu_count())
    if division and division.jobs == 1:
        yield from ((index, work(item)) for index, item in enumerate(items))
        return
    if division:
        with joblib.parallel_config("loky", inner_max_num_threads=division.threads):
            parallel = joblib.Parallel(n_jobs=division.jobs, return_as="generator_unordered")
    else:
        parallel = joblib.Parallel(return_as="generator_unordered")
    threads = division.threads if division else None
    yield from parallel(joblib.delayed(_limited)(work, index, item, threads) for index, item in enumerate(items))


def _limited(work: Callable[[Item], Result], index: int, item: Item, threads: int | None) -> tuple[int, Result]:
    if threads is not None:
        # Before any pool is made; OpenMP's and BLAS's were set when the process started
        os.environ[_CORES] = str(threads)
    return index, work(item)
