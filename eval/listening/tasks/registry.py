"""All kinds of listening tests, by the id that studies store as their `mode`."""

from __future__ import annotations

from eval.listening.tasks.choices.ab import Ab
from eval.listening.tasks.choices.abx import Abx
from eval.listening.tasks.choices.bws import BestWorst
from eval.listening.tasks.choices.sabx import SequentialAbx
from eval.listening.tasks.scores.acr import Acr
from eval.listening.tasks.scores.ccr import Ccr
from eval.listening.tasks.scores.dcr import Dcr
from eval.listening.tasks.scores.mushra import Mushra
from eval.listening.tasks.scores.mushra1s import Mushra1S
from eval.listening.tasks.scores.mushranr import MushraWithoutReference
from eval.listening.tasks.scores.similarity import Similarity
from eval.listening.tasks.task import Task

_IN_THE_FORMS_ORDER: tuple[Task, ...] = (
    Acr(),
    Mushra(),
    Ab(),
    Abx(),
    Dcr(),
    Ccr(),
    Mushra1S(),
    MushraWithoutReference(),
    Similarity(),
    SequentialAbx(),
    BestWorst(),
)
TASKS: dict[str, Task] = {task.id: task for task in _IN_THE_FORMS_ORDER}


def task_of(mode: str) -> Task:
    """The task of that id. Errors: ValueError for an unknown one."""
    if mode not in TASKS:
        raise ValueError(f"no mode {mode!r}; there are {', '.join(TASKS)}")
    return TASKS[mode]
