"""The running app through its HTTP and Gradio interfaces, no browser."""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from gradio_client import handle_file

from tests import warm_python
from tests.conftest import harmonic_tone, patient_client

FAST = ["griffin-lim-oracle", "griffin-lim"]


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.fixture
def clip(tmp_path):
    soundfile.write(tmp_path / "clip.wav", harmonic_tone(0.8), 44_100)
    return tmp_path / "clip.wav"


def compare(url: str, path, systems: list[str]) -> dict:
    """The page's values at the end, by name: every output's last value that was not "unchanged"."""
    job = patient_client(url).submit(handle_file(str(path)) if path else None, systems, api_name="/compare")
    job.result(60)
    shown: dict = {}
    for values in job.outputs():
        named = zip(("message", "intake", "player", "metrics", "pitch", "refinement", "downloads", "levels"), values)
        shown |= {name: value for name, value in named if not (isinstance(value, dict) and "__type__" in value)}
    return shown


def test_health(app_url):
    assert get(f"{app_url}/healthz") == (200, b"ok")


def test_a_comparison_through_the_client(app_url, clip):
    outputs = compare(app_url, clip, FAST)
    player = outputs["player"]
    assert [track["id"] for track in player["tracks"]] == ["reference", *FAST]
    assert {track["state"] for track in player["tracks"]} == {"ready"}
    assert "44.1 kHz" in outputs["intake"]
    assert "resampled to 22.05 kHz" in outputs["intake"]
    for track in player["tracks"]:
        status, content = get(f"{app_url}/{track['audio']['url']}")
        assert (status, content[:4]) == (200, b"RIFF")
    folder = player["tracks"][0]["audio"]["url"].rpartition("/")[0]
    status, content = get(f"{app_url}/{folder}/results.json")
    assert status == 200
    assert json.loads(content)["metrics"].keys() == set(FAST)
    assert "everything.zip" in outputs["downloads"]


def test_models_are_described_without_pytorchs_compiler(tmp_path):
    """Its import takes longer than the rest of the app's start."""
    code = (
        "import sys\n"
        "from vocoders.catalogue import BUILT_IN\n"
        "assert all(system.describe().source for system in BUILT_IN)\n"
        "assert 'torch' in sys.modules and 'torch._dynamo' not in sys.modules"
    )
    described = warm_python.start(["-c", code], tmp_path / "log.txt")
    assert described.wait(60) == 0, (tmp_path / "log.txt").read_text()


def test_two_people_do_not_share_results(app_url, tmp_path):
    paths = []
    for number, f0 in enumerate((150, 300)):
        paths.append(tmp_path / f"person{number}.wav")
        soundfile.write(paths[-1], harmonic_tone(0.5 + number / 4, f0), 22_050)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda path: compare(app_url, path, FAST), paths)
    assert "person0" in first["intake"]
    assert "person1" in second["intake"]
    assert first["player"] != second["player"]
    assert first["player"]["seconds"] == pytest.approx(0.5, abs=0.01)
    assert second["player"]["seconds"] == pytest.approx(0.75, abs=0.01)


def test_bad_input_gets_a_sentence_and_the_app_lives(app_url, tmp_path):
    cases = {
        "empty.wav": (b"", "empty"),
        "list.wav": (b"milk, eggs, bread and a vocoder", "not a WAV, FLAC, MP3"),
        "<b>bold</b>.wav": (b"no", "not a WAV"),
    }
    for name, (content, reason) in cases.items():
        (tmp_path / "in").mkdir(exist_ok=True)
        path = tmp_path / "in" / name.replace("/", "_")
        path.write_bytes(content)
        message = compare(app_url, path, FAST)["message"]
        assert reason in message
        assert "Traceback" not in message
        assert "<b>" not in message
        assert str(tmp_path) not in message
    soundfile.write(tmp_path / "long.flac", np.tile(harmonic_tone(1.0), 21), 22_050)
    assert "more than 20 s" in compare(app_url, tmp_path / "long.flac", FAST)["message"]
    assert get(f"{app_url}/healthz")[0] == 200


def test_no_recording_and_no_system_are_asked_for(app_url, clip):
    assert "Choose at least one system" in compare(app_url, clip, [])["message"]
    assert "Give a recording first" in compare(app_url, None, FAST)["message"]


@pytest.mark.parametrize(
    "path", ["results/x/y", "results/..%2f..%2fapp.py", "results/aaaaaaaaaaaaaaaaaaaaaaaa/..%2f..%2f..%2fapp.py"]
)
def test_nothing_else_is_served_as_a_result(app_url, path):
    status, content = get(f"{app_url}/{path}")
    assert status == 404
    assert b"import" not in content


@pytest.mark.parametrize("path", ["app.py", "vocoders/mel.py", "requirements.txt"])
def test_the_source_is_not_served_as_a_static_file(app_url, path):
    assert get(f"{app_url}/gradio_api/file={path}")[0] in (403, 404)
