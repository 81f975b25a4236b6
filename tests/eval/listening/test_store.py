"""Records are stored exactly once, in SQLite and in a real PostgreSQL."""

import contextlib
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from common.paths import ROOT
from eval.listening.analysis.screening import Flag
from eval.listening.storage import tables
from eval.listening.storage.backup import back_up, restore
from eval.listening.storage.database import StoreError, full_url
from eval.listening.storage.jsonl_mirror import Mirror
from eval.listening.storage.records import Stimulus
from eval.listening.storage.store import Store
from eval.listening.storage.transactions import MAX_WRITERS
from eval.listening.study import Study

STUDY = Study("Which one?", "acr", ("one", "two", "three"), ("a", "b"), seed=1)


def wav_of(item: str, condition: str) -> bytes:
    """No sound, and as good as one for whoever stores it."""
    return f"{item} by {condition}".encode()


def sha256_of(item: str, condition: str) -> str:
    return hashlib.sha256(wav_of(item, condition)).hexdigest()


STIMULI = [
    Stimulus(
        item,
        condition,
        sha256_of(item, condition),
        2.0,
        {"gain_db": 1.0},
        {"M-STFT": 1.0},
    )
    for item in STUDY.items
    for condition in (*STUDY.conditions, "degraded", *(f"beeps-{n}" for n in range(1, 6)))
]
WAVS = {stimulus.sha256: wav_of(stimulus.item, stimulus.condition) for stimulus in STIMULI}
RESPONSE = {"answer": 4, "heard": [2.0], "plays": [1], "switches": 0, "dwell_ms": 2500}


@pytest.fixture
def store(url, tmp_path):
    store = Store(url, Mirror(tmp_path / "answers"))
    yield store
    store.close()


@pytest.fixture
def public_id(store):
    return store.add_study(STUDY, STIMULI, WAVS, {"torch": "2"})[0]


def lines(tmp_path) -> list[dict]:
    return [
        json.loads(line) for path in (tmp_path / "answers").glob("*.jsonl") for line in path.read_text().splitlines()
    ]


def test_a_study_comes_back_as_it_was(store):
    public_id, key = store.add_study(STUDY, STIMULI, WAVS, {"torch": "2"})
    stored = store.study(public_id)
    assert stored.study == STUDY
    assert sorted(map(str, stored.stimuli)) == sorted(map(str, STIMULI))
    assert store.has_key(public_id, key)
    assert not store.has_key(public_id, key + "x")
    assert not store.has_key("nothing", "")
    with pytest.raises(KeyError):
        store.study("nothing")


def test_a_key_is_no_option_of_a_command_line(store, monkeypatch):
    drawn = iter(["-begins-with-a-dash", "--twice", "ends-with-one-"])
    monkeypatch.setattr("eval.listening.storage.store.secrets.token_urlsafe", lambda size: next(drawn))
    _, key = store.add_study(STUDY, STIMULI, WAVS, {})
    assert key == "ends-with-one-"


def test_a_study_somebody_started_is_frozen_and_gets_a_revision(store, public_id):
    larger = Study("Which one?", "acr", STUDY.items, ("a", "b", "c"))
    assert store.add_study(larger, STIMULI, WAVS, {}, revises=public_id)[0] == public_id, "nobody has started"
    assert store.study(public_id).study == larger
    rater = store.add_rater(public_id, "en", {})
    second = store.add_study(STUDY, STIMULI, WAVS, {}, revises=public_id)[0]
    assert second != public_id
    assert store.study(second).revision == 2
    assert store.study(public_id).study == larger
    assert store.rater(rater.id).plan == rater.plan


def test_an_answer_counts_once_whoever_sends_it_how_often(store, public_id, tmp_path):
    rater = store.add_rater(public_id, "en", {"touch": False})
    shown = store.show(rater, 0)
    assert store.show(rater, 0) == shown, "another tab sees the same trial"
    new = []
    threads = [
        threading.Thread(target=lambda n=n: new.append(store.add_response(rater, shown, {**RESPONSE, "answer": n})))
        for n in range(1, 6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(new) == [False] * 4 + [True]
    (stored,) = store.answers(public_id)
    (copied,) = [line for line in lines(tmp_path) if line["table"] == "response"]
    assert stored["answer"] == copied["answer"]
    assert (stored["rater"], stored["nonce"], tuple(stored["shown"])) == (rater.id, shown.nonce, shown.trial.shown)


def test_every_rater_has_a_row_of_their_own(store, public_id):
    raters = []
    threads = [threading.Thread(target=lambda: raters.append(store.add_rater(public_id, "en", {}))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(rater.row for rater in raters) == list(range(12))


def test_what_was_shown_is_what_the_plan_said(store, public_id):
    rater = store.add_rater(public_id, "en", {})
    for number, trial in enumerate(rater.plan):
        shown = store.show(rater, number)
        assert shown.trial == trial
        store.add_response(rater, shown, RESPONSE)
    assert [(a["number"], a["item"], tuple(a["shown"])) for a in store.answers(public_id)] == [
        (number, trial.item, trial.shown) for number, trial in enumerate(rater.plan)
    ]


def test_forgetting_leaves_nothing_of_a_rater(store, public_id, tmp_path):
    stays, goes = (store.add_rater(public_id, "en", {}) for _ in range(2))
    for rater in (stays, goes):
        store.add_response(rater, store.show(rater, 0), RESPONSE, [Flag(rater.id, "gold", 1, "why")])
        store.add_event(rater, "volume", {"level": 0.5})
    store.delete_rater(goes)
    assert [row["rater"] for row in store.answers(public_id)] == [stays.id]
    assert [row["rater"] for row in store.raters(public_id)] == [stays.id]
    assert store.rater(goes.id) is None
    text = json.dumps(lines(tmp_path))
    assert goes.id not in text
    assert stays.id in text


def test_flags_and_events_are_rows_beside_the_answers(store, public_id):
    rater = store.add_rater(public_id, "zh-TW", {})
    store.add_event(rater, "headphones", {"passed": False})
    store.add_event(rater, "headphones", {"passed": True})
    shown, raised = store.show(rater, 0), [Flag(rater.id, "trap", 1, "trial 3")]
    assert [store.add_response(rater, shown, RESPONSE, raised) for _ in range(2)] == [True, False]
    (row,) = store.raters(public_id)
    assert row["events"] == {"headphones": {"passed": False}}, "the first one stays"
    assert row["flags"] == [{"rule": "trap", "version": 1, "detail": "trial 3"}], "once, however often it is sent"
    assert store.done(rater) == ({"headphones"}, 1)


def test_an_answer_whose_flag_cannot_be_stored_is_not_stored(store, public_id):
    rater = store.add_rater(public_id, "en", {})
    shown, broken = store.show(rater, 0), [Flag(rater.id, None, 1, "a rule without a name")]
    assert not store.add_response(rater, shown, RESPONSE, broken)
    assert store.answers(public_id) == store.raters(public_id)[0]["flags"] == []


def test_closing_can_be_undone(store, public_id):
    for closed in (True, False, True):
        store.set_closed(public_id, closed)
        assert store.study(public_id).closed is closed


def test_nobody_waits_for_all_writers_in_front(store, public_id, monkeypatch):
    """Whose turn does not come while those in front wait for the database is refused, and can come again."""
    monkeypatch.setattr("eval.listening.storage.transactions.LOCK_SECONDS", 0)
    with contextlib.ExitStack() as turns:
        for _ in range(MAX_WRITERS if store._engine.dialect.name == "postgresql" else 1):
            turns.enter_context(store._turn())
        turns.enter_context(pytest.raises(StoreError, match="busy"))
        store.set_closed(public_id, True)
    store.set_closed(public_id, True)
    assert store.study(public_id).closed


def test_the_self_check_leaves_nothing(store, public_id):
    store.check()
    assert [row["public_id"] for row in store.studies()] == [public_id]


def test_a_database_that_cannot_be_used_says_so(tmp_path):
    (tmp_path / "file").write_text("this is no database, and long enough to be looked at as one" * 20)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(f"sqlite:///{tmp_path / 'file'}").check()
    with pytest.raises(StoreError, match="cannot be used"):
        Store("postgresql+psycopg://nobody@127.0.0.1:1/nothing").check()
    with pytest.raises(StoreError, match="cannot be used"):
        Store("what is this")


KILLED = """
import sys
from eval.listening.storage.store import Store
store = Store(sys.argv[1])
rater = store.add_rater(sys.argv[2], "en", {})
for number in range(len(rater.plan)):
    shown = store.show(rater, number)
    store.add_response(rater, shown, {"answer": 3, "heard": [2.0], "plays": [1], "switches": 0, "dwell_ms": 1})
    print(shown.nonce, flush=True)
print("all", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("after", [1, 5])
def test_what_was_confirmed_survives_a_killed_process(url, store, public_id, after):
    command = [sys.executable, "-c", KILLED, url, public_id]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    confirmed = [process.stdout.readline().strip() for _ in range(after)]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    stored = [row["nonce"] for row in store.answers(public_id)]
    assert stored[:after] == confirmed
    assert len(stored) == len(set(stored))


# ---- backup and restore


def fill(tmp_path, store: Store, public_id: str) -> None:
    (tmp_path / "secret").write_text("of the raters' tokens")
    for _ in range(3):
        rater = store.add_rater(public_id, "en", {"width": 1})
        store.add_event(rater, "volume", {"level": 0.5})
        store.add_response(rater, store.show(rater, 0), RESPONSE, [Flag(rater.id, "gold", 1, "why")])


def test_a_backup_brings_everything_back_in_another_database(store, public_id, tmp_path):
    """From SQLite and from PostgreSQL into SQLite, from where numbering goes on."""
    fill(tmp_path, store, public_id)
    counts = back_up(store, tmp_path, tmp_path / "all.tar")
    assert counts["response"] == 3
    assert (tmp_path / "all.tar").stat().st_mode & 0o077 == 0, "nobody else reads what people answered"
    store.add_rater(public_id, "en", {})  # goes on while, and after, the backup is made
    (tmp_path / "new").mkdir()
    other = Store(f"sqlite:///{tmp_path / 'new' / 'listening.db'}")
    assert restore(other, tmp_path / "new", tmp_path / "all.tar") == counts
    assert other.study(public_id).study == STUDY
    assert other.answers(public_id) == store.answers(public_id)
    assert other.raters(public_id) == store.raters(public_id)[:3]
    assert (tmp_path / "new" / "secret").read_text() == "of the raters' tokens"
    assert {sha256: other.wav(sha256) for sha256 in WAVS} == WAVS
    assert other.add_rater(public_id, "en", {}).row == 3
    with pytest.raises(StoreError, match="already"):
        restore(other, tmp_path / "new", tmp_path / "all.tar")


def test_a_backup_moves_from_sqlite_to_postgresql(tmp_path, postgresql, monkeypatch):
    source = Store(f"sqlite:///{tmp_path / 'listening.db'}")
    public_id = source.add_study(STUDY, STIMULI, WAVS, {})[0]
    fill(tmp_path, source, public_id)
    back_up(source, tmp_path, tmp_path / "all.tar")
    url = full_url(postgresql)
    engine = sa.create_engine(url)
    tables.metadata.drop_all(engine)
    engine.dispose()
    target = Store(url)
    (tmp_path / "new").mkdir()
    restore(target, tmp_path / "new", tmp_path / "all.tar")
    assert target.wav(STIMULI[0].sha256) == WAVS[STIMULI[0].sha256]
    assert target.answers(public_id) == source.answers(public_id)
    rater = target.add_rater(public_id, "en", {})
    assert target.add_response(rater, target.show(rater, 0), RESPONSE), "new rows get new numbers"
    target.close()


def test_takes_that_nothing_plays_any_more_are_removed(store, public_id):
    assert store.wav(STIMULI[0].sha256) == WAVS[STIMULI[0].sha256]
    only = [stimulus for stimulus in STIMULI if stimulus.item != "one"]
    store.add_study(STUDY, only, {stimulus.sha256: WAVS[stimulus.sha256] for stimulus in only}, {}, revises=public_id)
    assert store.wav(only[0].sha256)
    with pytest.raises(KeyError):
        store.wav(STIMULI[0].sha256)


def test_a_damaged_take_is_noticed(tmp_path, store, public_id):
    fill(tmp_path, store, public_id)
    back_up(store, tmp_path, tmp_path / "all.tar")
    content = (tmp_path / "all.tar").read_bytes()
    (tmp_path / "all.tar").write_bytes(content.replace(WAVS[STIMULI[0].sha256], b"x" * len(WAVS[STIMULI[0].sha256])))
    (tmp_path / "new").mkdir()
    with pytest.raises(ValueError, match="damaged"):
        restore(Store(f"sqlite:///{tmp_path / 'new' / 'listening.db'}"), tmp_path / "new", tmp_path / "all.tar")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_what_is_no_backup_is_refused(tmp_path, content):
    (tmp_path / "x.tar").write_bytes(content)
    store = Store(f"sqlite:///{tmp_path / 'listening.db'}")
    with pytest.raises(ValueError, match="no backup that can be read"):
        restore(store, tmp_path, tmp_path / "x.tar")
    assert store.studies() == []


def test_an_archive_decides_nothing_about_paths(tmp_path, store, public_id):
    fill(tmp_path, store, public_id)
    back_up(store, tmp_path, tmp_path / "all.tar")
    with tarfile.open(tmp_path / "all.tar", "a") as tar:
        for name in ("../evil", "/tmp/evil", "stimuli/../../evil.wav", "stimuli/evil.wav"):
            info = tarfile.TarInfo(name)
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    (tmp_path / "deep" / "new").mkdir(parents=True)
    other = Store(f"sqlite:///{tmp_path / 'deep' / 'new' / 'listening.db'}")
    restore(other, tmp_path / "deep" / "new", tmp_path / "all.tar")
    assert not list(tmp_path.rglob("evil*"))
    assert not Path("/tmp/evil").exists()
