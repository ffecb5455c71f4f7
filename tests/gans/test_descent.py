"""Updates on tensors against those of Keras's optimizers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans.descent import Descent

SHAPES = [(3, 2), (4,), (), (2, 1, 2, 3)]
RNG = np.random.default_rng(0)
GRADIENTS = [[RNG.normal(size=shape).astype("float32") for shape in SHAPES] for _ in range(6)]
OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.3),
    "momentum": lambda: keras.optimizers.SGD(0.3, momentum=0.7),
    "nesterov": lambda: keras.optimizers.SGD(0.3, momentum=0.7, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.1, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.1), initial_scale=256.0
    ),
}


def scaled(optimizer, gradients):
    return [optimizer.scale_loss(tf.constant(g)) for g in gradients]


@pytest.mark.parametrize("constraint", [None, "non_neg"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_are_those_of_the_optimizer_and_leave_it_as_it_is(name, constraint):
    optimizer = OPTIMIZERS[name]()
    constraint = keras.constraints.get(constraint)
    variables = [keras.Variable(np.full(shape, 0.4, "float32")) for shape in SHAPES]
    for variable in variables:
        variable.constraint = constraint
    optimizer.build(variables)
    for gradients in GRADIENTS[:2]:  # a state to go on from
        optimizer.apply(scaled(optimizer, gradients), variables)
    everything = [*variables, *optimizer.variables]
    before = [np.array(v) for v in everything]
    descent = Descent(optimizer, variables)
    ahead = [descent.step(scaled(optimizer, gradients)) for gradients in GRADIENTS[2:]]
    for value, variable in zip(before, everything, strict=True):
        np.testing.assert_array_equal(value, np.array(variable), err_msg=variable.path)
    for gradients, weights in zip(GRADIENTS[2:], ahead, strict=True):
        optimizer.apply(scaled(optimizer, gradients), variables)
        for weight, variable in zip(weights, variables, strict=True):
            np.testing.assert_allclose(weight, np.array(variable), rtol=1e-5, atol=1e-6)


def test_a_schedules_rate_is_that_of_the_next_update():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.1])
    optimizer = keras.optimizers.SGD(schedule)
    variables = [keras.Variable(np.ones(2, "float32"))]
    optimizer.build(variables)
    for _ in range(3):
        optimizer.apply([tf.zeros(2)], variables)
    (weight,) = Descent(optimizer, variables).step([tf.ones(2)])
    np.testing.assert_allclose(weight, [0.9, 0.9])
