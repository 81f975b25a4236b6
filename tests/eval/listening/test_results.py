"""From answers to numbers, and to files that other programs read."""

import csv
import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from eval.listening.analysis.export import export_study
from eval.listening.analysis.results import analyse, votes_of
from eval.listening.analysis.votes import ANCHOR, REFERENCE
from eval.listening.storage.records import Stimulus
from eval.listening.storage.store import Store
from eval.listening.study import Study
from eval.listening.tasks.registry import TASKS, task_of
from eval.listening.tasks.scores.rating import RatingTask
from eval.reports.study import study_report
from tests.command import command
from tests.simulated import simulate
from vocoders.audio import wav_of

QUALITY = {"low": 0.3, "middle": 0.5, "high": 0.75}
WAV = "0" * 64  # the hash of the stimulus that stands for all of them: nobody listens here
SILENCE = wav_of(np.zeros(1000, np.int16))
ITEMS = tuple(f"clip-{n}" for n in range(6))


def filled(tmp_path, mode: str, raters: int = 10, **options) -> tuple[Store, str]:
    store = Store(f"sqlite:///{tmp_path / 'listening.db'}")
    study = Study("Which one? <b>", mode, ITEMS, tuple(QUALITY), seed=4, **options)
    extra = {ANCHOR, REFERENCE, "degraded", *(f"beeps-{n}" for n in range(1, 6))}
    stimuli = [
        Stimulus(item, condition, WAV, 2.0, {}, {"good metric": q + 0.01 * n, "constant": 1.0} if q else {})
        for n, item in enumerate(ITEMS)
        for condition, q in [*QUALITY.items(), *((name, None) for name in sorted(extra))]
    ]
    public_id, _ = store.add_study(study, stimuli, {WAV: SILENCE}, {})
    simulate(store, public_id, raters, QUALITY)
    return store, public_id


def results(store: Store, public_id: str) -> dict:
    return analyse(store.study(public_id), store.answers(public_id), store.raters(public_id))


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """mode -> (store, public id, folder) of ten raters' answers, for tests that only read them."""

    @functools.cache
    def fill(mode: str) -> tuple[Store, str, Path]:
        folder = tmp_path_factory.mktemp(mode)
        return (*filled(folder, mode), folder)

    return fill


@pytest.fixture(scope="module")
def found_in(answered):
    """mode -> the results of these answers."""
    return functools.cache(lambda mode: results(*answered(mode)[:2]))


@pytest.mark.parametrize("mode", ["acr", "mushra", "dcr", "mushra1s", "mushranr"])
def test_scores_find_the_order_that_was_put_in(found_in, mode):
    found = found_in(mode)
    order = [system for system in found["after"]["means"] if system in QUALITY]
    assert order == ["high", "middle", "low"]
    assert next(iter(found["after"]["means"])) == REFERENCE
    assert all(
        mean["low"] < mean["mean"] < mean["high"] for name, mean in found["after"]["means"].items() if name in QUALITY
    )
    pairs = {frozenset((p["first"], p["second"])): p["p_holm"] for p in found["after"]["differences"]}
    assert pairs[frozenset(("low", "high"))] < 0.001
    assert found["n"]["votes"] == 10 * len(ITEMS) * len(found["after"]["means"])
    assert sum(found["after"]["distributions"]["high"]) == 10 * len(ITEMS)
    assert found["metrics"]["good metric"]["takes"]["spearman"] > 0.8
    assert found["metrics"]["constant"]["takes"]["spearman"] is None
    assert json.loads(json.dumps(found)) == found, "plain JSON"


def test_preferences_find_the_order_that_was_put_in(found_in):
    found = found_in("ab")
    assert [place["system"] for place in found["after"]["ranking"]["systems"]] == ["high", "middle", "low"]
    assert sum(p["wins"] + p["ties"] + p["losses"] for p in found["after"]["pairs"]) == 10 * 3 * len(ITEMS)


def test_abx_finds_what_is_audible(found_in):
    found = found_in("abx")
    by_pair = {frozenset(pair["systems"]) - {REFERENCE}: pair for pair in found["after"]["pairs"]}
    assert by_pair[frozenset({"low"})]["share"]["mean"] > 0.9
    assert by_pair[frozenset({"low"})]["p_holm"] < 0.001
    assert by_pair[frozenset({"high"})]["share"]["mean"] < by_pair[frozenset({"low"})]["share"]["mean"]


def test_screening_leaves_a_rater_out_and_keeps_the_answers(answered):
    store, public_id, _ = answered("acr")
    raters = store.raters(public_id)
    for number, rule in ((3, "gold"), (4, "impossible-time")):
        raters[number]["flags"].append({"rule": rule, "version": 1, "detail": "why"})
    found = analyse(store.study(public_id), store.answers(public_id), raters)
    assert (found["n"]["with_votes"], found["n"]["screened"]) == (10, 8)
    means = [found[when]["means"]["high"] for when in ("before", "after")]
    assert [mean["raters"] for mean in means] == [10, 8]
    assert found["screening"]["flagged"] == {"gold": 1, "impossible-time": 1}
    votes = found["n"]["votes"] // 10
    assert found["screening"]["removed"] == {
        "raters": 2,
        "votes": 2 * votes,
        "rules": {"gold": 1, "impossible-time": 1},
    }
    assert found["preliminary"].startswith("Preliminary: 8 screened raters")


def test_repeats_training_and_checks_are_no_votes(tmp_path):
    store, public_id = filled(tmp_path, "acr", repeats=2, golds=2, traps=2)
    rows = store.answers(public_id)
    votes = votes_of(store.study(public_id).study, rows)
    assert {row["kind"] for row in rows} == {"training", "trial", "repeat", "gold", "trap"}
    assert sum(vote.repeat for vote in votes) == 2 * 10
    assert {vote.system for vote in votes} == {*QUALITY, REFERENCE}


def test_a_study_without_answers_has_an_empty_report(tmp_path):
    store, public_id = filled(tmp_path, "acr", raters=0)
    found = results(store, public_id)
    assert found["before"] == {} == found["after"]
    assert "No votes are left to show" in study_report(found, {})


@pytest.mark.parametrize("mode", TASKS)
def test_the_report_holds_the_numbers_and_nothing_that_runs(found_in, mode):
    found = found_in(mode)
    page = study_report(found, {"high": "High & dry"}, {"high": "What high & dry is."})
    assert "<li><b>Recording</b>: What all outputs were made from." in page
    assert "<li><b>High &amp; dry</b>: What high &amp; dry is.</li>" in page
    assert "<li><b>low</b>: A system that the study’s owner brought.</li>" in page
    assert "Which one? &lt;b&gt;" in page
    assert "High &amp; dry" in page
    assert not re.search(r"<script|https?://", page)
    assert "NaN" not in page
    assert not re.search(r"<th[^>]*>\s*</th>", page), "no head without words"
    assert page.count("<svg") >= 1
    if isinstance(task_of(mode), RatingTask):
        digits = task_of(mode).digits
        assert f"{found['after']['means']['high']['mean']:.{digits}f}".replace("-", "−") in page


def test_exports_hold_every_answer_once(answered, tmp_path):
    store, public_id, _ = answered("mushra")
    paths = {path.name: path for path in export_study(store, public_id, tmp_path / "out")}
    rows = store.answers(public_id)
    long = list(csv.DictReader(paths["answers.csv"].open(encoding="utf-8")))
    assert len(long) == sum(len(row["shown"]) for row in rows)
    cells = {(line["rater"], line["trial"], line["slot"]): (line["condition"], line["answer"]) for line in long}
    assert len(cells) == len(long)
    for row in rows:
        for slot, (condition, score) in enumerate(zip(row["shown"], row["answer"])):
            assert cells[row["rater"], str(row["number"]), str(slot)] == (condition, str(score))
    lines = [json.loads(line) for line in paths["answers.jsonl"].read_text(encoding="utf-8").splitlines()]
    assert sum(line["table"] == "answer" for line in lines) == len(rows)
    webmushra = list(csv.DictReader(paths["webmushra.csv"].open(encoding="utf-8")))
    assert len(webmushra) == 10 * len(ITEMS) * 5
    assert {line["rating_stimulus"] for line in webmushra} == {*QUALITY, REFERENCE, ANCHOR}


def test_a_name_is_no_formula_in_a_spreadsheet(tmp_path):
    from eval.listening.analysis.export import _inert

    assert [_inert(value) for value in ("=1+1", "@x", "-a", "plain", 3, "")] == ["'=1+1", "'@x", "'-a", "plain", 3, ""]


def test_the_commands_give_the_same_numbers(answered, tmp_path):
    store, public_id, folder = answered("acr")
    db, out = f"sqlite:///{folder / 'listening.db'}", tmp_path / "report"
    analyse_it = ("eval", "listening", "analyse", "--db", db, "--study", public_id)
    assert json.loads(command(*analyse_it).stdout) == json.loads(json.dumps(results(store, public_id)))
    assert command(*analyse_it, "--out", out).stdout.strip() == str(out / "report.html")
    assert "exists already" in command(*analyse_it, "--out", out, code=1).stderr
    export_it = ("eval", "listening", "export", "--db", db, "--study")
    exported = command(*export_it, public_id, "--out", tmp_path / "answers")
    assert [Path(line).name for line in exported.stdout.split()] == ["answers.csv", "answers.jsonl", "webmushra.csv"]
    unknown = command(*export_it, "nothing", code=1)
    assert unknown.stderr.count("\n") == 1
    assert public_id in unknown.stderr, "says which there are"
    wrong = command("eval", "listening", "analyse", "--db", "nonsense", "--study", "x", code=1)
    assert wrong.stderr.startswith("error: the database")
