"""The databases that studies are stored in: SQLite, and a real PostgreSQL."""

import pytest
import sqlalchemy as sa

from eval.listening.storage import tables
from eval.listening.storage.database import database_url


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory):
    import pgserver

    server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"))
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
