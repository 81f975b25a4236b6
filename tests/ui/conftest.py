"""Fixtures of the page's tests."""

import pytest

from server.results import ResultStore


@pytest.fixture
def store(tmp_path) -> ResultStore:
    return ResultStore(tmp_path / "results")
