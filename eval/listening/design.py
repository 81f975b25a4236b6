"""The design of a session: the trials and their order, seeded, and balanced over raters.

Every rater has a design row, 0, 1, 2, ... in order of arrival; the row and the study's seed give the whole session, in orders
of `orders.py`. The task defines what a trial plays and which answers pass a check.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eval.listening.orders import williams
from eval.listening.study import Study
from eval.listening.trial import BEEPS, Trial

ROWS_PER_ROUND = (
    10_000  # later rounds through all questions follow the design of rows that no rater has; a multiple of four
)
MIN_REPEAT_GAP_TRIALS = 3  # between a question and its repeat, in sessions long enough


def plan_session(study: Study, row: int) -> tuple[Trial, ...]:
    """Training, then trials with repeats and checks among them, of the rater with that design row."""
    rng = np.random.default_rng([study.seed, row])
    rounds = range(study.task.rounds(len(study.items)))
    asked = _apart([trial for number in rounds for trial in _asked(study, row + number * ROWS_PER_ROUND, rng)])
    for check in (*_checks(study, rng), *_repeats(study, asked, rng)):
        _insert(asked, check, rng)
    return (*study.task.training(study), *asked)


def _asked(study: Study, row: int, rng: np.random.Generator) -> list[Trial]:
    """The rater's share of the questions, in the order of the design."""
    study_rng = np.random.default_rng([study.seed])  # the same for all rows: what the squares' symbols stand for
    per_item = len(study.clip_units)
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
                trials.append(study.task.trial(study, row, int(item), unit))
    return trials


def _apart(trials: list[Trial]) -> list[Trial]:
    """The same order, with trials of the same item moved apart where they touch and it is possible."""
    waiting, out = list(trials), list[Trial]()
    while waiting:
        last = out[-1].item if out else None
        left = {trial.item: sum(other.item == trial.item for other in waiting) for trial in waiting}
        most = max(left, key=left.__getitem__)
        # An item that fills every second place from here on must come now, or its trials will meet at the end.
        pressed = left[most] > len(waiting) // 2 and most != last
        chosen = next((i for i, t in enumerate(waiting) if (t.item == most if pressed else t.item != last)), 0)
        out.append(waiting.pop(chosen))
    return out


def _checks(study: Study, rng: np.random.Generator) -> list[Trial]:
    checks = [_check(study, "gold", study.task.gold, rng) for _ in range(study.golds)]
    for _ in range(study.traps):
        one, other = (BEEPS[i] for i in rng.choice(len(BEEPS), 2, replace=False))
        checks.append(_check(study, "trap", study.task.trap(one, other), rng))
    return checks


def _check(study: Study, kind: str, sounds: tuple[str, ...], rng: np.random.Generator) -> Trial:
    shown = _filled(study, sounds)
    order = rng.permutation(len(shown))
    x = int(rng.integers(2)) if study.task.has_x else None
    return Trial(kind, study.check_item, tuple(shown[i] for i in order), x)


def _filled(study: Study, sounds: tuple[str, ...]) -> tuple[str, ...]:
    """A check's sounds, and as many others that it looks like a trial: with fewer, a page would show which trials are checks.

    The first systems are those left out: in a study without recordings the first one's output is the clean example itself.
    Plans are stored with their raters, so those made before keep the fewer sounds that they were made with.
    """
    unit = study.clip_units[0]
    others = [condition for condition in unit if condition not in sounds]
    wanted = max(len(unit) - len(sounds), 0)
    return (*sounds, *others[len(others) - wanted :])


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


def passes(study: Study, trial: Trial, answer: object) -> bool | None:
    """Whether the answer to a check is the right one; None for what is no check. `answer` has passed `check_answer`."""
    return study.task.passes(trial, answer) if trial.kind in ("gold", "trap") else None


def check_answer(study: Study, trial: Trial, answer: object) -> None:
    """Errors: ValueError for what is no answer to that trial."""
    if not study.task.is_answer(trial, answer):
        raise ValueError(f"the answer is {study.task.allowed(trial)}")
