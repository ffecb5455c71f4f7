"""The fused Adam against Keras's, and against its paper's first step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import builders, registry
from ganzoo.gans.adam import Adam
from tests import small

SHAPES = [(3, 2), (4,), (), (2, 1, 2, 3)]
RNG = np.random.default_rng(0)
GRADIENTS = [[RNG.normal(size=shape).astype("float32") for shape in SHAPES] for _ in range(5)]
# float32 holds these betas, and what they lack of 1, exactly: Keras takes 1 - beta in float64
SHARED = {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9375}
OPTIONS = {
    "plain": {"epsilon": 1e-3},
    "no memory": {"beta_1": 0.0},
    "schedule": {"learning_rate": keras.optimizers.schedules.PolynomialDecay(0.1, 4, 0.0)},
    "decay, clipped": {"weight_decay": 0.1, "clipnorm": 0.5},
    "average": {"use_ema": True, "ema_momentum": 0.5},
    "accumulated": {"gradient_accumulation_steps": 2},
    "amsgrad": {"amsgrad": True},
}


def states(optimizer, gradients, graph=False):
    """Returns the weights and the optimizer's variables after its updates."""
    variables = [keras.Variable(np.full(shape, 0.4, "float32")) for shape in SHAPES]
    optimizer.build(variables)

    def update(row):
        optimizer.apply([optimizer.scale_loss(one) for one in row], variables)

    update = tf.function(update) if graph else update
    for row in gradients:
        update([tf.constant(one) for one in row])
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return [np.array(one) for one in (*variables, *inner.variables)]


def assert_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("name", OPTIONS)
def test_weights_and_moments_are_kerass(name, graph):
    ours, theirs = (kind(**{**SHARED, **OPTIONS[name]}) for kind in (Adam, keras.optimizers.Adam))
    assert_equal(states(ours, GRADIENTS, graph), states(theirs, GRADIENTS))


def test_within_a_loss_scale_they_are_kerass_too():
    wrapped = [
        keras.optimizers.LossScaleOptimizer(kind(**SHARED), initial_scale=256.0)
        for kind in (Adam, keras.optimizers.Adam)
    ]
    assert_equal(*(states(one, GRADIENTS) for one in wrapped))


def test_the_first_step_is_the_rate_against_the_gradients_sign():
    # bias correction: both moments are the gradient's own, whatever the betas
    found = states(Adam(0.01, beta_1=0.7, beta_2=0.99, epsilon=1e-12), GRADIENTS[:1])
    for weight, gradient in zip(found, GRADIENTS[0], strict=False):
        np.testing.assert_allclose(weight, 0.4 - 0.01 * np.sign(gradient), rtol=1e-4)


def test_sparse_gradients_are_taken():
    def after(optimizer):
        table = keras.Variable(np.ones((4, 2), "float32"))
        optimizer.build([table])
        for _ in range(3):
            optimizer.apply([tf.IndexedSlices(tf.ones((2, 2)), [0, 2], (4, 2))], [table])
        return np.array(table)

    np.testing.assert_allclose(after(Adam(0.1)), after(keras.optimizers.Adam(0.1)), rtol=1e-6)


def test_a_variable_takes_one_operation():
    variables = [keras.Variable(np.ones(shape, "float32")) for shape in SHAPES]
    adam = Adam()
    adam.build(variables)
    gradients = [tf.constant(one) for one in GRADIENTS[0]]
    graph = tf.function(lambda: adam.apply(gradients, variables)).get_concrete_function().graph
    kinds = [one.type for one in graph.get_operations()]
    assert kinds.count("ResourceApplyAdam") == len(SHAPES)
    assert "Sqrt" not in kinds


def test_it_is_every_players_and_the_configs():
    gan = builders.build(registry.entry("dcgan_digits"))
    for made in (gan, small.gan()):
        assert type(made.generator_optimizer) is type(made.discriminator_optimizer) is Adam


def test_it_goes_on_from_what_was_saved_with_kerass(tmp_path):
    gan = small.gan(small.dense, eager=True)
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3), run_eagerly=True)
    gan.fit(small.images(8), batch_size=4, verbose=0)
    gan.save_weights(tmp_path / "old.weights.h5")
    ours = small.gan(small.dense, eager=True)
    ours.compile(Adam(1e-3), Adam(1e-3), run_eagerly=True)
    ours.load_weights(tmp_path / "old.weights.h5")
    for one in (gan, ours):
        one.fit(small.images(8), batch_size=4, verbose=0)
    for one, other in zip(gan.weights, ours.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5, err_msg=one.path)
