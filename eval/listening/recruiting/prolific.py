"""Prolific: ids in the address, and one completion code for each outcome.

The parameters and the address of completion are those of docs.prolific.com, "The study object".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from eval.listening.recruiting.addresses import check_code
from eval.listening.recruiting.platform import OUTCOMES, Outcome, Platform, Visit, WayBack

if TYPE_CHECKING:
    from eval.listening.recruiting.terms import Recruiting

COMPLETE = "https://app.prolific.com/submissions/complete?cc="


class Prolific(Platform):
    """Codes may be given with their address, as Prolific shows them."""

    id = "prolific"
    title = "Prolific"
    about = (
        "Prolific shows the study's completion codes where you set it up, under completion paths: enter one for each outcome here, and "
        "the link that you get here as the study's address there. Participants bring PROLIFIC_PID, and return with the code."
    )

    def check(self, terms: Recruiting) -> None:
        if not terms.completed:
            raise ValueError("completed: Prolific needs the study's completion code")
        for outcome in OUTCOMES:
            if code := _code(getattr(terms, outcome)):
                check_code(outcome, code)

    def parameters(self, terms: Recruiting) -> Mapping[str, str]:
        return {"participant": "PROLIFIC_PID", "study": "STUDY_ID", "session": "SESSION_ID"}

    def way_back(self, terms: Recruiting, outcome: Outcome, visit: Visit | None, code: str) -> WayBack:
        wanted = _code(getattr(terms, outcome))
        return WayBack(wanted, COMPLETE + wanted) if wanted else WayBack()

    def entry(self, terms: Recruiting) -> str:
        return "".join(f"&{name}={{{{%{name}%}}}}" for name in self.parameters(terms).values())


def _code(given: str) -> str:
    return given.strip().removeprefix(COMPLETE)
