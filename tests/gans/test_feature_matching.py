"""Feature matching against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans.feature_matching import FeatureMatchingGAN
from ganzoo.gans.non_saturating import NonSaturatingGAN
from tests import small
from tests.gans import points


def sgd():
    return keras.optimizers.SGD(0.1)


def g_loss(gan, real, fake):
    return float(gan.generator_game(tf.constant(real), tf.constant(fake))[0])


@pytest.mark.parametrize("layer", [None, "hidden"])
def test_the_generators_loss_is_the_squared_distance_of_mean_features(layer):
    gan = points.gan(FeatureMatchingGAN, layer=layer)
    real, fake = points.points(8, seed=1), points.points(8, seed=2)
    kernel, bias = (v.numpy().astype("float64") for v in gan.discriminator.layers[1].weights)
    means = [np.tanh(one @ kernel + bias).mean(axis=0) for one in (real, fake)]
    expected = ((means[0] - means[1]) ** 2).sum()
    assert expected > 0.01
    assert g_loss(gan, real, fake) == pytest.approx(expected, rel=1e-4)
    assert g_loss(gan, real, real[::-1]) == pytest.approx(0, abs=1e-10)  # the means are the same


def test_a_layer_in_the_middle_is_summed_over_all_of_its_outputs():
    gan = small.gan(kind=FeatureMatchingGAN, layer="down1")
    real, fake = (small.images(6, seed=seed).astype("float32") / 127.5 - 1 for seed in (1, 2))
    features = [np.array(gan.discriminator.get_layer("down1")(one)) for one in (real, fake)]
    assert features[0].shape == (6, 8, 8, 2)
    expected = ((features[0].mean(0) - features[1].mean(0)) ** 2).sum()
    assert g_loss(gan, real, fake) == pytest.approx(expected, rel=1e-4)


def test_by_default_it_is_what_the_logits_are_made_of():
    gan = small.gan(kind=FeatureMatchingGAN)
    images = tf.constant(small.images(4).astype("float32") / 127.5 - 1)
    logits = gan.discriminator.get_layer("logits")(gan.features(images))
    np.testing.assert_allclose(logits, gan.discriminator(images, training=True), atol=1e-6)


def test_the_generators_game_leaves_batch_statistics_and_discriminator_alone():
    gan = small.gan(kind=FeatureMatchingGAN, eager=True)
    images = gan.real_images(tf.constant(small.images(6)))
    before = small.values(gan.discriminator)
    gan.update_generator(lambda: gan.generator_game(images, gan.fakes(images)))
    assert not any(small.moved(before, gan.discriminator))


def test_the_discriminator_plays_the_plain_game_and_the_generator_another():
    ends = []
    for kind in (FeatureMatchingGAN, NonSaturatingGAN):
        gan = points.gan(kind, eager=True, optimizer=sgd)
        gan.fit(points.points(8), batch_size=8, verbose=0)
        ends.append(gan)
    for a, b in zip(*(small.values(gan.discriminator) for gan in ends), strict=True):
        np.testing.assert_array_equal(a, b)
    assert all(small.moved(small.values(ends[0].generator), ends[1].generator))


def test_the_generator_comes_to_match_the_mean_features():
    gan = points.gan(FeatureMatchingGAN)
    gan.compile(keras.optimizers.Adam(0.02), keras.optimizers.SGD(0.0))
    loss = gan.fit(points.points(64), batch_size=64, epochs=60, verbose=0).history["g_loss"]
    assert loss[-1] < loss[0] / 5


def test_it_keeps_no_weights_beside_the_networks():
    matching, plain = points.gan(FeatureMatchingGAN), points.gan(NonSaturatingGAN)
    assert len(matching.weights) == len(plain.weights)
    assert len(matching.layers) == len(plain.layers)


def test_an_unknown_layer_raises_and_names_those_there_are():
    with pytest.raises(ValueError, match="one of .*hidden, logits, or None. Received: .*'hiden'"):
        points.gan(FeatureMatchingGAN, layer="hiden")
