"""The design of a session: the trials and their order, seeded, and balanced over raters.

Every rater has a design row, 0, 1, 2, ... in order of arrival; the row and the study's seed give the whole session. Order
effects are balanced by Williams' Latin squares (Williams 1949): over the rows of one square every condition stands at every
place equally often, and follows every other one equally often.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eval.listening.analysis.votes import REFERENCE
from eval.listening.study import BEEPS, GOLD, Study

MIN_REPEAT_GAP_TRIALS = 3  # between a question and its repeat, in sessions long enough


@dataclass(frozen=True)
class Trial:
    """`shown` are conditions in the order of their slots; `x`, of an ABX trial, says which of the two X is."""

    kind: str  # training, trial, repeat, gold, trap
    item: str
    shown: tuple[str, ...]
    x: int | None = None

    @property
    def counted(self) -> bool:
        """Whether its answers are votes."""
        return self.kind == "trial"


def williams(n: int) -> np.ndarray:
    """(rows, n) of 0 to n - 1: n rows for an even n, 2 n for an odd one, which is balanced only with its mirror image."""
    first = [0]
    for step in range(1, n):
        first.append((first[-1] + (step if step % 2 else -step)) % n)
    square = (np.asarray(first) + np.arange(n)[:, None]) % n
    return square if n % 2 == 0 else np.concatenate([square, square[:, ::-1]])


def plan_session(study: Study, row: int) -> tuple[Trial, ...]:
    """Training, then trials with repeats and checks among them, of the rater with that design row."""
    rng = np.random.default_rng([study.seed, row])
    asked = _apart(_asked(study, row, rng))
    for check in (*_checks(study, rng), *_repeats(study, asked, rng)):
        _insert(asked, check, rng)
    return (*_training(study), *asked)


def _asked(study: Study, row: int, rng: np.random.Generator) -> list[Trial]:
    """The rater's share of the questions, in the order of the design."""
    study_rng = np.random.default_rng([study.seed])  # the same for all rows: what the squares' symbols stand for
    if study.mode == "mushra":
        everything = [(item, 0) for item in range(len(study.items))]
        per_item = 1
    else:
        per_item = len(study.conditions) if study.mode == "acr" else len(study.compared)
        everything = [(item, unit) for item in range(len(study.items)) for unit in range(per_item)]
    order = study_rng.permutation(len(everything))
    wanted = study.trials or len(everything)
    mine = {everything[order[(row * wanted + k) % len(everything)]] for k in range(wanted)}
    square = williams(per_item)
    symbols = study_rng.permutation(per_item)
    trials = []
    for place in range(per_item):  # in each round every item comes once, so that one item's trials lie apart
        for item in rng.permutation(len(study.items)):
            unit = int(symbols[square[(row + item) % len(square)][place]])
            if (item, unit) in mine:
                trials.append(_trial(study, row, int(item), unit))
    return trials


def _trial(study: Study, row: int, item: int, unit: int) -> Trial:
    name = study.items[item]
    if study.mode == "acr":
        return Trial("trial", name, (study.conditions[unit],))
    if study.mode == "mushra":
        return Trial("trial", name, _slots(study, study.conditions, row + item))
    swapped, x = _sides(study, row, item, unit)
    first, second = study.compared[unit]
    return Trial("trial", name, (second, first) if swapped else (first, second), x if study.mode == "abx" else None)


def _slots(study: Study, conditions: tuple[str, ...], row: int) -> tuple[str, ...]:
    square = williams(len(conditions))
    symbols = np.random.default_rng([study.seed, len(conditions)]).permutation(len(conditions))
    return tuple(conditions[symbols[place]] for place in square[row % len(square)])


def _sides(study: Study, row: int, item: int, unit: int) -> tuple[bool, int]:
    """Whether a pair is turned round, and which of the two X is: drawn anew for every four raters, among whom every question
    comes in all four forms once (in both sides among every two)."""
    swap, x = np.random.default_rng([study.seed, row // 4, item, unit]).integers(2, size=2)
    turn = ((0, 0), (1, 1), (0, 1), (1, 0))[row % 4]
    return bool(swap ^ turn[0]), int(x ^ turn[1])


def _apart(trials: list[Trial]) -> list[Trial]:
    """The same order, with trials of the same item moved apart where they touch and it is possible."""
    waiting, out = list(trials), []
    while waiting:
        last = out[-1].item if out else None
        left = {trial.item: sum(other.item == trial.item for other in waiting) for trial in waiting}
        most = max(left, key=left.get)
        # An item that fills every second place from here on must come now, or its trials will meet at the end.
        pressed = left[most] > len(waiting) // 2 and most != last
        chosen = next((i for i, t in enumerate(waiting) if (t.item == most if pressed else t.item != last)), 0)
        out.append(waiting.pop(chosen))
    return out


def check_item(study: Study) -> str:
    """The clip that checks and training use."""
    return study.items[0]


def _checks(study: Study, rng: np.random.Generator) -> list[Trial]:
    item, checks = check_item(study), []
    for _ in range(study.golds):
        shown = (GOLD,) if study.mode == "acr" else (REFERENCE, GOLD)
        checks.append(_shuffled(study, "gold", item, shown, rng))
    for _ in range(study.traps):
        one, other = (BEEPS[i] for i in rng.choice(len(BEEPS), 2, replace=False))
        shown = {"acr": (one,), "abx": (one, other)}.get(study.mode, (one, REFERENCE))
        checks.append(_shuffled(study, "trap", item, shown, rng))
    return checks


def _shuffled(study: Study, kind: str, item: str, shown: tuple[str, ...], rng: np.random.Generator) -> Trial:
    order = rng.permutation(len(shown))
    x = int(rng.integers(2)) if study.mode == "abx" else None
    return Trial(kind, item, tuple(shown[i] for i in order), x)


def _repeats(study: Study, asked: list[Trial], rng: np.random.Generator) -> list[Trial]:
    counted = [trial for trial in asked if trial.counted]
    counted = counted[
        : max(study.repeats, len(counted) - 2 * MIN_REPEAT_GAP_TRIALS)
    ]  # of the last ones a repeat would come too soon
    chosen = rng.choice(len(counted), min(study.repeats, len(counted)), replace=False)
    return [replace(counted[i], kind="repeat") for i in sorted(chosen)]


def _insert(trials: list[Trial], extra: Trial, rng: np.random.Generator) -> None:
    """At a random place: not the first one, away from trials of the same item, and a repeat well behind its question."""
    earliest = 1
    if extra.kind == "repeat":
        source = trials.index(replace(extra, kind="trial"))
        earliest = min(source + 1 + MIN_REPEAT_GAP_TRIALS, len(trials))
    places = range(earliest, len(trials) + 1)
    free = [p for p in places if extra.item not in {trial.item for trial in trials[max(0, p - 1) : p + 1]}]
    trials.insert(int(rng.choice(free or list(places))), extra)


def _training(study: Study) -> list[Trial]:
    """Good and bad takes, so that the whole scale is known before it counts; the same for everybody."""
    item = check_item(study)
    if study.mode == "acr":
        return [Trial("training", item, (condition,)) for condition in (REFERENCE, GOLD)]
    if study.mode == "mushra":
        return [Trial("training", item, _slots(study, study.conditions, 0))]
    return [Trial("training", item, (GOLD, REFERENCE), 1 if study.mode == "abx" else None)]


def passes(study: Study, trial: Trial, answer: object) -> bool | None:
    """Whether the answer to a check is the right one; None for what is no check. `answer` has passed `check_answer`."""
    if trial.kind not in ("gold", "trap"):
        return None
    if study.mode == "abx":
        return answer == "ab"[trial.x]
    if study.mode == "acr":
        return answer <= 2 if trial.kind == "gold" else answer == BEEPS.index(trial.shown[0]) + 1
    target = next(slot for slot, condition in enumerate(trial.shown) if condition != REFERENCE)
    if study.mode == "ab":
        wanted = target if trial.kind == "trap" else 1 - target
        return answer == "ab"[wanted]
    bad, good = answer[target], answer[1 - target]
    return bad < good if trial.kind == "gold" else bad <= 5 and good >= 95


def check_answer(study: Study, trial: Trial, answer: object) -> None:
    """Errors: ValueError for what is no answer to that trial."""

    def whole(value: object, low: int, high: int) -> bool:
        return type(value) is int and low <= value <= high

    allowed = {
        "acr": ("a whole number from 1 to 5", whole(answer, 1, 5)),
        "mushra": (
            f"{len(trial.shown)} whole numbers from 0 to 100",
            isinstance(answer, list) and len(answer) == len(trial.shown) and all(whole(v, 0, 100) for v in answer),
        ),
        "ab": ("a, b or same", answer in ("a", "b", "same")),
        "abx": ("a or b", answer in ("a", "b")),
    }
    words, fits = allowed[study.mode]
    if not fits:
        raise ValueError(f"the answer is {words}")
