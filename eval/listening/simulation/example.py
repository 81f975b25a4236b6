"""A whole study of simulated listeners, with checks and screening, as the results of a real one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eval.listening.analysis.estimates import ClusteredEstimate
from eval.listening.analysis.results import EXCLUDING_RULES, analyse, flags_of, votes_of
from eval.listening.analysis.screening import included
from eval.listening.analysis.votes import REFERENCE
from eval.listening.conclusions.sentences import conclusions_of
from eval.listening.design import plan_session
from eval.listening.simulation.coverage import truth_of
from eval.listening.simulation.listeners import Opinions, session_rows
from eval.listening.simulation.planned import planned_study, qualities
from eval.listening.storage.records import StoredStudy
from eval.listening.tasks.registry import task_of

CARELESS_SHARE = 0.1  # of the listeners, who answer everything by chance


@dataclass(frozen=True)
class Example:
    """results: of `analyse`. effect: of the second compared condition against the first, after screening; truth: the same over all
    listeners and clips."""

    results: dict
    effect: ClusteredEstimate
    truth: float
    careless: int

    @property
    def said(self) -> str:
        """The sentence of the report about these two conditions."""
        task = task_of(self.results["study"]["mode"])
        conclusions = conclusions_of(self.results, _Names(), task.points)
        every = (*conclusions.shown, *conclusions.open) if conclusions else ()
        compared = [_Names()[condition] for condition in task.contrast]
        return next(
            (sentence for sentence in every if all(name in sentence for name in compared)), "Nothing is left to say."
        )


class _Names(dict):
    """Names of conditions as a report writes them: its own for the recording, and their ids."""

    def __missing__(self, condition: str) -> str:
        return "Recording" if condition == REFERENCE else condition


def simulated_example(mode: str, raters: int, items: int, difference: float, systems: int | None, seed: int) -> Example:
    """One listener in ten answers by chance. Errors: ValueError for an unknown mode; `StudyError` for sizes of no study."""
    study = replace(planned_study(mode, items, systems, seed), golds=1, traps=1, repeats=1, name="Simulated listeners")
    rng, task = np.random.default_rng(seed), study.task
    opinions = Opinions(task, qualities(study, difference), rng)
    careless = round(CARELESS_SHARE * raters)
    rows, people = [], []
    for number in range(raters):
        name, plan = f"rater-{number + 1}", plan_session(study, number)
        own = session_rows(study, plan, name, opinions)
        if number < careless:
            own = [
                row | {"answer": _by_chance(task, trial, rng)}
                for row, trial in zip(own, (plan[r["number"]] for r in own))
            ]
        flags = [
            {"rule": row["kind"], "version": 1, "detail": f"trial {row['number']} was answered {row['answer']}"}
            for row in own
            if row["kind"] in ("gold", "trap") and not task.passes(plan[row["number"]], row["answer"])
        ]
        rows += [row | _timed(row["number"]) for row in own]
        people.append({"rater": name, "trials": len(own), "events": {}, "flags": flags})
    stored = StoredStudy(0, "simulated", 1, study, (), closed=True)
    votes = votes_of(study, rows)
    kept = included(votes, flags_of(study, votes, people), EXCLUDING_RULES)
    truth = truth_of(planned_study(mode, items, systems), difference, rng)
    return Example(analyse(stored, rows, people), task.effect(kept, *task.contrast), truth, careless)


def _timed(number: int) -> dict:
    """When an answer was given, in s from the start: one every ten seconds."""
    return {"shown_at": 10.0 * number, "answered_at": 10.0 * number + 8, "dwell_ms": 8000}


def _by_chance(task, trial, rng: np.random.Generator):
    answers = list(task.answers(trial))
    return answers[rng.integers(len(answers))]
