"""Whether there is a place: counting of those who hold one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.listening.recruiting.terms import Quotas


@dataclass(frozen=True)
class Holder:
    """attributes: {id of a question: choice}; active: time of taking the place, or of the last answer since, s."""

    rater: str
    attributes: Mapping[str, str]
    active: float
    completed: bool


def is_held(holder: Holder, now: float, free_after: float) -> bool:
    """Whether nobody else may take the place. free_after: s without an answer, after which an unfinished session gives it up."""
    return holder.completed or now - holder.active < free_after


def has_place(quotas: Quotas, holders: Sequence[Holder], attributes: Mapping[str, str]) -> bool:
    """Whether one more with these attributes fits. holders: all others who hold a place."""
    if quotas.total is not None and len(holders) >= quotas.total:
        return False
    return all(_fits(quotas, holders, question, choice) for question, choice in attributes.items())


def _fits(quotas: Quotas, holders: Sequence[Holder], question: str, choice: str) -> bool:
    places = quotas.attributes.get(question, {}).get(choice)
    return places is None or sum(holder.attributes.get(question) == choice for holder in holders) < places
