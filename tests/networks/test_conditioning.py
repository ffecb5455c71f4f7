"""DCGAN's networks with labels and second outputs, against plain TensorFlow and NumPy."""

import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganzoo import layers as own
from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator

SHAPE = (16, 16, 3)
LABELS = np.array([0, 2, 1, 2], "int32")
HOT = np.eye(3, dtype="float32")[LABELS]


def generator(conditioning, **options):
    made = dcgan_generator(
        SHAPE, latent_dim=5, width=4, classes=3, conditioning=conditioning, **options
    )
    return larger(made)


def discriminator(conditioning="none", **options):
    return larger(
        dcgan_discriminator(SHAPE, width=4, classes=3, conditioning=conditioning, **options)
    )


def larger(network):
    for weight in network.trainable_weights:
        if weight.path.endswith(("kernel", "gains", "shifts")):
            weight.assign(np.random.default_rng(0).normal(0, 0.3, weight.shape))
    return network


def latents():
    return np.random.default_rng(1).normal(size=(4, 5)).astype("float32")


def images():
    return np.random.default_rng(1).uniform(-1, 1, (4, *SHAPE)).astype("float32")


def joined(x):
    places = np.ones((*x.shape[:-1], 1), "float32")
    return tf.concat([x, places * HOT.reshape(4, *[1] * (len(x.shape) - 2), 3)], -1)


def test_labels_stand_beside_every_layers_input_in_a_concat_generator():
    made = generator("concat", hidden=6, norm="none")
    h, hb, p, pb, up, up_b, last, bias = (v.value for v in made.trainable_weights)
    x = tf.nn.relu(joined(latents()) @ h + hb)
    x = tf.nn.relu(tf.reshape(joined(x) @ p + pb, (4, 4, 4, 8)))
    x = tf.nn.relu(tf.nn.conv2d_transpose(joined(x), up, (4, 8, 8, 4), strides=2) + up_b)
    x = tf.tanh(tf.nn.conv2d_transpose(joined(x), last, (4, 16, 16, 3), strides=2) + bias)
    np.testing.assert_allclose(made([latents(), LABELS]), x, atol=1e-5)


@pytest.mark.parametrize("hidden", [0, 6])
def test_labels_stand_beside_every_layers_input_in_a_concat_discriminator(hidden):
    made = discriminator("concat", hidden=hidden, norm="none")
    first, b1, down, b2, *hid, last, bias = (v.value for v in made.trainable_weights)
    x = tf.nn.leaky_relu(tf.nn.conv2d(joined(images()), first, 2, "SAME") + b1, 0.2)
    x = tf.nn.leaky_relu(tf.nn.conv2d(joined(x), down, 2, "SAME") + b2, 0.2)
    x = tf.reshape(x, (4, -1))
    if hidden:
        x = tf.nn.leaky_relu(joined(x) @ hid[0] + hid[1], 0.2)
    np.testing.assert_allclose(made([images(), LABELS]), joined(x) @ last + bias, atol=1e-4)


@pytest.mark.parametrize("hidden", [0, 6])
def test_a_projection_adds_the_labels_direction_times_the_features(hidden):
    made = discriminator("projection", hidden=hidden, norm="none")
    first, b1, down, b2, *rest = (v.value for v in made.trainable_weights)
    x = tf.nn.leaky_relu(tf.nn.conv2d(images(), first, 2, "SAME") + b1, 0.2)
    x = tf.nn.leaky_relu(tf.nn.conv2d(x, down, 2, "SAME") + b2, 0.2)
    if hidden:
        features = tf.nn.leaky_relu(tf.reshape(x, (4, -1)) @ rest[0] + rest[1], 0.2).numpy()
    else:  # the paper's
        features = x.numpy().sum((1, 2))
    table = made.get_layer("label_embedding").kernel.numpy()
    logits = made.get_layer("logits")
    psi = features @ logits.kernel.numpy() + logits.bias.numpy()
    inner = (table[LABELS] * features).sum(1, keepdims=True)
    assert np.abs(inner).max() > 0.1 and table.shape == (3, hidden or 8)
    np.testing.assert_allclose(made([images(), LABELS]), psi + inner, rtol=1e-4, atol=1e-4)


def test_spectral_norm_is_on_every_layer_of_a_projection_the_embedding_too():
    made = discriminator("projection", norm="spectral")
    weighted = [layer for layer in made.layers if layer.weights]
    assert [layer.name for layer in weighted] == [
        "down1",
        "down2",
        "label_embedding",
        "logits",
    ] or [layer.name for layer in weighted] == ["down1", "down2", "logits", "label_embedding"]
    assert all(isinstance(layer, own.SpectralNormalization) for layer in weighted)
    for _ in range(30):
        made([images(), LABELS], training=True)
    for layer in weighted:
        kernel = layer.effective_kernel().numpy()
        sigma = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
        assert abs(sigma - 1) < 1e-2, layer.name


def test_a_generators_norms_are_conditional_ones_with_batch_norm_conditioning():
    made = generator("batch_norm", hidden=6)
    kinds = {layer.name: type(layer) for layer in made.layers if layer.name.endswith("_norm")}
    assert set(kinds) == {"hidden_norm", "project_norm", "up1_norm"}
    assert set(kinds.values()) == {own.ConditionalBatchNormalization}
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in made.layers)
    different = made([np.repeat(latents()[:1], 3, 0), np.arange(3)]).numpy()
    assert np.abs(different[0] - different[1:]).max((1, 2, 3)).min() > 0.01


def test_a_network_without_conditioning_is_the_plain_one_whatever_classes_are():
    plain = dcgan_generator(SHAPE, latent_dim=5, width=4)
    made = dcgan_generator(SHAPE, latent_dim=5, width=4, classes=3)
    assert plain.input_shape == made.input_shape == (None, 5)
    assert [one.name for one in plain.layers] == [one.name for one in made.layers]
    assert discriminator().output_shape == (None, 1)


@pytest.mark.parametrize("norm", ["batch", "spectral"])
@pytest.mark.parametrize("hidden", [0, 5])
def test_a_second_output_is_linear_in_the_trunks_last_features(hidden, norm):
    made = discriminator(hidden=6, norm=norm, auxiliary=7, auxiliary_hidden=hidden)
    assert made.output_shape == [(None, 1), (None, 7)]
    assert made.output_names == ["logits", "auxiliary"]
    names = [layer.name for layer in made.layers]
    assert ("auxiliary_hidden_norm" in names) == (hidden and norm == "batch" or False)
    features = made.get_layer("hidden_leaky_relu").output
    assert made.get_layer("logits").input is features
    seen = made.get_layer("auxiliary").input
    assert seen is (made.get_layer("auxiliary_hidden_leaky_relu").output if hidden else features)
    assert seen.shape[1] == (hidden or 6)
    logits, second = made(images())
    assert logits.shape == (4, 1) and second.shape == (4, 7)


def test_the_second_output_is_float32_in_half_precision():
    from ganzoo.strategy import precision_scope

    with precision_scope("mixed_bfloat16"):
        made = discriminator(hidden=6, auxiliary=2)
    assert [one.dtype for one in made(images())] == [tf.bfloat16, tf.float32]


@pytest.mark.parametrize("build", [dcgan_generator, dcgan_discriminator])
def test_conditioning_that_cannot_be_is_refused(build):
    with pytest.raises(ValueError, match="did you mean 'concat'"):
        build(SHAPE, conditioning="concta", classes=3)
    for classes in (0, -1, True, 2.0):
        with pytest.raises(ValueError, match="Expected classes, a whole number >= 1"):
            build(SHAPE, conditioning="concat", classes=classes)


@pytest.mark.parametrize("conditioning, norm", [
    ("batch_norm", "none"), ("concat", "virtual"), ("concat", "reference"),
    ("batch_norm", "virtual"),
])  # fmt: skip
def test_norms_that_do_not_go_with_labels_are_refused(conditioning, norm):
    with pytest.raises(ValueError, match="Expected norm='batch'"):
        generator(conditioning, norm=norm)
