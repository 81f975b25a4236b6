"""`eval score`: files that belong together, and numbers that cannot be bettered by failing."""

import json
import shutil
from pathlib import Path

import auraloss
import numpy as np
import pytest
import soundfile
import torch

from eval.compare.score import score_folders, score_pair
from eval.metrics.metric import Metric
from eval.metrics.registry import METRICS, choose_metrics
from tests.command import command
from tests.conftest import harmonic_tone
from vocoders.analysis import Analysis, synthesize
from vocoders.audio import SAMPLE_RATE, write_wav
from vocoders.catalogue import find_system
from vocoders.recordings.files import find_audio
from vocoders.recordings.reader import read_recording

MEASURED = "M-STFT,log-mel L1,F0 error"
NAMES = ("alto/a", "alto/b", "bass/c", "bass/d")


def output_of(samples: np.ndarray) -> np.ndarray:
    """Its magnitudes, nearly, with phases of their own."""
    return synthesize(find_system("griffin-lim-oracle"), Analysis(samples))


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    """`songs`, and `outputs` of them; the fourth is the worst."""
    root = tmp_path_factory.mktemp("scores")
    for number, name in enumerate(NAMES):
        samples = harmonic_tone(1.5 + 0.2 * number, (220, 262, 110, 147)[number], seed=number)
        samples *= np.hanning(len(samples)).astype(np.float32) ** 0.3  # notes begin and end
        write_wav(root / "songs" / f"{name}.wav", samples)
        rough = np.random.default_rng(number).normal(0, 0.02 * (number == 3), len(samples))
        write_wav(root / "outputs" / f"{name}.wav", output_of(samples) + rough.astype(np.float32))
    return root


@pytest.fixture
def copy(folders, tmp_path):
    shutil.copytree(folders, tmp_path / "all")
    return tmp_path / "all"


def changed(root: Path, change) -> Path:
    """`outputs`, each as `change` makes it from its samples, as float files."""
    for path in (root / "outputs").rglob("*.wav"):
        soundfile.write(path, change(soundfile.read(path, dtype="float32")[0]), SAMPLE_RATE, subtype="FLOAT")
    return root / "outputs"


def scores(reference: Path, estimate: Path, **options):
    return score_folders(reference, estimate, choose_metrics(MEASURED), **options)


@pytest.fixture(scope="module")
def plain(folders):
    return scores(folders / "songs", folders / "outputs")


def test_pairs_of_one_length_have_auralosss_numbers(folders, plain):
    for clip in plain.clips:
        pair = [read_recording(folders / side / f"{clip['name']}.wav").samples for side in ("outputs", "songs")]
        theirs = float(auraloss.freq.MultiResolutionSTFTLoss()(*(torch.from_numpy(x)[None, None] for x in pair)))
        assert clip["M-STFT"] == pytest.approx(theirs, rel=1e-5)
    assert plain.metrics["M-STFT"] == pytest.approx(np.mean([clip["M-STFT"] for clip in plain.clips]))
    assert (plain.problems, plain.failed, plain.of_the_others) == ([], [], {})
    assert plain.n == dict.fromkeys(MEASURED.split(","), 4)
    assert [(clip["moved"], clip["notes"]) for clip in plain.clips] == [(0, [])] * 4
    assert "used as it is" in plain.clips[0]["history"]["estimate"]


@pytest.mark.parametrize("seconds", [1, 5, 20])
def test_appended_silence_changes_no_number(copy, plain, seconds):
    found = scores(copy / "songs", changed(copy, lambda x: np.pad(x, (0, seconds * SAMPLE_RATE))))
    assert found.metrics == plain.metrics
    assert all(f"{seconds}.00 s of silence behind the reference's end" in clip["notes"][0] for clip in found.clips)


@pytest.mark.parametrize("late", [1103, 11_025])
def test_a_late_take_is_named_and_measured_in_its_place(copy, plain, late):
    """Phases of its own: found within a few samples, so the windows lie a little differently."""
    found = scores(copy / "songs", changed(copy, lambda x: np.pad(x, (late, 0))))
    assert found.metrics["M-STFT"] == pytest.approx(plain.metrics["M-STFT"], rel=0.01)
    assert found.metrics["log-mel L1"] == pytest.approx(plain.metrics["log-mel L1"], rel=0.02)
    for clip in found.clips:
        assert clip["moved"] == pytest.approx(late, abs=64)
        assert clip["notes"][0].startswith(f"it is {late / 22.05:.0f} ms late")


def test_late_copies_are_perfect_and_the_delay_is_told(folders, tmp_path):
    for name in NAMES:
        samples = read_recording(folders / "songs" / f"{name}.wav").samples
        write_wav(tmp_path / f"{name}.wav", np.pad(samples, (11_025, 0)))
    found = score_folders(folders / "songs", tmp_path, choose_metrics("M-STFT,log-mel L1,delay"))
    assert found.metrics == {"M-STFT": 0, "log-mel L1": 0, "delay": 11_025}


def test_cut_takes_are_refused_unless_asked_for(copy):
    outputs = changed(copy, lambda x: x[:SAMPLE_RATE])
    done = command("eval", "score", copy / "songs", outputs, "--metrics", MEASURED, code=1)
    assert done.stderr.count("at most 2% is measured unless asked for") == 4
    assert "lasts 1.00 s and its reference 1.50 s, 33% less" in done.stderr
    assert "undefined: 4 of 4 clips failed" in done.stdout
    done = command("eval", "score", copy / "songs", outputs, "--metrics", MEASURED, "--any-length")
    assert "alto/a: the last 0.50 s of the reference are missing in it, and not measured." in done.stderr


def test_a_low_rate_is_named(copy, tmp_path):
    import soxr

    for name, path in find_audio([copy / "songs"]).items():
        samples = soxr.resample(soundfile.read(path)[0], SAMPLE_RATE, 8000)
        path = tmp_path / "low" / name.with_suffix(".wav")
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, 8000)
    done = command("eval", "score", copy / "songs", tmp_path / "low", "--metrics", "M-STFT")
    assert all(any(name in line and "above 4 kHz" in line for line in done.stderr.splitlines()) for name in NAMES)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: 0.5 * x, "it is 6.0 LU quieter than the reference"),
        (lambda x: np.clip(4 * x / np.abs(x).max(), -1, 1), "the estimate: it looks clipped"),
        (lambda x: 0.3 * np.clip(4 * x / np.abs(x).max(), -1, 1), "the estimate: it looks clipped"),
        (lambda x: np.rint(32_767 * x), "the estimate: its floats are 16-bit integers"),
        (lambda x: 0.9 * x + 0.01, "the estimate: a constant offset of +0.010 removed"),
        (lambda x: np.repeat(x[:, None], 2, 1) * [1, 0], "the estimate: channel 2 holds nothing"),
    ],
)
def test_suspicious_estimates_are_named(copy, change, said):
    found = scores(copy / "songs", changed(copy, lambda x: change(x).astype(np.float32)))
    assert all(any(said in note for note in clip["notes"]) for clip in found.clips)
    done = command("eval", "score", copy / "songs", copy / "outputs", "--metrics", "M-STFT")
    assert f"note: alto/a: {said}" in done.stderr


def test_inverted_polarity_is_named(folders, tmp_path):
    for name in NAMES:
        write_wav(tmp_path / f"{name}.wav", -read_recording(folders / "songs" / f"{name}.wav").samples)
    found = scores(folders / "songs", tmp_path)
    assert [clip["notes"] for clip in found.clips] == [["its polarity is inverted"]] * 4
    assert found.metrics["M-STFT"] == pytest.approx(0, abs=1e-6)


@pytest.fixture(params=["silent", "missing", "unreadable", "cut", "breaks the metric"])
def one_failed(request, copy, monkeypatch) -> Path:
    """`outputs`, of which the worst has failed."""
    worst = copy / "outputs" / "bass" / "d.wav"
    if request.param == "silent":
        write_wav(worst, np.zeros(SAMPLE_RATE, np.float32))
    elif request.param == "missing":
        worst.unlink()
    elif request.param == "unreadable":
        worst.write_bytes(b"no sound at all")
    elif request.param == "cut":
        write_wav(worst, read_recording(worst).samples[:9000])
    else:
        broken = METRICS["log-mel L1"].compute
        length = len(read_recording(worst).samples)

        def compute(reference, estimate):
            if len(reference) == length:
                raise ValueError("it broke")
            return broken(reference, estimate)

        monkeypatch.setitem(METRICS, "log-mel L1", Metric("log-mel L1", "Np", "", "", compute))
    return copy


def test_failing_betters_no_mean(one_failed, plain):
    """The clip that failed was the worst: without it every mean would be better."""
    found = scores(one_failed / "songs", one_failed / "outputs")
    assert found.failed == ["bass/d"]
    assert found.metrics == dict.fromkeys(plain.metrics)
    assert found.undefined == dict.fromkeys(plain.metrics, "1 of 4 clips failed")
    assert found.n == dict.fromkeys(plain.metrics, 3)
    assert found.of_the_others["M-STFT"] == pytest.approx(np.mean([clip["M-STFT"] for clip in plain.clips[:3]]))
    assert found.of_the_others["M-STFT"] < plain.metrics["M-STFT"]
    (problem,) = found.problems
    assert "bass/d" in problem


def test_a_failure_is_a_line_an_exit_code_and_no_mean(copy):
    write_wav(copy / "outputs" / "bass" / "d.wav", np.zeros(SAMPLE_RATE, np.float32))
    arguments = ("eval", "score", copy / "songs", copy / "outputs", "--metrics", "M-STFT")
    done = command(*arguments, "--json", copy / "s.json", code=1)
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")] == [
        f"error: {copy}/outputs/bass/d.wav: the recording is silent: its loudest sample is below -80 dBFS."
    ]
    content = json.loads((copy / "s.json").read_text())
    assert content["metrics"] == {"M-STFT": None}
    assert len(content["clips"]) == content["n"]["M-STFT"] == 3
    assert f"1 of 4 clips failed; {content['of_the_others']['M-STFT']:.3f} over the 3 others" in done.stdout


def test_a_reference_that_cannot_be_used_is_nobodys_failure(copy, plain):
    (copy / "songs" / "bass" / "d.wav").write_bytes(b"no sound at all")
    found = scores(copy / "songs", copy / "outputs")
    assert (found.failed, len(found.problems), found.n["M-STFT"]) == ([], 1, 3)
    assert found.metrics["M-STFT"] == pytest.approx(np.mean([clip["M-STFT"] for clip in plain.clips[:3]]))


def test_undefined_for_the_recording_itself_is_no_failure_but_counted(copy):
    """A metric that only some recordings have, as those of held notes, and one that an estimate has lost."""
    long = len(read_recording(copy / "songs" / "bass" / "d.wav").samples)
    held = Metric("held", "", "", "", lambda reference, _: 1.0 if len(reference) == long else float("nan"))
    lost = Metric("lost", "", "", "", lambda reference, estimate: 0.0 if estimate is reference else float("nan"))
    found = score_folders(copy / "songs", copy / "outputs", [held, lost])
    assert (found.metrics["held"], found.n["held"], "held" in found.undefined) == (1.0, 1, False)
    assert (found.metrics["lost"], found.undefined["lost"]) == (None, "4 of 4 clips failed")
    assert found.problems == [f"{copy}/outputs/{name}.wav: lost is undefined for it" for name in NAMES]


@pytest.mark.parametrize("ending", ["_generated", "_generated_e2e"])
def test_what_the_originals_scripts_write_matches(copy, plain, ending):
    for path in list((copy / "outputs").rglob("*.wav")):
        path.rename(path.with_stem(path.stem + ending))
    found = scores(copy / "songs", copy / "outputs")
    assert (found.metrics, found.problems, found.unused) == (plain.metrics, [], [])


def test_the_exact_name_comes_first_and_two_others_are_no_choice(copy, plain):
    outputs = copy / "outputs" / "alto"
    shutil.copy(outputs / "a.wav", outputs / "a_generated.wav")
    found = scores(copy / "songs", copy / "outputs")
    assert (found.metrics, found.unused) == (plain.metrics, [str(outputs / "a_generated.wav")])
    (outputs / "a.wav").rename(outputs / "a_generated_e2e.wav")
    found = scores(copy / "songs", copy / "outputs")
    assert found.failed == ["alto/a"]
    assert "both alto/a_generated and alto/a_generated_e2e are in" in found.problems[0]


def test_two_files_are_a_pair_whatever_their_names(folders, plain):
    done = command("eval", "score", folders / "songs/alto/a.wav", folders / "outputs/alto/a.wav", "--metrics", "M-STFT")
    assert f"{plain.clips[0]['M-STFT']:.3f}" in done.stdout
    done = command(
        "eval", "score", folders / "songs/alto/a.wav", folders / "songs/bass/c.wav", "--metrics", "M-STFT", code=1
    )
    assert "bass/c.wav: the estimate lasts 1.90 s and its reference 1.50 s, 27% more" in done.stderr


def test_when_nothing_matches_both_sides_are_named(copy):
    for path in list((copy / "outputs").rglob("*.wav")):
        path.rename(path.with_stem(f"output-{path.stem}"))
    done = command("eval", "score", copy / "songs", copy / "outputs", code=1)
    assert done.stderr.count("\n") == 1
    assert "looked for NAME, NAME_generated, NAME_generated_e2e with any suffix" in done.stderr
    assert (
        "references: alto/a, alto/b, bass/c and 1 more; estimates: alto/output-a, alto/output-b, bass/output-c and 1"
        in done.stderr
    )


def test_signals_are_scored_by_the_same_rules(tone):
    assert score_pair(tone, np.pad(tone, (5000, 90_000)), "M-STFT") == {"M-STFT": 0.0}
    with pytest.raises(ValueError, match="the estimate must be a mono float array"):
        score_pair(tone, (32767 * tone).astype(np.int16), "M-STFT")
    with pytest.raises(ValueError, match="at most 2%"):
        score_pair(tone, tone[:9000], "M-STFT")


def test_no_metric_is_called_as_something_else_in_a_clip():
    assert not {"name", "seconds", "moved", "notes", "history"} & METRICS.keys()
