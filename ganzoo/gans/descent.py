"""Updates of a Keras optimizer on tensors, so that a gradient flows through them."""

import math

import keras
import tensorflow as tf

from ganzoo.gans.adam import Adam

KNOWN = (keras.optimizers.SGD, keras.optimizers.Adam, Adam)
UNKNOWN_OPTIONS = (
    "weight_decay",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "loss_scale_factor",
    "gradient_accumulation_steps",
    "amsgrad",
)
# the root's slope at zero is infinite, and XLA makes NaN of zero times it, where a unit is dead;
# the root of this lies far below any epsilon
LEAST_VELOCITY = 1e-36


def unwrapped(optimizer: keras.Optimizer) -> keras.Optimizer:
    """Returns the optimizer inside a `LossScaleOptimizer`, or the optimizer itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def check_optimizer(optimizer: keras.Optimizer) -> None:
    """Raises ValueError unless `Descent` can do the optimizer's updates."""
    inner = unwrapped(optimizer)
    if type(inner) not in KNOWN:
        raise ValueError(
            "Expected the discriminator's optimizer to be SGD or Adam, whose updates can be "
            f"differentiated. Received: {type(inner).__name__}."
        )
    given = [name for name in UNKNOWN_OPTIONS if getattr(inner, name, None)]
    if given:
        raise ValueError(
            "Expected the discriminator's optimizer without options beyond its learning rate, "
            f"momentum, betas and epsilon. Received: {', '.join(given)}."
        )


class Descent:
    """The updates that an optimizer would do next; its variables and state stay as they are.

    It starts from the variables' values and the optimizer's moments and step count. The learning
    rate is that of the first update throughout, where it follows a schedule.

    Args:
        optimizer: Keras's SGD or Adam, built on `variables`, within a `LossScaleOptimizer` or not.
        variables: The player's trainable variables.

    Raises:
        ValueError: If the optimizer is another one or has options that are not followed here.
    """

    def __init__(self, optimizer: keras.Optimizer, variables: list[keras.Variable]):
        check_optimizer(optimizer)
        inner = unwrapped(optimizer)
        self._optimizer = inner
        self._loss_scale = None if inner is optimizer else optimizer.dynamic_scale
        self._rate = tf.cast(inner.learning_rate, tf.float32)
        self._shapes = [tuple(v.shape) for v in variables]
        self._constraints = [v.constraint for v in variables]
        # one long vector: an update costs a handful of operations, not that many a variable
        self._weights = _flat(variables)
        if isinstance(inner, keras.optimizers.Adam):
            self._follow, slots = self._adam, (inner._momentums, inner._velocities)
        else:
            self._follow, slots = self._sgd, (inner.momentums,) if inner.momentum else ()
        self._slots = [_flat(slot) for slot in slots]
        self._done = tf.cast(inner.iterations, tf.float32)

    def step(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Does one update and returns the weights after it, tensors shaped as the variables.

        Args:
            gradients: Of the scaled loss (`GAN.scaled_loss`) on this replica.
        """
        gradient = _flat(gradients)
        replica = tf.distribute.get_replica_context()
        if replica.num_replicas_in_sync > 1:
            gradient = replica.all_reduce(tf.distribute.ReduceOp.SUM, gradient)
        if self._loss_scale is not None:
            gradient = gradient / self._loss_scale
        self._done += 1.0
        self._weights += self._follow(gradient)
        parts = tf.split(self._weights, [math.prod(shape) for shape in self._shapes])
        weights = [tf.reshape(p, s) for p, s in zip(parts, self._shapes, strict=True)]
        if any(self._constraints):
            pairs = zip(self._constraints, weights, strict=True)
            weights = [keep(weight) if keep else weight for keep, weight in pairs]
            self._weights = _flat(weights)
        return weights

    def _sgd(self, gradient: tf.Tensor) -> tf.Tensor:
        way = -self._rate * gradient
        if not self._slots:
            return way
        momentum = self._optimizer.momentum
        self._slots = [momentum * self._slots[0] + way]
        return momentum * self._slots[0] + way if self._optimizer.nesterov else self._slots[0]

    def _adam(self, gradient: tf.Tensor) -> tf.Tensor:
        adam, (mean, square) = self._optimizer, self._slots
        mean = mean + (1 - adam.beta_1) * (gradient - mean)
        square = square + (1 - adam.beta_2) * (tf.square(gradient) - square)
        self._slots = [mean, square]
        correction = tf.sqrt(1 - adam.beta_2**self._done) / (1 - adam.beta_1**self._done)
        root = tf.sqrt(tf.maximum(square, LEAST_VELOCITY))
        return -self._rate * correction * mean / (root + adam.epsilon)


def _flat(tensors: list) -> tf.Tensor:
    values = [t.value if isinstance(t, keras.Variable) else t for t in tensors]
    return tf.concat([tf.reshape(value, (-1,)) for value in values], axis=0)
