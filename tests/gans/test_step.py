"""A training step against one that is written out in plain TensorFlow."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import small

RATE = 0.5


def sgd():
    return keras.optimizers.SGD(RATE)


def softplus(a):
    return tf.math.log1p(tf.exp(-tf.abs(a))) + tf.nn.relu(a)


def slopes_of(loss_function, variables):
    with tf.GradientTape() as tape:
        loss = loss_function()
    return float(loss), tape.gradient(loss, [v.value for v in variables])


def descend(variables, slopes):
    for variable, slope in zip(variables, slopes, strict=True):
        variable.assign(variable - RATE * slope)


def reference_step(generator, discriminator, images, latents, *, simultaneous=False):
    """Algorithm 1 of Goodfellow 2014 with k = 1: two tapes, nothing shared between the updates.

    With `simultaneous` both players answer the other as it was before the step: another algorithm.
    """
    real = images.astype("float32") / 127.5 - 1

    def d_loss():
        fake = generator(latents, training=True)
        real_logits = discriminator(real, training=True)
        fake_logits = discriminator(fake, training=True)
        return tf.reduce_mean(softplus(-real_logits)) + tf.reduce_mean(softplus(fake_logits))

    def g_loss():
        fake_logits = discriminator(generator(latents, training=True), training=True)
        return tf.reduce_mean(softplus(-fake_logits))

    d_value, d_slopes = slopes_of(d_loss, discriminator.trainable_variables)
    if not simultaneous:
        descend(discriminator.trainable_variables, d_slopes)
    g_value, g_slopes = slopes_of(g_loss, generator.trainable_variables)
    descend(generator.trainable_variables, g_slopes)
    if simultaneous:
        descend(discriminator.trainable_variables, d_slopes)
    return d_value, g_value


def farthest(a, b):
    pairs = zip(small.values(a), small.values(b), strict=True)
    return max(np.abs(x - y).max() for x, y in pairs)


@pytest.fixture
def twins():
    options = {"optimizer": sgd, "seed": 11, "ema_decay": 0.9}
    return (small.gan(small.dense, **options), small.gan(small.dense, **options))


def test_a_step_equals_the_one_written_out_with_two_tapes(twins):
    gan, twin = twins
    for step in range(3):
        images = small.images(10, seed=step)
        logs = gan.train_step(tf.constant(images))
        d_loss, g_loss = reference_step(
            twin.generator, twin.discriminator, images, twin.sample_latents(10)
        )
        gan.reset_metrics()
        np.testing.assert_allclose(
            [float(logs["d_loss"]), float(logs["g_loss"])], [d_loss, g_loss], rtol=1e-5
        )
    for a, b in zip(gan.trainable_variables, twin.trainable_variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=2e-6, err_msg=a.path)


def test_a_step_with_batch_norm_equals_the_one_written_out():
    # the reference moves the statistics more often, so they are left out
    gan, twin = (small.gan(optimizer=sgd, latent_dim=5, seed=2) for _ in range(2))
    images = small.images(10)
    gan.train_step(tf.constant(images))
    reference_step(twin.generator, twin.discriminator, images, twin.sample_latents(10))
    for a, b in zip(gan.trainable_variables, twin.trainable_variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5, err_msg=a.path)


def test_the_generator_answers_the_updated_discriminator(twins):
    # the reference above has this order; the simultaneous update is far from it
    gan, twin = twins
    images = small.images(10)
    gan.train_step(tf.constant(images))
    reference_step(
        twin.generator, twin.discriminator, images, twin.sample_latents(10), simultaneous=True
    )
    assert farthest(gan.generator, twin.generator) > 1e-3
    assert farthest(gan.discriminator, twin.discriminator) < 2e-6


def test_both_updates_share_one_pass_of_the_generator(monkeypatch, twins):
    gan, _ = twins
    passes = []
    original = gan.fakes
    monkeypatch.setattr(gan, "fakes", lambda count: passes.append(count) or original(count))
    gan.train_step(tf.constant(small.images(4)))
    assert len(passes) == 1
    np.testing.assert_array_equal(gan.seed_generator.state.numpy(), [11, 1])  # one draw a step


def test_the_discriminators_update_sends_no_gradient_into_the_generator(twins):
    gan, _ = twins
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(1.0))
    before = small.values(gan.generator)
    gan.train_step(tf.constant(small.images(4)))
    assert not any(small.moved(before, gan.generator))


def test_logs_are_the_mean_losses_and_probabilities_of_the_epoch(twins):
    gan, twin = twins
    images = small.images(20)
    history = gan.fit(images, batch_size=10, shuffle=False, verbose=0).history
    expected = {"d_loss": [], "g_loss": [], "d_real": [], "d_fake": []}
    for batch in (images[:10], images[10:]):
        latents = twin.sample_latents(10)
        fake = twin.generator(latents, training=True)
        for name, shown in (("d_real", batch / np.float32(127.5) - 1), ("d_fake", fake)):
            logits = twin.discriminator(shown, training=True).numpy()
            expected[name].append((1 / (1 + np.exp(-logits))).mean())
        d_loss, g_loss = reference_step(twin.generator, twin.discriminator, batch, latents)
        expected["d_loss"].append(d_loss)
        expected["g_loss"].append(g_loss)
    assert set(history) == set(expected)
    for name, parts in expected.items():
        np.testing.assert_allclose(history[name], [np.mean(parts)], rtol=1e-5)


def test_a_step_is_counted(twins):
    gan, _ = twins
    assert gan.steps_done == 0
    gan.fit(small.images(20), batch_size=5, epochs=2, verbose=0)
    assert gan.steps_done == 8


@pytest.mark.parametrize("options", [{"run_eagerly": True}, {"steps_per_execution": 2}])
def test_eager_steps_and_several_a_call_give_the_same_weights(twins, options):
    gan, twin = twins
    twin.compile(**options)
    for one in twins:
        one.fit(small.images(20), batch_size=5, verbose=0)
    assert twin.steps_done == 4
    assert farthest(gan, twin) < 2e-6
