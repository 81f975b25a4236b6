"""Proofs of robustness: many hostile cases against the real product. Short in every run of the suite; in full by

python -m pytest tests/robustness --proof -s
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

MAX_PROOF_SECONDS = 6 * 3600


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _in_full(config):
        for item in items:
            item.add_marker(pytest.mark.timeout(MAX_PROOF_SECONDS))


@pytest.fixture(scope="session")
def scale(request: pytest.FixtureRequest) -> Callable[[float, float], float]:
    """(cases in short, cases in full) -> how many this run tries."""
    return lambda short, full: full if _in_full(request.config) else short


def _in_full(config: pytest.Config) -> bool:
    return config.getoption("--proof")
