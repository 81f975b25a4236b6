"""Two processes with one database: what one of them does holds in the other at once. Each has connections and caches of its own."""

import threading

import pytest
import sqlalchemy as sa

from eval.listening.session.errors import RequestError
from eval.listening.session.service import Listening
from eval.listening.storage import tables as t
from eval.listening.storage.admissions import ClosedError
from eval.listening.storage.database import StoreError
from eval.listening.storage.store import Store
from eval.listening.study import Study
from tests.listening import store_silently

STUDY = Study("Which one?", "acr", ("one", "two"), ("a", "b"))
PROCESSES = 4


@pytest.fixture
def stores(url):
    stores = [Store(url) for _ in range(PROCESSES)]
    yield stores
    for store in stores:
        store.close()


def at_once(works):
    """What they returned or raised, of threads that begin together."""
    gate, found = threading.Barrier(len(works)), [None] * len(works)

    def run(number, work):
        gate.wait()
        try:
            found[number] = work()
        except Exception as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=(number, work)) for number, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_tables_are_made_once_when_all_start_at_once(stores):
    assert at_once([store.check for store in stores]) == [None] * PROCESSES
    assert set(t.metadata.tables) <= set(sa.inspect(stores[0]._engine).get_table_names())


def test_nobody_gets_the_row_of_another_process(stores):
    public_id = store_silently(stores[0], STUDY)
    raters = at_once([lambda store=store: store.add_rater(public_id, "en", {}) for store in stores * 4])
    assert sorted(rater.row for rater in raters) == list(range(4 * PROCESSES))


def test_an_answer_that_several_processes_get_is_stored_once(stores):
    public_id = store_silently(stores[0], STUDY)
    rater = stores[0].add_rater(public_id, "en", {})
    nonces = {shown.nonce for shown in at_once([lambda store=store: store.show(rater, 0) for store in stores])}
    assert len(nonces) == 1, "and each has shown the same trial"
    shown = stores[0].shown(nonces.pop())[1]
    answer = {"answer": 4, "heard": [1.0], "plays": [1], "switches": 0, "dwell_ms": 5}
    new = at_once([lambda store=store: store.add_response(rater, shown, answer) for store in stores])
    assert sorted(new) == [False] * (PROCESSES - 1) + [True]
    assert len(stores[0].answers(public_id)) == 1


def test_closing_and_opening_hold_at_once_and_everywhere(stores):
    here, there = Listening(stores[0], "secret"), Listening(stores[1], "secret")
    public_id = store_silently(stores[0], STUDY)
    stale = stores[1].study(public_id)
    begun = there.join(public_id, "en", {})
    here.store.set_closed(public_id, True)
    with pytest.raises(RequestError, match="accepts no more answers"):
        there.join(public_id, "en", {})
    with pytest.raises(ClosedError):
        stores[1].start(stale, "en", {}, None)  # looked at before it was closed
    assert there.next(begun["token"], "volume", {})["step"] == "headphones", "who has begun goes on"
    here.store.set_closed(public_id, False)
    assert there.join(public_id, "en", {})["step"] == "volume"


def test_a_study_that_closes_between_a_look_and_the_start_refuses(stores, monkeypatch):
    there, public_id = Listening(stores[1], "secret"), store_silently(stores[0], STUDY)
    add = stores[1].add_rater

    def close_first(*arguments):
        stores[0].set_closed(public_id, True)
        return add(*arguments)

    monkeypatch.setattr(stores[1], "add_rater", close_first)
    with pytest.raises(RequestError, match="accepts no more answers"):
        there.join(public_id, "en", {})
    assert stores[0].raters(public_id) == []


def test_a_listener_who_was_deleted_is_known_nowhere(stores):
    here, there = Listening(stores[0], "secret"), Listening(stores[1], "secret")
    public_id = store_silently(stores[0], STUDY)
    token = there.join(public_id, "en", {})["token"]
    there.next(token, "volume", {})
    rater = there._rater(token)
    here.delete_rater(token)
    with pytest.raises(RequestError, match="not known here"):
        there.next(token, "headphones", {})
    with pytest.raises(StoreError, match="just deleted"):  # asked for by a request that was already under way
        stores[1].show(rater, 0)
    assert stores[1].raters(public_id) == []


def test_a_study_that_another_process_replaces_or_deletes_is_no_study_to_start_in(stores):
    public_id = store_silently(stores[0], STUDY)
    stale = stores[1].study(public_id)
    stores[0].delete_study(public_id)
    with pytest.raises(StoreError, match="replaced or deleted"):
        stores[1].start(stale, "en", {}, None)


def test_studies_that_share_stimuli_are_made_and_deleted_at_once(stores):
    """The stimuli of all are the same: those of a deleted study must not be taken from under one that is being made."""
    kept = store_silently(stores[0], STUDY)
    for _ in range(3):
        gone = store_silently(stores[0], STUDY)
        made = at_once(
            [lambda gone=gone: stores[0].delete_study(gone)]
            + [lambda store=store: store_silently(store, STUDY) for store in stores[1:]]
        )
        assert made[0] is None
        assert all(isinstance(public_id, str) for public_id in made[1:]), made
        for public_id in (kept, *made[1:]):
            assert all(stores[0].wav(stimulus.sha256) for stimulus in stores[0].study(public_id).stimuli)
