"""The addresses of shared comparisons: /c/TOKEN, and /c/TOKEN/delete for who made it."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, HTMLResponse

from common.templates import render
from server.middleware.security_headers import framing
from server.shared.links import SharedLinks

GONE = "There is no comparison here: the link is wrong, its time is over, or it was deleted."
# The file has a stricter policy of its own. In a sandbox it has no part in this server's origin either.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'unsafe-inline'",
        "style-src 'unsafe-inline'",
        "img-src blob:",
        "connect-src blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "sandbox allow-scripts allow-downloads",
    )
)
_PRIVATE = {"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "private, no-cache"}


def shared_routes(links: SharedLinks) -> APIRouter:
    """Opens and deletes what `links` holds."""
    router = APIRouter(prefix="/c", include_in_schema=False)

    @router.api_route("/{token}", methods=["GET", "HEAD"])
    def comparison(token: str) -> FileResponse:
        path = links.find(token)
        if path is None:
            raise HTTPException(404, GONE, _PRIVATE)
        policy = f"{_POLICY}; frame-ancestors {framing()}"
        headers = {**_PRIVATE, "Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
        return FileResponse(path, media_type="text/html", headers=headers)

    @router.get("/{token}/delete")
    def ask(token: str) -> HTMLResponse:
        """A page with a button: an address alone, which programs open that check links, deletes nothing."""
        return _page("ask", 404 if links.find(token) is None else 200)

    @router.post("/{token}/delete")
    def delete(token: str, key: str = "") -> HTMLResponse:
        return _page("deleted") if links.remove(token, key) else _page("refused", 403)

    return router


def _page(outcome: str, status: int = 200) -> HTMLResponse:
    shown = "gone" if status == 404 else outcome
    return HTMLResponse(render("server/shared/templates/delete.html", outcome=shown, gone=GONE), status, _PRIVATE)
