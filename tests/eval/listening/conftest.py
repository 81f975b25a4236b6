"""The databases that studies are stored in: SQLite, and a real PostgreSQL; and the calls of the rating page, with a clock that stands."""

import tempfile

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.listening.session.service import Listening
from eval.listening.storage import tables
from eval.listening.storage.database import database_url
from eval.listening.storage.jsonl_mirror import Mirror
from eval.listening.storage.store import Store
from tests.listening import Clock
from ui.listening.rate_routes import rate_routes


@pytest.fixture(scope="session")
def postgresql():
    import pgserver

    # Not in pytest's folder, which every other run that begins closes to PostgreSQL's own user
    with tempfile.TemporaryDirectory() as folder:
        server = pgserver.get_server(folder)
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path, monkeypatch):
    if request.param == "sqlite":
        return database_url(tmp_path.joinpath("listening").mkdir() or tmp_path)
    monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgresql"))
    url = database_url(tmp_path)
    engine = sa.create_engine(url)
    tables.metadata.drop_all(engine)
    engine.dispose()
    return url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(url, tmp_path, clock):
    store = Store(url, Mirror(tmp_path / "answers"), clock)
    yield store
    store.close()


@pytest.fixture
def listening(tmp_path, clock):
    listening = Listening(Store(f"sqlite:///{tmp_path / 'listening.db'}", clock=clock), "a secret of tests")
    yield listening
    listening.store.close()


@pytest.fixture
def http(listening) -> TestClient:
    app = FastAPI()
    app.include_router(rate_routes(listening))
    return TestClient(app)
