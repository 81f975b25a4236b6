"""What a request of a session asks of the database: how many statements, how many transactions, and who waits for whom."""

import threading

import pytest
import sqlalchemy as sa

from eval.listening.session.service import Listening
from eval.listening.storage import database
from eval.listening.storage import tables as t
from eval.listening.storage.database import StoreError
from eval.listening.storage.store import Store
from eval.listening.study import Question, Study
from tests.listening import store_silently

STUDY = Study("Which one?", "acr", ("one", "two", "three"), ("a", "b"), repeats=0, golds=0, traps=0)
SETUP = ("volume", "headphones", "instructions")
RESPONSE = {"answer": 4, "heard": [1.0], "plays": [1], "switches": 0, "dwell_ms": 5}
REPORTED = {"heard": [[[0, 1.0]]], "plays": [1], "switches": 0, "dwell_ms": 5}


@pytest.fixture
def store(url):
    store = Store(url)
    yield store
    store.close()


class Asked:
    """What a store asks from now on: the first words of every statement, and the transactions that were committed."""

    def __init__(self, store: Store) -> None:
        self.statements: list[str] = []
        self.commits = 0
        sa.event.listen(store._engine, "before_cursor_execute", self._note)
        sa.event.listen(store._engine, "commit", self._count)

    def _note(self, _connection, _cursor, statement: str, *_) -> None:
        words = statement.split()
        if words[0] not in ("SELECT", "INSERT"):
            return  # SQLite's BEGIN
        table = words[words.index("INTO" if words[0] == "INSERT" else "FROM") + 1]
        self.statements.append(f"{words[0]} {table}")

    def _count(self, _connection) -> None:
        self.commits += 1


def begun(listening: Listening, study: Study) -> tuple[str, dict]:
    """(token, the first trial)"""
    step = listening.join(store_silently(listening.store, study), "en", {})
    token = step["token"]
    for done in SETUP:
        step = listening.next(token, done, {})
    return token, step


def test_an_answer_is_six_statements_and_one_transaction(store):
    listening = Listening(store, "secret")
    token, step = begun(listening, STUDY)
    asked = Asked(store)
    following = listening.answer(token, step["nonce"], 4, REPORTED)
    assert following["number"] == 2
    assert asked.statements == [
        *("SELECT rater", "SELECT trial"),  # whose answer it is, and to what
        *("INSERT response", "INSERT trial"),  # the answer, and that the next trial is shown
        *("SELECT response", "SELECT trial"),  # how many are answered, with the kinds of events; the next trial
    ]
    assert asked.commits == 1


def test_a_sound_is_one_statement_and_a_tone_none(store):
    listening = Listening(store, "secret")
    joined = listening.join(store_silently(store, STUDY), "en", {})
    tones = listening.next(joined["token"], "volume", {})["rounds"]
    listening.next(joined["token"], "headphones", {})
    (slot,) = listening.next(joined["token"], "instructions", {})["slots"]

    def sound(url: str) -> bytes:
        return listening.audio(url.rpartition("/")[2])

    first = sound(slot["url"])  # which is also looked up in the store, once
    asked = Asked(store)
    assert sound(slot["url"]) == first
    assert asked.statements == ["SELECT trial"]
    assert len({sound(url) for url in tones[0]}) == 3
    assert asked.statements == ["SELECT trial"]
    assert asked.commits == 0


def test_the_trial_that_follows_is_stored_with_the_answer_and_only_with_a_new_one(store):
    rater = store.add_rater(store_silently(store, STUDY), "en", {})
    shown = store.show(rater, 0)
    assert store.add_response(rater, shown, RESPONSE, following=1)
    assert not store.add_response(rater, shown, RESPONSE, following=2), "to the first answer there is a second one"
    with store._read() as connection:
        numbers = connection.scalars(sa.select(t.trial.c.number).order_by(t.trial.c.number)).all()
    assert numbers == [0, 1]
    before = store.show(rater, 1)
    assert store.add_response(rater, before, RESPONSE, following=1), "a trial that was shown already is no obstacle"
    assert store.show(rater, 1) == before


@pytest.mark.parametrize(
    "study",
    [
        Study("Between", "acr", ("one", "two"), ("a",), between=(Question("well", "Are you well?"),), between_every=1),
        Study("Ends early", "sabx", ("one", "two"), ("a",)),
    ],
    ids=["questions between", "sequential"],
)
def test_a_trial_that_may_not_follow_is_not_shown_ahead(store, study):
    listening = Listening(store, "secret")
    token, step = begun(listening, study)
    asked = Asked(store)
    answer = 4 if study.mode == "acr" else "a"
    listening.answer(token, step["nonce"], answer, REPORTED | {"heard": [[[0, 1.0]]] * len(step["slots"])})
    stored = asked.statements.index("INSERT response")
    assert asked.statements[stored + 1] != "INSERT trial"


def test_writers_of_postgresql_do_not_wait_for_each_other(postgresql_store):
    store = postgresql_store
    raters = [store.add_rater(store_silently(store, STUDY), "en", {}) for _ in range(2)]
    shown = [store.show(rater, 0) for rater in raters]
    inside, ended = threading.Event(), threading.Event()

    def wait_inside() -> None:
        with store._write() as connection:
            connection.execute(sa.update(t.rater).where(t.rater.c.id == raters[0].id).values(language="de"))
            inside.set()
            ended.wait(60)

    waiting = threading.Thread(target=wait_inside)
    waiting.start()
    assert inside.wait(60)
    try:
        assert store.add_response(raters[1], shown[1], RESPONSE)
        assert not ended.is_set(), "and the other one is still inside"
    finally:
        ended.set()
        waiting.join()


def test_connections_that_the_server_has_closed_are_noticed(postgresql_store, postgresql, monkeypatch):
    store = postgresql_store
    public_id = store_silently(store, STUDY)

    def close_all() -> None:
        with store._read(), store._read():  # two connections, so that the pool has more than the one that fails
            pass
        engine = sa.create_engine(database.full_url(postgresql))
        with engine.connect() as mine:
            others = "pid <> pg_backend_pid() AND usename = current_user"
            mine.execute(sa.text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
        engine.dispose()

    close_all()
    with pytest.raises(StoreError):  # used a moment ago, and so not tried
        store.study(public_id)
    assert store.study(public_id).study == STUDY, "one error is enough, whichever connection comes next"
    monkeypatch.setattr(database, "TRUSTED_SECONDS", -1.0)  # all have been idle for longer
    close_all()
    assert store.study(public_id).study == STUDY


@pytest.fixture
def postgresql_store(postgresql):
    url = database.full_url(postgresql)
    engine = sa.create_engine(url)
    t.metadata.drop_all(engine)
    engine.dispose()
    store = Store(url)
    yield store
    store.close()
