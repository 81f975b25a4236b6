"""Where a session stands: the trial that is asked next, and the questions that come between trials or after them."""

from __future__ import annotations

from eval.listening.storage.records import DECIDED, Rater, StoredStudy
from eval.listening.storage.store import Store
from eval.listening.study import Question

QUESTIONNAIRE, BETWEEN = "questionnaire", "between "  # kinds of events; a number follows the second one


def next_number(store: Store, stored: StoredStudy, rater: Rater, answered: int) -> int | None:
    """Of the plan's trial that is asked next, None at the end. answered: how many are."""
    task = stored.study.task
    if task.is_sequential:
        return task.next_trial(rater.plan, store.given(rater))
    return answered if answered < len(rater.plan) else None


def following_number(stored: StoredStudy, rater: Rater, number: int) -> int | None:
    """Of the trial that is shown at once when the one with that number is answered; None where answers decide, or other questions may
    come between, and at the end."""
    study, following = stored.study, number + 1
    is_known = not study.task.is_sequential and not study.between and following < len(rater.plan)
    return following if is_known else None


def note_early_end(store: Store, rater: Rater, kinds: set[str], answered: int) -> None:
    """Stores that a session ended before its plan did. kinds: of events so far."""
    if answered < len(rater.plan) and DECIDED not in kinds:
        store.add_event(rater, DECIDED, {"answered": answered, "planned": len(rater.plan)})


def questions_now(
    stored: StoredStudy, rater: Rater, kinds: set[str], answered: int, number: int | None
) -> tuple[str, tuple[Question, ...]]:
    """(kind of their event, the questions that are asked now): those between trials, or at the end, which have no answer yet. number:
    of `next_number`."""
    study = stored.study
    if not rater.plan:  # not admitted yet
        return QUESTIONNAIRE, ()
    if number is None:
        return QUESTIONNAIRE, () if QUESTIONNAIRE in kinds else study.closing
    trials = answered - sum(trial.kind == "training" for trial in rater.plan)
    due = max(trials, 0) // study.between_every if study.between_every else 0
    kind = f"{BETWEEN}{due}"
    return kind, study.between if due and kind not in kinds else ()
