"""Miyato et al. 2018: against an SVD, against their equation 12, and what must not move."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganzoo.gans import NonSaturatingGAN, players
from ganzoo.layers import SpectralNormalization
from ganzoo.networks.mlp import mlp_discriminator, mlp_generator

NORMAL = keras.initializers.RandomNormal(stddev=0.5, seed=3)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def dense(**options):
    return layers.Dense(5, kernel_initializer=NORMAL, **options), numbers(4, 7)


def conv(**options):
    return layers.Conv2D(5, (3, 2), kernel_initializer=NORMAL, **options), numbers(2, 6, 6, 3)


def transposed(**options):
    layer = layers.Conv2DTranspose(5, (3, 2), strides=2, kernel_initializer=NORMAL, **options)
    return layer, numbers(2, 4, 4, 3)


def embedding(**options):
    return layers.Embedding(9, 4, embeddings_initializer=NORMAL, **options), np.array([[1, 8, 0]])


KINDS = (dense, conv, transposed, embedding)


def matrix(kernel, kind):
    """A row for each output, by hand: kernels of transposed layers are (h, w, out, in)."""
    value = np.asarray(kernel, "float64")
    if kind is transposed:
        return np.stack([value[:, :, out].ravel() for out in range(value.shape[2])])
    return np.stack([value[..., out].ravel() for out in range(value.shape[-1])])


def settled(kind, passes=8, power_iterations=40):
    """A wrapped layer and its input, after enough iterations that u is the singular vector."""
    layer, x = kind()
    wrapped = SpectralNormalization(layer, power_iterations=power_iterations)
    wrapped.build(x.shape)
    for _ in range(passes):
        wrapped(x, training=True)
    return wrapped, x


@pytest.mark.parametrize("kind", KINDS)
def test_sigma_is_the_largest_singular_value_and_the_layer_runs_with_w_by_sigma(kind):
    wrapped, x = settled(kind)
    kernel = wrapped.kernel.numpy()
    sigma = np.linalg.svd(matrix(kernel, kind), compute_uv=False)[0]
    np.testing.assert_allclose(wrapped.spectral_norm()[0], sigma, rtol=1e-5)
    given = wrapped(x).numpy()
    plain, _ = kind()
    plain.build(x.shape)
    plain.set_weights([kernel / sigma, *wrapped.layer.get_weights()[1:]])
    np.testing.assert_allclose(given, plain(x), rtol=1e-4, atol=1e-5)
    assert abs(sigma - 1) > 0.3  # or the division would not show


def test_the_gradient_is_that_of_equation_12():
    wrapped, x = settled(dense)
    weights = numbers(4, 5, seed=1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weights * wrapped(x, training=True))
    gradient = tape.gradient(loss, wrapped.kernel.value).numpy()
    w = wrapped.kernel.numpy().astype("float64")
    left, singular, right = np.linalg.svd(w)
    plain = x.T.astype("float64") @ weights  # of the loss by W / sigma
    along = np.sum(plain * w / singular[0])
    expected = (plain - along * np.outer(left[:, 0], right[0])) / singular[0]
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)
    assert abs(along) > 0.1  # the gradient through sigma matters here


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("passes", [0, 3])
def test_the_gradient_is_orthogonal_to_w_whatever_u_is(kind, passes):
    # the output does not change with W's length, so <grad, W> = 0
    wrapped, x = settled(kind, passes, power_iterations=1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(wrapped(x, training=True) + 0.3))
    gradient = np.asarray(tf.convert_to_tensor(tape.gradient(loss, wrapped.kernel.value)))
    kernel = wrapped.kernel.numpy()
    size = np.linalg.norm(gradient) * np.linalg.norm(kernel)
    assert size > 0.1
    assert abs(np.sum(gradient * kernel)) < 1e-5 * size


def test_a_second_derivative_through_the_layer_is_that_of_the_expression():
    # a gradient penalty differentiates the input's gradient by W
    wrapped, x = settled(dense)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            points = tf.convert_to_tensor(x)
            inner.watch(points)
            loss = tf.reduce_sum(wrapped(points))
        penalty = tf.reduce_sum(tf.square(inner.gradient(loss, points)))
    gradient = outer.gradient(penalty, wrapped.kernel.value).numpy()
    w = wrapped.kernel.numpy().astype("float64")
    left, (sigma, *_), right = np.linalg.svd(w)
    rows = w.sum(1)
    expected = 2 * rows[:, None] / sigma**2 - 2 * (rows @ rows) / sigma**3 * np.outer(
        left[:, 0], right[0]
    )
    np.testing.assert_allclose(gradient, 4 * expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("power_iterations", [1, 3])
def test_a_training_pass_takes_its_power_iterations_and_leaves_w_alone(power_iterations):
    wrapped, x = settled(conv, passes=1, power_iterations=power_iterations)
    kernel, u = wrapped.kernel.numpy(), wrapped.u.numpy()
    w = matrix(kernel, conv)
    for _ in range(power_iterations):
        v = w.T @ u / np.linalg.norm(w.T @ u)
        u = w @ v / np.linalg.norm(w @ v)
    wrapped(x, training=True)
    np.testing.assert_allclose(wrapped.u, u, rtol=1e-5)
    np.testing.assert_array_equal(wrapped.kernel, kernel)


def test_a_pass_outside_training_leaves_u_and_repeats_itself():
    wrapped, x = settled(dense, passes=1, power_iterations=1)
    u = wrapped.u.numpy()
    first = wrapped(x).numpy()
    np.testing.assert_array_equal(first, wrapped(x, training=False))
    np.testing.assert_array_equal(wrapped.u, u)
    # it computes as the training pass that would follow does
    np.testing.assert_array_equal(first, wrapped(x, training=True))
    assert np.abs(wrapped.u - u).max() > 1e-3


def spectral_gan():
    keras.utils.set_random_seed(1)
    generator = mlp_generator((2,), latent_dim=3, width=8)
    discriminator = mlp_discriminator((2,), width=8, norm="spectral")
    gan = NonSaturatingGAN(generator, discriminator, latent_dim=3)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    return gan


def test_u_moves_twice_a_step_for_real_and_fake_and_not_for_the_generator():
    gan, real = spectral_gan(), numbers(8, 2)
    layer = gan.discriminator.get_layer("hidden2")
    u, w = layer.u.numpy(), matrix(layer.kernel, dense)
    gan.generator_game(real, gan.fixed_fakes(real))
    np.testing.assert_array_equal(layer.u, u)
    gan.fit(real, batch_size=8, verbose=0)
    for _ in range(2):
        u = w @ (w.T @ u)
    np.testing.assert_allclose(layer.u, u / np.linalg.norm(u), rtol=1e-4)


def test_a_moving_average_copies_u_and_averages_w():
    twins = [mlp_discriminator((2,), width=8, norm="spectral") for _ in range(2)]
    twins[0] = keras.models.clone_model(twins[0])
    one, other = (twin.get_layer("hidden1") for twin in twins)
    before, kernel = one.kernel.numpy(), other.kernel.numpy()
    assert np.abs(one.u - other.u).max() > 0.1
    players.move_average(*twins, decay=0.75)
    np.testing.assert_array_equal(one.u, other.u)
    np.testing.assert_allclose(one.kernel, 0.75 * before + 0.25 * kernel, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_sigma_is_computed_in_float32_under_half_precision(policy, scale):
    # squares of 1e-6 and sums of squares of 1e4 are out of float16's range
    layer, x = dense(dtype=policy)
    wrapped = SpectralNormalization(layer, power_iterations=40)
    wrapped.build(x.shape)
    wrapped.kernel.assign(wrapped.kernel * scale)
    for _ in range(5):
        given = wrapped(x, training=True)
    w = wrapped.kernel.numpy()
    sigma = np.linalg.svd(w, compute_uv=False)[0]
    assert keras.backend.standardize_dtype(given.dtype) == policy.removeprefix("mixed_")
    assert wrapped.compute_output_spec(keras.KerasTensor((4, 7))).dtype == given.dtype
    assert {v.dtype for v in wrapped.weights} == {"float32"}
    np.testing.assert_allclose(wrapped.spectral_norm()[0], sigma, rtol=1e-5)
    exact = x @ (w / sigma)
    assert np.abs(tf.cast(given, "float32") - exact).max() < 0.03


def test_a_kernel_of_zeros_stays_one_with_finite_gradients_and_a_usable_u():
    layer, x = layers.Dense(5, kernel_initializer="zeros"), numbers(4, 7)
    wrapped = SpectralNormalization(layer)
    with tf.GradientTape() as tape:
        given = wrapped(x, training=True)
        loss = tf.reduce_sum(given)
    assert not given.numpy().any()
    np.testing.assert_allclose(
        tape.gradient(loss, wrapped.kernel.value), np.tile(x.sum(0)[:, None], 5), rtol=1e-5
    )
    assert np.linalg.norm(wrapped.u) > 0.1


def test_other_values_of_the_weights_can_be_run_with_in_a_stateless_scope():
    wrapped, x = settled(dense)
    before = wrapped.get_weights()
    other = {v.path: numbers(*v.shape, seed=5) for v in wrapped.weights}
    with keras.StatelessScope([(v, other[v.path]) for v in wrapped.weights]) as scope:
        given = wrapped(x, training=True)
        moved = scope.get_current_value(wrapped.u)
    for value, variable in zip(before, wrapped.weights, strict=True):
        np.testing.assert_array_equal(variable, value)
    for variable in wrapped.weights:
        variable.assign(other[variable.path])
    np.testing.assert_allclose(given, wrapped(x, training=True), rtol=1e-5)
    np.testing.assert_allclose(moved, wrapped.u, rtol=1e-5)


def test_other_layers_are_refused():
    with pytest.raises(ValueError, match=r"Conv2DTranspose.*Received: norm, a BatchNormalization"):
        SpectralNormalization(layers.BatchNormalization(name="norm"))
    with pytest.raises(ValueError, match="Received: power_iterations=0"):
        SpectralNormalization(dense()[0], power_iterations=0)
