"""Refusals of the app as a page for people who followed a link, and as JSON for programs."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
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
        if "text/html" not in request.headers.get("accept", ""):
            return await http_exception_handler(request, error)
        home = request.scope.get("root_path", "").rstrip("/") + "/"
        text = NOTHING_THERE if error.detail == HTTPStatus.NOT_FOUND.phrase else error.detail
        page = render("server/templates/error.html", text=text, home=home)
        return HTMLResponse(page, error.status_code, error.headers)
