"""HTML of the desk: the list of studies, and the progress of one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timezone

from markupsafe import Markup

from eval.listening.desk.peeking import peeking_warning
from eval.listening.desk.progress import Progress
from eval.listening.recruiting.launch import entry_address, launch_notes
from eval.listening.storage.owning import StudyLine
from eval.listening.storage.records import StoredStudy
from ui.listening.desk.drawings import funnel_drawing, hourly_drawing
from ui.markup import fill


def studies_panel(studies: Sequence[StudyLine]) -> Markup:
    """A table, a row per study."""
    times = {study.public_id: utc(study.last_answer) for study in studies}
    return fill("listening/desk/templates/studies.html", studies=studies, times=times)


def progress_panel(stored: StoredStudy, found: Progress, preview: str, rehearsal: str) -> Markup:
    """Counts, times and two charts; no result. preview, rehearsal: addresses of every trial, and of a whole session, unstored."""
    return fill(
        "listening/desk/templates/progress.html",
        study=stored.study,
        public_id=stored.public_id,
        address=entry_address(stored.public_id, stored.study),
        notes=launch_notes(stored.study),
        alarms=[alarm.text for alarm in stored.alarms if alarm.excludes is None],
        preview=preview,
        rehearsal=rehearsal,
        revision=stored.revision,
        state=state_of(stored),
        found=found,
        last=utc(found.last_answer),
        expected_seconds=stored.study.task.seconds_per_trial,
        hourly=hourly_drawing(found.hourly),
        funnel=funnel_drawing(found.reached),
        warning=peeking_warning(),
    )


def state_of(study: StoredStudy | StudyLine) -> str:
    """Whether anybody can start, and until when."""
    if study.closed:
        return "Closed: nobody new can start; who has begun may finish."
    until = study.ends if study.ends and study.ends > time.time() else None
    return "Open: whoever has the link can start." + (f" It closes on {utc(until)} UTC." if until else "")


def link_panel(address: str, ends: float | None, links: Sequence[float | None]) -> Markup:
    """A new link to the results. ends: of this link; links: the ends of all that are valid; s since 1970, None without an end."""
    return fill(
        "listening/desk/templates/link.html", address=address, ends=utc(ends), links=[utc(end) for end in links]
    )


def utc(seconds: float | None) -> str:
    """A time since 1970, as date and minute; empty for None."""
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M}"


def choice_of(study: StudyLine) -> tuple[str, str]:
    """(text, public id) of the study in a field that chooses among several."""
    revision = f", revision {study.revision}" if study.revision > 1 else ""
    return f"{study.name}{revision} ({study.public_id[:4]}…)", study.public_id
