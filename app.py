"""The web app: settings, what serves them, and how they are put together."""

from __future__ import annotations

import argparse
import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path

# Before Gradio is imported: no telemetry, and uploads stay inside the data directory (set in `main`).
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")


@dataclass(frozen=True)
class Settings:
    host: str = "127.0.0.1"
    port: int = 7860
    data_dir: Path = Path("data")
    max_seconds: float = 60.0  # longest recording
    max_megabytes: float = 100.0  # largest upload


def build_app(settings: Settings, systems=None):
    """The FastAPI application with the page mounted at "/" and the listeners' at "/rate".

    `systems` replaces the built-in ones in tests. Errors: `StoreError` for a DATABASE_URL that is none, ValueError for a
    LISTENING_DATASET that cannot be reached.
    """
    os.environ["GRADIO_TEMP_DIR"] = str(settings.data_dir.resolve() / "uploads")
    import gradio as gr
    from fastapi import FastAPI, HTTPException
    from fastapi.responses import FileResponse, PlainTextResponse

    from eval.listening.home import open_listening
    from ui.page import build_page, page_options
    from ui.rate_page import build_rate_page, rate_page_options
    from ui.rate_routes import rate_routes
    from ui.results import ResultStore
    from vocoders.catalogue import BUILT_IN
    from vocoders.intake import Limits

    store = ResultStore(settings.data_dir / "results")
    limits = Limits(max_seconds=settings.max_seconds, max_megabytes=settings.max_megabytes)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz", response_class=PlainTextResponse)
    def healthz() -> str:
        return "ok"

    @app.get("/results/{token}/{name}")
    def result(token: str, name: str) -> FileResponse:
        path = store.find(token, name)
        if path is None:
            raise HTTPException(404, "This result is no longer here; run the comparison again.")
        return FileResponse(path, headers={"Cache-Control": "private, max-age=3600"})

    listening = open_listening(settings.data_dir)
    app.include_router(rate_routes(listening))
    # An app of its own: what the browser of a listener is told of it holds nothing of the systems
    gr.mount_gradio_app(app, build_rate_page(), path="/rate", **rate_page_options())
    page = build_page(BUILT_IN if systems is None else systems, store, limits, listening)
    page.queue(max_size=16, default_concurrency_limit=2)
    return gr.mount_gradio_app(app, page, path="/", max_file_size=f"{settings.max_megabytes:g}mb", **page_options())


def parse_args() -> Settings:
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="python app.py", description="The Vocoder Listening Lab in the browser.")
    on_space = "SPACE_ID" in os.environ
    host = "0.0.0.0" if on_space else defaults.host
    parser.add_argument("--host", default=host, help=f"address to listen on ({host})")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", defaults.port)), help="TCP port (7860)")
    parser.add_argument("--data-dir", type=Path, default=defaults.data_dir, help="where results are kept (./data)")
    parser.add_argument("--max-seconds", type=float, default=defaults.max_seconds, help="longest recording, s (60)")
    parser.add_argument("--max-megabytes", type=float, default=defaults.max_megabytes, help="largest upload, MB (100)")
    return Settings(**vars(parser.parse_args()))


def main() -> None:
    settings = parse_args()
    settings = replace(settings, data_dir=settings.data_dir.resolve())
    os.chdir(Path(__file__).parent)  # Gradio serves the page's own files by paths relative to where it runs
    import uvicorn

    from eval.comparison import warm_up
    from vocoders.catalogue import BUILT_IN

    app = build_app(settings)
    threading.Thread(target=warm_up, args=(BUILT_IN,), daemon=True).start()
    print(f"Vocoder Listening Lab: http://{settings.host}:{settings.port}", flush=True)
    # A page keeps its connection open for as long as it is looked at; stopping does not wait for that.
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="warning", timeout_graceful_shutdown=5)


if __name__ == "__main__":
    main()
