"""The proof of several servers in short: real PostgreSQL, Redis, nginx and Dask, real processes of the app, and a kill of each kind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from deploy.endurance.command import Plan, endure, report
from deploy.endurance.comparisons import Compared
from deploy.endurance.raters import Measured, Rater
from deploy.endurance.service import TEMPLATE, filled
from deploy.endurance.studies import Asked
from deploy.endurance.verdict import compare_with_database, is_fast, is_whole, table
from eval.listening.storage import tables as t
from eval.listening.storage.store import Store
from eval.listening.study import Study
from tests import warm_python
from tests.debian import require_servers
from tests.listening import store_silently

SHORT = Plan(raters=12, studies=3, seconds=12.0, kill_every=6.0, most_kills=1, apps=2, workers=2, trials=2)


@pytest.fixture(scope="module")
def servers():
    require_servers()


@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_under_kills(servers, tmp_path):
    # In a thread: a browser that another test has opened keeps an event loop in this one
    with ThreadPoolExecutor(1) as thread:
        outcome = thread.submit(endure, SHORT, tmp_path, warm_python.start, tell=lambda text: None).result()
    assert outcome.kills == (1, 1)
    assert outcome.stored.acknowledged >= SHORT.raters * SHORT.trials
    assert outcome.holds, "\n".join(report(outcome))
    assert outcome.compared.asked >= 2
    assert outcome.measured.latencies["answer"]


# ------------------------------------------------ the verdict itself


@pytest.fixture
def answered(tmp_path):
    """(store, its address, study, rater): a rater has answered every trial, as the rater remembers."""
    url = f"sqlite:///{tmp_path / 'listening.db'}"
    store = Store(url)
    study = Study("Which one?", "acr", ("one", "two"), ("a",))
    asked = Asked(store_silently(store, study), "acr", study.length)
    rater, row = Rater(asked, 0, ended="done"), store.add_rater(asked.public_id, "en", {})
    for number in range(len(row.plan)):
        shown = store.show(row, number)
        store.add_response(row, shown, {"answer": 4, "heard": [1.0], "plays": [1], "switches": 0, "dwell_ms": 5})
        rater.acknowledged[shown.nonce] = 4
    yield store, url, asked, rater
    store.close()


def verdict(tmp_path, url, asked, rater):
    return compare_with_database(tmp_path, url, [asked], [rater])


def test_what_stands_as_it_was_acknowledged_holds(answered, tmp_path):
    _, url, asked, rater = answered
    found = verdict(tmp_path, url, asked, rater)
    assert found.holds
    assert found.acknowledged == found.stored == len(rater.acknowledged) > 0
    assert (found.sessions, found.twice) == (1, 0)


def test_every_kind_of_loss_is_seen(answered, tmp_path):
    _, url, asked, rater = answered
    first, second, *_ = rater.acknowledged
    rater.acknowledged |= {"never stored": 3, first: 1}
    del rater.acknowledged[second]
    found = verdict(tmp_path, url, asked, rater)
    assert (found.lost, found.changed, found.unknown, found.doubled) == (1, 1, 1, 0)
    assert not found.holds


def test_plans_that_were_not_kept_and_sessions_that_were_begun_twice_are_seen(answered, tmp_path):
    store, url, asked, rater = answered
    store.add_rater(asked.public_id, "en", {})
    begun = verdict(tmp_path, url, asked, rater)
    assert begun.holds, "one who began, and whose process died before it said so, begins again"
    assert (begun.sessions, begun.twice) == (2, 1)
    with store._write() as connection:
        connection.execute(sa.update(t.rater).where(t.rater.c.row == 1).values(row=5))
        connection.execute(sa.delete(t.response).where(t.response.c.id == 1))
    rater.ended = ""
    found = verdict(tmp_path, url, asked, rater)
    assert len(found.problems) == 3
    assert not found.holds


def test_percentiles_are_of_all_requests_together():
    measured = Measured()
    measured.latencies["answer"] = [0.1] * 95
    measured.latencies["sound"] = [0.6] * 4
    assert [(name, count) for name, count, *_ in table(measured)] == [("answer", 95), ("sound", 4), ("all", 99)]
    assert is_fast(measured)
    measured.latencies["sound"] += [0.6] * 2
    assert not is_fast(measured)
    assert is_whole(Compared(asked=2, arrived=2))
    assert not is_whole(Compared(asked=2, arrived=1))


def test_the_template_has_no_gaps_left():
    text = filled(TEMPLATE.read_text("utf-8"), "127.0.0.1:1", "server 127.0.0.1:2;")
    settings = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert "${" not in settings
    assert settings.count("server 127.0.0.1:2;") == 2
    assert settings.count("listen 127.0.0.1:1;") == 1
