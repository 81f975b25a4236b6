"""Python functions as systems: the example of the documentation, entry points, and what such functions may do wrong."""

import re
import sys
from types import ModuleType

import numpy as np
import pytest
import soundfile

from common.paths import ROOT
from tests.command import command
from tests.conftest import harmonic_tone
from vocoders import plugins
from vocoders.analysis import Analysis, synthesize
from vocoders.catalogue import find_system, find_systems
from vocoders.plugins import GROUP, is_path

ENTRY = """[vocoder_lab.systems]
buzz = my_vocoder:buzz
"""


@pytest.fixture
def example(tmp_path, monkeypatch) -> str:
    """The example of docs/using.md, installed as a package would be."""
    text = (ROOT / "docs" / "using.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(import numpy as np\n+def buzz.*?)```", text, re.DOTALL)[1]
    assert GROUP in text
    assert len([line for line in code.splitlines() if line]) <= 10
    (tmp_path / "my_vocoder.py").write_text(code)
    (tmp_path / "my_vocoder-1.dist-info").mkdir()
    (tmp_path / "my_vocoder-1.dist-info" / "METADATA").write_text("Name: my_vocoder\nVersion: 1\n")
    (tmp_path / "my_vocoder-1.dist-info" / "entry_points.txt").write_text(ENTRY)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield str(tmp_path)
    sys.modules.pop("my_vocoder", None)


def test_the_documented_example_runs_by_path_and_by_entry_point(example, tmp_path):
    soundfile.write(tmp_path / "song.wav", harmonic_tone(0.5), 22_050)
    command(
        "vocoders", "resynth", tmp_path / "song.wav", "--vocoders", "my_vocoder:buzz,buzz", "--out", tmp_path / "out"
    )
    one, two = (soundfile.read(tmp_path / "out" / name / "song.wav") for name in ("my_vocoder-buzz", "buzz"))
    assert one[1] == 22_050
    assert np.array_equal(one[0], two[0])
    assert len(one[0]) == round(0.5 * 22_050)
    pulses = np.flatnonzero(one[0])
    assert (pulses % 200 == 0).all()
    assert len(pulses) > 40
    system = find_system("buzz")
    assert (system.about, system.mel, system.takes_hw2_mel) == (
        "Pulses at 110 Hz, as loud as the mel.",
        "hifigan",
        True,
    )


@pytest.fixture
def functions(monkeypatch) -> ModuleType:
    module = ModuleType("some_functions")
    monkeypatch.setitem(sys.modules, "some_functions", module)
    plugins._vocoder.cache_clear()
    yield module
    plugins._vocoder.cache_clear()


def output(name: str) -> np.ndarray:
    return synthesize(find_system(f"some_functions:{name}"), Analysis(harmonic_tone(0.5)))


def test_a_function_of_a_waveform_may_return_another_rate(functions):
    functions.same = lambda samples, rate: samples
    functions.half = lambda samples, rate: (np.float64(samples[::2]), rate // 2)
    assert np.array_equal(output("same"), harmonic_tone(0.5))
    assert len(output("half")) == len(harmonic_tone(0.5))
    assert not find_system("some_functions:same").takes_hw2_mel


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda samples, rate: samples[None], r"what some_functions:bad returns must be a mono float array"),
        (lambda samples, rate: samples * np.nan, "not numbers"),
        (lambda samples, rate: np.int16(samples * 1000), "mono float array"),
        (lambda samples, rate: (samples, 0), "returns a rate of 0"),
    ],
)
def test_a_result_that_is_no_audio_is_refused(functions, function, reason):
    functions.bad = function
    with pytest.raises(ValueError, match=reason):
        output("bad")


def test_what_is_no_function_is_said(functions):
    functions.number = 3
    functions.lost = lambda mel: mel
    functions.lost.recipe = "mfcc"
    for item, reason in {
        "some_functions:none": "cannot be imported",
        "no_such_module:f": "cannot be imported: No module named 'no_such_module'",
        "some_functions:number": "is no function, but a int",
        "some_functions:lost": "unknown mel recipe 'mfcc'",
    }.items():
        with pytest.raises(ValueError, match=reason):
            find_system(item)


def test_files_cannot_name_code(functions):
    with pytest.raises(ValueError, match="would run code"):
        find_systems("griffin-lim,os:system", may_import=False)
    assert is_path("a.b:c")
    assert not any(map(is_path, ("a", "a:", "C:\\x", "a b:c", "/a:b", "a:b c")))
