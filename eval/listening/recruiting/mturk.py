"""Amazon Mechanical Turk: an external question shows the page in a frame, and gets a form when the work is done.

The parameters and the form are those of the MTurk developer guide, "ExternalQuestion".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from eval.listening.recruiting.addresses import check_code
from eval.listening.recruiting.platform import OUTCOMES, Outcome, Platform, Visit, WayBack

if TYPE_CHECKING:
    from eval.listening.recruiting.terms import Recruiting

NOT_ACCEPTED = "ASSIGNMENT_ID_NOT_AVAILABLE"  # the assignment's id while a worker only looks at the task
LIVE, SANDBOX = "https://www.mturk.com", "https://workersandbox.mturk.com"
SUBMIT = "/mturk/externalSubmit"


class MTurk(Platform):
    """The form has the session's code and the outcome; a code of the study's own takes the place of the former."""

    id = "mturk"
    title = "Mechanical Turk"
    about = "Workers see the study in a frame of an ExternalQuestion, and submit the assignment from its last page."
    form_targets = (LIVE, SANDBOX)
    framed_by = ("https://worker.mturk.com", LIVE, SANDBOX)

    def check(self, terms: Recruiting) -> None:
        for outcome in OUTCOMES:
            if code := getattr(terms, outcome):
                check_code(outcome, code)

    def parameters(self, terms: Recruiting) -> Mapping[str, str]:
        return {"participant": "workerId", "study": "hitId", "session": "assignmentId", "server": "turkSubmitTo"}

    def is_preview(self, address: Mapping[str, str]) -> bool:
        return address.get("assignmentId") == NOT_ACCEPTED

    def visit(self, terms: Recruiting, address: Mapping[str, str]) -> Visit | None:
        """Errors: ValueError, also for a server that is not MTurk's: it would get the form."""
        found = super().visit(terms, address)
        if found and found.server.rstrip("/") not in ("", LIVE, SANDBOX):
            raise ValueError(f"turkSubmitTo: allowed are {LIVE} and {SANDBOX}")
        return found

    def way_back(self, terms: Recruiting, outcome: Outcome, visit: Visit | None, code: str) -> WayBack:
        shown = getattr(terms, outcome) or code
        if visit is None or not visit.session:
            return WayBack(shown)
        server = visit.server.rstrip("/") or LIVE
        return WayBack(
            shown, server + SUBMIT, {"assignmentId": visit.session, "outcome": outcome, "completion_code": shown}
        )
