"""Files of other programs, through the command, the page and a study, give the samples that those programs make of a recording, from its
mel on. The values are the originals' own: `tests/golden/make_outputs.py`."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.paths import ROOT
from eval.listening.making.stimuli import render_stimuli
from eval.listening.study import Study
from eval.metrics.alignment import align, apply_alignment
from tests.command import command
from tests.family_files import OUTPUTS, in_lightning, in_module, without_weight_norm, written
from tests.golden.formula import voice
from tests.golden.make_outputs import STRIDE
from ui.vocoders.uploads import add_upload
from vocoders.analysis import Analysis, synthesize
from vocoders.audio import SAMPLE_RATE, Recording
from vocoders.catalogue import find_systems

KINDS = {name: (name, None) for name in OUTPUTS} | {
    "module.": ("HiFi-GAN, resblock 2", in_module),
    "Lightning": ("HiFi-GAN, resblock 1", in_lightning),
    "weight norm removed": ("HiFi-GAN, resblock 1", without_weight_norm),
}
TOLERANCE = 1e-4  # of full scale; half a step of 16 bits is 1.5e-5


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> dict[str, Path]:
    """Every kind's file, in a folder of its own."""
    root = tmp_path_factory.mktemp("kinds")
    return {
        kind: written(case, root / str(number), wrap, OUTPUTS[case])
        for number, (kind, (case, wrap)) in enumerate(KINDS.items())
    }


def assert_original(samples: np.ndarray, kind: str) -> None:
    wanted = np.array(OUTPUTS[KINDS[kind][0]]["output"])
    assert len(samples) == len(voice())
    assert wanted.std() > 100 * TOLERANCE
    assert np.abs(samples[::STRIDE] - wanted).max() < TOLERANCE


@pytest.mark.parametrize("kind", KINDS)
def test_resynth_gives_the_originals_samples(tmp_path, paths, kind):
    soundfile.write(tmp_path / "voice.wav", voice(), SAMPLE_RATE, subtype="PCM_16")
    command("vocoders", "resynth", tmp_path / "voice.wav", "--vocoders", paths[kind], "--out", tmp_path / "out")
    samples, rate = soundfile.read(next((tmp_path / "out").glob("*/voice.wav")))
    assert rate == SAMPLE_RATE
    assert_original(samples, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_gives_the_originals_samples(paths, kind):
    path = paths[kind]
    config = next(other for other in path.parent.iterdir() if other.stem in ("config", "hyperparams"))
    _, system = add_upload((), str(path), str(config), None)
    assert_original(synthesize(system, Analysis(voice())), kind)


def test_a_study_holds_the_same_samples_at_one_loudness(paths):
    """Its clips are longer than the golden recording: what `resynth` gives is proven above, and a study only scales and moves it."""
    samples, _ = soundfile.read(
        ROOT / "assets" / "examples" / "sung_phrase_low.flac", dtype="float32", frames=round(1.6 * SAMPLE_RATE)
    )
    clip = samples[: 64 * (len(samples) // 64)]
    systems = find_systems(",".join(str(paths[kind]) for kind in OUTPUTS))
    study = Study("Kinds", "acr", ("clip",), tuple(system.id for system in systems))
    stimuli, wavs = render_stimuli(study, {"clip": Recording("clip", clip)}, systems)
    analysis = Analysis(clip)
    for system in systems:
        stimulus = next(one for one in stimuli if one.condition == system.id)
        found, _ = soundfile.read(io.BytesIO(wavs[stimulus.sha256]))
        output = synthesize(system, analysis)
        output = apply_alignment(output, align(clip, output)).astype(np.float64)
        gain = found @ output / (output @ output)
        assert np.abs(found - gain * output).max() < TOLERANCE
