"""A file of a known family that cannot be used is refused with the family's name and the reason. Names of tensors are those of the
public implementations."""

import json

import h5py
import numpy as np
import pytest
import torch
import yaml

from tests.family_files import CASES, OUTPUTS, statistics, written
from vocoders.checkpoints.checkpoint import CheckpointError, read_checkpoint

LATENT = "decoder takes a latent instead of a mel"
NETWORKS = {  # what is said, and how a file of it is built
    f"a VITS, whose {LATENT}": {"model": ("enc_p.emb.weight", "dec.conv_pre.weight", "dec.ups.0.weight_g", "dec.conv_post.weight", "flow.flows.0.pre.weight")},
    f"a checkpoint of Coqui TTS with a VITS, whose {LATENT}": {"model": ("waveform_decoder.conv_pre.weight", "posterior_encoder.pre.weight", "flow.flows.0.pre.weight")},
    f"a VITS of ESPnet, whose {LATENT}": {"": ("tts.generator.decoder.input_conv.weight", "tts.generator.posterior_encoder.input_conv.weight")},
    "a JETS of ESPnet, whose decoder takes hidden values": {"": ("tts.generator.generator.input_conv.weight", "tts.generator.alignment_module.t_conv1.weight")},
    r"a VITS with an F0 \(RVC, so-vits-svc\), whose decoder takes a latent and the F0": {"weight": ("enc_p.emb_phone.weight", "dec.m_source.l_linear.weight", "dec.conv_pre.weight", "dec.ups.0.weight_g", "dec.conv_post.weight", "flow.flows.0.enc.weight")},
    "an NSF-HiFiGAN, which takes the F0 beside the mel": {"generator": ("conv_pre.weight_g", "m_source.l_linear.weight", "noise_convs.0.weight", "ups.0.weight_g", "resblocks.0.convs1.0.weight_g", "conv_post.weight_g")},
    "an XTTS, whose decoder takes a latent of its language model": {"model": ("gpt.wte.weight", "hifigan_decoder.waveform_decoder.conv_pre.bias")},
    "a generator that takes a speaker embedding beside the mel": {"generator": ("conv_pre.weight", "cond.weight", "ups.0.weight_g", "resblocks.0.convs1.0.weight_g", "conv_post.weight")},
    "a ParallelWaveGAN, which takes noise beside the mel": {"": ("first_conv.weight_g", "upsample_net.conv_in.weight_g", "conv_layers.0.conv.weight_g")},
    "a UnivNet, which takes noise beside the mel": {"": ("conv_pre.weight_g", "res_stack.0.kernel_predictor.input_conv.0.weight_g", "conv_post.1.weight_g")},
    "a WaveGlow, which takes noise beside the mel": {"model": ("upsample.weight", "WN.0.start.weight_g", "convinv.0.conv.weight")},
    "a DiffWave, which reaches its output from noise in many steps": {"model": ("input_projection.weight", "diffusion_embedding.projection1.weight", "residual_layers.0.dilated_conv.weight")},
    "a WaveRNN, which takes its own earlier samples": {"": ("upsample.resnet.conv_in.weight", "I.weight", "rnn1.weight_ih_l0")},
    "a MelGAN": {"model": ("melgan.1.weight_g",)},
    "a neural codec, which decodes its own codes": {"": ("encoder.model.0.conv.conv.weight_g", "decoder.model.0.conv.conv.weight_g", "quantizer.vq.layers.0._codebook.embed")},
    "a Tacotron 2, which makes mels": {"state_dict": ("encoder.convolutions.0.0.conv.weight", "decoder.attention_rnn.weight_ih")},
    "a discriminator": {"": ("discriminators.0.convs.0.weight_g",)},
}  # fmt: skip


@pytest.mark.parametrize("what", NETWORKS)
def test_a_network_that_takes_more_than_a_mel_is_refused_by_name(tmp_path, what):
    ((entry, names),) = NETWORKS[what].items()
    state = {name: torch.zeros(1) for name in names}
    torch.save({entry: state} if entry else state, tmp_path / "g_1")
    (tmp_path / "config.json").write_text(json.dumps({"sampling_rate": 24_000}))
    with pytest.raises(CheckpointError, match=f"^g_1 is {what}") as caught:
        read_checkpoint(tmp_path / "g_1", "hifigan")
    assert "\n" not in str(caught.value)


def changing(*way: str, to: object):
    """A change of a configuration at these keys."""

    def change(folder, config):
        for key in way[:-1]:
            config = config[key]
        config[way[-1]] = to

    return change


LIES = {
    "no statistics": ("ParallelWaveGAN", lambda folder, config: (folder / "stats.npy").unlink(),
                      "is a checkpoint of ParallelWaveGAN with a HiFi-GAN, but there is no stats.npy or stats.h5 beside"),
    "other statistics": ("ParallelWaveGAN", lambda folder, config: np.save(folder / "stats.npy", statistics(5)), "are not 20 finite numbers"),
    "one row": ("ParallelWaveGAN", lambda folder, config: np.save(folder / "stats.npy", statistics(20)[:1]), "are not 20 finite numbers"),
    "causal": ("ParallelWaveGAN", changing("generator_params", "use_causal_conv", to=True), "use_causal_conv is True; only False is read"),
    "another generator": ("ParallelWaveGAN", changing("generator_type", to="MelGANGenerator"), "generator_type is 'MelGANGenerator'"),
    "EnCodec": ("Vocos", changing("feature_extractor", "class_path", to="vocos.feature_extractors.EncodecFeatures"),
                "is a Vocos, but config.yaml: the feature_extractor is 'vocos.feature_extractors.EncodecFeatures'; only"),
    "another head": ("Vocos", changing("head", "class_path", to="vocos.heads.IMDCTCosHead"), "the head is"),
    "another width": ("Vocos", changing("backbone", "init_args", "dim", to=24), "asks for"),
    "not that many bands": ("Vocos", changing("feature_extractor", "init_args", "n_mels", to=100),
                            "takes 20 bands every 64 samples; the mel-.* mel has 100"),
    "another activation": ("BigVGAN 2", changing("activation", to="snake"), "is a BigVGAN, but .* tensors that config.json"),
    "no activation": ("BigVGAN 2", changing("activation", to="relu"), "activation is relu; allowed: snake or"),
    "another hop": ("HiFi-GAN, resblock 1", changing("hop_size", to=16), "hop_size is 16, but upsample_rates"),
    "an odd kernel": ("HiFi-GAN, resblock 1", lambda folder, config: config.update(upsample_rates=[8, 3], upsample_kernel_sizes=[16, 6], hop_size=24),
                      "has 6 for a rate of 3; the difference must be an even number"),
    "no head": ("iSTFTNet", lambda folder, config: [config.pop(k) for k in ("gen_istft_n_fft", "gen_istft_hop_size")],
                "hop_size is 64, but upsample_rates"),
    "melgan in ESPnet": ("ESPnet", changing("tts_conf", "vocoder_type", to="melgan_generator"),
                         "is the text-to-waveform model of ESPnet, but config.yaml: vocoder_type is 'melgan_generator'; only hifigan_generator"),
    "subbands in ESPnet": ("ESPnet", changing("tts_conf", "use_pqmf", to=True), "of several subbands"),
    "another norm in ESPnet": ("ESPnet", changing("normalize", to="utterance_mvn"), "normalize is not global_mvn of both"),
    "linear spectra in ESPnet": ("ESPnet", changing("feats_extract", to="linear_spectrogram"), "feats_extract is 'linear_spectrogram'; only"),
    "a speaker in ESPnet": ("ESPnet", changing("tts_conf", "vocoder_params", "global_channels", to=256), "global_channels is 256"),
    "a latent": ("the decoder of VITS", changing("data", "n_mel_channels", to=80),
                 "is the decoder of a VITS whose input is a latent of 20 channels, not a mel of 80 bands"),
    "a normalized mel of Coqui": ("Coqui TTS", changing("audio", "signal_norm", to=True), "signal_norm is True; only mels with signal_norm False"),
    "a mel as Coqui has it by itself": ("Coqui TTS", lambda folder, config: config["audio"].pop("signal_norm"), "signal_norm is True"),
    "another generator of Coqui": ("Coqui TTS", changing("generator_model", to="melgan_generator"), "only hifigan_generator is read"),
    "a speaker in speechbrain": ("speechbrain", changing("cond_channels", to=64), "take a mel and nothing else"),
    "another model of transformers": ("SpeechT5HifiGan", changing("model_type", to="univnet"), "model_type is 'univnet', not hifigan"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_files_that_do_not_belong_together_are_refused(tmp_path, lie):
    case, change, reason = LIES[lie]
    golden = json.loads(json.dumps(OUTPUTS[case]))
    path = written(case, tmp_path, golden=golden)
    change(tmp_path, golden["config"])
    beside = next(p for p in tmp_path.iterdir() if p.stem in ("config", "hyperparams"))
    beside.write_text(json.dumps(golden["config"]))  # which is YAML, too
    with pytest.raises(CheckpointError, match=reason) as caught:
        read_checkpoint(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("where", ["link", "raw", "virtual", "terabytes", "group"])
def test_statistics_in_hdf5_lie_in_that_file(tmp_path, where):
    """HDF5 can take a dataset from any other file that the process may read."""
    path = written("ParallelWaveGAN", tmp_path, golden=OUTPUTS["ParallelWaveGAN"])
    (tmp_path / "stats.npy").unlink()
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["mean"] = np.arange(20.0)
    with h5py.File(tmp_path / "stats.h5", "w") as file:
        file["scale"] = np.ones(20)
        if where == "link":
            file["mean"] = h5py.ExternalLink(str(secret), "/mean")
        elif where == "raw":
            file.create_dataset("mean", (20,), "f8", external=[(str(secret), 0, 160)])
        elif where == "virtual":
            layout = h5py.VirtualLayout((20,), "f8")
            layout[:] = h5py.VirtualSource(str(secret), "mean", (20,))
            file.create_virtual_dataset("mean", layout)
        elif where == "terabytes":
            file.create_dataset("mean", shape=(10**12,), dtype="f8", chunks=(10**6,))
        else:
            file.create_group("mean")
    with pytest.raises(
        CheckpointError, match=r"stats\.h5 cannot be read \(mean (is no dataset of this file|has 1000000000000 numbers)"
    ):
        read_checkpoint(path)


HOSTILE = [None, True, -1, 0, 10**400, 1.5, float("nan"), "x" * 500, "<a>", [], [[[1]]], [10**9] * 3, {"a": 1}]


def places(config: dict, path: tuple = ()) -> list[tuple]:
    """Of every value in a configuration, the keys that lead to it."""
    inner = [place for key, value in config.items() if isinstance(value, dict) for place in places(value, (*path, key))]
    return [(*path, key) for key in config] + inner


@pytest.mark.parametrize(
    "case", ["iSTFTNet", "BigVGAN 2", "Vocos, same", "ParallelWaveGAN's HiFi-GAN, one", "speechbrain's HiFi-GAN"]
)
def test_whatever_a_configuration_says_there_is_a_generator_or_a_sentence(tmp_path, case, request):
    """Every value at every place with --proof; else at each place a third of them, another one than at the place before."""
    step = 1 if request.config.getoption("--proof") else 3
    path = written(case, tmp_path)
    beside = next(p for p in tmp_path.iterdir() if p.suffix in (".json", ".yaml", ".yml"))
    config = CASES[case]["config"]
    refused = []
    for number, place in enumerate(places(config)):
        for value in HOSTILE[number % step :: step]:
            changed = json.loads(json.dumps(config))
            within = changed
            for key in place[:-1]:
                within = within[key]
            within[place[-1]] = value
            beside.write_text(json.dumps(changed) if beside.suffix == ".json" else yaml.safe_dump(changed))
            try:
                read_checkpoint(path)
            except CheckpointError as error:
                refused.append(str(error))
    assert len(refused) > 100 / step
    assert all("\n" not in sentence and len(sentence) < 700 for sentence in refused)
