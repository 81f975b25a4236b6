"""Refusals of the app as a page for people who followed a link, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.routing import Mount

from common.templates import render

NOTHING_THERE = "There is nothing at this address."


def add_error_pages(app: FastAPI) -> None:
    """For the routes of the app itself, and of the apps that have been mounted into it."""
    for route in app.routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            add_error_pages(route.app)

    @app.exception_handler(HTTPException)
    async def answer(request: Request, error: HTTPException) -> Response:
        if not wants_page(request):
            return await http_exception_handler(request, error)
        text = NOTHING_THERE if error.detail == HTTPStatus.NOT_FOUND.phrase else error.detail
        return error_page(request, text, error.status_code, error.headers)


def wants_page(request: HTTPConnection) -> bool:
    """Whether the request is a browser's that shows what comes back, and not a program's."""
    return "text/html" in request.headers.get("accept", "")


def error_page(
    request: HTTPConnection, text: str, status: int, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """A sentence and the way to the lab."""
    home = request.scope.get("root_path", "").rstrip("/") + "/"
    return HTMLResponse(render("server/templates/error.html", text=text, home=home), status, headers)
