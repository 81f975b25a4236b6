"""Refusals of the app as a page for people who followed a link, and as JSON for programs."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from common.templates import render


def add_error_pages(app: FastAPI) -> None:
    """For the routes of the app itself; what is mounted into it answers for itself."""

    @app.exception_handler(HTTPException)
    async def answer(request: Request, error: HTTPException) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return await http_exception_handler(request, error)
        home = request.scope.get("root_path", "").rstrip("/") + "/"
        page = render("server/templates/error.html", text=error.detail, home=home)
        return HTMLResponse(page, error.status_code, error.headers)
