"""Raters with known opinions, whose answers are written as the server would write them."""

from __future__ import annotations

import numpy as np

from eval.listening.analysis.precision import Spread
from eval.listening.simulation.listeners import Opinions, with_spread
from eval.listening.storage.records import Rater
from eval.listening.storage.store import Store


def simulate(store: Store, public_id: str, raters: int, quality: dict[str, float], seed: int = 0) -> list[Rater]:
    """quality: {system: 0 to 1}, from the worst level of the study's scale to the best. Raters agree more than a planner
    assumes. Everybody finishes; nobody fails a check."""
    task = store.study(public_id).study.task
    levels = {system: task.level_at(share) for system, share in quality.items()}
    agreeing = Spread(*(part / 8 for part in (task.spread.rater, task.spread.item, task.spread.residual)))
    opinions = Opinions(with_spread(task, agreeing), levels, np.random.default_rng(seed))
    people = []
    for _ in range(raters):
        rater = store.add_rater(public_id, "en", {"width": 1280})
        for kind in ("volume", "headphones", "instructions"):
            store.add_event(rater, kind, {"passed": True})
        answers: dict[int, object] = {}
        while (number := task.next_trial(rater.plan, answers)) is not None:
            shown = store.show(rater, number)
            answers[number] = opinions.answer(rater.id, shown.trial)
            response = {"answer": answers[number], "heard": [2.0] * 9, "plays": [1] * 9}
            store.add_response(rater, shown, {**response, "switches": 3, "dwell_ms": 5000})
        people.append(rater)
    return people
