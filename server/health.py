"""Routes for operators: liveness (/healthz), readiness (/readyz), and figures for Prometheus (/metrics)."""

from __future__ import annotations

import hmac
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from common.disk_space import is_full
from eval.listening.session.service import Listening
from eval.listening.storage.database import StoreError
from server.prometheus import ALARMS, FREE_DISK, JOBS, REGISTRY

METRICS_TOKEN = "METRICS_TOKEN"  # environment variable; without it only this machine may read /metrics


def health_routes(data_dir: Path, listening: Listening, count_jobs: Callable[[], int]) -> APIRouter:
    """count_jobs: the number of comparisons under way."""
    router = APIRouter(include_in_schema=False)
    JOBS.set_function(count_jobs)
    ALARMS.set_function(lambda: _alarms(listening))
    FREE_DISK.set_function(lambda: shutil.disk_usage(data_dir).free)

    @router.get("/healthz", response_class=PlainTextResponse)
    async def healthz() -> str:
        return "ok"  # in the event loop, so also while every thread waits for the database

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


def _alarms(listening: Listening) -> float:
    """NaN while the database is away: the other figures are still of use."""
    try:
        return listening.store.open_alarms()
    except StoreError:
        return math.nan


def _may_see_metrics(request: Request) -> bool:
    token = os.environ.get(METRICS_TOKEN, "")
    if token:
        return hmac.compare_digest(
            request.headers.get("authorization", "").encode("latin-1"),  # the bytes as they were sent
            f"Bearer {token}".encode(),
        )
    forwarded = any(name in request.headers for name in ("x-forwarded-for", "forwarded"))
    return not forwarded and request.client is not None and request.client.host in ("127.0.0.1", "::1")
