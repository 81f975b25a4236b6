"""A listener's session over HTTP: what is asked, what is refused, what leaks, what survives."""

import base64
import contextlib
import functools
import itertools
import json
import math
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.listening.analysis.results import analyse
from eval.listening.analysis.votes import ANCHOR, REFERENCE
from eval.listening.making.stimuli import render_stimuli
from eval.listening.session import headphones
from eval.listening.session.open import open_listening
from eval.listening.storage.database import StoreError
from eval.listening.study import Question, Study
from eval.listening.tasks.registry import TASKS
from eval.listening.trial import BEEPS, DEGRADED
from tests.conftest import harmonic_tone
from tests.listening import Listener, any_answer, sounds_like
from ui.listening.rate_routes import MAX_BODY_BYTES, rate_routes
from vocoders.audio import Recording
from vocoders.catalogue import find_systems

ITEMS = ("a-low-voice", "a-high-voice", "a-noisy-voice")
SYSTEMS = ("griffin-lim", "griffin-lim-oracle")
THIRD = "griffin-lim-again"  # the same outputs once more, for sets of three
OPENLY = {"mushra": ["reference"], "dcr": ["reference"], "mushra1s": ["reference", "anchor", "anchor-7k"]}
QUESTIONS = (
    Question("device", "What did you listen with?", ("headphones", "loudspeakers")),
    Question("note", "Anything?"),
)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def studies(data_dir) -> dict[str, str]:
    """{mode: public id} of a small study of each kind with real outputs."""
    listening = open_listening(data_dir)
    recordings = {name: Recording(name, harmonic_tone(1.6 + 0.2 * n, 150 * (n + 1))) for n, name in enumerate(ITEMS)}
    found = {}
    every_anchor = Study("Which one?", "mushra", ITEMS, SYSTEMS, mid_anchor=True)
    stimuli, wavs = render_stimuli(every_anchor, recordings, find_systems(",".join(SYSTEMS)))
    stimuli += [replace(stimulus, condition=THIRD) for stimulus in stimuli if stimulus.condition == SYSTEMS[0]]
    for mode in TASKS:
        systems = (*SYSTEMS, THIRD) if mode == "bws" else SYSTEMS
        study = Study("Which one?", mode, ITEMS, systems, questions=QUESTIONS, seed=2)
        found[mode] = listening.store.add_study(study, stimuli, wavs, {})[0]
    listening.store.close()
    return found


@pytest.fixture
def listening(data_dir, studies):
    listening = open_listening(data_dir)
    yield listening
    listening.store.close()


def client_of(listening) -> TestClient:
    app = FastAPI()
    app.include_router(rate_routes(listening))
    return TestClient(app)


@pytest.fixture
def http(listening) -> httpx.Client:
    return client_of(listening)


@pytest.fixture(scope="module")
def whole_session(data_dir, studies) -> Iterator[Callable[[str], Listener]]:
    """(mode) -> a listener who was asked and has answered everything; one for all tests that look at what was sent."""
    listening = open_listening(data_dir)
    http = client_of(listening)

    @functools.cache
    def session(mode: str) -> Listener:
        listener = Listener(http, studies[mode], any_answer)
        assert listener.run()["step"] == "done"
        return listener

    yield session
    listening.store.close()


@pytest.mark.parametrize("mode", TASKS)
def test_a_whole_session_is_stored_as_it_was_heard(whole_session, listening, studies, mode):
    """The sound behind every slot is the stored condition's, but for its disguise: shown slot and stored slot agree."""
    listener = whole_session(mode)
    assert re.fullmatch(r"[0-9A-F]{8}", listener.responses[-1].json()["code"])
    rows = [
        row for row in listening.store.answers(studies[mode]) if row["nonce"] in {t["nonce"] for t in listener.trials}
    ]
    stored = listening.store.study(studies[mode])
    assert [row["answer"] for row in rows] == listener.answers
    plan = listening.store.rater(rows[0]["rater"]).plan
    assert len(rows) == len(plan) or (mode == "sabx" and len(rows) < len(plan))
    for row, step, trial in zip(rows, listener.trials, [plan[row["number"]] for row in rows]):
        shown = list(trial.shown)
        assert row["shown"] == shown
        shown = [*OPENLY.get(mode, ()), *shown]
        if mode in ("abx", "sabx"):
            shown = [*shown, shown[row["x"]]]
        for condition, sound in zip(shown, step["sounds"], strict=True):
            wav = listening.store.wav(stored.stimulus(row["item"], condition).sha256)
            assert sounds_like(sound.content, wav)
            assert sound.content != wav
    (rater,) = [r for r in listening.store.raters(studies[mode]) if r["rater"] == rows[0]["rater"]]
    ended_early = {"decided"} if mode == "sabx" else set()
    assert rater["events"].keys() == {"volume", "headphones", "instructions", "questionnaire"} | ended_early
    assert rater["events"]["questionnaire"] == {"device": "yes", "note": "yes"}


@pytest.mark.parametrize("mode", TASKS)
def test_equal_sounds_cannot_be_matched_by_hash_length_or_subtraction(whole_session, mode):
    """Of a whole session: every response has a hash of its own, all of a trial have one length, and no two of a trial differ by less
    than 65 dB below their level."""
    listener = whole_session(mode)
    responses = [sound.content for step in listener.trials for sound in step["sounds"]]
    assert len(set(responses)) == len(responses)
    for step in listener.trials:
        assert len({len(sound.content) for sound in step["sounds"]}) == 1
        heard = [np.frombuffer(sound.content[44:], "<i2").astype(float) for sound in step["sounds"]]
        for one, other in itertools.combinations(heard, 2):
            assert 10 * math.log10(np.square(one - other).mean() / np.square(one).mean()) > -65


def content_of(address: str) -> str:
    """What an address says in plain; its letters as they stand spell short words by chance."""
    return base64.urlsafe_b64decode(address + "=" * (-len(address) % 4)).decode("latin-1")


@pytest.mark.parametrize("mode", TASKS)
def test_nothing_that_reaches_the_browser_says_what_is_heard(whole_session, listening, studies, mode):
    """All requests and answers of a whole session: no system, clip or condition, no hash, no metric, no order to come."""
    listener = whole_session(mode)
    stored = listening.store.study(studies[mode])
    secrets = {*SYSTEMS, *ITEMS, "anchor", "degraded", "beeps", "oracle", "griffin", "M-STFT", "lufs", "gold", "trap"}
    secrets |= {stimulus.sha256[:n] for stimulus in stored.stimuli for n in (12, None)}
    for response in listener.responses:
        sent = f"{response.request.url} {response.request.content!r} {response.headers} "
        sent += response.content.decode("latin-1") if response.headers["content-type"] != "audio/wav" else ""
        sent = re.sub(r"stim/([\w-]+)\.[\w.-]+", lambda address: content_of(address[1]), sent)
        assert [secret for secret in secrets if secret.lower() in sent.lower()] == []
    for step in listener.trials:
        allowed = {
            "step",
            "attention",
            "mode",
            "training",
            "nonce",
            "number",
            "of",
            "seconds",
            "sample_rate",
            "need",
            "slots",
            "sounds",
        }
        assert step.keys() <= allowed
        sounds = step["sounds"]
        assert len({slot["url"] for slot in step["slots"]}) == len(sounds), "an address for each slot, also for X and A"
        described = {json.dumps(sorted((k, v) for k, v in sound.headers.items())) for sound in sounds}
        assert len(described) == 1, "same headers, same length"
        assert {sound.headers["cache-control"] for sound in sounds} == {"no-store"}
        assert not {"etag", "last-modified", "content-disposition"} & set(sounds[0].headers)
        assert sounds[0].content[36:40] == b"data", "a wav of a format and samples, nothing else"
    urls = [slot["url"] for step in listener.trials for slot in step["slots"]]
    assert len(set(urls)) == len(urls)


def test_x_is_one_of_the_two_and_not_told_by_its_address(http, studies):
    """Over sessions X is A about as often as B, and each of the three has an address of its own."""
    same = []
    for _ in range(4):
        listener = Listener(http, studies["abx"], any_answer)
        listener.run()
        for step in listener.trials:
            assert len({slot["url"] for slot in step["slots"]}) == 3
            a, b, x = (np.frombuffer(sound.content[44:], "<i2").astype(float) for sound in step["sounds"])
            nearer, farther = sorted(np.abs(x - sound).max() for sound in (a, b))
            assert nearer < 0.1 * farther
            same.append(np.abs(x - a).max() == nearer)
    assert 0.25 < np.mean(same) < 0.75


def test_an_answer_without_listening_is_refused(http, studies):
    listener = Listener(http, studies["acr"], any_answer)
    step = listener.run(until=lambda step: step["step"] == "trial")
    for heard in ([], [[]], [[[0, step["need"] / 2]]], [[[0, 0.5]] * 9], [[[5, 99]]]):
        refused = listener.post("answer", token=listener.token, nonce=step["nonce"], answer=3, heard=heard)
        assert (refused.status_code, refused.json()["error"]) == (422, "not_heard"), heard
    for heard in (None, 7, [[["a", 1]]], [[1, 2]]):
        refused = listener.post("answer", token=listener.token, nonce=step["nonce"], answer=3, heard=heard)
        assert refused.json()["error"] == "invalid_answer", heard
    assert listener.post("open", study=listener.study, token=listener.token).json()["nonce"] == step["nonce"]


def test_hearing_more_than_time_allows_is_accepted_and_flagged(http, listening, studies):
    listener = Listener(http, studies["mushra"], any_answer)
    step = listener.run(until=lambda step: step["step"] == "trial")
    assert listener.send(step, any_answer(step), heard=step["seconds"]).status_code == 200
    rater = listening.store.raters(studies["mushra"])[-1]
    assert [flag["rule"] for flag in rater["flags"]] == ["impossible-time"]


def test_failed_checks_are_flags(http, listening, studies):
    listener = Listener(http, studies["acr"], lambda step: 5)
    listener.run()
    flags = [flag["rule"] for flag in listening.store.raters(studies["acr"])[-1]["flags"]]
    assert "gold" in flags, "a degraded output was called excellent"
    assert len(
        [
            row
            for row in listening.store.answers(studies["acr"])
            if row["nonce"] in {t["nonce"] for t in listener.trials}
        ]
    ) == len(listener.trials)


@pytest.mark.parametrize("mode", TASKS)
def test_no_trial_stands_out_by_its_sounds(whole_session, mode):
    """What the page is told of a check is what it is told of any trial but practice."""
    asked = [step for step in whole_session(mode).trials if not step["training"]]
    assert len({json.dumps([[slot["role"], slot["label"]] for slot in step["slots"]]) for step in asked}) == 1


def test_a_plan_of_an_older_version_goes_on_as_it_was_made(http, listening, studies, data_dir):
    """Checks of two sounds in a stored plan are asked and judged as they are, and the votes beside them count."""
    task, sent = listening.store.study(studies["mushra"]).study.task, []

    def answered(step):
        trial = plan[len(sent)]
        sent.append(task.right(trial) if trial.kind == "gold" else any_answer(step))
        return sent[-1]

    listener = Listener(http, studies["mushra"], answered, fetch=False)
    listener.join()
    rater = listening.store.raters(studies["mushra"])[-1]["rater"]
    checks = (REFERENCE, DEGRADED, *BEEPS)
    older = [
        replace(trial, shown=tuple(c for c in trial.shown if c in checks)) if trial.kind in ("gold", "trap") else trial
        for trial in listening.store.rater(rater).plan
    ]
    with contextlib.closing(sqlite3.connect(data_dir / "listening" / "listening.db")) as database, database:
        database.execute(
            "update rater set plan = ? where id = ?", (json.dumps([asdict(trial) for trial in older]), rater)
        )
    plan = listening.store.rater(rater).plan
    assert sorted(len(trial.shown) for trial in plan if trial.kind in ("gold", "trap")) == [2, 2]
    assert listener.run()["step"] == "done"
    rows = [row for row in listening.store.answers(studies["mushra"]) if row["rater"] == rater]
    assert [(row["answer"], tuple(row["shown"])) for row in rows] == list(zip(sent, [t.shown for t in plan]))
    (person,) = [row for row in listening.store.raters(studies["mushra"]) if row["rater"] == rater]
    flags = {flag["rule"] for flag in person["flags"]}
    assert flags & {"gold", "trap"} == {"trap"}, "the gold was answered rightly; 40 and 50 are not 0 and 100"
    found = analyse(listening.store.study(studies["mushra"]), rows, [person])
    assert set(found["before"]["means"]) == {*SYSTEMS, REFERENCE, ANCHOR}


def test_replays_count_once_and_keep_the_first_answer(http, listening, studies):
    listener = Listener(http, studies["ab"], any_answer)
    step = listener.run(until=lambda step: step["step"] == "trial")
    first, again = listener.send(step, "a"), listener.send(step, "b")
    assert first.json()["number"] == again.json()["number"]
    assert first.json()["nonce"] == again.json()["nonce"], "the same next trial"
    assert [r["answer"] for r in listening.store.answers(studies["ab"]) if r["nonce"] == step["nonce"]] == ["a"]


def test_a_trial_ahead_cannot_be_answered(http, listening, studies):
    listener, other = (Listener(http, studies["ab"], any_answer) for _ in range(2))
    step = listener.run(until=lambda step: step["step"] == "trial")
    theirs = other.run(until=lambda step: step["step"] == "trial")
    before = len(listening.store.answers(studies["ab"]))
    for token, nonce, code in (
        (listener.token, theirs["nonce"], "stale"),
        (listener.token, "made-up", "stale"),
        (listener.token[:-2] + "xx", step["nonce"], "bad_token"),
        ("", step["nonce"], "bad_token"),
    ):
        refused = listener.post("answer", token=token, nonce=nonce, answer="a", heard=[[[0, 9]], [[0, 9]]])
        assert refused.json()["error"] == code
    assert len(listening.store.answers(studies["ab"])) == before


def test_a_token_of_another_study_starts_anew(http, studies):
    listener = Listener(http, studies["ab"], any_answer)
    listener.join()
    assert listener.post("open", study=studies["acr"], token=listener.token).json()["step"] == "welcome"
    assert listener.post("open", study="made-up").json()["error"] == "unknown_study"


def test_a_session_keeps_the_language_in_which_it_began(http, listening, studies):
    listener = Listener(http, studies["acr"], any_answer)
    begun = listener.post("join", study=studies["acr"], language="zh-TW", device={}).json()
    assert begun["language"] == "zh-TW"
    assert listener.post("open", study=studies["acr"], token=begun["token"]).json()["language"] == "zh-TW"
    assert "language" not in listener.post("open", study=studies["acr"]).json(), "the page's own choice"
    assert listening.store.raters(studies["acr"])[-1]["language"] == "zh-TW"


def test_a_session_goes_on_after_a_restart(listening, http, studies, data_dir):
    listener = Listener(http, studies["acr"], any_answer)
    step = listener.run(until=lambda step: step["step"] == "trial" and not step["training"] and step["number"] == 4)
    again = open_listening(data_dir)
    app = FastAPI()
    app.include_router(rate_routes(again))
    listener.http = TestClient(app)
    assert listener.post("open", study=studies["acr"], token=listener.token).json()["nonce"] == step["nonce"]
    listener.run()
    nonces = [trial["nonce"] for trial in listener.trials]
    stored = [row["nonce"] for row in again.store.answers(studies["acr"])]
    assert [nonce for nonce in stored if nonce in nonces] == nonces
    again.store.close()


def test_storage_that_fails_says_so_and_the_answer_can_be_sent_again(http, listening, studies, monkeypatch):
    listener = Listener(http, studies["acr"], any_answer)
    step = listener.run(until=lambda step: step["step"] == "trial")
    with monkeypatch.context() as patch:

        def fail(*args):
            raise StoreError("database is locked")

        patch.setattr(listening.store, "add_response", fail)
        failed = listener.send(step, 4)
    assert (failed.status_code, failed.json()["error"]) == (503, "storage")
    assert listener.send(step, 4).status_code == 200
    assert [r["answer"] for r in listening.store.answers(studies["acr"]) if r["nonce"] == step["nonce"]] == [4]


def test_a_closed_study_takes_nobody_new_and_lets_those_inside_finish(http, listening, studies, monkeypatch):
    inside = Listener(http, studies["abx"], any_answer)
    inside.run(until=lambda step: step["step"] == "trial")
    listening.store.set_closed(studies["abx"], True)
    late = Listener(http, studies["abx"], any_answer)
    assert late.post("join", study=studies["abx"]).json()["error"] == "closed"
    # The facts about a study are looked up again after two seconds
    clock = SimpleNamespace(time=time.time, monotonic=lambda: math.inf)
    with monkeypatch.context() as patch:
        patch.setattr("eval.listening.session.cache.time", clock)
        assert late.post("open", study=studies["abx"]).json() == {"step": "closed"}
    assert inside.run()["step"] == "done"
    listening.store.set_closed(studies["abx"], False)


def test_whoever_asks_is_forgotten(http, listening, studies):
    listener = Listener(http, studies["ab"], any_answer)
    listener.run()
    before = len(listening.store.raters(studies["ab"]))
    assert listener.post("forget", token=listener.token).json() == {"step": "forgotten"}
    assert len(listening.store.raters(studies["ab"])) == before - 1
    assert listener.post("open", study=studies["ab"], token=listener.token).json()["step"] == "welcome"
    assert listener.post("answer", token=listener.token, nonce="x", answer="a").json()["error"] == "bad_token"
    assert http.get(f"/{listener.trials[0]['slots'][0]['url']}").status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"token": 5}', b'{"study": "' + b"x" * 100 + b'"}', b"\xff\xfe"])
@pytest.mark.parametrize("path", ["open", "join", "next", "answer", "questionnaire", "forget", "mine", "privacy"])
def test_nonsense_is_refused_in_a_sentence(http, path, body):
    response = http.post(f"/listening/{path}", content=body)
    assert response.status_code == 422
    assert response.json()["error"] == "invalid_answer"


def test_numbers_beyond_all_bounds_are_no_answer(http, listening, studies):
    """JSON may hold whole numbers of four thousand digits, which are no floats, and NaN, which no database takes."""
    listener = Listener(http, studies["acr"], any_answer)
    listener.join()
    huge = "9" * 4000
    odd = f'{{"token": "{listener.token}", "done": "volume", "level": NaN, "more": {huge}, "x": 1e999, "a\\u0000b": "\\u0000c"}}'
    assert http.post("/listening/next", content=odd).status_code == 200
    assert listener.post("next", token=listener.token, done="headphones", answers=5).status_code == 200
    (rater,) = [r for r in listening.store.raters(studies["acr"]) if r["rater"] == listening._rater(listener.token).id]
    assert rater["events"]["volume"] == {"level": None, "more": None, "x": None, "ab": "c"}
    assert rater["events"]["headphones"]["right"] == 0
    step = listener.run(until=lambda step: step["step"] == "trial")
    for heard, more, status in ((huge, "", 422), ("9", f', "switches": {huge}, "plays": [{huge}, 1e999]', 200)):
        body = (
            f'{{"token": "{listener.token}", "nonce": "{step["nonce"]}", "answer": 3, "heard": [[[0, {heard}]]]{more}}}'
        )
        assert http.post("/listening/answer", content=body).status_code == status
    stored = [row for row in listening.store.answers(studies["acr"]) if row["nonce"] == step["nonce"]]
    assert [(row["switches"], row["plays"]) for row in stored] == [(10**9, [10**9])]


def test_a_sound_is_not_gone_because_the_database_is_away(http, listening, studies, monkeypatch):
    listener = Listener(http, studies["acr"], any_answer)
    step = listener.run(until=lambda step: step["step"] == "trial")

    def fail(*args):
        raise StoreError("database is locked")

    monkeypatch.setattr(listening.store, "shown", fail)
    assert http.get(f"/{step['slots'][0]['url']}").status_code == 503


def test_a_huge_request_is_refused(http):
    assert http.post("/listening/answer", content=b"x" * (MAX_BODY_BYTES + 1)).status_code == 413


def test_of_three_tones_one_is_quieter_and_one_in_antiphase():
    def channels(name):
        return np.frombuffer(headphones.tone(name)[44:], "<i2").reshape(-1, 2).astype(float)

    plain, quiet, antiphase = map(channels, headphones.NAMES)
    level = 20 * np.log10(np.std(quiet[:, 0]) / np.std(plain[:, 0]))
    assert level == pytest.approx(-6, abs=0.05)
    assert np.array_equal(antiphase[:, 0], -antiphase[:, 1])
    assert np.array_equal(plain[:, 0], plain[:, 1])
    orders = {headphones.order("seed", number) for number in range(60)}
    assert len(orders) == 6
    right = [headphones.order("seed", number).index("quiet") for number in range(headphones.ROUNDS)]
    assert headphones.right_answers("seed", right) == headphones.ROUNDS
    assert headphones.right_answers("other", right) < headphones.ROUNDS
