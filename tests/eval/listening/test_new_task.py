"""Another kind of listening test takes its class and its registration: here a comparison with the recording, from -3 to 3."""

import csv
import re
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from eval.listening.analysis.export import export_study
from eval.listening.analysis.power import plan, raters_for
from eval.listening.analysis.precision import Spread
from eval.listening.analysis.results import analyse
from eval.listening.analysis.votes import REFERENCE, Rating
from eval.listening.design import check_answer, passes, plan_session
from eval.listening.making.stimuli import render_stimuli
from eval.listening.session import behaviour
from eval.listening.session.open import open_listening
from eval.listening.study import Study, StudyError, session_minutes, study_from
from eval.listening.tasks.choices.pair import PairTask
from eval.listening.tasks.registry import TASKS
from eval.listening.tasks.scores.rating import RatingTask
from eval.listening.tasks.task import origin
from eval.reports.study import study_report
from tests.conftest import harmonic_tone
from tests.listening import Listener, sounds_like
from ui.listening.outlook import outlook_of
from ui.listening.rate_routes import rate_routes
from vocoders.audio import Recording
from vocoders.catalogue import find_systems


class Closeness(PairTask, RatingTask):
    """How much better or worse B sounds than A, from -3 to 3; one of them is the recording. Votes are of the system."""

    id = "closeness"
    title = "Compare with the recording, -3 to 3"
    about = "How much better or worse is the second sound than the first, from -3 to 3, as ITU-T P.800 annex E asks?"
    seconds_per_trial = 20
    measurement = "ordinal"
    bounds = (-3, 3)
    edges = (-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5)
    categories = ("much worse", "worse", "slightly worse", "the same", "slightly better", "better", "much better")
    points = "points of CMOS"
    digits = 2
    planned = "{:.2f} points of CMOS"
    spread = Spread(2 * 0.3**2, 2 * 0.3**2, 2 * 1.0**2)
    max_repeat_difference = 1.5

    def pairs(self, systems):
        return tuple((REFERENCE, system) for system in systems)

    def passes(self, trial, answer):
        """The degraded stimulus is the worse one, and the stimulus with beeps is called the better one."""
        score = self._score(trial.shown, answer)
        return score > 0 if trial.kind == "trap" else score < 0

    def votes(self, row):
        (system,) = set(row["shown"]) - {REFERENCE}
        return [Rating(system=system, score=self._score(row["shown"], row["answer"]), **origin(row))]

    @staticmethod
    def _score(shown, answer: int) -> int:
        """Of the stimulus that is not the recording; the answer is that of the second stimulus."""
        return answer if shown[0] == REFERENCE else -answer


ITEMS = ("a-low-voice", "a-high-voice", "a-noisy-voice")
SYSTEMS = ("griffin-lim", "griffin-lim-oracle")
TRUTH = {"griffin-lim": -2, "griffin-lim-oracle": -1, "degraded": -3}  # and stimuli with beeps are the better ones
BIASES = (-1, 0, 0, 1)  # of the raters, whose mean is none


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(TASKS, Closeness.id, Closeness())


@pytest.fixture(scope="module")
def rendered():
    study = Study("Closer?", "ab", ITEMS, SYSTEMS)  # a pair's stimuli are those of any task without anchors
    recordings = {name: Recording(name, harmonic_tone(1.6, 150 * (n + 1))) for n, name in enumerate(ITEMS)}
    return render_stimuli(study, recordings, find_systems(",".join(SYSTEMS)))


def study(**options) -> Study:
    content = {
        "name": "Closer?",
        "mode": "closeness",
        "items": list(ITEMS),
        "systems": list(SYSTEMS),
        "seed": 3,
        **options,
    }
    return study_from(content)


def test_a_study_of_it_is_described_planned_and_checked():
    asked = study()
    assert study_from({"name": "x", "mode": "closeness", "items": ["one"], "systems": ["a"]}).units == 1
    assert (asked.units, asked.conditions) == (6, (*SYSTEMS, REFERENCE))
    with pytest.raises(StudyError, match=r"mode: 'nearness' .* one of acr, mushra, ab, abx, .*, closeness"):
        study(mode="nearness")
    assert session_minutes("closeness", 9) == 5
    found = plan("closeness", 10, 8)
    # t of 9.09 degrees of freedom: 45 % of the variance is that of independent votes
    assert found.half_width == pytest.approx(2.25876 * np.sqrt(0.18 / 10 + 0.18 / 8 + 2 / 80), rel=1e-4)
    assert "points of CMOS" in found.verdict
    assert raters_for("closeness", found.half_width, 8) == 10
    assert found.verdict in outlook_of("closeness", ["file"] * 8, False, None, list(SYSTEMS), 10, 0)


def test_its_design_is_balanced_over_raters():
    asked = study()
    first = [trial.shown for row in range(2) for trial in plan_session(asked, row) if trial.counted]
    assert sum(shown[0] == REFERENCE for shown in first) == asked.units, "both orders in every two raters"
    assert {frozenset(shown) for shown in first} == {frozenset((REFERENCE, system)) for system in SYSTEMS}
    checks = {trial.kind: trial for trial in plan_session(asked, 0) if trial.kind in ("gold", "trap")}
    for kind, right in (("gold", -1), ("trap", 1)):
        sign = right if checks[kind].shown[0] == REFERENCE else -right
        assert [passes(asked, checks[kind], sign * answer) for answer in (2, 0, -2)] == [True, False, False]
    for wrong in (4, 1.0, True, "a", None, [1, 2]):
        with pytest.raises(ValueError, match="from -3 to 3"):
            check_answer(asked, checks["gold"], wrong)


def test_sessions_over_http_give_back_the_truth_that_was_put_in(rendered, tmp_path, monkeypatch):
    monkeypatch.setattr(behaviour, "time", SimpleNamespace(time=lambda: 1e12))  # of listeners who take their time
    listening = open_listening(tmp_path)
    stimuli, wavs = rendered
    public_id, _ = listening.store.add_study(study(), stimuli, wavs, {})
    app = FastAPI()
    app.include_router(rate_routes(listening))

    def answers_of(bias: int):
        def answer(step: dict) -> int:
            sounds = (http.get(f"/{slot['url']}").content for slot in step["slots"])
            first, second = (
                next(s.condition for s in stimuli if sounds_like(sound, wavs[s.sha256])) for sound in sounds
            )
            score = TRUTH.get(second if first == REFERENCE else first, 3)
            score = int(np.clip(score + bias, -3, 3)) if abs(score) < 3 else score
            return score if first == REFERENCE else -score

        return answer

    with TestClient(app) as http:
        for bias in BIASES:
            assert Listener(http, public_id, answers_of(bias), fetch=False).run()["step"] == "done"
    stored, rows, raters = (
        get(public_id) for get in (listening.store.study, listening.store.answers, listening.store.raters)
    )
    found = analyse(stored, rows, raters)
    assert not {flag["rule"] for flag in found["screening"]["flags"]} & {"gold", "trap"}
    assert {system: mean["mean"] for system, mean in found["after"]["means"].items()} == {
        "griffin-lim": -2,
        "griffin-lim-oracle": -1,
    }
    assert found["after"]["distributions"]["griffin-lim"] == [3, 6, 3, 0, 0, 0, 0]
    (pair,) = found["after"]["differences"]
    assert pair["difference"]["mean"] == -1
    assert found["n"]["votes"] == len(BIASES) * 6
    report_of(found)
    export_of(listening.store, public_id, rows, tmp_path)
    listening.store.close()


def report_of(found: dict) -> None:
    page = study_report(found, {"griffin-lim": "Griffin & Lim"})
    assert "P.800 annex E" in page
    assert "Griffin &amp; Lim" in page
    assert "−2.00" in page
    assert "points of CMOS" in page
    bars = re.search(r"Votes per category.*?</figure>", page, re.DOTALL)[0]
    assert "Griffin &amp; Lim: much worse, 3 of 12" in bars
    assert len(set(re.findall(r'fill="(#[0-9a-f]{6})"', bars))) == 7, "a shade for each category"


def export_of(store, public_id: str, rows: list[dict], folder) -> None:
    paths = {path.name: path for path in export_study(store, public_id, folder / "out")}
    scores = list(csv.DictReader(paths["webmushra.csv"].open(encoding="utf-8")))
    assert len(scores) == len(BIASES) * 6
    assert {line["rating_stimulus"] for line in scores} == set(SYSTEMS)
    long = list(csv.DictReader(paths["answers.csv"].open(encoding="utf-8")))
    assert len(long) == 2 * len(rows)
