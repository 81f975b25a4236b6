"""The web app: settings, what serves them, and how they are put together."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from common.command import run

# Before Gradio is imported: no telemetry, and uploads stay inside the data directory (set in `main`).
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

if TYPE_CHECKING:
    from server.executor import Executor
    from server.shared_state import SharedState
    from vocoders.hifigan.precision import PrecisionChoice

MAX_SESSIONS = 100  # of each page: Gradio keeps the layout of every one, 0.3 MB, long after the page was left
QUEUE_SECONDS = (
    0.02  # between two looks of Gradio at an empty queue; its own 0.001 take a twentieth of a processor at rest
)
UNUSED_QUEUE_SECONDS = 5.0  # of the rating page, which sends nothing to Gradio
MAX_TRAINING_MINUTES = 720.0  # that an operator may allow
MAX_CONNECTIONS = 500  # an open page holds two or three; beyond that the answer is 503


@dataclass(frozen=True)
class Settings:
    """Limits and places of one server: the options of the command line, each with its unit."""

    host: str = "127.0.0.1"
    port: int = 7860
    data_dir: Path = Path("data")
    max_seconds: float = 60.0  # longest recording
    max_megabytes: float = 100.0  # largest upload
    requests_per_minute: int = 240  # of one client that cost something; 0: no limit
    root_path: str = ""  # where a proxy serves the app, such as /lab
    log_requests: bool = False  # a line of JSON about each of them
    keep_comparisons: float | None = None  # seconds for which a link to a comparison lives; None: there are none
    training_minutes: float = 30.0  # longest training in the page; 0: there is none
    database: str = ""  # address of PostgreSQL; none: a file in data_dir
    redis: str = ""  # address that several processes of the app share; none: this one is alone
    dask: str = ""  # address of a scheduler for heavy work; none: a process of this machine
    precision: PrecisionChoice = "auto"  # of networks in *Compare*


def build_app(settings: Settings, compute: Executor, shared: SharedState | None = None):
    """The FastAPI application with the page mounted at "/" and the listeners' at "/rate".

    compute: runs the heavy work; shared: with other processes of the app, None: with none. Errors: `StoreError` for a DATABASE_URL
    that is none, ValueError for a LISTENING_DATASET that cannot be reached, and for processes that do not belong together.
    """
    os.environ["GRADIO_TEMP_DIR"] = str(settings.data_dir.resolve() / "uploads")
    import gradio as gr
    from fastapi import FastAPI, HTTPException
    from fastapi.responses import FileResponse

    from common.disk_space import is_full
    from eval.listening.session.open import open_listening
    from server.error_pages import add_error_pages
    from server.health import health_routes
    from server.middleware.stack import protect
    from server.results import ResultStore
    from server.shared.links import SharedLinks
    from server.shared.routes import shared_routes
    from server.shared_state import SharedState, require_one_service
    from ui.compare.running import Running
    from ui.compare.sharing.routes import sharing_routes
    from ui.listening.desk.results import LinkedReports
    from ui.listening.desk.routes import results_routes
    from ui.listening.rate_page import build_rate_page, rate_page_options
    from ui.listening.rate_routes import rate_routes, with_slash
    from ui.page import build_page, page_options
    from ui.programs.routes import programs_routes
    from ui.training.routes import training_routes
    from ui.training.runs import Runs
    from vocoders.catalogue import BUILT_IN
    from vocoders.recordings.reader import Limits

    shared = shared or SharedState()
    store = ResultStore(settings.data_dir / "results")
    links = SharedLinks(settings.data_dir / "shared", settings.keep_comparisons, limiter=shared.limiter)
    if shared.alone:
        shutil.rmtree(
            settings.data_dir / "uploads", ignore_errors=True
        )  # of sessions that ended with the process before
    limits = Limits(max_seconds=settings.max_seconds, max_megabytes=settings.max_megabytes)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    runs = None
    if settings.training_minutes:
        runs = Runs(settings.data_dir / "training", settings.training_minutes)
        app.include_router(training_routes(runs.root))

    def sweep() -> None:
        shared.refresh()
        if runs:
            runs.sweep()
        links.sweep()
        listening.delete_expired()

    app.state.sweep, app.state.stopping = sweep, asyncio.Event()

    app.include_router(sharing_routes(store))
    app.include_router(shared_routes(links))

    @app.get("/results/{token}/{name}")
    def result(token: str, name: str) -> FileResponse:
        path = store.find(token, name)
        if path is None:
            raise HTTPException(404, "This result is no longer here; run the comparison again.")
        return FileResponse(path, headers={"Cache-Control": "private, max-age=3600"})

    listening = open_listening(settings.data_dir, settings.database)
    require_one_service(shared, settings.data_dir, listening)
    app.include_router(health_routes(settings.data_dir, listening, Running.count))
    app.include_router(rate_routes(listening, shared.kept))
    app.include_router(results_routes(LinkedReports(listening.store, BUILT_IN)))
    app.add_api_route("/rate", with_slash)
    # An app of its own: what the browser of a listener is told of it holds nothing of the systems
    rate_page = build_rate_page()
    rate_page.state_session_capacity = MAX_SESSIONS
    rate_page._queue.sleep_when_free = UNUSED_QUEUE_SECONDS
    gr.mount_gradio_app(app, rate_page, path="/rate", **rate_page_options())
    page = build_page(
        BUILT_IN, store, links, limits, listening, settings.data_dir, compute, shared.limiter, runs, settings.precision
    )
    page.state_session_capacity = MAX_SESSIONS
    page.queue(max_size=16, default_concurrency_limit=2, api_open=False)
    page._queue.sleep_when_free = QUEUE_SECONDS
    app.include_router(programs_routes(page, BUILT_IN, limits))
    gr.mount_gradio_app(app, page, path="/", max_file_size=f"{settings.max_megabytes:g}mb", **page_options())
    add_error_pages(app)
    # Gradio checks that a file is an upload, and not just any file of this machine, only in an app it launched itself
    page.has_launched = rate_page.has_launched = True
    protect(
        app,
        max_file_bytes=settings.max_megabytes * 1e6,
        uploads=settings.data_dir / "uploads",
        requests_per_minute=settings.requests_per_minute,
        is_full=functools.partial(is_full, settings.data_dir),
        platform_of=listening.platform_of,
        limiter=shared.limiter,
        stopping=app.state.stopping,
    )
    return app


def parse_args() -> Settings:
    from vocoders.hifigan.precision import add_precision

    defaults = Settings()
    parser = argparse.ArgumentParser(prog="python app.py", description="The Vocoder Listening Lab in the browser.")
    on_space = "SPACE_ID" in os.environ
    host = "0.0.0.0" if on_space else defaults.host
    parser.add_argument("--host", default=host, help=f"address to listen on ({host})")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", defaults.port)), help="TCP port (7860)")
    parser.add_argument("--data-dir", type=Path, default=defaults.data_dir, help="where results are kept (./data)")
    parser.add_argument("--max-seconds", type=float, default=defaults.max_seconds, help="longest recording, s (60)")
    parser.add_argument("--max-megabytes", type=float, default=defaults.max_megabytes, help="largest upload, MB (100)")
    parser.add_argument(
        "--requests-per-minute",
        type=int,
        default=240,
        metavar="N",
        help="of one client that cost something, 0: any (240)",
    )
    parser.add_argument(
        "--root-path", default="", metavar="/PREFIX", help="below which a proxy serves this, and which it cuts off"
    )
    parser.add_argument(
        "--keep-comparisons",
        type=_lifetime,
        default=os.environ.get("KEEP_COMPARISONS", "off"),
        metavar="30d|12h|off",
        help="how long a link to a comparison lives that a visitor makes (off: there are none)",
    )
    default_minutes = 0.0 if on_space else defaults.training_minutes
    parser.add_argument(
        "--training-minutes",
        type=_minutes,
        default=os.environ.get("TRAINING_MINUTES", "").strip() or default_minutes,
        metavar="M",
        help=f"longest training in the page, 0: none ({default_minutes:g})",
    )
    parser.add_argument(
        "--database",
        default=os.environ.get("DATABASE_URL", "").strip(),
        metavar="URL",
        help="postgresql://USER@HOST/NAME for studies and answers (a file in --data-dir)",
    )
    parser.add_argument(
        "--redis",
        default=os.environ.get("REDIS_URL", "").strip(),
        metavar="URL",
        help="redis://HOST:PORT/0 that several processes of the app share; needs --database and one --data-dir (none)",
    )
    parser.add_argument(
        "--dask",
        default=os.environ.get("DASK_SCHEDULER", "").strip(),
        metavar="ADDRESS",
        help="tcp://HOST:PORT of a Dask scheduler for heavy work (a process of this machine)",
    )
    add_precision(parser, defaults.precision)
    parser.add_argument("--log-requests", action="store_true", help="a line of JSON on stderr about every request")
    return Settings(**vars(parser.parse_args()))


def _lifetime(text: str) -> float | None:
    from server.shared.links import parse_lifetime

    try:
        return parse_lifetime(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= MAX_TRAINING_MINUTES:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of minutes from 0 to {MAX_TRAINING_MINUTES:g}")
    return minutes


def main() -> int:
    settings = parse_args()
    settings = replace(settings, data_dir=settings.data_dir.resolve())
    os.chdir(Path(__file__).parent)  # Gradio serves the page's own files by paths relative to where it runs
    import uvicorn

    from common.memory import reuse_freed_memory
    from eval.compare.recording import warm_up
    from server.log import log_to_stderr
    from server.process import Worker
    from server.serving import Server
    from server.shared_state import SharedState, check_addresses
    from server.sweep import keep_sweeping
    from server.zero_gpu import report_to_zero_gpu
    from vocoders.catalogue import BUILT_IN
    from vocoders.recordings import contained as contained_audio
    from vocoders.systems import Call

    check_addresses(settings.database, settings.redis)
    reuse_freed_memory()
    log_to_stderr(settings.log_requests)
    report_to_zero_gpu()
    prepare = Call(warm_up, (BUILT_IN,))
    compute = _cluster(settings.dask, prepare) if settings.dask else Worker(prepare)
    app = build_app(settings, compute, SharedState(settings.redis))
    keep_sweeping(settings.data_dir / "uploads", settings.data_dir / "results", also=app.state.sweep)

    def start_processes() -> None:
        if isinstance(compute, Worker):
            compute.start()  # waits until the fork server has imported PyTorch, which the page need not
        contained_audio.start()

    threading.Thread(target=start_processes, daemon=True).start()
    print(f"Vocoder Listening Lab: http://{settings.host}:{settings.port}", flush=True)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        root_path=settings.root_path.rstrip("/"),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        limit_concurrency=MAX_CONNECTIONS,
        # A Space is reached through its platform's proxy only, whose address is not known beforehand
        forwarded_allow_ips="*" if "SPACE_ID" in os.environ else None,
    )
    server = Server(config, app.state.stopping)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 1


def _cluster(address: str, prepare: Callable[[], None]) -> Executor:
    from server.dask_cluster import Cluster  # only here: its package is optional

    return Cluster(address, prepare)


if __name__ == "__main__":
    run(main)
