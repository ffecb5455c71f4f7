"""Salimans et al. 2016, section 3.5, against NumPy that joins each example to the reference."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import (
    DropReference,
    JoinReference,
    ReferenceBatchNormalization,
    VirtualBatchNormalization,
)
from ganzoo.networks.mlp import mlp_generator

SHAPES = [(5,), (3, 3, 2)]
KINDS = [VirtualBatchNormalization, ReferenceBatchNormalization]
SIZE = 6


def numbers(*shape, seed=0):
    return (1 + 2 * np.random.default_rng(seed).normal(size=shape)).astype("float32")


def normalised(batch, by, epsilon=1e-5):
    """A batch by the mean and variance of each channel of another."""
    by = by.astype("float64").reshape(-1, by.shape[-1])
    return (batch - by.mean(0)) / np.sqrt(by.var(0) + epsilon)


def layer(kind, **options):
    return kind(SIZE, **options)


@pytest.mark.parametrize("shape", SHAPES)
def test_virtual_each_example_is_normalised_as_one_more_of_the_reference_batch(shape):
    reference, examples = numbers(SIZE, *shape), numbers(4, *shape, seed=1) * 3
    x = np.concatenate([reference, examples])
    given = layer(VirtualBatchNormalization)(x)
    np.testing.assert_allclose(given[:SIZE], normalised(reference, reference), atol=1e-5)
    for example, one in zip(examples, given[SIZE:], strict=True):
        joined = np.concatenate([reference, example[None]])
        np.testing.assert_allclose(one, normalised(example, joined), atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_reference_every_example_is_normalised_by_the_reference_batch_alone(shape):
    x = np.concatenate([numbers(SIZE, *shape), numbers(4, *shape, seed=1) * 3])
    given = layer(ReferenceBatchNormalization)(x)
    np.testing.assert_allclose(given, normalised(x, x[:SIZE]), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_gain_and_shift_are_each_channels(kind):
    x = numbers(SIZE + 3, 4, 4, 2)
    one = layer(kind)
    plain = one(x).numpy()
    one.gamma.assign([2.0, -1.0])
    one.beta.assign([0.5, 3.0])
    np.testing.assert_allclose(one(x), plain * [2, -1] + [0.5, 3], atol=1e-5)
    assert len(one.trainable_weights) == 2 and not one.non_trainable_weights


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_depends_on_no_other_of_its_batch_and_not_on_the_mode(kind):
    reference, examples = numbers(SIZE, 5), numbers(4, 5, seed=1)
    one = layer(kind)
    together = one(np.concatenate([reference, examples]), training=True)[SIZE:]
    for example, given in zip(examples, together, strict=True):
        alone = one(np.concatenate([reference, example[None]]), training=False)[SIZE:]
        np.testing.assert_allclose(alone[0], given, atol=1e-6)


def test_a_large_mean_does_not_drown_the_variance():
    x = (1e3 + 0.1 * numbers(SIZE + 2, 5)).astype("float32")
    given = layer(VirtualBatchNormalization)(x)[SIZE:]
    for example, one in zip(x[SIZE:], given, strict=True):
        joined = np.concatenate([x[:SIZE], example[None]])
        np.testing.assert_allclose(one, normalised(example.astype("float64"), joined), atol=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_flow_through_the_reference_activations(kind):
    # scaled weights before the layer give the same output, reference included: <grad, W> = 0
    keras.utils.set_random_seed(0)
    dense, one = keras.layers.Dense(5, use_bias=False), layer(kind, epsilon=1e-9)
    x = numbers(SIZE + 4, 3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(one(dense(x))[SIZE:]))
    gradient = tape.gradient(loss, dense.kernel.value).numpy()
    kernel = dense.kernel.numpy()
    size = np.linalg.norm(gradient) * np.linalg.norm(kernel)
    assert size > 0.1 and abs(np.sum(gradient * kernel)) < 1e-4 * size


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_statistics_are_float32_under_half_precision(kind, policy):
    x = tf.cast(300 * numbers(SIZE + 4, 5), policy.removeprefix("mixed_"))  # squares pass 65,504
    given = layer(kind, dtype=policy)(x)
    assert given.dtype == x.dtype
    exact = layer(kind)(tf.cast(x, "float32"))
    np.testing.assert_allclose(tf.cast(given, "float32"), exact, atol=0.03)


def test_the_reference_batch_is_fixed_goes_in_front_and_comes_off():
    keras.utils.set_random_seed(0)
    join, drop = JoinReference(SIZE), DropReference(SIZE)
    x = numbers(4, 5)
    joined = join(x).numpy()
    assert joined.shape == (SIZE + 4, 5)
    np.testing.assert_array_equal(joined, np.concatenate([join.reference.numpy(), x]))
    np.testing.assert_array_equal(joined, join(x, training=True))
    np.testing.assert_array_equal(drop(joined), x)
    assert not join.trainable_weights and join.reference.averaged is False
    drawn = JoinReference(1000)
    drawn.build((None, 10))
    assert abs(np.mean(drawn.reference)) < 0.05 and abs(np.std(drawn.reference) - 1) < 0.05


@pytest.mark.parametrize("norm", ["virtual", "reference"])
def test_in_a_network_the_reference_activations_are_those_of_the_present_weights(norm):
    keras.utils.set_random_seed(0)
    network = mlp_generator((2,), latent_dim=3, width=4, depth=1, norm=norm, reference_size=SIZE)
    network.get_layer("hidden1_norm").gamma.assign(np.ones(4))
    latents = numbers(7, 3)
    for scale in (1.0, 3.0):
        first, last = network.get_layer("hidden1").kernel, network.get_layer("points").kernel
        first.assign(first + scale * numbers(3, 4, seed=int(scale)))
        reference = network.get_layer("reference").reference.numpy() @ first.numpy()
        hidden = latents @ first.numpy()
        joined = [np.vstack([reference, *([h] if norm == "virtual" else [])]) for h in hidden]
        rows = [normalised(h, by) for h, by in zip(hidden, joined, strict=True)]
        expected = np.maximum(rows, 0) @ last.numpy()
        np.testing.assert_allclose(network(latents), expected, atol=1e-4)
    assert network.output_shape == (None, 2)


def test_a_reference_batch_of_one_is_refused():
    with pytest.raises(ValueError, match="size >= 2. Received: size=1"):
        JoinReference(1)
