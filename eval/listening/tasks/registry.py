"""All kinds of listening tests, by the id that studies store as their `mode`."""

from __future__ import annotations

from eval.listening.tasks.ab import Ab
from eval.listening.tasks.abx import Abx
from eval.listening.tasks.acr import Acr
from eval.listening.tasks.mushra import Mushra
from eval.listening.tasks.task import Task

TASKS: dict[str, Task] = {task.id: task for task in (Acr(), Mushra(), Ab(), Abx())}  # in the form's order


def task_of(mode: str) -> Task:
    """The task of that id. Errors: ValueError for an unknown one."""
    if mode not in TASKS:
        raise ValueError(f"no mode {mode!r}; there are {', '.join(TASKS)}")
    return TASKS[mode]
