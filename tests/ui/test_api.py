"""The documented API: the examples of docs/using.md, and what it refuses."""

import html
import re
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from common.paths import ROOT
from eval.metrics.registry import METRICS
from tests.conftest import harmonic_tone, patient_client
from vocoders.audio import SAMPLE_RATE

EXAMPLE_ADDRESS = "http://127.0.0.1:7860"
DOCUMENTED = {"/compare", "/compare_json", "/score"}


@pytest.fixture(scope="module")
def song(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("api") / "song.flac"
    soundfile.write(path, harmonic_tone(1.5), SAMPLE_RATE)
    return path


@pytest.fixture(scope="module")
def client(app_url) -> Client:
    return patient_client(app_url)


def example(language: str) -> str:
    """The code block about the API in that language."""
    section = (ROOT / "docs" / "using.md").read_text(encoding="utf-8").split("## As a service")[1].split("\n## ")[0]
    return re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)[1]


def test_the_apps_page_for_programs_has_the_same_examples_with_its_own_address(app_url):
    page = html.unescape(httpx.get(f"{app_url}/api").text)
    shown = re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)
    assert shown == [example(language).strip().replace(EXAMPLE_ADDRESS, app_url) for language in ("python", "sh")]


def test_the_apps_page_for_programs_names_every_argument_and_says_what_it_is(app_url, client):
    page = httpx.get(f"{app_url}/api").text
    offered = client.view_api(return_format="dict")["named_endpoints"]
    for name in DOCUMENTED - {"/compare"}:
        section = page.split(f'<h2 id="{name[1:]}">')[1].split("<h2")[0]
        told = dict(re.findall(r"<dt><code>(\w+)</code>.*?</dt><dd>(.*?)</dd>", section))
        assert list(told) == [argument["parameter_name"] for argument in offered[name]["parameters"]]
        assert all(told.values()), told
    assert "/compare belongs to the page" in page
    metrics = page.split("Metrics here")[1]
    assert [name for name in METRICS if f"<code>{name}</code>" not in metrics and not METRICS[name].why_not()] == []


def test_the_example_for_python_runs_as_printed(app_url, song, monkeypatch, capsys):
    monkeypatch.chdir(song.parent)
    exec(example("python").replace(EXAMPLE_ADDRESS, app_url), {})
    printed = capsys.readouterr().out
    assert re.search(r"griffin-lim\s+\d\.\d+", printed)
    assert (song.parent / "griffin-lim.wav").stat().st_size == 44 + 2 * round(1.5 * SAMPLE_RATE)


def test_the_example_for_curl_runs_as_printed(app_url, song):
    import subprocess

    script = example("sh").replace(EXAMPLE_ADDRESS, app_url)
    done = subprocess.run(["sh", "-euc", script], cwd=song.parent, capture_output=True, text=True, timeout=60)
    assert '"M-STFT"' in done.stdout, done.stderr


def test_only_what_is_documented_is_offered(client):
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == DOCUMENTED


def test_a_recording_is_the_best_estimate_of_itself(client, song):
    values = client.predict(handle_file(song), handle_file(song), "M-STFT,log-mel L1", api_name="/score")
    assert values == {"M-STFT": 0.0, "log-mel L1": 0.0}


def test_a_late_estimate_is_measured_in_its_place_and_named(client, song, tmp_path):
    samples, rate = soundfile.read(song, dtype="float32")
    soundfile.write(tmp_path / "late.wav", np.pad(samples, (11_025, 60_000)), rate)
    found = client.predict(handle_file(song), handle_file(tmp_path / "late.wav"), "M-STFT,delay", api_name="/score")
    assert found == {
        "M-STFT": 0.0,
        "delay": 11_025.0,
        "notes": [
            "it is 500 ms late (11025 samples); measured after being moved onto its reference",
            "2.72 s of silence behind the reference's end are not measured",
        ],
    }
    assert "notes" not in METRICS


def test_an_estimate_of_another_length_is_refused(client, song, tmp_path):
    samples, rate = soundfile.read(song, dtype="float32")
    soundfile.write(tmp_path / "cut.flac", samples[:rate], rate)
    with pytest.raises(AppError, match=r"the estimate lasts 1.00 s and its reference 1.50 s, 33% less; at most 2%"):
        client.predict(handle_file(song), handle_file(tmp_path / "cut.flac"), "M-STFT", api_name="/score")


def test_compare_says_what_it_does_not_know(client, song):
    with pytest.raises(AppError, match="unknown systems: nothing"):
        client.predict(handle_file(song), ["nothing"], api_name="/compare_json")


def test_bad_files_and_metrics_get_a_sentence(client, song, tmp_path):
    (tmp_path / "song.wav").write_bytes(b"this is no sound")
    with pytest.raises(AppError, match=r"song.wav: "):
        client.predict(handle_file(tmp_path / "song.wav"), ["griffin-lim"], api_name="/compare_json")
    with pytest.raises(AppError, match="unknown metric"):
        client.predict(handle_file(song), handle_file(song), "beauty", api_name="/score")


@pytest.mark.parametrize(("endpoint", "more"), [("compare", [False]), ("compare_json", [])])
@pytest.mark.parametrize("path", ["/etc/passwd", str(ROOT / "assets/examples/sung_phrase_low.flac"), "../app.py"])
def test_a_path_on_the_server_is_no_upload(app_url, path, endpoint, more):
    """Only files that came as uploads are read: not what lies beside them, however the request calls it."""
    for file in ({"path": path, "meta": {"_type": "gradio.FileData"}}, {"path": path, "mime_type": "audio/wav"}):
        body = {"data": [file, ["griffin-lim"], *more]}
        refused = httpx.post(f"{app_url}/gradio_api/call/{endpoint}", json=body)
        assert refused.status_code == 400
        assert "Send the file itself" in refused.json()["detail"]


def test_outputs_made_elsewhere_are_compared(client, song, tmp_path):
    samples, rate = soundfile.read(song, dtype="float32")
    soundfile.write(tmp_path / "mine.wav", 0.5 * samples, rate, subtype="FLOAT")
    (tmp_path / "letter.wav").write_text("Dear vocoder,")
    files = [handle_file(tmp_path / name) for name in ("mine.wav", "letter.wav")]
    found = client.predict(handle_file(song), ["griffin-lim"], 0.0, None, files, api_name="/compare_json")
    assert found["takes"].keys() == {"file-mine", "griffin-lim"}
    assert found["takes"]["file-mine"]["compute_seconds"] is None
    assert found["takes"]["file-mine"]["notes"] == ["it is 6.0 LU quieter than the reference"]
    assert found["takes"]["griffin-lim"]["notes"] == []
    assert "not a WAV" in found["failed"]["file-letter"]


def test_an_output_that_is_a_path_on_the_server_is_no_upload(app_url, song):
    """The recording is an upload, the output is not."""
    with song.open("rb") as file:
        (uploaded,) = httpx.post(f"{app_url}/gradio_api/upload", files={"files": file}).json()
    recording = {"path": uploaded, "meta": {"_type": "gradio.FileData"}}
    for kind in ({"meta": {"_type": "gradio.FileData"}}, {"mime_type": "audio/wav"}):
        body = {"data": [recording, ["griffin-lim"], 0.0, None, [{"path": "/etc/passwd", **kind}]]}
        refused = httpx.post(f"{app_url}/gradio_api/call/compare_json", json=body)
        assert refused.status_code == 400
        assert "Send the file itself" in refused.json()["detail"]
