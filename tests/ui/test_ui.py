"""The parts of the page, without a browser: results on disk, markup, tables, uploads, examples."""

import json
import math
import os
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import gradio as gr
import librosa
import numpy as np
import pytest

from eval.compare.recording import Output
from eval.metrics.loudness import Level
from eval.reports.player.value import Track, player_value
from server import results
from server.results import ResultStore
from tests.fakes import fake_system
from ui.compare.examples import FROM_LIBROSA, SHIPPED
from ui.compare.inputs import loader
from ui.compare.metric_table import level_table, metric_table
from ui.compare.running import Running
from ui.markup import notice
from ui.vocoders.cards import catalogue
from ui.vocoders.tab import card_on_the_page
from ui.vocoders.training_panel import training_panel
from ui.vocoders.uploads import MAX_UPLOADS, add_upload, all_systems, chosen_systems
from vocoders.catalogue import BUILT_IN, OWN_CHECKPOINTS, find_system
from vocoders.checkpoints.checkpoint import CheckpointError
from vocoders.features import hw2_mel, stft_magnitude
from vocoders.hifigan.precision import BFLOAT16, FLOAT32
from vocoders.recordings.reader import read_recording


def output(system_id: str, m_stft: float, steps=(hw2_mel,)) -> Output:
    metrics = {"M-STFT": m_stft, "log-mel L1": math.nan, "spectral convergence": 0.5}
    return Output(fake_system(system_id, steps=steps), np.zeros(22_050, np.float32), -20.0, -3.0, 0.5, metrics=metrics)


# Results on disk


def test_a_result_is_found_by_its_token_and_name_only(store):
    folder = store.new()
    (folder.path / "a.wav").write_bytes(b"x")
    assert store.find(folder.token, "a.wav") == folder.path / "a.wav"
    assert folder.url("a.wav") == f"results/{folder.token}/a.wav"
    for token, name in [
        (folder.token, "b.wav"),
        (folder.token, "../a.wav"),
        (folder.token, ".."),
        ("..", folder.token),
        (folder.token[:-1], "a.wav"),
        (folder.token + "/..", "a.wav"),
        (folder.token, "a.wav\n"),
    ]:
        assert store.find(token, name) is None


def test_old_and_surplus_results_are_swept(store, monkeypatch):
    monkeypatch.setattr(results, "MAX_FOLDERS", 3)
    old = store.new()
    os.utime(old.path, (0, 0))
    newer = []
    for age in (30, 20, 10):
        newer.append(store.new())
        os.utime(newer[-1].path, (newer[-1].path.stat().st_mtime - age,) * 2)
    assert not old.path.exists()
    last = store.new()
    assert not newer[0].path.exists()
    assert all(folder.path.exists() for folder in (*newer[1:], last))


def test_results_of_an_earlier_run_are_removed_when_they_are_old(tmp_path, store):
    old, new = store.new(), store.new()
    os.utime(old.path, (0, 0))
    ResultStore(tmp_path / "results").new()
    assert [folder.path.exists() for folder in (old, new)] == [False, True]


# Markup and tables


@pytest.mark.parametrize("text", ["<script>", "${alert(1)}", "{{value}}", "`x`", 'a"b', "\\u003c"])
def test_text_from_people_is_inert(text):
    shown = (
        notice(text, "bad").removeprefix('<p class="page-notice page-notice-bad" role="alert">').removesuffix("</p>")
    )
    assert not set(shown) & set("<>\"'${}`\\")
    assert unescape(shown) == text


def test_no_notice_for_no_text():
    assert notice("") == ""


def test_the_best_of_the_mel_vocoders_is_marked_and_the_oracle_never():
    html = metric_table([output("oracle", 0.1, steps=(stft_magnitude,)), output("good", 0.9), output("poor", 1.2)])
    rows = {
        system_id: html.split(f'data-lab-track="{system_id}"')[1].split("</tr>")[0]
        for system_id in ("oracle", "good", "poor")
    }
    assert "bound" in rows["oracle"]
    assert "page-best" not in rows["oracle"]
    assert re.search(r'<td[^>]* class="page-best"><span><b>0\.900</b>', rows["good"])
    assert re.search(r"<td[^>]*>1\.200</td>", rows["poor"])
    assert rows["poor"].count("n/a") == 1  # undefined is shown as such
    assert rows["poor"].count("…") >= 4  # and what is not measured yet as that


def test_nothing_is_best_alone():
    assert "page-best" not in metric_table([output("only", 0.9)])
    assert metric_table([]) == ""


def test_what_was_computed_in_bfloat16_is_named_beside_the_rest():
    exact = replace(output("exact", 0.9), precision=FLOAT32)
    fast = replace(output("fast", 1.2), precision=BFLOAT16)
    badge = '<span class="page-badge">bfloat16</span>'
    html = metric_table([exact, fast])
    row = html.split('data-lab-track="fast"')[1].split("</tr>")[0]
    assert badge in row
    assert html.count(badge) == 1
    assert "was computed in bfloat16" in html
    assert "the others in float32" in html
    assert "the others" not in metric_table([fast])
    assert "bfloat16" not in metric_table([exact])


def test_a_card_says_what_bfloat16_changes():
    html = catalogue([find_system("hifigan-hw2-guided"), find_system("griffin-lim")])
    assert html.count("In bfloat16: close to float32") == 1
    assert re.search(r"<dt>SNR to float32</dt><dd>\d\d\.\d dB</dd>", html)


def test_the_level_table_shows_what_matching_does():
    html = level_table(
        {"a": "Output A", "b": "Silence"},
        {"a": Level(-30.0, -8.0, 7.0), "b": Level(-math.inf, -math.inf, 0)},
        {"a": 2},
        {},
    )
    cells = re.findall(r'<td data-title="(.*?)">(.*?)</td>', html)
    titles = ["Loudness, LUFS", "Gain, dB", "Matched, LUFS", "True peak, raw, dBTP", "Clipped in the wav, samples"]
    assert cells[:5] == list(zip(titles, ["−30.0", "+7.0", "−23.0", "−8.0", "2"]))
    assert "silent" in html


def test_the_players_value_is_plain_json():
    tracks = [
        Track("reference", "Recording", "", "ready", audio="results/x/a.wav", gain=-1.234567),
        Track("a", "A", "", "failed", error="No."),
    ]
    value = json.loads(json.dumps(player_value("s", 1.0, tracks, "done", "ok")))
    assert [track["role"] for track in value["tracks"]] == ["reference", "system"]
    assert value["tracks"][0]["gain_db"] == -1.23
    assert value["status"] == {"state": "done", "text": "ok", "done": 1, "total": 1}
    assert len(value["colours"]["difference"]) == 17


# Uploaded checkpoints


def test_an_upload_joins_under_a_name_of_its_own(jik876):
    config = str(jik876.parent / "config.json")
    uploads, first = add_upload((), str(jik876), config, "hw2")
    uploads, second = add_upload(uploads, str(jik876), config, "hifigan")
    assert (first.id, first.mel) == ("own-g_00000010", "hw2")
    assert (second.id, second.mel) == ("own-g_00000010-2", "hifigan")
    assert [upload.system().id for upload in uploads] == [first.id, second.id]


@pytest.mark.parametrize(
    ("checkpoint", "config", "reason"),
    [
        (None, None, "Give the generator's file first"),
        ("g_1", None, "no file g_1"),
        ("g_none", "c.json", "no file g_none"),
    ],
)
def test_an_incomplete_upload_is_explained(checkpoint, config, reason):
    with pytest.raises(CheckpointError, match=reason):
        add_upload((), checkpoint, config, "hw2")


def test_uploads_are_limited(jik876):
    config = str(jik876.parent / "config.json")
    uploads: tuple = ()
    for _ in range(MAX_UPLOADS):
        uploads, _ = add_upload(uploads, str(jik876), config, "hw2")
    with pytest.raises(CheckpointError, match="limit of one session"):
        add_upload(uploads, str(jik876), config, "hw2")


def test_an_upload_that_is_gone_stops_nobody_who_did_not_choose_it(jik876):
    uploads, system = add_upload((), str(jik876), str(jik876.parent / "config.json"), "hw2")
    assert [s.id for s in chosen_systems(BUILT_IN, uploads, [BUILT_IN[1].id, system.id])] == [BUILT_IN[1].id, system.id]
    jik876.unlink()
    assert [s.id for s in chosen_systems(BUILT_IN, uploads, [BUILT_IN[1].id])] == [BUILT_IN[1].id]
    assert all_systems(BUILT_IN, uploads) == [*BUILT_IN]
    with pytest.raises(CheckpointError, match="add it again"):
        chosen_systems(BUILT_IN, uploads, [system.id])


# Examples, and one comparison per session


def test_an_example_that_cannot_be_fetched_says_why_and_ends_there(monkeypatch):
    def unreachable(key):
        raise OSError("no route to host")

    monkeypatch.setattr(librosa, "example", unreachable)
    with pytest.raises(gr.Error, match="cannot be reached"):
        list(loader(FROM_LIBROSA[0])())


def test_a_fetched_example_lies_where_gradio_may_serve_it(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    monkeypatch.setattr(librosa, "example", lambda key: str(SHIPPED[0].path))
    (_, fetching), (path, message) = loader(FROM_LIBROSA[0])()
    assert "Fetching" in fetching
    assert message == ""
    path = Path(path)
    assert path.is_relative_to(tmp_path / "uploads")
    assert path.read_bytes() == SHIPPED[0].path.read_bytes()


def test_shipped_examples_are_there_and_readable():
    for example in SHIPPED:
        assert 5 < read_recording(example.fetch()).seconds < 10


def test_a_new_comparison_of_a_session_replaces_the_one_before():
    running = Running()
    first, other = running.start("a"), running.start("b")
    second = running.start("a")
    assert first.is_set()
    assert not second.is_set()
    assert not other.is_set()
    assert running.is_newest("a", second)
    running.end("a", first)
    assert running.is_newest("a", second)
    running.end("a", second)
    running.stop("a")
    assert not other.is_set()


def test_what_a_replaced_comparison_says_last_changes_nothing():
    """It may come to its end after the one that replaced it, and a generator's last updates are sent again when it ends."""
    running = Running()
    older = running.follow("a", lambda _: (n for n in (1, 2)))
    assert next(older) == 1
    assert list(running.follow("a", lambda _: (n for n in (3, 4)))) == [3, 4]
    assert list(older) == [None]


def test_of_comparisons_that_wait_the_last_is_wanted_unless_it_is_stopped():
    running = Running()
    assert running.is_wanted("a", None), "a program has no ticket"
    first, other = running.ask("a"), running.ask("b")
    assert running.is_wanted("a", first)
    flag = running.start("a")
    second, third = running.ask("a"), running.ask("a")
    assert flag.is_set(), "the one that runs makes room"
    assert running.is_newest("a", flag), "and still says how far it came"
    assert [running.is_wanted("a", ticket) for ticket in (first, second, third)] == [False, False, True]
    running.stop("a")
    assert not running.is_wanted("a", third)
    assert running.is_wanted("b", other)


# How a checkpoint was trained


ABOUT = {
    "preset": "fast-v2",
    "start": "scratch",
    "steps": "1200",
    "minutes": "45.0",
    "hardware": "1 thread",
    "data": "train 2.77 h",
    "data_licences": json.dumps({"CC0": 3, "CC BY 4.0": 1}),
    "metrics": json.dumps({"M-STFT": 1.0704, "F0 error": None}),
    "curves": json.dumps({"total": [[10, 50.0], [20, 30.5]], "validation mel": [[20, 2.0], [40, 1.5], [60, 1.25]]}),
}


def test_a_checkpoint_shows_its_facts_and_curves():
    html = training_panel(ABOUT)
    assert "fast-v2, trained from scratch" in html
    assert "1200 steps, 45.0 min on 1 thread" in html
    assert "<dd>CC0, CC BY 4.0</dd>" in html
    assert "<dd>M-STFT 1.07</dd>" in html
    assert 'aria-label="validation mel loss, from 2.00 to 1.25"' in html
    assert html.count("<path") == 2
    assert "M0.0 3.0L160.0 47.0L320.0 69.0" in html  # falls from the top edge to the bottom one
    assert training_panel({"licence": "MIT"}) == ""


@pytest.mark.parametrize("path", OWN_CHECKPOINTS.values(), ids=OWN_CHECKPOINTS)
def test_every_model_card_can_be_shown_on_the_page(path):
    """No picture and no link of it would be found there."""
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    shown = card_on_the_page(text)
    assert f"]({path.stem}.png)" in text
    assert re.findall(r"\]\((?!https?:)", shown) == []
    assert shown.splitlines()[0] == text.splitlines()[0]
    assert len(shown) > 0.9 * len(text)


def test_a_checkpoint_shows_the_runs_it_comes_from():
    before = [
        {"preset": "finetune-v1", "start": "universal", "steps": "960", "minutes": "92.0", "hardware": "1 thread"}
    ]
    html = training_panel({**ABOUT, "start": "checkpoint", "before": json.dumps(before)})
    assert "fast-v2, from the run before" in html
    assert "<dt>Before that</dt><dd>finetune-v1, fine-tuned from UNIVERSAL_V1; 960 steps, 92.0 min on 1 thread" in html
    for malformed in ("[", "[" * 100_000, "{}", '[1, {"steps": 3}]', '{"a": 1}'):
        assert "Before that" not in training_panel({**ABOUT, "before": malformed})


@pytest.mark.parametrize(
    "curves",
    [
        "[",
        "[" * 100_000,
        '"text"',
        '{"total": [[1, "<script>"], [2, null]]}',
        '{"total": [[1, NaN], [2, Infinity], [3, 1e400]]}',
        json.dumps({"total": [[10**400, 1], [1, 10**400]]}),
        json.dumps({"total": [[1, 1]] * 5000}),
        '{"total": {"a": 1}}',
    ],
)
def test_malformed_curves_are_left_out(curves):
    assert "<svg" not in training_panel({**ABOUT, "curves": curves})


def test_a_checkpoints_words_are_inert_and_short():
    html = training_panel({**ABOUT, "preset": "<script>${alert(1)}", "data": "x" * 10_000})
    assert "<script>" not in html
    assert "${" not in html
    assert len(html) < 5000
