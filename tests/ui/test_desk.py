"""The owner's desk without a browser: keys, what they open, links to results, downloads."""

import csv
import io
import re
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.listening.analysis.alarm import Alarm
from eval.listening.session.service import Listening
from eval.listening.storage import tables
from eval.listening.storage.owning import StudyLine
from eval.listening.storage.store import Store
from eval.listening.study import StudyError
from server.executor import InlineExecutor
from server.middleware.access_log import route_of
from tests.eval.listening.test_results import QUALITY, filled
from tests.ui.test_form_problems import GOOD
from ui.listening.desk.access import ADMIN, MAX_WRONG_KEYS_PER_MINUTE, Refused, require_keys
from ui.listening.desk.desk import Asked, Desk
from ui.listening.desk.panels import link_panel, utc
from ui.listening.desk.results import LinkedReports
from ui.listening.desk.routes import GONE, results_routes

ADMIN_TOKEN = "the administrator's"


@pytest.fixture
def owned(tmp_path, store) -> SimpleNamespace:
    """A study with answers, its key, and the desk in front of it."""
    studies, public_id = filled(tmp_path, "acr", raters=6)
    key = "the owner's key"
    again, key = studies.add_study(studies.study(public_id).study, studies.study(public_id).stimuli, {}, {})
    listening = Listening(studies, "secret")
    desk = Desk(listening, tmp_path, [], store, InlineExecutor())
    return SimpleNamespace(store=studies, other=public_id, public_id=again, key=key, desk=desk, files=store)


def client(address: str) -> SimpleNamespace:
    return SimpleNamespace(client=SimpleNamespace(host=address))


def ids(lines: list[StudyLine]) -> list[str]:
    return [line.public_id for line in lines]


def test_a_key_opens_its_study_and_the_administrator_all(owned, monkeypatch):
    assert ids(owned.desk.studies(Asked("", owned.key))) == [owned.public_id]
    with pytest.raises(Refused, match="No study with this id and key"):
        owned.desk.studies(Asked(owned.other, owned.key))
    with pytest.raises(Refused, match="No study has this key"):
        owned.desk.studies(Asked("", ADMIN_TOKEN))
    monkeypatch.setenv(ADMIN, ADMIN_TOKEN)
    assert ids(owned.desk.studies(Asked("", ADMIN_TOKEN))) == [owned.public_id, owned.other]
    assert ids(owned.desk.studies(Asked(owned.other, ADMIN_TOKEN))) == [owned.other]
    monkeypatch.setenv(ADMIN, "")
    with pytest.raises(Refused):
        owned.desk.studies(Asked("", ""))


def test_every_action_asks_for_the_key(owned):
    stranger = Asked(owned.public_id, "a guess")
    calls = [
        lambda: owned.desk.progress(stranger),
        lambda: owned.desk.results(stranger),
        lambda: owned.desk.revisions(stranger),
        lambda: owned.desk.toggle(stranger),
        lambda: owned.desk.more_raters(stranger, 5),
        lambda: next(owned.desk.more_clips(stranger, ["a.wav"], [])),
        lambda: owned.desk.duplicate(stranger),
        lambda: owned.desk.delete(stranger, "Which one? <b>"),
        lambda: owned.desk.link(stranger),
        lambda: owned.desk.links(stranger),
    ]
    for call in calls:
        with pytest.raises(Refused, match="No study with this id and key"):
            call()
    assert len(calls) == MAX_WRONG_KEYS_PER_MINUTE
    with pytest.raises(Refused, match="try again in a minute"):
        owned.desk.revoke(stranger)


def test_a_form_that_names_other_studies_needs_their_keys(owned):
    form = replace(GOOD, platform="prolific", completed="C1", earlier=f" {owned.public_id}  {owned.key}\n\n")
    require_keys(form, owned.store)
    assert form.recruiting().exclude.studies == (owned.public_id,)
    with pytest.raises(StudyError, match=f"none with the id {owned.other} and this key"):
        require_keys(replace(form, earlier=f"{form.earlier}{owned.other} {owned.key}"), owned.store)
    with pytest.raises(StudyError, match="To revise a study takes the key"):
        require_keys(replace(GOOD, revises=owned.other, key=owned.key), owned.store)
    require_keys(replace(GOOD, revises=owned.public_id, key=owned.key), owned.store)


def test_an_alarm_is_answered_by_the_owner(owned):
    asked = Asked(owned.public_id, owned.key)
    stored = owned.store.study(owned.public_id)
    for rule in ("gold", "trap"):
        assert owned.store.add_alarm(stored, Alarm(rule, 5, 5, 0.2))
    assert [alarm.rule for alarm in owned.desk.alarms(asked)] == ["gold", "trap"]
    with pytest.raises(Refused, match="No study with this id and key"):
        owned.desk.answer_alarm(Asked(owned.public_id, "a guess"), "gold", True)
    with pytest.raises(Refused, match="There is no open alarm about 'headphones'"):
        owned.desk.answer_alarm(asked, "headphones", True)
    owned.desk.answer_alarm(asked, "gold", True)
    owned.desk.answer_alarm(asked, "trap", False)
    assert owned.desk.alarms(asked) == []
    assert {alarm.rule: alarm.suspends for alarm in owned.store.study(owned.public_id).alarms} == {
        "gold": False,
        "trap": True,
    }
    with pytest.raises(Refused, match="There is no open alarm about 'gold'"):
        owned.desk.answer_alarm(asked, "gold", False)


def test_guesses_of_one_client_are_slowed_and_others_are_not(owned):
    for _ in range(MAX_WRONG_KEYS_PER_MINUTE):
        with pytest.raises(Refused, match="No study has this key"):
            owned.desk.studies(Asked("", "a guess", client("10.0.0.1")))
    with pytest.raises(Refused, match="try again in a minute"):
        owned.desk.studies(Asked("", owned.key, client("10.0.0.1")))
    assert ids(owned.desk.studies(Asked("", owned.key, client("10.0.0.2")))) == [owned.public_id]


def test_progress_shows_counts_and_no_result(owned, monkeypatch):
    monkeypatch.setenv(ADMIN, ADMIN_TOKEN)
    shown = owned.desk.progress(Asked(owned.other, ADMIN_TOKEN))
    assert "6 of 20 raters started, 6 finished, 0 at it now" in re.sub(r"\s+", " ", shown)
    assert "Looking costs" in shown
    assert not any(word in shown for word in ("MOS", "points", *(f">{system}<" for system in QUALITY)))


def test_a_study_is_deleted_by_its_name_only(owned):
    asked = Asked(owned.public_id, owned.key)
    with pytest.raises(Refused, match="type the name"):
        owned.desk.delete(asked, "which one? <b>")
    assert owned.desk.delete(asked, " Which one? <b>") == "Which one? <b>"
    assert ids(owned.store.overview()) == [owned.other]
    with pytest.raises(Refused):
        owned.desk.progress(asked)


def test_results_of_revisions_are_shown_together_on_request(owned, monkeypatch):
    monkeypatch.setenv(ADMIN, ADMIN_TOKEN)
    asked = Asked(owned.other, ADMIN_TOKEN)
    revision, key = owned.desk.more_raters(asked, 8)
    assert not owned.store.has_key(owned.other, key), "the administrator's key is nobody's"
    both = Asked(revision, ADMIN_TOKEN)
    assert owned.desk.revisions(both) == [owned.other, revision]
    assert owned.desk.revisions(Asked(revision, key)) == [revision]
    assert "0 raters started" in owned.desk.results(both)
    assert "6 raters started" in owned.desk.results(both, together=True)


def test_clips_cannot_be_added_by_systems_that_are_not_here(owned, monkeypatch):
    monkeypatch.setenv(ADMIN, ADMIN_TOKEN)
    with pytest.raises(StudyError, match="low, middle, high: outputs that were made elsewhere"):
        next(owned.desk.more_clips(Asked(owned.other, ADMIN_TOKEN), ["new.wav"], []))


def test_downloads_are_raw_and_clean(owned, monkeypatch):
    monkeypatch.setenv(ADMIN, ADMIN_TOKEN)
    rater = owned.store.raters(owned.other)[2]["rater"]
    with owned.store._write() as connection:
        flag = {"rater_id": rater, "rule": "gold", "version": 1, "detail": "why", "created": 0.0}
        connection.execute(tables.flag.insert(), [flag])
    page = owned.desk.results(Asked(owned.other, ADMIN_TOKEN))
    links = dict(re.findall(r'href="results/([^"/]+)/([^"]+)"', page)[::-1])
    (token,) = links
    found = {}
    for name in ("answers", "clean-answers"):
        archive = zipfile.ZipFile(owned.files.find(token, f"{name}.zip"))
        found[name] = list(csv.DictReader(io.TextIOWrapper(archive.open("answers.csv"), "utf-8")))
    assert {line["rater"] for line in found["answers"]} - {line["rater"] for line in found["clean-answers"]} == {rater}
    assert {line["kind"] for line in found["clean-answers"]} == {"trial"}
    assert {"training", "gold", "trap"} < {line["kind"] for line in found["answers"]}


def test_a_link_shows_the_report_without_ids_until_it_is_revoked(owned, monkeypatch):
    monkeypatch.setenv(ADMIN, ADMIN_TOKEN)
    asked = Asked(owned.other, ADMIN_TOKEN)
    app = FastAPI()
    app.include_router(results_routes(LinkedReports(owned.store, [])))
    http = TestClient(app)
    address, ends = owned.desk.link(asked)
    assert owned.desk.links(asked) == [ends]
    shown = http.get(f"/{address}")
    assert shown.status_code == 200
    assert "6 raters started" in shown.text
    hidden = [owned.other, *(rater["rater"] for rater in owned.store.raters(owned.other))]
    hidden += [rater["code"] for rater in owned.store.raters(owned.other)]
    assert [text for text in hidden if text in shown.text] == []
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert route_of(f"/{address}") == "/study", "the log has no token"
    owned.store._clock = lambda: ends
    expired = http.get(f"/{address}")
    assert (expired.status_code, expired.headers["cache-control"]) == (410, "private, no-store")
    assert f"expired on {utc(ends)} UTC. Ask whoever sent it for a new one" in expired.json()["detail"]
    assert owned.desk.links(asked) == []
    owned.store._clock = lambda: ends - 1
    assert owned.desk.revoke(asked) == 1
    gone = http.get(f"/{address}")
    assert (gone.status_code, gone.json()["detail"]) == (404, GONE)


def test_the_end_of_a_link_is_shown():
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", "", link_panel("study/a", 1.8e9, [1.8e9, 1.9e9, None])))
    assert "until 2027-01-15 08:00 UTC" in text
    assert "Valid links: 3; they end 2027-01-15 08:00, 2030-03-17 17:46, when you revoke them." in text
    assert "until you revoke it" in link_panel("study/a", None, [None])


def test_a_report_is_computed_once_however_many_look(owned, monkeypatch):
    token, _ = owned.store.add_results_link(owned.other)
    reports, asked = LinkedReports(owned.store, []), []
    answers = Store.answers
    monkeypatch.setattr(Store, "answers", lambda store, public_id: asked.append(public_id) or answers(store, public_id))
    assert reports.find(token) == reports.find(token)
    assert asked == [owned.other]
