"""ACGAN: the class loss of both players, and the discriminator as a classifier."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans.batch_statistics import statistics_of
from ganzoo.gans.classifying import Classifying
from tests import small
from tests.gans import conditional


def acgan(**options):
    return conditional.gan("acgan", norm="none", **options)


def examples(gan, count=6):
    images, labels = (tf.constant(one) for one in conditional.data(count))
    real = gan.real_examples((images, labels))
    return real, gan.fakes(real)


def softplus(x):
    return np.logaddexp(0, x)


def by_hand(gan, shown):
    """The logits, and the classes' mean cross-entropy and accuracy, in NumPy."""
    logits, classes = (one.numpy().astype("float64") for one in gan.discriminator(shown[0]))
    labels = shown[1].numpy()
    chances = np.exp(classes) / np.exp(classes).sum(1, keepdims=True)
    right = classes.argmax(1) == labels
    return logits, -np.log(chances[np.arange(len(labels)), labels]).mean(), right.mean()


def spread(gan):
    """Weights large enough that logits are not all 0."""
    for variable in gan.trainable_variables:
        variable.assign(variable * 20)
    return gan


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.25, 3.0)])
def test_the_class_loss_of_real_and_generated_images_is_added_to_both_losses(weights):
    gan = spread(acgan(class_weight=weights[0], generator_class_weight=weights[1]))
    real, fake = examples(gan)
    (a_real, real_loss, accuracy), (a_fake, fake_loss, fake_accuracy) = (
        by_hand(gan, shown) for shown in (real, fake)
    )
    assert min(real_loss, fake_loss) > 0.05 and abs(real_loss - fake_loss) > 0.01
    loss, logs = gan.discriminator_game(real, fake)
    expected = softplus(-a_real).mean() + softplus(a_fake).mean()
    np.testing.assert_allclose(loss, expected + weights[0] * (real_loss + fake_loss), rtol=1e-4)
    np.testing.assert_allclose(logs["d_class_loss"], real_loss + fake_loss, rtol=1e-4)
    assert [float(logs["accuracy"]), float(logs["fake_accuracy"])] == pytest.approx(
        [accuracy, fake_accuracy]
    )
    loss, logs = gan.generator_game(real, fake)
    expected = softplus(-a_fake).mean() + weights[1] * fake_loss
    np.testing.assert_allclose(loss, expected, rtol=1e-4)
    np.testing.assert_allclose(logs["g_class_loss"], fake_loss, rtol=1e-4)


def test_class_losses_move_the_players_that_they_belong_to():
    def after(**options):
        gan = spread(acgan(optimizer=lambda: "sgd", **options))
        gan.train_step(tuple(tf.constant(one) for one in conditional.data(6)))
        return [small.values(network) for network in (gan.generator, gan.discriminator)]

    def same(a, b):
        return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))

    plain, generator_only = after(), after(generator_class_weight=5.0)
    assert not same(plain[0], generator_only[0]) and same(plain[1], generator_only[1])
    assert not same(plain[1], after(class_weight=5.0)[1])


def test_the_discriminator_judges_without_seeing_the_label():
    gan = spread(acgan())
    real, _ = examples(gan)
    others = (real[0], (real[1] + 1) % 3)
    np.testing.assert_array_equal(gan.judge(real), gan.judge(others))


def test_training_makes_a_classifier_of_images_and_a_generator_of_its_classes():
    gan = conditional.gan("acgan", width=8, eager=False)
    gan.compile(learning_rate=1e-2)
    logs = gan.fit(*conditional.data(48), batch_size=24, epochs=40, verbose=0).history
    assert logs["accuracy"][-1] > 0.95 and logs["d_class_loss"][-1] < logs["d_class_loss"][0]
    fresh, labels = conditional.data(60, seed=1)
    assert (gan.classify(fresh) == labels).mean() > 0.95
    images = gan.generate(60, seed=0)  # of the labels 0, 1, 2, 0, ...
    dark, middle, bright = (images[first::3].mean() for first in range(3))
    assert dark < middle < bright and bright - dark > 60


def test_classifying_is_argmax_and_softmax_by_generated_images_statistics_image_by_image():
    gan = conditional.gan("acgan", hidden=6)
    assert small.statistics(gan.discriminator)
    gan.fit(*conditional.data(), batch_size=8, verbose=0)
    images, _ = conditional.data(40, seed=2)
    labels = gan.classify(images)
    chances = gan.classify(images, probabilities=True)
    floats = images.astype("float32") / 127.5 - 1
    fakes = gan.generator_ema(
        gan.generator_inputs(512, seed=0, latents=None, truncation=None), training=False
    )
    before = small.values(gan)
    with statistics_of(gan.discriminator, fakes):
        assert any(small.moved(before, gan))  # there are batch norms
        classes = gan.discriminator(floats, training=False)[1].numpy().astype("float64")
    expected = np.exp(classes) / np.exp(classes).sum(1, keepdims=True)
    assert not any(small.moved(before, gan))
    assert labels.shape == (40,) and labels.dtype == np.int32 and chances.dtype == np.float32
    np.testing.assert_allclose(chances, expected, atol=1e-5)
    np.testing.assert_array_equal(labels, expected.argmax(1))
    # the same alone, in other passes, and as floats in [-1, 1]
    np.testing.assert_array_equal(gan.classify(images[7:8], probabilities=True)[0], chances[7])
    np.testing.assert_array_equal(gan.classify(floats, probabilities=True, batch_size=32), chances)


def test_images_that_cannot_be_classified_are_refused():
    gan = conditional.gan("acgan")
    for images, message in (
        (small.images(2, size=16), r"\(batch, 8, 8, 1\)"),
        (small.images(2, size=8).astype("float32"), r"\[-1, 1\]"),
        (small.images(0, size=8), "at least one image"),
    ):
        with pytest.raises(ValueError, match=message):
            gan.classify(images)
    with pytest.raises(TypeError, match="Classifying must define `class_logits`"):
        Classifying().class_logits(None)


@pytest.mark.parametrize("name", ["class_weight", "generator_class_weight"])
def test_weights_are_numbers_of_at_least_0(name):
    with pytest.raises(ValueError, match=f"{name}, a number >= 0"):
        acgan(**{name: -1.0})


def test_class_losses_are_float32_in_half_precision():
    gan = acgan(precision="mixed_float16")
    real, _ = examples(gan)
    assert gan.discriminator(real[0])[0].dtype == tf.float16
    logits, loss, _ = gan.judge_and_name(real)
    assert logits.dtype == loss.dtype == tf.float32
    assert gan.class_logits(real[0]).dtype == tf.float32
