"""When a study accepts nobody any more: at the end that its description states, and whenever its owner says so."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

CLOSED, REOPENED = "closed", "reopened"  # kinds of events of a study; the last one counts


def end_of(text: str) -> float | None:
    """Seconds since 1970 of "2026-12-31" (its end) or "2026-12-31 18:00", in UTC unless the text names an offset; None for "".

    Errors: ValueError for anything else.
    """
    if not (given := text.strip()):
        return None
    try:
        moment = _end_of_day(given) or datetime.fromisoformat(given)
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{given!r} is neither a date, as 2026-12-31, nor a time, as 2026-12-31 18:00") from error


def _end_of_day(text: str) -> datetime | None:
    """None for a text that is no date alone."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime.combine(day, time()) + timedelta(days=1)


def is_closed(last: tuple[str, float] | None, ends: float | None, now: float) -> bool:
    """last: (kind, time) of the last event of `CLOSED` and `REOPENED`, None without one; ends: by the study's description, None for no
    end; all times in seconds since 1970. A study that was opened again after its end stays open."""
    kind, when = last or (REOPENED, 0.0)
    return kind == CLOSED or (ends is not None and when < ends <= now)
