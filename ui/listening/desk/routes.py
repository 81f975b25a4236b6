"""/study/TOKEN: the results of a study for those who were sent the link, without ids of raters, until its time is over or its owner
revokes it."""

from __future__ import annotations

import logging

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from eval.listening.storage.database import StoreError
from eval.listening.storage.results_links import ExpiredLink
from server.middleware.security_headers import framing
from ui.listening.desk.panels import utc
from ui.listening.desk.results import LinkedReports

GONE = "There are no results here: the link is wrong, or it was revoked. Ask whoever sent it for a new one."
EXPIRED = (
    "This link to the results of a listening test expired on {} UTC. Ask whoever sent it for a new one; the owner of the test makes it "
    "under Blind tests, Studies and results, Send the results."
)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; sandbox"  # no script runs
)
_PRIVATE = {"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"}
_log = logging.getLogger(__name__)


def results_routes(reports: LinkedReports) -> APIRouter:
    """The addresses of linked reports."""
    router = APIRouter(prefix="/study", include_in_schema=False)

    @router.api_route("/{token}", methods=["GET", "HEAD"])
    def results(token: str) -> HTMLResponse:
        try:
            report = reports.find(token)
        except ExpiredLink as expired:
            raise HTTPException(410, EXPIRED.format(utc(expired.ended)), _PRIVATE) from expired
        except (StoreError, KeyError) as error:
            _log.error("a linked report: %s", type(error).__name__)
            raise HTTPException(503, "The results cannot be read just now; try again.", _PRIVATE) from error
        if report is None:
            raise HTTPException(404, GONE, _PRIVATE)
        policy = f"{_POLICY}; frame-ancestors {framing()}"
        return HTMLResponse(report, headers={**_PRIVATE, "Content-Security-Policy": policy})

    return router
