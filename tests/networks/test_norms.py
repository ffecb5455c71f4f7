"""Which layers of the networks a norm or a head puts where."""

import keras
import numpy as np
import pytest
from keras import layers

from ganzoo import layers as own
from ganzoo.networks import dcgan, mlp
from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from ganzoo.networks.heads import HEADS
from ganzoo.networks.mlp import mlp_discriminator, mlp_generator

AFTER = {
    "batch": own.BatchNormalization,
    "layer": own.LayerNormalization,
    "virtual": own.VirtualBatchNormalization,
    "reference": own.ReferenceBatchNormalization,
}
WITHIN = {"spectral": own.SpectralNormalization, "weight": own.WeightNormalization}
LINEAR = (layers.Dense, layers.Conv2D, layers.Conv2DTranspose)


def generator(norm, network="dcgan"):
    if network == "mlp":
        return mlp_generator((2,), latent_dim=5, width=6, norm=norm)
    return dcgan_generator((16, 16, 3), latent_dim=5, width=4, hidden=6, norm=norm)


def discriminator(norm="none", network="dcgan", **options):
    if network == "mlp":
        return mlp_discriminator((2,), width=6, norm=norm, **options)
    return dcgan_discriminator((16, 16, 3), width=4, hidden=6, norm=norm, **options)


def bare(layer):
    """The layer that a wrapper holds, or the layer itself."""
    return getattr(layer, "layer", layer)


def followers(network):
    """Each linear layer, and the layer with weights, or the last one, that comes after it."""
    weighted = [one for one in network.layers if one.weights or one is network.layers[-1]]
    return {
        one.name: (one, after)
        for one, after in zip(weighted, [*weighted[1:], None], strict=True)
        if isinstance(bare(one), LINEAR)
    }


CASES = [("dcgan", one, generator) for one in dcgan.GENERATOR_NORMS]
CASES += [("dcgan", one, discriminator) for one in dcgan.DISCRIMINATOR_NORMS]
CASES += [("mlp", one, generator) for one in mlp.GENERATOR_NORMS]
CASES += [("mlp", one, discriminator) for one in mlp.DISCRIMINATOR_NORMS]


@pytest.mark.parametrize("network, norm, build", CASES)
def test_each_norm_stands_where_the_papers_have_it(network, norm, build):
    built = build(norm, network)
    never = {"to_image", "points", "logits"}  # DCGAN's rule; a norm within has no exception
    never |= {"down1"} if network == "dcgan" else set()
    found = followers(built)
    assert len(found) >= 3
    for name, (layer, after) in found.items():
        normed = norm in AFTER and name not in never
        assert isinstance(after, tuple(AFTER.values())) == normed, name
        assert not normed or type(after) is AFTER[norm], name
        assert bare(layer).use_bias == (not normed), name
        assert isinstance(layer, own.SpectralNormalization) == (norm == "spectral"), name
        assert isinstance(layer, own.WeightNormalization) == (norm == "weight"), name


@pytest.mark.parametrize("network", ["dcgan", "mlp"])
@pytest.mark.parametrize("norm", ["virtual", "reference"])
def test_the_reference_batch_goes_in_behind_the_latents_and_off_before_the_output(network, norm):
    built = generator(norm, network)
    names = [layer.name for layer in built.layers]
    first = {"dcgan": "up1_relu", "mlp": "hidden2_relu"}[network]
    assert names[1] == "reference" and names[names.index("examples") - 1] == first
    sizes = {layer.size for layer in built.layers if hasattr(layer, "size")}
    assert sizes == {64}
    latents = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    assert built(latents).shape[0] == 3
    np.testing.assert_allclose(built(latents, training=True)[:1], built(latents[:1]), atol=1e-5)


@pytest.mark.parametrize("network", ["dcgan", "mlp"])
def test_layer_norm_is_over_all_of_an_example_with_a_gain_a_channel(network):
    built = discriminator("layer", network)
    name, shape = ("down2_norm", (4, 4, 8)) if network == "dcgan" else ("hidden1_norm", (6,))
    norm = built.get_layer(name)
    x = (5 + 3 * np.random.default_rng(0).normal(size=(3, *shape))).astype("float32")
    flat = x.reshape(3, -1)
    scaled = (flat - flat.mean(1, keepdims=True)) / np.sqrt(flat.var(1, keepdims=True) + 1e-5)
    expected = scaled.reshape(x.shape) * norm.gamma.numpy()
    np.testing.assert_allclose(norm(x), expected, atol=1e-4)
    assert norm.gamma.shape == shape[-1:]


@pytest.mark.parametrize("network", ["dcgan", "mlp"])
def test_heads_stand_before_the_logits(network):
    features = {head: discriminator(network=network, head=head, kernels=9) for head in HEADS}
    inputs = {head: one.get_layer("logits").input.shape[-1] for head, one in features.items()}
    names = [layer.name for layer in features["minibatch_stddev"].layers]
    assert inputs["plain"] == 6 and inputs["minibatch_discrimination"] == 6 + 9
    if network == "mlp":
        assert inputs["minibatch_stddev"] == 6 + 1
    else:  # at the last feature map, 4x4x8
        assert names.index("minibatch_stddev") == names.index("flatten") - 1
        assert features["minibatch_stddev"].get_layer("flatten").output.shape[1] == 16 * 9
    for head, one in features.items():
        assert one(np.zeros((5, *one.input_shape[1:]), "float32")).shape == (5, 1), head


@pytest.mark.parametrize("head", HEADS[1:])
def test_a_head_tells_a_collapsed_batch_from_a_varied_one(head):
    keras.utils.set_random_seed(0)
    judge = discriminator(network="mlp", head=head)
    varied = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    same = np.tile(varied[:1], (8, 1))
    assert abs(float(judge(varied)[0, 0] - judge(same)[0, 0])) > 1e-3
    plain = discriminator(network="mlp")
    np.testing.assert_allclose(plain(varied)[:1], plain(same)[:1], atol=1e-6)


def test_names_of_the_default_layers_are_those_of_published_weights():
    weighted = [layer.name for layer in generator("batch").layers if layer.weights]
    assert weighted == [
        *("hidden", "hidden_norm", "project", "project_norm", "up1", "up1_norm", "to_image"),
    ]
    names = {v.path for v in discriminator("batch").weights}
    assert {"down1/bias", "down2/kernel", "hidden_norm/gamma", "logits/bias"} <= names
    assert "down2/bias" not in names


@pytest.mark.parametrize("build", [dcgan_generator, dcgan_discriminator])
def test_an_unknown_norm_or_head_raises_with_the_nearest(build):
    with pytest.raises(ValueError, match="Unknown norm 'bath'; did you mean 'batch'"):
        build((16, 16, 3), norm="bath")
    with pytest.raises(ValueError, match="Unknown head 'minibatch_std'; did you mean"):
        dcgan_discriminator((16, 16, 3), head="minibatch_std")
