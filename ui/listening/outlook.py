"""What the form says about the study that its fields describe: what its task asks, how precise it gets, how long it takes, what it costs."""

from __future__ import annotations

from eval.listening.analysis.power import plan, twice_as_precise
from eval.listening.recruiting.launch import pay_words
from eval.listening.recruiting.terms import Pay
from eval.listening.study import session_minutes
from eval.listening.tasks.material import Material
from eval.listening.tasks.registry import task_of
from ui.folders.layout import GivenFolders
from ui.listening.form import count_clips
from ui.markup import fill, notice


def task_html(mode: str) -> str:
    """What listeners are asked, in a sentence, and what a study of it needs."""
    task = task_of(mode)
    without = "" if task.is_reference_free else ", and the recordings"
    return notice(f"{task.about} Needs {task.needs}{without}.")


def outlook_with_folders(
    given: GivenFolders | None,
    reference: str | None,
    pay: float | None,
    currency: str | None,
    mode: str,
    files: list[str] | None,
    with_compared: bool,
    recording: str | None,
    systems: list[str],
    *numbers: float,
) -> str:
    """As `outlook_of`; the clips and systems of folders take the place of the clips, and stand before the systems."""
    clips, made_elsewhere = count_clips(given, reference)
    files, with_compared = ([""] * clips, False) if clips else (files, with_compared)
    try:
        paid = Pay(float(pay), (currency or "").strip().upper()) if pay else None
    except ValueError:  # a currency that is not written out yet
        paid = None
    is_recorded = not clips or bool(reference)
    every = [*made_elsewhere, *systems]
    return outlook_of(mode, files, with_compared, recording, every, *numbers, pay=paid, has_reference=is_recorded)


def sizes_of(
    given: GivenFolders | None,
    reference: str | None,
    files: list[str] | None,
    with_compared: bool,
    recording: str | None,
    systems: list[str],
) -> tuple[int, int]:
    """Numbers of clips and of systems in the form."""
    clips, made_elsewhere = count_clips(given, reference)
    return clips or len(files or []) + bool(with_compared and recording), len(made_elsewhere) + len(systems)


def outlook_of(
    mode: str,
    files: list[str] | None,
    with_compared: bool,
    recording: str | None,
    systems: list[str],
    raters: float,
    trials: float,
    *checks: float,
    pay: Pay | None = None,
    has_reference: bool = True,
) -> str:
    """The planner's sentences, as HTML, for the present values of the form. pay: of a session, which is shown by the hour;
    has_reference: whether there are recordings."""
    items = len(files or []) + bool(with_compared and recording)
    per_item = len(task_of(mode).units(Material(systems, reference=has_reference)))
    if not items or not systems or not per_item or not raters or raters < 1:
        return fill("listening/templates/outlook.html", found=None, needed=task_of(mode).needs)
    asked = min(int(trials or 0) or items * per_item, items * per_item)
    heard = max(1, round(items * asked / (items * per_item)))
    found = plan(mode, int(raters), heard)
    asked *= task_of(mode).rounds(items)
    extra = int(sum(filter(None, checks)))
    minutes = session_minutes(mode, asked + extra)
    return fill(
        "listening/templates/outlook.html",
        found=found,
        asked=asked,
        extra=extra,
        minutes=minutes,
        more=twice_as_precise(found),
        pay=pay_words(pay, minutes, int(raters)) if pay else "",
    )
