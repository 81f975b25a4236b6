"""What whoever runs the app asks of it: is it alive, can it work, what is it doing."""

from __future__ import annotations

import hmac
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from common.disk_space import is_full
from eval.listening.session.service import Listening
from eval.listening.storage.database import StoreError
from server.guard import App, Message, Receive, Scope, Send, route_path
from server.log import ACCESS
from server.prometheus import FREE_DISK, JOBS, LATENCY, REGISTRY, REQUESTS

METRICS_TOKEN = "METRICS_TOKEN"  # without it /metrics answers to this machine only


def operations(data_dir: Path, listening: Listening, count_jobs: Callable[[], int]) -> APIRouter:
    """The routes /healthz, /readyz and /metrics. count_jobs: how many comparisons are under way."""
    router = APIRouter(include_in_schema=False)
    JOBS.set_function(count_jobs)
    FREE_DISK.set_function(lambda: shutil.disk_usage(data_dir).free)

    @router.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        return "ok"  # also while every thread waits for the database

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        problems = await run_in_threadpool(_problems, data_dir, listening)
        return JSONResponse({"ready": not problems, "problems": problems}, 503 if problems else 200)

    @router.get("/metrics")
    def metrics(request: Request) -> Response:
        if not _may_see_metrics(request):
            return PlainTextResponse("Not for everybody.", 403)
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return router


def _problems(data_dir: Path, listening: Listening) -> list[str]:
    problems = []
    try:
        listening.store.check()
    except StoreError as error:
        problems.append(str(error))
    if is_full(data_dir):
        problems.append("the disk is nearly full")
    return problems


def _may_see_metrics(request: Request) -> bool:
    token = os.environ.get(METRICS_TOKEN, "")
    if token:
        return hmac.compare_digest(
            request.headers.get("authorization", "").encode("latin-1"),  # the bytes that came
            f"Bearer {token}".encode(),
        )
    forwarded = any(name in request.headers for name in ("x-forwarded-for", "forwarded"))
    return not forwarded and request.client is not None and request.client.host in ("127.0.0.1", "::1")


class Observed:
    """ASGI middleware: counts and times requests, and writes a line about each. No address, no query, no name of anybody."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, route, method = time.perf_counter(), route_of(route_path(scope)), scope["method"]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                seconds = time.perf_counter() - began
                REQUESTS.labels(route, method if method in _METHODS else "other", message["status"]).inc()
                LATENCY.labels(route).observe(seconds)
                about = {"route": route, "method": method, "status": message["status"], "ms": round(1e3 * seconds, 1)}
                ACCESS.info("request", extra={"about": about})
            await send(message)

        await self._app(scope, receive, sending)


_METHODS = ("GET", "HEAD", "POST", "OPTIONS")
_ROUTES = ("healthz", "readyz", "metrics", "results", "listening", "rate", "assets", "static", "config", "theme.css")


def route_of(path: str) -> str:
    """A path's first words, which say what was asked and not for whom; few, whatever is requested."""
    words = path.strip("/").split("/")
    if words[0] == "rate" and len(words) > 1:
        words = words[1:]
    if words == [""]:
        return "/"
    if words[0] == "gradio_api":
        kind = (words[1] if len(words) > 1 else "").split("=")[0]
        return (
            f"/gradio_api/{kind}"
            if kind in ("queue", "upload", "file", "call", "run", "info", "heartbeat")
            else "/gradio_api"
        )
    if words[0] == "listening":
        action = words[1] if len(words) > 1 else ""
        return (
            f"/listening/{action}" if action in ("open", "join", "next", "answer", "stim", "forget") else "/listening"
        )
    return f"/{words[0]}" if words[0] in _ROUTES else "other"
