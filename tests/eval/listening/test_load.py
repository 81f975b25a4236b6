"""Many listeners at once against one server process: nothing is lost, doubled or given to somebody else.

    python -m pytest tests/eval/listening/test_load.py --proof -s

prints how long answers took.
"""

import statistics
import threading

import httpx
import pytest

from eval.listening.making.stimuli import render_stimuli
from eval.listening.session.open import open_listening
from eval.listening.study import Study
from tests.conftest import harmonic_tone, running_app
from tests.listening import Listener, sounds_like
from vocoders.audio import Recording
from vocoders.catalogue import find_systems

RATERS, TRIALS, SHORT_TRIALS = 50, 10, 7
ITEMS, SYSTEMS = ("one", "two", "three"), "griffin-lim,griffin-lim-oracle"


@pytest.fixture(scope="module")
def study(request, tmp_path_factory):
    """(data directory, public id, trials): an ACR study with real outputs."""
    trials = TRIALS if request.config.getoption("--proof") else SHORT_TRIALS
    data_dir = tmp_path_factory.mktemp("load")
    recordings = {name: Recording(name, harmonic_tone(1.6, 150 * (n + 1))) for n, name in enumerate(ITEMS)}
    asked = Study("Load", "acr", ITEMS, tuple(SYSTEMS.split(",")), trials=trials - 5, repeats=1, golds=1, traps=1)
    rendered = render_stimuli(asked, recordings, find_systems(SYSTEMS))
    listening = open_listening(data_dir)
    public_id, _ = listening.store.add_study(asked, *rendered, {})
    listening.store.close()
    return data_dir, public_id, trials


def test_fifty_raters_at_once(study):
    data_dir, public_id, trials = study
    listeners, problems = [], []

    def listen(number: int, url: str) -> None:
        def answer(step: dict) -> int:
            return 1 + (number + step["number"]) % 5

        try:
            with httpx.Client(base_url=url, timeout=60) as http:
                listener = Listener(http, public_id, answer)
                listeners.append(listener)
                step = listener.run()
                if step["step"] != "done":
                    problems.append(step)
        except Exception as error:
            problems.append(error)

    with running_app(data_dir) as url:
        threads = [threading.Thread(target=listen, args=(number, url)) for number in range(RATERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert problems == []

    listening = open_listening(data_dir)
    stored = {row["nonce"]: row for row in listening.store.answers(public_id)}
    sent = [(step["nonce"], answer) for one in listeners for step, answer in zip(one.trials, one.answers)]
    assert len(sent) == RATERS * trials == len(stored)
    assert all(stored[nonce]["answer"] == answer for nonce, answer in sent)
    study = listening.store.study(public_id)
    for one in listeners:
        assert len({stored[step["nonce"]]["rater"] for step in one.trials}) == 1
        for step in one.trials:
            (sound,) = step["sounds"]
            row = stored[step["nonce"]]
            (condition,) = row["shown"]
            wav = listening.store.wav(study.stimulus(row["item"], condition).sha256)
            assert sounds_like(sound.content, wav), "heard and stored agree"
    assert sorted(rater["row"] for rater in listening.store.raters(public_id)) == list(range(RATERS))
    times = [seconds for one in listeners for seconds in one.seconds]
    late = statistics.quantiles(times, n=20)[-1]
    print(
        f"\n{len(times)} answers of {RATERS} raters at once: median {1e3 * statistics.median(times):.0f} ms, 95 % within {1e3 * late:.0f} ms"
    )
