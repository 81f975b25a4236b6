"""The listeners' server without the rest of the app, which starts in a second: what is killed, starved and locked in `test_faults.py`.

python -m tests.robustness.rating_server DATA_DIR PORT LOCK_SECONDS
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from tests import warm_python
from tests.conftest import free_port, wait_until_ready
from tests.warm_python import WarmProcess

LOCK_SECONDS = 2.0  # instead of half a minute: how long a write waits for another process


def start_server(data: Path, port: int, lock_seconds: float = LOCK_SECONDS) -> WarmProcess:
    """Its process, once it answers."""
    arguments = ["-m", "tests.robustness.rating_server", str(data), str(port), str(lock_seconds)]
    process = warm_python.start(arguments, data / "log.txt")
    wait_until_ready(f"http://127.0.0.1:{port}", process, data / "log.txt")
    return process


@contextlib.contextmanager
def rating_server(data: Path, lock_seconds: float = LOCK_SECONDS) -> Iterator[tuple[str, WarmProcess]]:
    """(address, process)"""
    port = free_port()
    process = start_server(data, port, lock_seconds)
    try:
        yield f"http://127.0.0.1:{port}", process
        assert process.poll() is None, "the server died"
    finally:
        process.kill()
        process.wait()


def main() -> None:
    import uvicorn
    from fastapi import FastAPI

    from eval.listening.session import open as home
    from eval.listening.storage import database, transactions
    from ui.listening.rate_routes import rate_routes

    database.LOCK_SECONDS = transactions.LOCK_SECONDS = float(sys.argv[3])
    app = FastAPI()
    app.include_router(rate_routes(home.open_listening(Path(sys.argv[1]))))
    app.get("/healthz")(lambda: "ok")
    uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")


if __name__ == "__main__":
    main()
