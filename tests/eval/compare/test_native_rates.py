"""Metrics at a rate that is asked for, and outputs at their own: exact places, named rates, and runs that are never mixed."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from eval.compare.measurement import as_it_lies_at, measure, placed
from eval.compare.native.placing import at_common_rate, native_delay, placed_native
from eval.metrics.registry import METRICS, choose_metrics
from eval.metrics.spectral import m_stft
from tests.command import command
from vocoders.audio import SAMPLE_RATE, Recording, Waveform, resample

RATE = 44_100


def noise(rate: int = RATE, seconds: float = 1.5, seed: int = 0) -> np.ndarray:
    """Full band, under an envelope that has one place only."""
    samples = np.random.default_rng(seed).normal(0, 0.1, round(seconds * rate)) * np.hanning(round(seconds * rate))
    return samples.astype(np.float32)


def recording(samples: np.ndarray, rate: int = RATE) -> Recording:
    own = None if rate == SAMPLE_RATE else Waveform(samples, rate)
    return Recording("x", resample(samples, rate), rate=rate, own=own)


@pytest.mark.parametrize("delay", [-9_001, 0, 13_231])
def test_the_delay_of_a_copy_is_exact_at_its_own_rate(delay):
    samples = noise()
    late = np.concatenate([np.zeros(delay, np.float32), samples]) if delay >= 0 else samples[-delay:]
    pair = placed(recording(samples), recording(late), any_length=True)
    assert native_delay(recording(samples), recording(late), pair.moved) == delay
    put = placed_native(recording(samples), recording(late), pair.moved)
    first = max(0, -delay)
    assert np.array_equal(put.samples[first:], samples[first:])
    assert len(put.samples) == len(samples)


def test_between_two_rates_the_place_is_the_nearest_sample_of_the_outputs_own():
    samples = noise()
    late = np.concatenate([np.zeros(4_801, np.float32), resample(samples, RATE, 48_000)])
    pair = placed(recording(samples), recording(late, 48_000))
    assert native_delay(recording(samples), recording(late, 48_000), pair.moved) == 4_801


def test_the_common_rate_is_the_lower_one():
    full, low = recording(noise()), recording(noise(16_000), 16_000)
    wanted, found, rate = at_common_rate(full, low)
    assert (rate, len(wanted), len(found)) == (16_000, 24_000, 24_000)
    assert np.array_equal(found, low.own.samples)
    assert at_common_rate(full, recording(noise(SAMPLE_RATE), SAMPLE_RATE))[0] is full.samples


def test_a_metric_of_any_rate_sees_what_lies_above_11_khz():
    """An output that lacks the upper half is perfect at 22.05 kHz but for the resampling, and not at 44.1 kHz."""
    samples = noise()
    dull = resample(resample(samples, RATE), SAMPLE_RATE, RATE)
    metrics = choose_metrics("M-STFT,log-mel L1")
    usual = measure(placed(recording(samples), recording(dull)), metrics).values
    wide = measure(placed(recording(samples), recording(dull), rate=RATE), metrics).values
    assert usual["M-STFT"] < 0.2
    assert wide["M-STFT"] == m_stft(samples, dull) > 1
    assert wide["log-mel L1"] == usual["log-mel L1"]  # defined at 22 050 Hz


def test_an_output_of_a_lower_rate_is_measured_at_the_rate_asked_for():
    samples = noise()
    made = Waveform(resample(samples, RATE), SAMPLE_RATE)
    pair = as_it_lies_at(RATE, recording(samples), made.samples, made)
    assert [len(x) for x in pair.at_rate] == [len(samples)] * 2
    found = measure(pair, choose_metrics("M-STFT")).values["M-STFT"]
    assert found == m_stft(samples, resample(made.samples, SAMPLE_RATE, RATE))


def test_the_part_in_common_is_the_same_at_the_rate_asked_for():
    """Late by 13 231, and its last tenth of a second missing: what is left is the reference, to the bit."""
    samples = noise()
    late = np.concatenate([np.zeros(13_231, np.float32), samples])[:-4_410]
    pair = placed(recording(samples), recording(late), any_length=True, rate=RATE)
    wanted, found = pair.at_rate
    assert len(wanted) == pytest.approx(len(samples) - 4_410, abs=20)  # levels tell the delay at 22 050 Hz
    assert np.array_equal(wanted, samples[: len(wanted)])
    assert np.array_equal(found[: len(samples) - 4_410], wanted[: len(samples) - 4_410])


def test_the_notes_name_the_rate_asked_for():
    full, half = recording(noise()), recording(noise(SAMPLE_RATE), SAMPLE_RATE)
    assert any("22.05 kHz: nothing is in it above 11.025 kHz" in note for note in placed(full, half, rate=RATE).notes)
    assert any("both are measured at 22.05 kHz" in note for note in placed(full, half).notes)


def test_which_metrics_are_of_any_rate():
    assert {name for name, metric in METRICS.items() if metric.any_rate} == {
        "M-STFT", "spectral convergence", "log-spectral distance",
    }  # fmt: skip
    assert (METRICS["M-STFT"].rate(48_000), METRICS["F0 error"].rate(48_000)) == (48_000, SAMPLE_RATE)


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="FLOAT")


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("rates")
    write(root / "songs" / "a.wav", noise())
    write(root / "mine" / "a.wav", resample(resample(noise(), RATE), SAMPLE_RATE, RATE))
    return root


def compared(root: Path, *options: str) -> dict:
    systems = ("--system", f"mine={root / 'mine'}", "--vocoders", "griffin-lim-oracle")
    metrics = ("--metrics", "M-STFT,log-mel L1", "--force")
    command("eval", "compare", root / "songs", *systems, *metrics, *options, "--out", root / "out")
    return json.loads((root / "out" / "results.json").read_text())


def test_a_run_at_a_named_rate_says_so_everywhere_and_is_not_reused(root):
    usual = compared(root)
    assert "rate" not in usual
    assert "rate" not in usual["clips"][0]
    assert "44.1 kHz" not in (root / "out" / "report.html").read_text().partition("</table>")[0]
    assert soundfile.info(root / "out" / "mine" / "a.wav").samplerate == RATE
    assert soundfile.info(root / "out" / "griffin-lim-oracle" / "a.wav").samplerate == SAMPLE_RATE
    wide = compared(root, "--rate", str(RATE))
    assert (wide["rate"], wide["metric_rates"]) == (RATE, {"M-STFT": RATE, "log-mel L1": SAMPLE_RATE})
    assert {row["rate"] for row in wide["clips"]} == {RATE}
    for system in ("mine", "griffin-lim-oracle"):
        assert wide["metrics"][system]["M-STFT"] > usual["metrics"][system]["M-STFT"]
        assert wide["metrics"][system]["log-mel L1"] == usual["metrics"][system]["log-mel L1"]
    lines = list(csv.DictReader(io.StringIO((root / "out" / "rows.csv").read_text())))
    assert {(line["metric"], line["rate"]) for line in lines} == {("M-STFT", "44100"), ("log-mel L1", "22050")}
    head = (root / "out" / "report.html").read_text().partition("</table>")[0]
    assert "at 44.1 kHz" in head
    assert "at 22.05 kHz" in head
    again = compared(root)
    assert again["clips"][0]["metrics"] == usual["clips"][0]["metrics"]  # and not those of the run between


def test_score_names_the_rate_and_gives_what_compare_gives(root):
    arguments = ("--metrics", "M-STFT,log-mel L1", "--force")
    pair = (root / "songs", root / "mine")
    done = command("eval", "score", *pair, *arguments, "--rate", str(RATE), "--json", root / "s.json")
    found = json.loads((root / "s.json").read_text())
    assert found["rates"] == {"M-STFT": RATE, "log-mel L1": SAMPLE_RATE}
    assert "at 44100 Hz" in done.stdout
    assert found["metrics"]["M-STFT"] == compared(root, "--rate", str(RATE))["metrics"]["mine"]["M-STFT"]
    done = command("eval", "score", *pair, *arguments, "--json", root / "s.json")
    assert "rates" not in json.loads((root / "s.json").read_text())
    assert "Hz" not in done.stdout


@pytest.mark.parametrize("rate", ["15999", "48001", "44.1"])
def test_a_rate_out_of_range_is_refused(root, rate):
    done = command("eval", "score", root / "songs", root / "mine", "--rate", rate, code=2)
    assert "--rate" in done.stderr
