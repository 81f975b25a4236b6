"""The end of a study: what its description says, what its owner says by hand, and who may still go on."""

import dataclasses
from datetime import datetime, timezone

import pytest

from eval.listening.closing import CLOSED, REOPENED, end_of, is_closed
from eval.listening.desk.copies import duplicated, with_more_raters
from eval.listening.session.errors import RequestError
from eval.listening.session.service import Listening
from eval.listening.storage.admissions import ClosedError
from eval.listening.storage.store import Store
from eval.listening.study import Study, StudyError, study_from
from tests.listening import Clock, store_silently

STUDY = Study("A test", "acr", ("one", "two"), ("a", "b"), trials=2, repeats=0, golds=0, traps=0)


def seconds(*moment: int) -> float:
    return datetime(*moment, tzinfo=timezone.utc).timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock(seconds(2026, 12, 31, 17, 0))


@pytest.fixture
def store(tmp_path, clock) -> Store:
    return Store(f"sqlite:///{tmp_path / 'studies.db'}", clock=clock)


def test_a_date_is_meant_to_its_end_and_a_time_in_utc():
    assert end_of("") is end_of("  ") is None
    assert end_of("2026-12-31") == seconds(2027, 1, 1)
    assert end_of(" 2026-12-31 18:00 ") == seconds(2026, 12, 31, 18)
    assert end_of("2026-12-31T18:00+01:00") == seconds(2026, 12, 31, 17)
    for wrong in ("tomorrow", "31.12.2026", "2026-13-01", "9999-12-31"):
        with pytest.raises(ValueError, match="neither a date, as 2026-12-31, nor a time"):
            end_of(wrong)


@pytest.mark.parametrize(
    ("last", "ends", "closed"),
    [
        (None, None, False),
        (None, 101.0, False),
        (None, 100.0, True),
        ((CLOSED, 50.0), None, True),
        ((CLOSED, 50.0), 200.0, True),
        ((REOPENED, 50.0), 90.0, True),
        ((REOPENED, 95.0), 90.0, False),
    ],
)
def test_the_end_and_the_owners_last_word_decide(last, ends, closed):
    assert is_closed(last, ends, now=100.0) is closed


def test_a_study_without_an_end_has_the_hash_that_it_had():
    assert "closes" not in STUDY.as_json()
    assert dataclasses.replace(STUDY, closes="2026-12-31").sha256 != STUDY.sha256
    content = {"name": "x", "mode": "acr", "items": ["one"], "systems": ["a"]}
    import yaml

    assert study_from(yaml.safe_load("closes: 2026-12-31") | content).ends == seconds(2027, 1, 1)
    assert study_from(yaml.safe_load("closes: 2026-12-31 18:00:00") | content).ends == seconds(2026, 12, 31, 18)
    with pytest.raises(StudyError, match="closes: 'soon' is neither a date"):
        study_from({**content, "closes": "soon"})


def test_from_its_end_on_nobody_starts_and_who_has_begun_goes_on(store, clock):
    public_id = store_silently(store, dataclasses.replace(STUDY, closes="2026-12-31 18:00"))
    listening = Listening(store, "secret")
    begun = listening.join(public_id, "en", {})
    early = store.study(public_id)
    clock.now = seconds(2026, 12, 31, 17, 59)
    assert listening.resume(public_id, None)["step"] == "welcome"
    clock.now = seconds(2026, 12, 31, 18, 0)
    assert store.study(public_id).closed
    assert [line.closed for line in store.overview()] == [True]
    with pytest.raises(RequestError, match="no more answers"):
        listening.join(public_id, "en", {})
    with pytest.raises(ClosedError):
        store.start(early, "en", {}, None)  # by a page that was looked at before the end
    step = listening.next(begun["token"], "volume", {})
    assert step["step"] == "headphones"
    assert len(store.raters(public_id)) == 1


def test_the_owner_may_close_it_before_and_open_it_after_its_end(store, clock):
    public_id = store_silently(store, dataclasses.replace(STUDY, closes="2026-12-31 18:00"))
    store.set_closed(public_id, True)
    assert store.study(public_id).closed
    store.set_closed(public_id, False)
    assert not store.study(public_id).closed
    clock.now = seconds(2027, 1, 2)
    assert store.study(public_id).closed, "what was opened before its end ends with it"
    store.set_closed(public_id, False)
    assert not store.study(public_id).closed
    assert [line.closed for line in store.overview()] == [False]


def test_copies_have_no_end_of_their_own(store):
    public_id = store_silently(store, dataclasses.replace(STUDY, closes="2026-12-31 18:00"))
    store.add_rater(public_id, "en", {})
    for made, _ in (with_more_raters(store, public_id, 30), duplicated(store, public_id)):
        assert store.study(made).ends is None
