"""A check that nearly everybody fails raises an alarm, and leaves nobody out: how often that is wrong, and how soon it is right."""

import csv
import html
import itertools
import json
import math
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from scipy.stats import binom

from eval.listening.analysis.alarm import EXPECTED, FALSE_ALARMS, MIN_RATERS, Alarm, expected_share, is_implausible
from eval.listening.analysis.export import export_study
from eval.listening.analysis.results import analyse
from eval.listening.analysis.screening import Flag
from eval.listening.recruiting.terms import Recruiting
from eval.listening.session.service import Listening
from eval.listening.session.watch import Watch, is_due
from eval.listening.storage.store import Store
from eval.listening.study import Study
from eval.reports.study import study_results
from tests.command import command
from tests.listening import Listener, any_answer, store_silently
from ui.listening.rate_routes import rate_routes

RESPONSE = {"heard": [2.0], "plays": [1], "switches": 0, "dwell_ms": 2500}


def first_alarm(failures: np.ndarray, expected: float) -> int | None:
    """The number of raters at which it is raised; failures: (n,) of 0 and 1, in the order of the raters."""
    for raters, failed in enumerate(np.cumsum(failures), start=1):
        if failures[raters - 1] and is_implausible(int(failed), raters, expected):
            return raters
    return None


def test_the_rule_is_the_exact_binomial_tail():
    """Five of five at 20 %: 0.2^5 = 0.00032, below 0.01 / 6."""
    assert is_implausible(5, 5, 0.2)
    assert not is_implausible(4, 5, 0.2), "0.00672 is above it"
    assert not is_implausible(4, 4, 0.2), "too few"
    for raters in (10, 40):
        tail = [
            sum(math.comb(raters, k) * 0.3**k * 0.7 ** (raters - k) for k in range(f, raters + 1))
            for f in range(raters)
        ]
        bound = FALSE_ALARMS * MIN_RATERS / (raters * (raters + 1))
        assert [is_implausible(f, raters, 0.3) for f in range(raters)] == [p < bound for p in tail]


def test_the_bounds_of_all_looks_sum_to_the_error_rate():
    n = np.arange(MIN_RATERS, 10**6)
    assert np.sum(FALSE_ALARMS * MIN_RATERS / (n * (n + 1))) == pytest.approx(FALSE_ALARMS, rel=1e-4)


@pytest.mark.parametrize("rule", EXPECTED)
def test_false_alarms_are_as_rare_as_stated(rule):
    """Looked at after every one of 200 raters, who fail as often as a check that works allows at most."""
    expected = expected_share(rule, 1)
    rng = np.random.default_rng(7)
    studies = 4000
    failed = np.cumsum(rng.random((studies, 200)) < expected, axis=1)
    n = np.arange(1, 201)
    due = [
        binom.isf(FALSE_ALARMS * MIN_RATERS / (k * (k + 1)), k, expected) + 1 if k >= MIN_RATERS else k + 1 for k in n
    ]
    alarmed = np.mean(np.any(failed >= np.asarray(due), axis=1))
    assert alarmed < FALSE_ALARMS
    sample = (np.diff(failed[:20], axis=1, prepend=0), failed[:20])
    for failures, counts in zip(*sample, strict=True):
        assert (first_alarm(failures, expected) is not None) == bool(np.any(counts >= np.asarray(due)))


@pytest.mark.parametrize(("share", "within"), [(1.0, 5), (0.9, 12), (0.7, 40)])
def test_a_broken_check_is_found_soon(share, within):
    """Nine of ten studies whose gold is failed by that share of raters have their alarm after so many."""
    rng = np.random.default_rng(3)
    found = [first_alarm(rng.random(within) < share, EXPECTED["gold"]) is not None for _ in range(200)]
    assert np.mean(found) >= 0.9


def test_several_checks_are_failed_more_often():
    assert expected_share("gold", 1) == pytest.approx(EXPECTED["gold"])
    assert expected_share("gold", 3) == pytest.approx(1 - 0.8**3)


@pytest.fixture
def store(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'listening.db'}")
    yield store
    store.close()


STUDY = Study("Which one?", "acr", ("one", "two"), ("a",), repeats=0, golds=1, traps=1)


def answer_all(store: Store, public_id: str, fails: str | None) -> str:
    """A rater who finishes, and fails all checks of one kind. Returns the id."""
    rater = store.add_rater(public_id, "en", {})
    for number, trial in enumerate(rater.plan):
        flags = [Flag(rater.id, trial.kind, 1, "why")] if trial.kind == fails else []
        store.add_response(rater, store.show(rater, number), {"answer": 3, **RESPONSE}, flags)
    return rater.id


def results_of(store: Store, public_id: str) -> dict:
    return analyse(store.study(public_id), store.answers(public_id), store.raters(public_id))


def test_a_broken_check_leaves_nobody_out_until_its_owner_decides(store, tmp_path, caplog):
    public_id = store_silently(store, STUDY)
    watch = Watch(store, run=lambda work: work())
    for _ in range(4):
        answer_all(store, public_id, "gold")
        watch.look(store.study(public_id), "gold")
    assert store.study(public_id).alarms == ()
    assert results_of(store, public_id)["n"]["screened"] == 0
    answer_all(store, public_id, "gold")
    for _ in range(3):
        watch.look(store.study(public_id), "gold")
    assert store.study(public_id).alarms == (Alarm("gold", 5, 5, expected_share("gold", 1)),)
    assert caplog.text.count("5 of 5 raters failed the check 'gold'") == 1, "told once"
    assert store.open_alarms() == 1
    results = results_of(store, public_id)
    assert results["n"]["screened"] == 5
    assert "gold" not in results["screening"]["excluding"]
    assert results["screening"]["flagged"] == {"gold": 5}, "flags stay"
    assert "the check may be broken" in study_results(results, {})
    export_study(store, public_id, tmp_path / "answers")
    with (tmp_path / "answers" / "answers.csv").open(newline="") as file:
        assert {row["excluded"] for row in csv.DictReader(file)} == {"0"}
    store.answer_alarm(public_id, "gold", False)
    assert (store.open_alarms(), results_of(store, public_id)["n"]["screened"]) == (0, 5)
    store.answer_alarm(public_id, "gold", True)
    results = results_of(store, public_id)
    assert (store.open_alarms(), results["n"]["screened"]) == (0, 0)
    assert "decided that it counts" in study_results(results, {})
    with pytest.raises(KeyError):
        store.answer_alarm(public_id, "trap", True)


def test_one_rater_in_five_is_no_alarm(store):
    public_id = store_silently(store, STUDY)
    watch = Watch(store, run=lambda work: work())
    for number in range(10):
        answer_all(store, public_id, "trap" if number % 5 == 0 else None)
        watch.look(store.study(public_id), "trap")
    assert store.failures(store.study(public_id), "trap") == (2, 10)
    assert store.study(public_id).alarms == ()


def test_an_alarm_changes_nothing_about_who_may_start(store):
    """A study is closed or not by its owner alone."""
    public_id = store_silently(store, STUDY)
    store.set_closed(public_id, True)
    store.add_alarm(store.study(public_id), Alarm("gold", 5, 5, 0.2))
    store.answer_alarm(public_id, "gold", True)
    assert store.study(public_id).closed


def test_a_headphone_check_that_everybody_fails_turns_nobody_away(store):
    terms = Recruiting("plain", headphones=True)
    public_id = store_silently(store, Study("Which one?", "acr", ("one",), ("a",), recruiting=terms))
    listening = Listening(store, "a secret of tests", watch=Watch(store, run=lambda work: work()))
    ends = []
    for _ in range(14):
        listening._cache._studies.clear()  # its two seconds are over
        token = listening.join(public_id, "en", {})["token"]
        listening.next(token, "volume", {})
        ends.append(listening.next(token, "headphones", {"skipped": True})["step"])
    (alarm,) = store.study(public_id).alarms
    assert (alarm.rule, alarm.failed, alarm.raters) == ("headphones", 12, 12)
    assert ends == ["screened_out"] * 12 + ["instructions"] * 2


def test_a_hidden_reference_that_everybody_misses_leaves_nobody_out(store):
    """Whole sessions whose scores of the recording are below 90: it is the recording, or the systems are as good. They also
    claim to have listened in no time."""
    study = Study("Which one?", "mushra", ("one", "two"), ("a",), golds=0, traps=0, repeats=0)
    public_id = store_silently(store, study)
    listening = Listening(store, "a secret of tests", watch=Watch(store, run=lambda work: work()))
    app = FastAPI()
    app.include_router(rate_routes(listening))
    http = TestClient(app)
    for number in range(1, 7):
        Listener(http, public_id, any_answer, fetch=False).run()
        assert results_of(store, public_id)["n"]["screened"] == (0 if number < 6 else 6)
    assert store.study(public_id).alarms == (
        Alarm("impossible-time", 5, 5, EXPECTED["impossible-time"]),
        Alarm("hidden-reference", 6, 6, EXPECTED["hidden-reference"]),
    )
    assert "6 of 6 raters failed the check 'hidden-reference'" in html.unescape(
        study_results(results_of(store, public_id), {})
    )
    store.answer_alarm(public_id, "hidden-reference", True)
    assert results_of(store, public_id)["n"]["screened"] == 0


def test_all_votes_are_looked_at_ever_more_seldom():
    """After each of ten sessions, and then when they have grown by a tenth: 10 ln(n) times."""
    looks = [n for n in range(1, 10_001) if is_due(n)]
    assert looks[:10] == list(range(1, 11))
    assert max(later / earlier for earlier, later in itertools.pairwise(looks[9:])) <= 1.2
    assert len(looks) < 10 * math.log(10_000)


class Webhook(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def webhook(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), Webhook)
    server.got, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("LISTENING_WEBHOOK", f"http://127.0.0.1:{server.server_port}/hook")
    yield server
    server.shutdown()
    thread.join()


@pytest.mark.parametrize("status", [200, 500])
def test_the_owner_gets_a_message_and_a_webhook_that_fails_is_a_line_in_the_log(store, webhook, status, caplog):
    webhook.status = status
    public_id = store_silently(store, STUDY)
    for _ in range(5):
        answer_all(store, public_id, "gold")
    Watch(store, run=lambda work: work()).look(store.study(public_id), "gold")
    (message,) = webhook.got
    assert message["text"].startswith(f"Which one? ({public_id}): 5 of 5 raters failed")
    assert (message["study"], message["rule"], message["raters"], message["failed"]) == (public_id, "gold", 5, 5)
    assert ("did not reach LISTENING_WEBHOOK" in caplog.text) == (status == 500)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "nothing"])
def test_a_webhook_is_an_http_address(store, monkeypatch, url, caplog):
    monkeypatch.setenv("LISTENING_WEBHOOK", url)
    public_id = store_silently(store, STUDY)
    for _ in range(5):
        answer_all(store, public_id, "gold")
    Watch(store, run=lambda work: work()).look(store.study(public_id), "gold")
    assert "did not reach LISTENING_WEBHOOK: allowed is an http or https address" in caplog.text
    assert len(store.study(public_id).alarms) == 1


def test_an_answer_does_not_wait_for_the_message(store):
    """Whatever the watch does, it is begun only after the answer is stored, and its end is not waited for."""
    public_id = store_silently(store, STUDY)
    begun = []
    listening = Listening(store, "a secret of tests", watch=Watch(store, run=begun.append))
    token = listening.join(public_id, "en", {})["token"]
    step = {"step": "volume"}
    while step["step"] != "done":
        if step["step"] == "trial":
            heard = {"heard": [[[0, 2]]]}
            step = listening.answer(token, step["nonce"], 5, heard)
        else:
            step = listening.next(token, step["step"], {})
    assert len(begun) == 3, "a gold and a trap, both failed, and the end of a session"
    (rater,) = store.raters(public_id)
    assert len(store.answers(public_id)) == rater["trials"]
    assert {flag["rule"] for flag in rater["flags"]} == {"gold", "trap", "impossible-time"}


def test_the_owner_answers_by_a_command(tmp_path):
    (tmp_path / "listening").mkdir()
    store = Store(f"sqlite:///{tmp_path / 'listening' / 'listening.db'}")
    public_id = store_silently(store, STUDY)
    store.add_alarm(store.study(public_id), Alarm("gold", 5, 5, 0.2))
    about = ("--study", public_id, "--data-dir", tmp_path)
    command("eval", "listening", "alarm", "gold", "broken", *about)
    assert store.study(public_id).alarms[0].excludes is False
    done = command("eval", "listening", "alarm", "trap", "works", *about, code=1)
    assert "there is no alarm about 'trap'" in done.stderr
    store.close()
