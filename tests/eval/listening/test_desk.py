"""The owner's side of a study: found, counted, extended, pooled, linked to, deleted."""

import io
import json
import sqlite3
import tarfile
from dataclasses import replace

import pytest
from scipy.stats import norm

from common.paths import ROOT
from eval.listening.analysis.results import analyse
from eval.listening.analysis.screening import Flag
from eval.listening.desk.copies import duplicated, with_more_raters
from eval.listening.desk.peeking import false_positive_rate, peeking_warning
from eval.listening.desk.pooling import pool, reasons_against
from eval.listening.desk.progress import ACTIVE_SECONDS, progress_of
from eval.listening.storage import tables
from eval.listening.storage.backup import back_up, restore
from eval.listening.storage.jsonl_mirror import Mirror
from eval.listening.storage.records import Stimulus
from eval.listening.storage.results_links import ExpiredLink
from eval.listening.storage.store import Store
from eval.listening.study import Question, StudyError
from tests.eval.listening.test_store import RESPONSE, STIMULI, STUDY, WAVS
from tests.simulated import simulate

QUALITY = {"a": 0.4, "b": 0.7}


@pytest.fixture
def store(url, tmp_path):
    store = Store(url, Mirror(tmp_path / "answers"))
    yield store
    store.close()


@pytest.fixture
def made(store) -> tuple[str, str]:
    return store.add_study(STUDY, STIMULI, WAVS, {"system a": "source; about"})


def answer(store: Store, public_id: str, trials: int, steps=("volume", "headphones", "instructions")) -> str:
    rater = store.add_rater(public_id, "en", {})
    for kind in steps:
        store.add_event(rater, kind, {"passed": True})
    for number in range(trials):
        store.add_response(rater, store.show(rater, number), RESPONSE)
    return rater.id


# ------------------------------------------------ found again


def test_a_key_finds_its_studies_and_no_other(store, made):
    public_id, key = made
    other, other_key = store.add_study(replace(STUDY, name="Another"), STIMULI, WAVS, {})
    assert store.opened_by(key) == [public_id]
    assert store.opened_by("a guess") == []
    assert store.opened_by(other_key) == [other]
    answer(store, public_id, 3)
    store.set_closed(public_id, True)
    lines = {line.public_id: line for line in store.overview()}
    assert list(lines) == [other, public_id], "newest first"
    assert (lines[public_id].raters, lines[public_id].answers, lines[public_id].closed) == (1, 3, True)
    assert lines[public_id].last_answer == store.answers(public_id)[-1]["answered_at"]
    assert (lines[other].raters, lines[other].answers, lines[other].last_answer) == (0, 0, None)
    assert [line.public_id for line in store.overview([other])] == [other]


# ------------------------------------------------ progress


def test_progress_counts_where_everybody_is(store):
    study = replace(STUDY, questions=(Question("device", "Which?"),))
    public_id, _ = store.add_study(study, STIMULI, WAVS, {})
    length = len(store.add_rater(public_id, "en", {}).plan)  # somebody who did nothing more
    answer(store, public_id, 0, ("volume",))
    answer(store, public_id, 2)
    answer(store, public_id, length)
    rater = store.rater(answer(store, public_id, length))
    store.add_event(rater, "questionnaire", {"device": "yes"})
    stored = store.study(public_id)
    now = store.overview([public_id])[0].last_answer

    found = progress_of(store, stored, now)
    assert (found.started, found.finished, found.active, found.left) == (5, 1, 4, ())
    assert found.answers == 2 + 2 * length == sum(count for _, count in found.hourly)
    assert found.median_seconds == RESPONSE["dwell_ms"] / 1000
    reached = dict(found.reached)
    assert list(reached)[:4] == ["volume", "headphones", "instructions", "trial 1"]
    assert list(reached)[-2:] == ["questionnaire", "done"]
    steps = ("volume", "headphones", "instructions", "trial 3", "trial 4", f"trial {length}", "questionnaire", "done")
    assert [reached[step] for step in steps] == [5, 4, 3, 3, 2, 2, 2, 1]

    later = progress_of(store, stored, now + ACTIVE_SECONDS + 60)
    assert later.active == 0
    assert dict(later.left) == {"volume": 1, "headphones": 1, "trial 3": 1, "questionnaire": 1}
    days_later = progress_of(store, stored, now + 3 * 86_400)
    assert {count for _, count in days_later.hourly} == {0}
    assert days_later.answers == found.answers


def test_progress_names_the_checks_that_were_failed(store, made):
    public_id, _ = made
    for outcome in ({"passed": False, "skipped": True}, {"passed": False, "skipped": False}, {"passed": True}):
        rater = store.add_rater(public_id, "en", {})
        store.add_event(rater, "headphones", outcome)
        flags = [Flag(rater.id, "gold", 1, "once"), Flag(rater.id, "gold", 1, "twice")]
        store.add_response(rater, store.show(rater, 0), RESPONSE, flags)
    found = progress_of(store, store.study(public_id), 0.0)
    assert found.failed == {"gold": 3, "headphones skipped": 1, "headphones failed": 1}


def test_a_study_without_raters_has_empty_progress(store, made):
    found = progress_of(store, store.study(made[0]), 1e9)
    assert (found.started, found.answers, found.median_seconds, found.last_answer) == (0, 0, None, None)
    assert found.hourly == tuple((hour, 0) for hour in range(277766, 277778))


@pytest.mark.parametrize(("looks", "rate"), [(1, 0.05), (2, 0.083), (3, 0.107), (5, 0.142), (10, 0.193), (20, 0.248)])
def test_looking_costs_what_armitage_mcpherson_and_rowe_found(looks, rate):
    assert false_positive_rate(looks) == pytest.approx(rate, abs=6e-4)


def test_looking_costs_what_a_simulation_finds(rng):
    sums = rng.normal(size=(200_000, 4)).cumsum(axis=1) / [1, 2**0.5, 3**0.5, 2]
    found = (abs(sums) > norm.isf(0.005)).any(axis=1).mean()
    assert false_positive_rate(4, alpha=0.01) == pytest.approx(found, abs=1.5e-3)
    assert "in 14% of all cases instead of 5%" in peeking_warning()


# ------------------------------------------------ revisions


def test_more_raters_are_a_revision_with_the_same_sounds_and_key(store, made):
    public_id, key = made
    with pytest.raises(StudyError, match="Nobody has started"):
        with_more_raters(store, public_id, 5, key)
    simulate(store, public_id, 3, QUALITY)
    revision, same_key = with_more_raters(store, public_id, 5, key)
    assert same_key == key
    assert store.opened_by(key) == [revision, public_id]
    assert store.family(public_id) == [public_id, revision] == store.family(revision)
    before, after = store.study(public_id), store.study(revision)
    assert (before.closed, after.closed, after.revision, after.study.raters) == (True, False, 2, 5)
    assert {s.sha256 for s in after.stimuli} == set(WAVS)
    assert store.answers(revision) == []
    assert store.wav(after.stimulus("one", "a").sha256) == WAVS[after.stimulus("one", "a").sha256]


def test_a_duplicate_is_a_study_of_its_own(store, made):
    public_id, key = made
    copy, copy_key = duplicated(store, public_id)
    assert copy_key != key
    assert store.study(copy).study == replace(STUDY, name="Copy of Which one?")
    assert store.family(copy) == [copy]
    store.delete_study(public_id)
    assert store.wav(STIMULI[0].sha256) == WAVS[STIMULI[0].sha256], "still the copy's"


def test_revisions_are_pooled_as_one_study(store, made):
    public_id, key = made
    simulate(store, public_id, 4, QUALITY, seed=1)
    revision, _ = with_more_raters(store, public_id, 5, key)
    simulate(store, revision, 3, QUALITY, seed=2)
    both = [store.study(public_id), store.study(revision)]
    pooled = pool(store, both)
    found = analyse(pooled.stored, pooled.rows, pooled.raters)
    apart = [analyse(s, store.answers(s.public_id), store.raters(s.public_id)) for s in both]
    assert found["n"]["votes"] == sum(one["n"]["votes"] for one in apart)
    assert found["n"]["with_votes"] == 7
    mean = [one["before"]["means"]["a"] for one in (found, *apart)]
    assert mean[0]["mean"] == pytest.approx(
        (mean[1]["mean"] * mean[1]["n"] + mean[2]["mean"] * mean[2]["n"]) / mean[0]["n"]
    )


def test_other_clips_are_pooled_and_other_questions_are_not(store, made):
    first = store.study(made[0])

    def revision(study, stimuli=STIMULI, versions=first.versions):
        public_id, _ = store.add_study(study, stimuli, {}, versions)
        return store.study(public_id)

    renamed = [replace(s, item=f"new {s.item}") for s in STIMULI]
    clips = revision(replace(STUDY, items=tuple(f"new {item}" for item in STUDY.items)), renamed)
    assert pool(store, [first, clips]).stored.study.items == (*STUDY.items, *clips.study.items)
    refused = {
        "on different scales": revision(replace(STUDY, mode="mushra")),
        "have different systems": revision(replace(STUDY, systems=("a", "b", "c"))),
        "made differently": revision(STUDY, versions={"system a": "other weights"}),
        "other sounds under the name one": revision(
            STUDY, [replace(s, sha256=STIMULI[-1].sha256) if s.item == "one" else s for s in STIMULI]
        ),
    }
    for reason, other in refused.items():
        assert reason in " ".join(reasons_against([first, other]))
        with pytest.raises(StudyError, match=reason):
            pool(store, [first, other])


# ------------------------------------------------ links, deletion


def test_a_link_shows_its_study_until_it_is_revoked(store, made):
    public_id, key = made
    tokens = [store.add_results_link(public_id)[0] for _ in range(2)]
    assert [store.linked_study(token) for token in tokens] == [public_id] * 2
    assert store.linked_study(key) is None, "a key is no link, and a link no key"
    assert not store.has_key(public_id, tokens[0])
    assert len(store.results_links(public_id)) == 2
    assert store.revoke_results_links(public_id) == 2
    assert [store.linked_study(token) for token in tokens] == [None, None]


def test_a_link_ends_when_it_was_said_to(store, made, clock, monkeypatch):
    public_id, _ = made
    monkeypatch.setattr(store, "_clock", clock)
    began, day = clock.now, 86_400
    (week, ends), (usual, _), (endless, none) = (
        store.add_results_link(public_id, *days) for days in ((7,), (), (None,))
    )
    assert (ends, none) == (began + 7 * day, None)
    assert store.results_links(public_id) == [began + 7 * day, began + 90 * day, None]
    clock.now = ends - 1
    assert store.linked_study(week) == public_id
    clock.now = ends
    with pytest.raises(ExpiredLink) as expired:
        store.linked_study(week)
    assert expired.value.ended == ends
    assert [store.linked_study(token) for token in (usual, endless)] == [public_id] * 2
    assert store.results_links(public_id) == [began + 90 * day, None]
    assert store.revoke_results_links(public_id) == 2
    assert [store.linked_study(token) for token in (week, usual, endless)] == [None] * 3


def test_deletion_leaves_nothing_of_a_study_and_all_of_the_others(store, made, tmp_path):
    public_id, key = made
    own = Stimulus("one", "a", "f" * 64, 2.0, {}, {})
    simulate(store, public_id, 2, QUALITY)
    revision, _ = with_more_raters(store, public_id, 5, key)
    simulate(store, revision, 1, QUALITY)
    alone, _ = store.add_study(
        replace(STUDY, name="Alone"), [own if (s.item, s.condition) == ("one", "a") else s for s in STIMULI],
        {own.sha256: b"mine"}, {},
    )  # fmt: skip
    simulate(store, alone, 1, QUALITY)
    store.add_results_link(alone)
    kept = store.answers(revision)

    store.delete_study(alone)
    with pytest.raises(KeyError):
        store.study(alone)
    with pytest.raises(KeyError):
        store.wav(own.sha256)
    store.delete_study(public_id)
    assert [line.public_id for line in store.overview()] == [revision]
    assert store.answers(revision) == kept
    assert store.family(revision) == [revision]
    with store.snapshot() as connection:
        counts = {name: len(connection.execute(table.select()).all()) for name, table in tables.metadata.tables.items()}
    assert counts["study"] == 1 == counts["rater"]
    assert (counts["response"], counts["take"]) == (len(kept), len(WAVS))
    assert (counts["results_link"], counts["results_link_end"]) == (0, 0)
    lines = [json.loads(line) for path in (tmp_path / "answers").glob(f"{alone}.*") for line in path.open()]
    assert [(line["table"], line["study"]) for line in lines] == [("deleted", alone)]
    assert any(path.stat().st_size > 500 for path in (tmp_path / "answers").glob(f"{revision}.*"))


# ------------------------------------------------ older databases


def test_a_database_of_an_earlier_version_opens(tmp_path):
    path = tmp_path / "listening.db"
    with sqlite3.connect(path) as older:
        older.executescript((ROOT / "tests/golden/listening-schema-1.sql").read_text())
        config = json.dumps({"name": "Old", "mode": "acr", "items": ["one"], "systems": ["a"]})
        older.execute("INSERT INTO study VALUES (1, 'old', 'x', 1, NULL, ?, 'x', '{}', 1.0)", [config])
    store = Store(f"sqlite:///{path}")
    assert store.study("old").study.name == "Old"
    assert store.linked_study(store.add_results_link("old")[0]) == "old"
    store.delete_study("old")
    assert store.overview() == []


def test_a_backup_of_an_earlier_version_is_restored(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'one.db'}")
    public_id, key = store.add_study(STUDY, STIMULI, WAVS, {})
    back_up(store, tmp_path, tmp_path / "new.tar")
    with tarfile.open(tmp_path / "new.tar") as new, tarfile.open(tmp_path / "old.tar", "w") as old:
        for member in new:
            content = new.extractfile(member).read()
            if member.name == "about.json":
                about = json.loads(content)
                del about["rows"]["results_link"]
                content = json.dumps({**about, "format": 1}).encode()
                member.size = len(content)
            if member.name != "tables/results_link.jsonl":
                old.addfile(member, io.BytesIO(content))
    again = Store(f"sqlite:///{tmp_path / 'two.db'}")
    restore(again, tmp_path, tmp_path / "old.tar")
    assert again.opened_by(key) == [public_id]
