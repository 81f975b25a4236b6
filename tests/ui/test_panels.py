"""The pictures below the metric table."""

import numpy as np

from eval.compare.recording import Output
from eval.metrics.alignment import Alignment
from eval.metrics.loudness import Level
from eval.metrics.pitch import PitchTrack
from tests.conftest import harmonic_tone
from ui.compare.metric_table import level_table
from ui.compare.pitch_panel import pitch_panel
from ui.compare.refinement_panel import on_mel_axis, refinement_panel
from vocoders.catalogue import find_systems

# The pitch panel


def track(hertz: np.ndarray, confidence: float = 1.0) -> PitchTrack:
    return PitchTrack(np.arange(len(hertz)) * 0.016, hertz, np.full(len(hertz), confidence))


def test_the_pitch_panel_says_how_far_an_output_deviates():
    reference = np.linspace(200, 220, 50)
    html = pitch_panel(0.8, track(reference), {"sharp": ("Sharp <b>", track(reference * 2 ** (30 / 1200)))})
    assert "30 cents on average, 0.0 % of frames more than 50 off" in html
    assert "Sharp &lt;b&gt;" in html
    assert html.count("<svg") == 2


def test_there_is_no_pitch_panel_without_pitch():
    assert pitch_panel(0.8, track(np.full(50, 200.0), confidence=0.1), {}) == ""


# The refinement panel


def test_refinement_is_shown_for_a_pair_and_only_then():
    bridged, refined, other = find_systems("hifigan-original-bridged,hifigan-original-refined,hifigan-original")
    tone = harmonic_tone(0.3)
    made = [
        Output(system, tone * gain, -20.0, -3.0, 1.0) for system, gain in ((bridged, 1.0), (refined, 0.5), (other, 1))
    ]
    html = refinement_panel(made)
    assert html.count("<figure") == 1
    assert "500 Hz: below" in html
    assert refinement_panel(made[1:]) == refinement_panel(made[::2]) == ""


def test_the_mel_axis_keeps_both_ends():
    ramp = np.repeat(np.arange(513.0)[:, None], 2, axis=1)
    warped = on_mel_axis(ramp)
    assert (warped[0, 0], warped[-1, 0]) == (0, 512)
    assert np.all(np.diff(warped[:, 0]) >= 0)
    assert warped[128, 0] < 130  # low frequencies get more room


def test_a_delay_stands_in_the_level_table_where_it_is_reliable():
    alignments = {"late": Alignment(7, -0.93, 0.0), "other": Alignment(5, 0.03, 0.0)}
    html = level_table(
        {"late": "Late", "other": "Other"}, dict.fromkeys(alignments, Level(-23.0, -3.0, 0.0)), {}, alignments
    )
    assert '<td data-title="Delay, samples">+7</td>' in html
    assert '<td data-title="Polarity, correlation">inverted (0.93)</td>' in html
    assert "n/a (0.03)" in html
    assert "+5" not in html
