"""The pay of a session beside the time that it takes, for the owner to see before anybody is asked."""

from __future__ import annotations

from eval.listening.recruiting.terms import Pay


def per_hour(pay: Pay, minutes: float) -> float:
    """In the pay's currency. minutes: of a session, above 0."""
    return pay.amount * 60 / minutes


def pay_words(pay: Pay, minutes: float, raters: int) -> str:
    """One sentence for the owner. minutes: of a session; raters: expected."""
    hourly, total = per_hour(pay, minutes), pay.amount * raters
    return (
        f"{pay.amount:.2f} {pay.currency} for about {minutes:g} minutes are {hourly:.2f} {pay.currency} an hour; "
        f"{raters} raters cost {total:.2f} {pay.currency}, and what the platform charges."
    )
