"""What is wrong with a filled-in form, all of it at once, in words for the person who fills it in."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eval.listening.closing import end_of
from eval.listening.recruiting.launch import unanswered
from eval.listening.study import MAX_ITEMS, MAX_KEEP_DAYS, MAX_SYSTEMS, MAX_TRIALS, StudyError
from eval.listening.tasks.registry import task_of
from ui.listening.form import EVERYTHING, Form, parse_questions

MAX_NAME_CHARS, MAX_RATERS, MAX_CHECKS, MAX_QUESTIONS = 120, 10_000, 10, 20
# Fields that have a place for their problem below them
FIELDS = ("name", "clips", "systems", "raters", "trials", "checks", "questions", "revises", "people")


_WITHOUT = {"screened_out": "are screened out", "quota_full": "find no place"}


@dataclass(frozen=True)
class Problem:
    """field: one of `FIELDS`; text: a sentence."""

    field: str
    text: str


def problems_of(
    form: Form,
    clips: int,
    systems: Sequence[str],
    units: Callable[[], int],
    has_reference: bool = True,
    clock: Callable[[], float] = time.time,
) -> list[Problem]:
    """In the order of the fields; none where a study can be made, as far as the form tells. clips: how many there are; systems:
    ids of all; units: questions about one clip, asked for where there are systems enough; has_reference: whether there are recordings; clock: s since
    1970."""
    found = [*_name(form), *_material(form, clips, systems, units), *_checks(form), *_people(form, clock())]
    if clips and not has_reference and not task_of(form.mode).is_reference_free:
        text = f"{task_of(form.mode).title}: this task needs the recordings. Choose their folder, or another task."
        found.append(Problem("clips", text))
    return sorted(found, key=lambda problem: FIELDS.index(problem.field))


def _name(form: Form) -> list[Problem]:
    name = form.name.strip()
    if not name:
        return [Problem("name", "Give the study a name, which listeners see.")]
    if len(name) > MAX_NAME_CHARS:
        return [Problem("name", f"The name has {len(name)} characters; at most {MAX_NAME_CHARS} fit.")]
    return []


def _material(form: Form, clips: int, systems: Sequence[str], units: Callable[[], int]) -> list[Problem]:
    found = []
    if not clips:
        text = "Add clips first: upload some, or folders of outputs, or put a recording into the Compare page."
        found.append(Problem("clips", text))
    if clips > MAX_ITEMS:
        found.append(Problem("clips", f"There are {clips} clips; a study has at most {MAX_ITEMS}."))
    if len(systems) > MAX_SYSTEMS:
        found.append(Problem("systems", f"There are {len(systems)} systems; a study has at most {MAX_SYSTEMS}."))
    per_clip = units() if systems else 0
    if not per_clip:
        least = "one system" if task_of(form.mode).needs == "a system" else task_of(form.mode).needs
        found.append(Problem("systems", f"Choose at least {least}."))
    everything = clips * per_clip
    asked = int(form.trials or EVERYTHING)
    if everything and not 0 <= asked <= everything:
        text = f"There are {everything} different trials: give a number up to that, or 0 for all of them."
        found.append(Problem("trials", text))
    elif everything and (asked or everything) > MAX_TRIALS:
        text = (
            f"A session of {asked or everything} trials is too long: give the trials per rater, at most {MAX_TRIALS}."
        )
        found.append(Problem("trials", text))
    return found


def _checks(form: Form) -> list[Problem]:
    found = []
    if not 1 <= int(form.raters or 0) <= MAX_RATERS:
        found.append(Problem("raters", f"Say how many raters you expect: 1 to {MAX_RATERS}."))
    if not all(0 <= int(count or 0) <= MAX_CHECKS for count in (form.repeats, form.golds, form.traps)):
        found.append(Problem("checks", f"Repeated trials and checks: 0 to {MAX_CHECKS} of each kind."))
    questions = parse_questions(form.questions)
    if len(questions) > MAX_QUESTIONS:
        found.append(
            Problem("questions", f"There are {len(questions)} questions; at most {MAX_QUESTIONS} can be asked.")
        )
    if len({question.id for question in questions}) < len(questions):
        found.append(Problem("questions", "Two questions have the same words: change one of them."))
    if form.key.strip() and not form.revises.strip():
        found.append(Problem("revises", "A key is given, but not the id of the study that it is for."))
    if form.revises.strip() and not form.key.strip():
        found.append(Problem("revises", "To revise a study takes the key that came with it."))
    return found


def _people(form: Form, now: float) -> list[Problem]:
    try:
        terms = form.recruiting()
    except StudyError as error:
        return [Problem("people", str(error))]
    if terms and (lacking := unanswered(terms)):
        wanted = " and ".join(_WITHOUT[outcome] for outcome in lacking)
        return [
            Problem(
                "people", f"Give {terms.site.title}'s code for participants who {wanted}: they are sent back with it."
            )
        ]
    if int(form.keep_days or 0) > MAX_KEEP_DAYS:
        return [Problem("people", f"Answers can be kept for at most {MAX_KEEP_DAYS} days, or without a limit (0).")]
    return _end(form.closes, now)


def _end(closes: str, now: float) -> list[Problem]:
    try:
        ends = end_of(closes)
    except ValueError:
        text = f"When the study closes: “{closes.strip()}” is no date. Write it as 2026-12-31, or as 2026-12-31 18:00, in UTC."
        return [Problem("people", text)]
    return [Problem("people", "The date on which the study closes is over already.")] if ends and ends <= now else []
