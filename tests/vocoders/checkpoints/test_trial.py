"""A generator is judged by what it makes of a phrase: the mel it fits is found, what does not fit it is refused with the cause."""

import dataclasses
import functools
import json
import shutil

import numpy as np
import pytest
import soundfile
import torch

from tests.command import command
from tests.conftest import harmonic_tone
from train.config import TINY_GENERATOR
from vocoders.catalogue import OWN_CHECKPOINTS, find_systems
from vocoders.checkpoints import trial as checkpoint_check
from vocoders.checkpoints.checkpoint import Checkpoint, CheckpointError, Contents, read_checkpoint, write_safetensors
from vocoders.checkpoints.contained import read_contained
from vocoders.checkpoints.trial import distance_of, is_soundless, phrase, read_checked, trial_output
from vocoders.hifigan.generator import V1, Generator
from vocoders.hifigan.original import original_weights
from vocoders.mel import HIFIGAN, HW2
from vocoders.recipes.configs import of_hifigan
from vocoders.recipes.named import NAMED

CONFIG = {name: value for name, value in dataclasses.asdict(V1).items() if name != "input_channels"}


@pytest.fixture(scope="module", autouse=True)
def universal():
    """UNIVERSAL_V1's weights, and trials that are not repeated: a V1 generator takes a second for each."""
    checkpoint = read_checkpoint(original_weights("universal"), "hifigan")

    @functools.cache
    def once(config, recipe):
        return trial_output(dataclasses.replace(checkpoint, config=config, recipe=recipe))

    def remembering(given, samples=None):
        same = given.weights is checkpoint.weights and samples is None
        return once(given.config, given.recipe) if same else trial_output(given, samples)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint_check, "trial_output", remembering)
        yield checkpoint


@pytest.fixture
def told(universal, monkeypatch, tmp_path):
    """The result for UNIVERSAL_V1 in a file with these statements."""

    def judge(recipe=None, mel=None, **config):
        contents = Contents("g_1", dataclasses.replace(V1, **config), universal.weights, mel, "config.json")
        monkeypatch.setattr(checkpoint_check, "read_contents", lambda path, config_path: contents)
        return read_checked(tmp_path / "g_1", recipe)

    return judge


def test_the_phrase_itself_has_no_distance():
    assert distance_of(phrase()) == 0
    assert 0.02 < phrase().std() < 0.3


def test_the_right_mel_passes_without_a_word(told):
    checkpoint = told("hifigan")
    assert (checkpoint.recipe, checkpoint.notice) == (HIFIGAN, "")


def test_the_mel_that_nothing_names_is_found(told):
    checkpoint = told()
    assert checkpoint.recipe == HIFIGAN
    assert "a trial found hifigan (log-mel L1 0.6 against 5.7)" in checkpoint.notice


def test_the_wrong_mel_is_refused_with_the_right_one(told):
    reason = r"g_1: it fits the hifigan mel, not hw2 \(log-mel L1 of a trial 0\.6 against 5\.7\)\. .* @hw2-unchecked"
    with pytest.raises(CheckpointError, match=reason):
        told("hw2")
    with pytest.raises(CheckpointError, match=reason):
        told(mel="hw2")


def test_another_rate_beside_it_is_refused_with_the_right_one(universal, monkeypatch, tmp_path):
    wrong = of_hifigan({"sampling_rate": 24_000})
    monkeypatch.setattr(
        checkpoint_check, "NAMED", {name: NAMED[name] for name in ("speecht5", "hifigan")}
    )  # of many, in a test
    contents = Contents("g_1", V1, universal.weights, None, "config.json", assumed=wrong)
    monkeypatch.setattr(checkpoint_check, "read_contents", lambda path, config_path: contents)
    with pytest.raises(
        CheckpointError, match=rf"g_1: it fits the hifigan mel, not {wrong.name} \(log-mel L1 of a trial 0\.6"
    ):
        read_checked(tmp_path / "g_1")
    assert read_checked(tmp_path / "g_1", "hifigan").recipe == HIFIGAN


def test_whoever_insists_is_believed(told):
    assert told("hw2-unchecked").recipe == HW2
    with pytest.raises(CheckpointError, match=r"was trained on the hifigan mel, not on hw2, as config\.json says"):
        told("hw2-unchecked", mel="hifigan")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (
            {"resblock_dilation_sizes": ((1, 2, 4),) * 3},
            r"resblock_dilation_sizes \[\[1, 3, 5\], .*, not with \[\[1, 2, 4\], ",
        ),
        ({"upsample_rates": (4, 16, 2, 2)}, r"upsample_rates \[8, 8, 2, 2\], not with \[4, 16, 2, 2\]"),
    ],
    ids=["dilations", "rates"],
)
@pytest.mark.parametrize("recipe", ["hifigan", None])
def test_a_shape_that_is_not_the_networks_is_refused_with_the_right_one(told, change, cause, recipe):
    with pytest.raises(CheckpointError, match=f"it was trained with {cause}"):
        told(recipe, **change)


@pytest.mark.parametrize("path", OWN_CHECKPOINTS.values(), ids=OWN_CHECKPOINTS)
def test_the_projects_own_generators_pass(path):
    assert read_checked(path).notice == ""


@pytest.fixture
def beginner(tmp_path):
    """A generator that has learned nothing yet, in a jik876 file."""
    torch.manual_seed(0)
    weights = dict(Generator(TINY_GENERATOR).state_dict())
    config = {name: value for name, value in dataclasses.asdict(TINY_GENERATOR).items() if name != "input_channels"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    torch.save({"generator": weights}, tmp_path / "g_1")
    return tmp_path / "g_1", weights


@pytest.mark.parametrize("seed", range(12))
def test_a_beginner_is_usable_on_either_mel_when_it_is_said(beginner, seed):
    path, _ = beginner
    torch.manual_seed(seed)
    torch.save({"generator": Generator(TINY_GENERATOR).state_dict()}, path)
    for recipe in ("hw2", "hifigan"):
        assert "far from the phrase" in read_checked(path, recipe).notice


def test_a_beginner_of_which_nothing_is_said_is_refused(beginner):
    with pytest.raises(
        CheckpointError, match=r"a trial does not tell \(log-mel L1 [34]\.\d on .*\); name it, as @hw2 or"
    ):
        read_checked(beginner[0])


def test_silence_and_constants_are_refused(beginner, tmp_path):
    _, weights = beginner
    for bias, made in ((0.0, "0.000"), (9.0, "1.000")):
        dead = {**weights, "conv_post.weight": 0 * weights["conv_post.weight"], "conv_post.bias": torch.tensor([bias])}
        write_safetensors(tmp_path / "dead.safetensors", Checkpoint(TINY_GENERATOR, HW2, dead))
        with pytest.raises(CheckpointError, match=rf"dead\.safetensors makes no sound: .* a constant {made}"):
            read_checked(tmp_path / "dead.safetensors")


def test_what_is_soundless():
    voice = phrase()
    assert is_soundless(np.zeros_like(voice), voice)
    assert is_soundless(np.full_like(voice, 0.99997), voice)
    edges = np.where(
        np.arange(len(voice)) < 2000, voice, 0.5
    )  # what zeros beyond the ends of a mel leave of a constant
    assert is_soundless(edges.astype(np.float32), voice)
    assert not is_soundless(voice / 1000, voice)
    assert not is_soundless(np.zeros_like(voice), np.zeros_like(voice)), "nothing was asked for"


def test_a_strangers_file_is_tried_elsewhere_with_the_same_result(beginner):
    path, weights = beginner
    here, there = read_checked(path, "hw2"), read_contained(path, "hw2", checked=True)
    assert there.notice == here.notice != ""
    assert (there.recipe, there.config) == (here.recipe, here.config)
    torch.save({"generator": {**weights, "conv_post.weight": 0 * weights["conv_post.weight"]}}, path)
    with pytest.raises(CheckpointError, match=r"^g_1 makes no sound"):
        read_contained(path, "hw2", checked=True)


def test_a_file_is_tried_once(beginner, monkeypatch):
    path, _ = beginner
    count = []
    monkeypatch.setattr(checkpoint_check, "distance_of", lambda output: count.append(1) or distance_of(output))
    first, again = (find_systems(f"{path}@hw2")[0] for _ in range(2))
    assert first == again
    assert len(count) == 2, "each of the two mels once"
    assert "far from the phrase" in first.about


def test_files_of_one_name_are_told_apart_by_their_folders(beginner, tmp_path):
    path, _ = beginner
    for folder in ("long, run/x", "short/x", "short/y"):
        (tmp_path / folder).mkdir(parents=True)
        shutil.copy(path, tmp_path / folder / "g_1")
        shutil.copy(path.with_name("config.json"), tmp_path / folder / "config.json")
    items = [f"{tmp_path}/{folder}/g_1@hw2" for folder in ("long, run/x", "short/x", "short/y")]
    assert [s.id for s in find_systems(",".join(["griffin-lim", *items]))] == [
        "griffin-lim",
        "long-run-x-g_1",
        "short-x-g_1",
        "y-g_1",
    ]
    assert [s.id for s in find_systems(items[0])] == ["g_1"]
    with pytest.raises(ValueError, match="named twice"):
        find_systems(f"{items[0]},{items[0]}")


def test_two_runs_compare_in_one_go(beginner, tmp_path):
    """Their files have one name, and one folder has a comma in its."""
    path, _ = beginner
    for folder in ("a,b", "c"):
        (tmp_path / folder).mkdir()
        shutil.copy(path, tmp_path / folder)
        shutil.copy(path.with_name("config.json"), tmp_path / folder)
    soundfile.write(tmp_path / "song.wav", harmonic_tone(1.0), 22_050)
    items = f"{tmp_path}/a,b/g_1@hw2,{tmp_path}/c/g_1@hifigan"
    out = tmp_path / "out"
    command("eval", "compare", tmp_path / "song.wav", "--vocoders", items, "--metrics", "M-STFT", "--out", out)
    assert list(json.loads((out / "results.json").read_text())["metrics"]) == ["a-b-g_1", "c-g_1"]
    assert (out / "c-g_1" / "song.wav").is_file()


@pytest.mark.parametrize("item", ["{}/g_9", "{}/g_9@hw2", "g_00000009", "none.safetensors"])
def test_a_missing_file_is_called_missing(tmp_path, item):
    with pytest.raises(ValueError, match=r"^there is no file (.*/g_9|g_00000009|none\.safetensors), "):
        find_systems(item.format(tmp_path))
