"""Processes forked from one Python that has imported what they need.

Importing PyTorch takes seconds of processor time; a fork of a Python that has done so takes milliseconds and shares its
memory. That Python (`multiprocessing`'s fork server) has one thread, as a fork copies the locks that others hold, and holds
nothing but modules: no upload, no answer, no network.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.context

_preloaded: dict[str, None] = {}  # in their order


def fork_context(*modules: str) -> multiprocessing.context.ForkServerContext:
    """The context whose processes are forks. modules: what the fork server imports, beside all that was named before, if it
    does not run yet; a fork imports the rest itself. None of them may start a thread."""
    context = multiprocessing.get_context("forkserver")
    _preloaded.update(dict.fromkeys(modules))
    context.set_forkserver_preload(list(_preloaded))
    return context
