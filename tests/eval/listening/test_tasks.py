"""Every registered kind of listening test has texts for the listener, a module in the browser, a rule for its answers."""

import json
import re

import pytest

from common.paths import ASSETS
from eval.listening.study import Study
from eval.listening.tasks.registry import TASKS, task_of
from eval.reports.study_blocks import NEUTRAL_SHADE, SHADES, shade

LISTENING = ASSETS / "listening"
LANGUAGES = sorted(file.stem for file in (LISTENING / "languages").iterdir())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task_id", TASKS)
def test_a_task_has_its_texts(task_id, language):
    texts = json.loads((LISTENING / "languages" / f"{language}.json").read_text("utf-8"))
    for key in ("welcome.what", "instructions", "instructions.beeps", "trial.title"):
        assert texts[f"{key}.{task_id}"]
    module = (LISTENING / "tasks" / f"{task_id}.js").read_text("utf-8")
    named = re.findall(r"'(keys\.[a-z.]+)'", module)
    assert named
    assert set(named) <= texts.keys()


def test_the_browser_knows_the_same_tasks():
    registry = (LISTENING / "tasks" / "registry.js").read_text("utf-8")
    assert re.search(r"const TASKS = \{ (.*) \};", registry)[1].split(", ") == list(TASKS)


@pytest.mark.parametrize("task_id", TASKS)
def test_units_are_made_of_the_studys_conditions(task_id):
    asked = Study("Which one?", task_id, ("one", "two"), ("a", "b", "c"))
    assert {condition for unit in asked.clip_units for condition in unit} <= set(asked.conditions)
    assert len(set(asked.clip_units)) == len(asked.clip_units) == asked.units / 2
    assert asked.task is task_of(task_id) is TASKS[task_id]


def test_an_unknown_task_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no mode 'mos'; there are acr, mushra, ab, abx"):
        task_of("mos")


def test_shades_lie_between_bad_and_excellent():
    assert [shade(k / 4) for k in range(5)] == list(SHADES)
    assert shade(None) == NEUTRAL_SHADE
    assert shade(0.125) == "#c65c2b"  # half way from #b3362b to #d9822b
