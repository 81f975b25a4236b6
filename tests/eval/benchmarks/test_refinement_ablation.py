"""The study on a synthetic clip: what it measures, groups and writes."""

import json

import pytest
import soundfile

from eval.benchmarks.refinement_ablation import CHOSEN, PLAIN, StudiedClip, means, measure_clip, variants, write_study
from eval.compare.measurement import Row
from eval.metrics.registry import choose_metrics
from tests.command import command
from tests.conftest import harmonic_tone
from vocoders.audio import Recording
from vocoders.catalogue import find_systems


def test_every_variant_differs_from_the_chosen_settings_in_one_thing_at_most():
    for name, settings in variants().items():
        factor = name.partition("=")[0]
        changed = [field for field in vars(CHOSEN) if getattr(settings, field) != getattr(CHOSEN, field)]
        assert changed in ([], [factor])
    assert list(variants().values()).count(CHOSEN) == len({name.partition("=")[0] for name in variants()})


def test_means_are_over_the_clips_of_a_group_and_skip_the_undefined():
    clips = [
        StudiedClip(("all", "low voices"), (Row("a", PLAIN, 1.0, 0.0, {"F0 error": 0.5}),)),
        StudiedClip(("all",), (Row("b", PLAIN, 1.0, 0.0, {"F0 error": 0.1}),)),
        StudiedClip(("all",), (Row("c", PLAIN, 1.0, 0.0, {"F0 error": None}),)),
    ]
    table = means(clips)
    assert table["all"][PLAIN] == {"clips": 3, "F0 error": pytest.approx(0.3)}
    assert table["low voices"][PLAIN] == {"clips": 1, "F0 error": 0.5}


def test_the_study_of_a_clip(tmp_path):
    """Griffin-Lim's output, because it is quick: refinement must still bring its mel closer."""
    system = find_systems("griffin-lim")[0]
    metrics = choose_metrics("log-mel L1,F0 error")
    clip = measure_clip(Recording("clip", harmonic_tone(0.8, 150)), "choir", system, metrics)
    assert clip.groups == ("all", "choir", "low voices")
    by_name = {row.system: row.metrics for row in clip.rows}
    assert by_name.keys() == {PLAIN, *variants()}
    assert by_name["correction=10"]["log-mel L1"] < by_name["correction=0"]["log-mel L1"]
    write_study(tmp_path / "out", [clip], system)
    study = json.loads((tmp_path / "out" / "study.json").read_text())
    assert study["means"]["choir"]["correction=10"]["clips"] == 1
    page = (tmp_path / "out" / "report.html").read_text()
    assert "data:image/png;base64," in page
    assert "http" not in page
    assert len((tmp_path / "out" / "rows.csv").read_text().splitlines()) == 1 + len(clip.rows)


def test_the_command_says_what_was_unexpected_about_a_clip(tmp_path):
    soundfile.write(tmp_path / "a.wav", 0.9 * harmonic_tone(0.3, 150) + 0.01, 22_050, subtype="FLOAT")
    arguments = ("--out", tmp_path / "out", "--system", "griffin-lim", "--metrics", "log-mel L1")
    done = command("eval", "refine-study", tmp_path, *arguments)
    assert f"note: {tmp_path}/a.wav: a constant offset of +0.010 removed.\n" in done.stderr
    assert "a constant offset of +0.010 removed" in (tmp_path / "out" / "study.json").read_text()
    assert "a constant offset of +0.010 removed" in (tmp_path / "out" / "report.html").read_text()
