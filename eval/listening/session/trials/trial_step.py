"""What the page is told of a trial: its sounds under letters and addresses, and nothing about what they are."""

from __future__ import annotations

from collections.abc import Callable

from eval.listening.analysis.votes import LETTERS
from eval.listening.storage.records import Rater, ShownTrial, StoredStudy

PAGE_OPTIONS = ("comments", "restart_on_switch", "lock_sliders")  # fields of a study that its trials are shown with


def slots_of(stored: StoredStudy, shown: ShownTrial) -> list[tuple[str, str]]:
    """(role, condition) of every slot of the trial."""
    return stored.study.task.slots(shown.trial)


def seconds_of(stored: StoredStudy, shown: ShownTrial) -> float:
    """Length of the trial's stimuli."""
    return stored.stimulus(shown.trial.item, shown.trial.shown[0]).seconds


def trial_step(
    stored: StoredStudy,
    rater: Rater,
    shown: ShownTrial,
    answered: int,
    needed: float,
    url: Callable[[str, str, int], str],
) -> dict:
    """answered: trials so far, practice among them; needed: seconds of each sound, before an answer is taken. url: of ("slot", nonce, number of the slot)."""
    training = sum(trial.kind == "training" for trial in rater.plan)
    is_training, seconds = shown.trial.kind == "training", seconds_of(stored, shown)
    letters, slots = iter(LETTERS), slots_of(stored, shown)
    rates = [stored.stimulus(shown.trial.item, condition).sample_rate for _, condition in slots]
    return {
        "step": "trial",
        "mode": stored.study.mode,
        "training": is_training,
        "attention": stored.study.traps > 0,
        "nonce": shown.nonce,
        "number": answered + 1 if is_training else answered + 1 - training,
        "of": training if is_training else len(rater.plan) - training,
        "seconds": seconds,
        "sample_rate": max(rates),  # of the page's audio; files at lower ones are resampled there
        "need": needed,
        "slots": [
            {"role": role, "label": next(letters) if role == "take" else "", "url": url("slot", shown.nonce, number)}
            for number, (role, _) in enumerate(slots)
        ],
        **{name: True for name in PAGE_OPTIONS if getattr(stored.study, name)},
    }
