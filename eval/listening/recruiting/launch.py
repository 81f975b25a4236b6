"""The owner's look at a study before anybody is asked: the address to give out, where participants are sent, the pay by the hour."""

from __future__ import annotations

from eval.listening.recruiting.platform import OUTCOMES
from eval.listening.recruiting.terms import Pay
from eval.listening.study import Study, session_minutes

_WORDS = {"completed": "who have finished", "screened_out": "who are screened out", "quota_full": "who find no place"}


def entry_address(public_id: str, study: Study) -> str:
    """The end of the address, behind that of the app, as the platform takes it: with placeholders for its ids."""
    terms = study.recruiting
    return f"rate/?study={public_id}" + (terms.site.entry(terms) if terms else "")


def launch_notes(study: Study) -> list[str]:
    """One sentence each: the pay, and where participants are sent. None for a study without recruiting."""
    if (terms := study.recruiting) is None:
        return []
    hosts = terms.hosts()
    ways = [
        f"Participants {_WORDS[outcome]} {f'are sent to {hosts[outcome]}' if outcome in hosts else 'are sent nowhere'}."
        for outcome in OUTCOMES
    ]
    minutes = session_minutes(study.mode, study.length)
    return [*([pay_words(terms.pay, minutes, study.raters)] if terms.pay else []), *ways]


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
