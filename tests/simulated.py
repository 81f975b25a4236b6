"""Raters with known opinions, whose answers are written as the server would write them."""

from __future__ import annotations

import numpy as np

from eval.listening.analysis.votes import ANCHOR, REFERENCE
from eval.listening.storage.records import Rater
from eval.listening.storage.store import Store
from eval.listening.trial import BEEPS, DEGRADED, Trial


def simulate(store: Store, public_id: str, raters: int, quality: dict[str, float], seed: int = 0) -> list[Rater]:
    """quality: {system: 0 to 1}. Everybody finishes; nobody fails a check."""
    rng = np.random.default_rng(seed)
    known = {REFERENCE: 0.97, ANCHOR: 0.2, DEGRADED: 0.0, **quality}
    people = []
    for _ in range(raters):
        rater = store.add_rater(public_id, "en", {"width": 1280})
        for kind in ("volume", "headphones", "instructions"):
            store.add_event(rater, kind, {"passed": True})
        mode = store.study(public_id).study.mode
        bias = rng.normal(0, 0.06)
        for number, trial in enumerate(rater.plan):
            shown = store.show(rater, number)
            response = {"answer": _answer(mode, trial, known, bias, rng), "heard": [2.0] * 9, "plays": [1] * 9}
            store.add_response(rater, shown, {**response, "switches": 3, "dwell_ms": 5000})
        people.append(rater)
    return people


def _answer(mode: str, trial: Trial, known: dict[str, float], bias: float, rng: np.random.Generator) -> object:
    felt = [known.get(condition, 0.5) + bias + rng.normal(0, 0.12) for condition in trial.shown]
    beeping = [condition in BEEPS for condition in trial.shown]
    if mode == "acr":
        return BEEPS.index(trial.shown[0]) + 1 if beeping[0] else int(np.clip(round(1 + 4 * felt[0]), 1, 5))
    if mode == "mushra":
        if any(beeping):
            return [0 if beeps else 100 for beeps in beeping]
        return [100 if c == REFERENCE else int(np.clip(100 * f, 0, 99)) for c, f in zip(trial.shown, felt)]
    if mode == "abx":
        gap = abs(np.subtract(*(known.get(condition, 0.5) for condition in trial.shown)))
        right = any(beeping) or rng.random() < 0.5 + 0.5 * min(1, 1.5 * gap)
        return "ab"[trial.x if right else 1 - trial.x]
    if any(beeping):
        return "ab"[beeping.index(True)]
    return "same" if abs(felt[0] - felt[1]) < 0.05 else "ab"[int(felt[1] > felt[0])]
