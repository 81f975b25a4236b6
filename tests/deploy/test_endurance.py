"""The proof of several servers in short: real PostgreSQL, Redis, nginx and Dask, real processes of the app, and a kill of each kind."""

from __future__ import annotations

import pytest

from deploy.endurance.command import Plan, endure, report
from tests import warm_python
from tests.debian import require_servers

SHORT = Plan(raters=12, studies=3, seconds=12.0, kill_every=6.0, most_kills=1, apps=2, workers=2, trials=2)


@pytest.fixture(scope="module")
def servers():
    require_servers()


@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_under_kills(servers, tmp_path):
    outcome = endure(SHORT, tmp_path, lambda arguments, log: warm_python.start(arguments, log), tell=lambda text: None)
    assert outcome.kills == (1, 1)
    assert outcome.stored.acknowledged >= SHORT.raters * SHORT.trials
    assert outcome.holds, "\n".join(report(outcome))
    assert outcome.compared.asked >= 2
    assert outcome.measured.latencies["answer"]
