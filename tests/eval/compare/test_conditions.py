"""Other platforms' layouts: a webMUSHRA configuration and a folder per condition give clips and systems."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eval.compare.conditions import read_condition_folders, read_webmushra
from tests.command import command
from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE

CONFIG = """
testname: A small test
testId: small
pages:
    - type: generic
      id: welcome
      content: Hello
    - type: mushra
      id: trial1
      reference: resources/one_ref.wav
      createAnchor35: true
      stimuli:
          Good one: resources/one_good.wav
          C2: resources/one_bad.wav
    -
        - random
        - type: mushra
          id: trial2
          reference: resources/two_ref.wav
          stimuli:
              Good one: resources/two_good.wav
              C2: resources/two_bad.wav
    - type: finish
      name: Bye
"""


@pytest.fixture
def platform(tmp_path) -> Path:
    """A folder as webMUSHRA's, with the configuration above, in two pages with two conditions."""
    for number, name in enumerate(("one", "two")):
        tone = harmonic_tone(1.6, (180, 240)[number])
        noise = np.random.default_rng(number).normal(0, 1, len(tone))
        for kind, level in (("ref", 0.0), ("good", 0.001), ("bad", 0.05)):
            path = tmp_path / "resources" / f"{name}_{kind}.wav"
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, tone + level * noise, SAMPLE_RATE, subtype="FLOAT")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "small.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def conditions(platform) -> Path:
    """The same files in a folder per condition."""
    for kind, folder in (("ref", "reference"), ("good", "good"), ("bad", "bad")):
        for name in ("one", "two"):
            path = platform / "layout" / folder / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((platform / "resources" / f"{name}_{kind}.wav").read_bytes())
    return platform / "layout"


def test_a_configuration_gives_clips_by_page_and_systems_by_condition(platform):
    found = read_webmushra(platform / "configs" / "small.yaml")
    assert (found.name, found.pages) == ("A small test", ("mushra", "mushra"))
    resources = platform / "resources"
    assert found.clips == {Path(f"trial{n}"): resources / f"{name}_ref.wav" for n, name in ((1, "one"), (2, "two"))}
    assert [(o.id, o.title) for o in found.outputs] == [("Good-one", "Good one"), ("C2", "C2")]
    assert dict(found.outputs[1].files) == {
        "trial1": str(resources / "one_bad.wav"),
        "trial2": str(resources / "two_bad.wav"),
    }


def test_both_layouts_are_compared_as_they_are_and_alike(platform, conditions):
    tables = []
    for number, source in enumerate((platform / "configs" / "small.yaml", conditions)):
        out = platform / f"out{number}"
        command("eval", "compare", source, "--metrics", "M-STFT", "--out", out)
        tables.append(json.loads((out / "results.json").read_text())["metrics"])
    yaml, folders = tables
    assert list(folders) == ["bad", "good"]
    assert (
        yaml["C2"]["M-STFT"] == folders["bad"]["M-STFT"] > folders["good"]["M-STFT"] == yaml["Good-one"]["M-STFT"] > 0
    )


def test_without_a_reference_the_clips_are_those_of_the_first_condition(conditions):
    for path in (conditions / "reference").iterdir():
        path.unlink()
    (conditions / "bad" / "two.wav").rename(conditions / "bad" / "three.wav")
    found = read_condition_folders(conditions)
    assert found.clips == {}
    assert [(o.id, [clip for clip, _ in o.files]) for o in found.outputs] == [
        ("bad", ["one", "three"]),
        ("good", ["one"]),
    ]


def test_a_stimulus_that_a_page_lacks_is_missing_there(platform):
    config = platform / "configs" / "small.yaml"
    config.write_text(CONFIG.replace("              C2: resources/two_bad.wav\n", ""))
    good, bad = read_webmushra(config).outputs
    assert (good.missing, bad.missing) == ((), (("trial2", f"{config} has no stimulus of C2 there"),))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: "- a list", "no configuration of webMUSHRA"),
        (lambda text: "pages: {", "cannot be read as YAML"),
        (lambda text: text.replace("trial2", "trial1"), "page trial1: needed are an id of its own"),
        (lambda text: text.replace("one_bad.wav", "none.wav"), "there is no file resources/none.wav"),
        (lambda text: text.replace("one_bad.wav", "../../../../../../../../none.wav"), "there is no file"),
        (lambda text: text.replace("      reference: resources/one_ref.wav\n", ""), "1 of 2 pages have a reference"),
        (lambda text: text.replace("type: mushra", "type: generic"), "no page has stimuli"),
        (lambda text: text.replace("Good one:", "reference:"), "'reference' cannot be a system's name"),
    ],
)
def test_a_configuration_that_cannot_be_used_says_why(platform, change, reason):
    config = platform / "configs" / "small.yaml"
    config.write_text(change(CONFIG))
    done = command("eval", "compare", config, "--out", platform / "out", code=1)
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
