"""Answers of several revisions of a study as those of one, where that means something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from eval.listening.storage.records import StoredStudy
from eval.listening.storage.store import Store
from eval.listening.study import MAX_ITEMS, StudyError


@dataclass(frozen=True)
class Pooled:
    """Input of `eval.listening.analysis.results.analyse`. rows, raters: of all revisions, in their order."""

    stored: StoredStudy
    rows: list[dict]
    raters: list[dict]


def pool(store: Store, revisions: Sequence[StoredStudy]) -> Pooled:
    """Everything of one revision or more, oldest first. Errors: `StudyError` with every reason against it."""
    if reasons := reasons_against(revisions):
        raise StudyError(" ".join(reasons))
    newest = revisions[-1]
    items = tuple(dict.fromkeys(item for stored in revisions for item in stored.study.items))
    sounds = {(s.item, s.condition): s for stored in revisions for s in stored.stimuli}
    study = newest.study
    if len(revisions) > 1:  # more clips than a session has trials for: that of the newest revision stays the plan
        study = replace(study, items=items, trials=study.trials or study.units)
    return Pooled(
        replace(newest, study=study, stimuli=tuple(sounds.values())),
        [row for stored in revisions for row in store.answers(stored.public_id)],
        [row for stored in revisions for row in store.raters(stored.public_id)],
    )


def reasons_against(revisions: Sequence[StoredStudy]) -> list[str]:
    """Sentences; none where the answers are to the same questions on the same scale. Listeners and clips may differ."""
    found: dict[str, None] = {}
    for earlier, later in combinations(revisions, 2):
        found |= dict.fromkeys(_differences(earlier, later))
    items = {item for stored in revisions for item in stored.study.items}
    if len(items) > MAX_ITEMS:
        found[f"Together they have {len(items)} clips; at most {MAX_ITEMS} are analysed."] = None
    return list(found)


def _differences(earlier: StoredStudy, later: StoredStudy) -> Iterator[str]:
    one, other = earlier.study, later.study
    names = f"Revisions {earlier.revision} and {later.revision}"
    if one.mode != other.mode:
        yield f"{names} ask different questions ({one.mode}, {other.mode}): their answers are on different scales."
        return
    if set(one.systems) != set(other.systems) or one.reference != other.reference:
        yield f"{names} have different systems: a score depends on what it is heard beside."
    elif set(map(frozenset, one.pairs)) != set(map(frozenset, other.pairs)):
        yield f"{names} compare different pairs."
    for system in one.systems:
        made = [stored.versions.get(f"system {system}") for stored in (earlier, later)]
        if system in other.systems and None not in made and made[0] != made[1]:
            yield f"{names} have systems of the name {system} that were made differently."
    sounds = [{(s.item, s.condition): s.sha256 for s in stored.stimuli} for stored in (earlier, later)]
    both = sounds[0].keys() & sounds[1].keys()
    if items := sorted({item for item, condition in both if sounds[0][item, condition] != sounds[1][item, condition]}):
        yield f"{names} have other sounds under the name {', '.join(items)}: rename the clip."
