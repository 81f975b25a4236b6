"""One participation per id, places, and rows of the design, in SQLite and in a real PostgreSQL, also when many come at once."""

import sqlite3
import threading
from collections.abc import Callable

import pytest

from eval.listening.recruiting.platform import Visit
from eval.listening.recruiting.terms import Quotas, Recruiting
from eval.listening.storage.admissions import NoPlaceError
from eval.listening.storage.store import Store
from eval.listening.study import Question, Study
from tests.listening import store_silently

QUESTION = Question("device", "With what?", ("headphones", "loudspeakers"))
RESPONSE = {"answer": 4, "heard": [2.0], "plays": [1], "switches": 0, "dwell_ms": 2500}


def study_with(quotas: Quotas = Quotas(), **more) -> Study:
    terms = Recruiting("prolific", completed="DONE", quotas=quotas, **more)
    return Study("Which one?", "acr", ("one", "two"), ("a", "b"), questions=(QUESTION,), recruiting=terms)


def at_once(work: Callable[[int], object], people: int) -> list[object]:
    """The outcomes of so many threads that begin together; exceptions are outcomes."""
    together, found = threading.Barrier(people), []

    def run(number: int) -> None:
        together.wait()
        try:
            found.append(work(number))
        except NoPlaceError as error:
            found.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_two_tabs_of_one_participant_are_one_rater(store):
    public_id = store_silently(store, study_with())
    found = at_once(lambda _: store.add_rater(public_id, "en", {}, Visit("5f1")), 8)
    assert len({rater.id for rater in found}) == 1
    assert len(store.raters(public_id)) == 1
    assert store.rater_of(store.study(public_id), Visit("5f1")) == found[0]
    other = store.add_rater(public_id, "en", {}, Visit("5F1"))
    assert other.id != found[0].id, "ids are compared as they are"


def test_the_same_id_may_take_part_in_another_study(store):
    one, other = (store_silently(store, study_with()) for _ in range(2))
    raters = [store.add_rater(public_id, "en", {}, Visit("5f1")) for public_id in (one, other)]
    assert raters[0].id != raters[1].id
    assert store.took_part([one], Visit("5f1"))
    assert not store.took_part([one], Visit("5f2"))
    assert not store.took_part(["nothing"], Visit("5f1"))


def test_no_more_start_than_there_are_places(store):
    public_id = store_silently(store, study_with(Quotas(5)))
    found = at_once(lambda number: store.add_rater(public_id, "en", {}, Visit(f"p{number}")), 12)
    assert sum(isinstance(one, NoPlaceError) for one in found) == 7
    assert sorted(rater["row"] for rater in store.raters(public_id)) == [0, 1, 2, 3, 4]
    assert not store.has_room(store.study(public_id))


def test_a_choice_takes_no_more_than_its_places_and_then_no_row(store):
    public_id = store_silently(store, study_with(Quotas(None, {"device": {"headphones": 3}})))
    stored = store.study(public_id)
    raters = [store.add_rater(public_id, "en", {}, Visit(f"p{number}")) for number in range(8)]
    assert not any(rater.is_admitted or rater.plan for rater in raters)
    terms = stored.study.recruiting
    at_once(lambda number: store.take_place(raters[number], terms, {"device": "headphones"}), 8)
    inside = [rater for rater in raters if "turned-away" not in store.done(rater)[0]]
    assert len(inside) == 3
    assert store.places_taken(stored) == [{"device": "headphones"}] * 3
    rows = sorted(rater.row for rater in at_once(lambda number: store.admit(stored, inside[number]), 3))
    assert rows == [0, 1, 2], "those who were turned away leave no gap in the design"
    again = store.admit(stored, inside[0])
    assert again.row in rows
    assert again == store.rater(inside[0].id), "drawn once"
    assert len(again.plan) > stored.study.length


def test_an_abandoned_session_gives_its_place_up_and_an_active_one_does_not(store, clock):
    public_id = store_silently(store, study_with(Quotas(2), free_after_minutes=30))
    gone, active = (store.add_rater(public_id, "en", {}, Visit(name)) for name in ("gone", "active"))
    clock.now += 29 * 60
    store.add_response(active, store.show(active, 0), RESPONSE)
    with pytest.raises(NoPlaceError):
        store.add_rater(public_id, "en", {}, Visit("late"))
    clock.now += 60
    late = store.add_rater(public_id, "en", {}, Visit("late"))
    terms = store.study(public_id).study.recruiting
    assert [store.holds_place(rater, terms) for rater in (gone, active, late)] == [False, True, True]
    store.take_place(gone, terms)
    assert store.event(gone, "turned-away") == {"outcome": "quota_full"}, "came back, and somebody else sits there"
    clock.now += 30 * 60
    store.take_place(late, terms)
    assert store.event(late, "turned-away") is None, "came back, and nobody else does"


def test_a_completed_session_keeps_its_place(store, clock):
    public_id = store_silently(store, study_with(Quotas(1)))
    rater = store.add_rater(public_id, "en", {}, Visit("5f1"))
    store.add_event(rater, "completed", {})
    clock.now += 1e7
    with pytest.raises(NoPlaceError):
        store.add_rater(public_id, "en", {}, Visit("late"))
    store.delete_rater(rater)
    assert store.add_rater(public_id, "en", {}, Visit("late")).row == 0


def test_ids_of_participants_are_in_their_table_only(store, tmp_path):
    public_id = store_silently(store, study_with())
    rater = store.add_rater(public_id, "en", {}, Visit("5f1-secret", "60a", "61b"))
    store.add_event(rater, "completed", {})
    assert "5f1-secret" not in str([store.raters(public_id), store.answers(public_id)])
    assert "5f1-secret" not in "".join(path.read_text() for path in (tmp_path / "answers").glob("*"))
    (row,) = store.participants(public_id)
    assert (row["participant"], row["platform_study"], row["platform_session"]) == ("5f1-secret", "60a", "61b")
    assert (row["rater"], row["code"], row["outcome"]) == (rater.id, rater.code, "completed")
    store.delete_rater(rater)
    assert store.participants(public_id) == []
    assert store.visit_of(rater) is None


OLD_SCHEMA = """
CREATE TABLE study (id INTEGER NOT NULL PRIMARY KEY, public_id VARCHAR(32) NOT NULL UNIQUE, key_hash VARCHAR(64) NOT NULL,
  revision INTEGER NOT NULL, revises INTEGER REFERENCES study (id), config JSON NOT NULL, config_sha256 VARCHAR(64) NOT NULL,
  versions JSON NOT NULL, created FLOAT NOT NULL);
CREATE TABLE take (sha256 VARCHAR(64) NOT NULL PRIMARY KEY, wav BLOB NOT NULL);
CREATE TABLE stimulus (id INTEGER NOT NULL PRIMARY KEY, study_id INTEGER NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  item TEXT NOT NULL, condition TEXT NOT NULL, sha256 VARCHAR(64) NOT NULL REFERENCES take (sha256), seconds FLOAT NOT NULL,
  made JSON NOT NULL, metrics JSON NOT NULL, UNIQUE (study_id, item, condition));
CREATE TABLE rater (id VARCHAR(32) NOT NULL PRIMARY KEY, study_id INTEGER NOT NULL REFERENCES study (id), "row" INTEGER NOT NULL,
  plan JSON NOT NULL, language VARCHAR(16) NOT NULL, device JSON NOT NULL, code VARCHAR(16) NOT NULL, created FLOAT NOT NULL,
  UNIQUE (study_id, "row"));
CREATE TABLE trial (id INTEGER NOT NULL PRIMARY KEY, rater_id VARCHAR(32) NOT NULL REFERENCES rater (id) ON DELETE CASCADE,
  number INTEGER NOT NULL, nonce VARCHAR(32) NOT NULL UNIQUE, kind VARCHAR(16) NOT NULL, item TEXT NOT NULL, shown JSON NOT NULL,
  x INTEGER, created FLOAT NOT NULL, UNIQUE (rater_id, number));
CREATE TABLE response (id INTEGER NOT NULL PRIMARY KEY, trial_id INTEGER NOT NULL UNIQUE REFERENCES trial (id) ON DELETE CASCADE,
  answer JSON NOT NULL, heard JSON NOT NULL, plays JSON NOT NULL, switches INTEGER NOT NULL, dwell_ms INTEGER NOT NULL,
  created FLOAT NOT NULL);
CREATE TABLE flag (id INTEGER NOT NULL PRIMARY KEY, rater_id VARCHAR(32) NOT NULL REFERENCES rater (id) ON DELETE CASCADE,
  rule VARCHAR(40) NOT NULL, version INTEGER NOT NULL, detail TEXT NOT NULL, created FLOAT NOT NULL);
CREATE TABLE event (id INTEGER NOT NULL PRIMARY KEY, study_id INTEGER NOT NULL REFERENCES study (id) ON DELETE CASCADE,
  rater_id VARCHAR(32) REFERENCES rater (id) ON DELETE CASCADE, kind VARCHAR(24) NOT NULL, data JSON NOT NULL,
  created FLOAT NOT NULL, UNIQUE (rater_id, kind));
INSERT INTO study VALUES (1, 'abc', 'x', 1, NULL, '{"name": "Old", "mode": "acr", "items": ["one"], "systems": ["a"], "raters": 20,
  "trials": null, "repeats": 1, "golds": 1, "traps": 1, "seed": 0, "about": "", "questions": [], "pairs": [], "reference": true}',
  'not looked at', '{}', 1e9);
INSERT INTO rater VALUES ('old-rater', 1, 0, '[{"kind": "trial", "item": "one", "shown": ["a"], "x": null}]', 'en', '{}', 'CODE', 1e9);
INSERT INTO event VALUES (1, 1, NULL, 'closed', '{}', 1e9);
"""


def test_a_database_from_before_recruiting_goes_on(tmp_path):
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.executescript(OLD_SCHEMA)
    connection.close()
    store = Store(f"sqlite:///{tmp_path / 'old.db'}")
    stored = store.study("abc")
    assert (stored.study.name, stored.study.recruiting, stored.closed) == ("Old", None, True)
    old = store.rater("old-rater")
    assert old.is_admitted
    assert store.add_response(old, store.show(old, 0), RESPONSE)
    store.set_closed("abc", False)
    new = store.add_rater("abc", "en", {})
    assert (new.row, len(store.raters("abc")), store.participants("abc")) == (1, 2, [])
    other = store_silently(store, study_with(Quotas(1)))
    assert store.add_rater(other, "en", {}, Visit("5f1")).row == 0
    store.delete_rater(old)
    assert store.answers("abc") == []
    store.close()
