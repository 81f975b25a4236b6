"""The owner's look at a study before anybody is asked: the address to give out, where participants are sent, the pay by the hour."""

from __future__ import annotations

from eval.listening.recruiting.platform import OUTCOMES, Outcome
from eval.listening.recruiting.prolific import Prolific
from eval.listening.recruiting.terms import Pay, Recruiting
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
    lacking = unanswered(terms)
    ways = [
        f"Participants {_WORDS[outcome]} are sent to {hosts[outcome]}."
        if outcome in hosts
        else f"Participants {_WORDS[outcome]} are sent nowhere, although there may be some: give the code for them."
        if outcome in lacking
        else f"Participants {_WORDS[outcome]} are sent nowhere."
        for outcome in OUTCOMES
    ]
    minutes = session_minutes(study.mode, study.length)
    return [*([pay_words(terms.pay, minutes, study.raters)] if terms.pay else []), *ways]


def unanswered(terms: Recruiting) -> list[Outcome]:
    """Outcomes that may happen, and for which a platform of codes has none: its participants would not be paid, and block a place."""
    if terms.platform != Prolific.id:
        return []
    may = {
        "screened_out": terms.headphones or bool(terms.exclude.participants or terms.exclude.studies),
        "quota_full": terms.quotas.is_limited,
    }
    return [outcome for outcome in OUTCOMES if may.get(outcome) and not getattr(terms, outcome)]


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
