"""Studies made of a stored one without rendering anything: more raters for it, or the same again. Their owner closes
them: the date on which an earlier one ends may be over."""

from __future__ import annotations

from dataclasses import replace

from eval.listening.storage.records import StoredStudy
from eval.listening.storage.store import Store
from eval.listening.study import StudyError

MAX_NAME_CHARS = 120
_COPY = "Copy of "


def with_more_raters(store: Store, public_id: str, raters: int, key: str | None = None) -> tuple[str, str]:
    """(public id, key) of a new revision with the same sounds, planned for so many raters; the earlier one is closed. Their answers
    are kept apart.

    key: that of the earlier one, to open both; None: a new one. Errors: `StudyError`, `StoreError`; KeyError for an unknown study.
    """
    stored = require_started(store, public_id)
    study = replace(stored.study, raters=raters, closes="")
    made = store.add_study(study, stored.stimuli, {}, stored.versions, public_id, key)
    store.set_closed(public_id, True)
    return made


def duplicated(store: Store, public_id: str) -> tuple[str, str]:
    """(public id, key) of a study of its own with the same sounds and settings. Errors: `StoreError`; KeyError for an unknown study."""
    stored = store.study(public_id)
    study = replace(stored.study, name=f"{_COPY}{stored.study.name}"[:MAX_NAME_CHARS], closes="")
    return store.add_study(study, stored.stimuli, {}, stored.versions)


def require_started(store: Store, public_id: str) -> StoredStudy:
    """The study. Errors: `StudyError` while nobody has started: then a revision would replace it, and its answers need no keeping
    apart; KeyError for an unknown one."""
    stored = store.study(public_id)
    (line,) = store.overview([public_id])
    if not line.raters:
        raise StudyError("Nobody has started yet, so there is nothing to extend: its link serves more raters as well.")
    return stored
