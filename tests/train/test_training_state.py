"""Saving a run: nothing is lost to a kill or a full disk, and small pieces put together are the run again."""

import dataclasses
import os
import signal
import subprocess
import sys

import pytest
import torch

from common.durable import DiskFull, write_durably
from common.paths import ROOT
from tests.waiting import until
from train.config import PRESETS, TINY_GENERATOR
from train.data.crops import Crops
from train.networks.generator import Average, fold_weight_norm, new_generator
from train.networks.losses import SpectralLosses
from train.saving import PART_BYTES, StateError, load, save, save_compact
from train.schedule import step_settings
from train.state import content_of, new_state, restore
from train.step import train_step
from vocoders.hifigan.generator import V2, V3, Generator

TINY = PRESETS["tiny"]


def trained(pack, fabric, config=TINY, steps=2):
    state = new_state(config, fabric)
    state.about = {"preset": "tiny"}
    crops, spectral = Crops(pack, config, fabric.device), SpectralLosses(config)
    for _ in range(steps):
        now = step_settings(config, 0.6, state.step, 0)
        train_step(state, crops.draw(state.step, now.segment, now.batch), now, spectral, fabric)
    return state


@pytest.mark.parametrize("config", [TINY_GENERATOR, V3])
def test_in_bfloat16_a_generator_makes_and_learns_nearly_the_same(config):
    """Its convolutions run another way there."""
    torch.manual_seed(3)
    plain = new_generator(config, Generator(config).state_dict())
    features, wanted = torch.randn(2, 80, 12), torch.randn(2, 1, 12 * 256)
    outputs, gradients = [], []
    for narrow in (False, True):
        plain.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=narrow):
            output = plain(features)
        (output.float() - wanted).square().mean().backward()
        outputs.append(output.detach().float())
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in plain.parameters()]))
    assert 20 * torch.log10(outputs[0].norm() / (outputs[1] - outputs[0]).norm()) > 25
    assert 20 * torch.log10(gradients[0].norm() / (gradients[1] - gradients[0]).norm()) > 25


def test_a_step_in_bfloat16_keeps_weights_and_losses_in_float32(pack, fabric):
    config = dataclasses.replace(TINY, generator_bfloat16=1.0)
    state = new_state(config, fabric)
    batch = Crops(pack, config, fabric.device).draw(0, config.segment, config.batch)
    losses = train_step(state, batch, step_settings(config, 0.6, 0, 0), SpectralLosses(config), fabric)
    assert {value.dtype for value in (*losses.values(), *state.generator.state_dict().values())} == {torch.float32}
    assert all(value.isfinite() for value in losses.values())


def test_a_generator_that_waits_stays_as_it_is_while_discriminators_learn(pack, fabric):
    config = dataclasses.replace(TINY, generator_only=0.1, discriminators_only=0.6)
    state = new_state(config, fabric)
    crops, spectral = Crops(pack, config, fabric.device), SpectralLosses(config)

    def copied():
        networks = (state.generator.state_dict(), state.discriminators.state_dict(), state.average.values)
        return [{name: value.clone() for name, value in values.items()} for values in networks]

    before = copied()
    losses = train_step(state, crops.draw(0, 4096, 2), step_settings(config, 0.5, 0, 0), spectral, fabric)
    assert set(losses) == {"d/mpd", "d/mrd", "norm/discriminators"}
    waited = copied()
    assert [equal(a, b) for a, b in zip(waited, before)] == [True, False, True]
    train_step(state, crops.draw(1, 4096, 2), step_settings(config, 0.8, 1, 0), spectral, fabric)
    assert [equal(a, b) for a, b in zip(copied(), waited)] == [False, False, False]
    assert state.step == 2


def equal(a, b):
    return all(torch.equal(value, b[name]) for name, value in a.items())


def test_an_exact_state_is_the_same_state(pack, fabric, tmp_path):
    state = trained(pack, fabric)
    save(tmp_path, content_of(state))
    other = new_state(dataclasses.replace(TINY, seed=9), fabric)
    restore(other, load(tmp_path))
    assert_equal(content_of(other) | {"config": None}, content_of(state) | {"config": None})


def assert_equal(found, wanted, path=""):
    assert type(found) is type(wanted), path
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys(), path
        for key in wanted:
            assert_equal(found[key], wanted[key], f"{path}/{key}")
    elif isinstance(wanted, torch.Tensor):
        assert torch.equal(found, wanted), path
    else:
        assert found == wanted, path


def test_a_compact_state_is_nearly_the_same_in_small_pieces(pack, fabric, tmp_path):
    config = dataclasses.replace(TINY, generator=V2, period_channels=16)
    state = trained(pack, fabric, config, steps=1)
    parts = save_compact(tmp_path, content_of(state))
    assert len(parts) > 1
    assert all(path.stat().st_size <= PART_BYTES for path in tmp_path.rglob("*"))
    found, wanted = load(tmp_path), content_of(state)
    for key in ("generator", "average", "discriminators"):
        for name, value in wanted[key].items():
            assert torch.allclose(found[key][name], value, rtol=1e-3, atol=1e-6), name
    for key in ("generator_optimizer", "discriminator_optimizer"):
        for index, entry in wanted[key]["state"].items():
            assert found[key]["state"][index]["step"] == entry["step"]
            assert torch.allclose(found[key]["state"][index]["exp_avg_sq"], entry["exp_avg_sq"], rtol=0.02, atol=1e-30)
    other = new_state(config, fabric)
    restore(other, found)
    assert other.step == state.step


def test_the_state_that_has_come_further_counts(pack, fabric, tmp_path):
    """A compact state brought back from another machine, beside the exact one that was left here."""
    content = content_of(trained(pack, fabric))
    save(tmp_path, content)
    save_compact(tmp_path, content | {"step": 1})
    assert load(tmp_path)["step"] == 2
    save_compact(tmp_path, content | {"step": 9})
    assert load(tmp_path)["step"] == 9


def test_a_missing_or_damaged_piece_is_named(pack, fabric, tmp_path):
    parts = save_compact(tmp_path, content_of(trained(pack, fabric)))
    content = parts[0].read_bytes()
    parts[0].write_bytes(content[:-1] + b"x")
    with pytest.raises(StateError, match=r"part-00.bin is damaged; copy all of"):
        load(tmp_path)
    parts[0].unlink()
    with pytest.raises(StateError, match=r"part-00.bin is missing"):
        load(tmp_path)


def test_what_is_no_state_is_refused(tmp_path):
    with pytest.raises(StateError, match="holds no saved run"):
        load(tmp_path)
    (tmp_path / "state.pt").write_bytes(b"no archive")
    with pytest.raises(StateError, match="is damaged and cannot be resumed from"):
        load(tmp_path)


def test_a_full_disk_leaves_the_old_file_alone(tmp_path):
    """/dev/full refuses every byte as a full disk does."""
    path = tmp_path / "state.pt"
    write_durably(path, b"old")
    (tmp_path / "state.pt.part").symlink_to("/dev/full")
    with pytest.raises(DiskFull, match=r"the disk is full: .*state.pt needs 1 MB; the one before is intact"):
        write_durably(path, bytes(1_000_000))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["state.pt"]


def test_a_kill_while_saving_never_costs_the_last_save(tmp_path):
    """A process saves growing contents as fast as it can and is killed, again and again."""
    code = (
        "import sys, itertools, torch; from pathlib import Path; from train.saving import save\n"
        "for n in itertools.count(): save(Path(sys.argv[1]), {'step': n, 'x': torch.full((300_000,), n)}); print(n, flush=True)"
    )
    for attempt in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(5 + attempt):
            said = int(process.stdout.readline())
        if attempt % 2:
            until(lambda: any(tmp_path.glob("*.part")), "a save is under way")
        process.send_signal(signal.SIGKILL)
        process.wait()
        content = load(tmp_path)
        assert content["step"] >= said
        assert (content["x"] == content["step"]).all()


# The generator on its way


def test_folding_gives_the_generator_that_was_trained(pack, fabric):
    generator = trained(pack, fabric).plain_generator
    plain = Generator(TINY_GENERATOR)
    plain.load_state_dict(fold_weight_norm(generator.state_dict()))
    mel = torch.randn(1, 80, 20)
    assert torch.allclose(plain(mel), generator(mel), atol=1e-6)


def test_given_weights_are_kept_by_weight_normalisation():
    plain = Generator(TINY_GENERATOR)
    weights = {name: value.clone() for name, value in plain.state_dict().items()}
    found = fold_weight_norm(new_generator(TINY_GENERATOR, weights).state_dict())
    assert found.keys() == weights.keys()
    assert all(torch.allclose(found[name], weights[name], atol=1e-6) for name in weights)


def test_the_average_follows_at_once_and_then_slowly():
    layer = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(0.0)
        average = Average(layer, 0.9)
        layer.weight.fill_(1.0)
        seen = []
        for step in range(1, 200):
            average.update(layer, step)
            seen.append(float(average.values["weight"]))
    assert seen[0] == pytest.approx(10 / 11)  # at its first update it keeps 1 / 11
    late = Average(layer, 0.9)
    late.values["weight"].fill_(0.0)
    late.update(layer, 1000)
    assert float(late.values["weight"]) == pytest.approx(0.1)
