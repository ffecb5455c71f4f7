"""What a player of a GAN has: variables of its own, an optimizer, state, a moving average."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from ganzoo.gans.adam import Adam

NAMES = ("generator", "discriminator")
# Variables, each with a value that it had.
State = list[tuple[keras.Variable, tf.Tensor]]


def check_owners(
    variables: Iterable[keras.Variable], owned: Mapping[str, list[keras.Variable]]
) -> None:
    """Raises ValueError unless each of the trainable `variables` belongs to one player."""
    owners: dict[int, list[str]] = {id(variable): [] for variable in variables}
    for player, own in owned.items():
        for variable in own:
            owners.setdefault(id(variable), []).append(player)
    for variable in variables:
        if len(owners[id(variable)]) != 1:
            raise ValueError(
                "Expected every trainable variable to belong to one player. Received: "
                f"{variable.path} belongs to {owners[id(variable)] or 'none'}."
            )


def in_float16(layer: keras.Layer) -> bool:
    """Whether a layer, or one within it, computes in float16, whose small gradients vanish."""
    inner = getattr(layer, "layers", ())
    return layer.compute_dtype == "float16" or any(in_float16(one) for one in inner)


def check_optimizers(given: Iterable[Any]) -> None:
    """Raises ValueError if two players share an optimizer, which holds one player's moments."""
    optimizers = [one for one in given if isinstance(one, keras.optimizers.Optimizer)]
    if len({id(one) for one in optimizers}) != len(optimizers):
        raise ValueError(
            f"Expected an optimizer for each player. Received: the same {optimizers[0].name} twice."
        )


def ready_optimizer(
    optimizer: Any,
    before: keras.Optimizer | None,
    *,
    variables: list[keras.Variable],
    learning_rate: float | None,
    scale_loss: bool,
) -> keras.Optimizer:
    """Returns the optimizer of a player, built for its variables.

    Args:
        optimizer: Keras optimizer, its name or config; None for a fresh copy of `before`, at first
            Adam(2e-4, beta_1=0.5).
        before: The player's optimizer until now.
        variables: The player's trainable variables.
        learning_rate: Learning rate to set, or None for the optimizer's own.
        scale_loss: Whether to wrap it for loss scaling, if that is not done yet.
    """
    if optimizer is None:
        before = before or Adam(2e-4, beta_1=0.5)
        optimizer = type(before).from_config(before.get_config())
    optimizer = keras.optimizers.get(optimizer)
    if scale_loss and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    if learning_rate is not None:
        optimizer = with_learning_rate(optimizer, learning_rate)
    # an optimizer that builds itself inside the step fails under MirroredStrategy
    optimizer.build(variables)
    return optimizer


def with_learning_rate(optimizer: keras.Optimizer, rate: float) -> keras.Optimizer:
    """Returns the optimizer with another learning rate: a copy if it follows a schedule."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    schedule = keras.optimizers.schedules.LearningRateSchedule
    if not isinstance(inner._learning_rate, schedule):
        optimizer.learning_rate = rate
        return optimizer
    inner = type(inner).from_config({**inner.get_config(), "learning_rate": rate})
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return keras.optimizers.LossScaleOptimizer(inner)
    return inner


def freeze_first(network: keras.Model, layers: int) -> None:
    """Freezes the first `layers` layers that have weights, and unfreezes the others."""
    weighted = [layer for layer in network.layers if layer.weights]
    if not 0 <= layers < len(weighted):
        raise ValueError(
            f"Expected 0 <= layers < {len(weighted)}, the layers with weights of {network.name}. "
            f"Received: layers={layers}."
        )
    for position, layer in enumerate(weighted):
        layer.trainable = position >= layers


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Gives `target` the weights of `source`, batch-norm statistics included."""
    for value, copy in zip(source.weights, target.weights, strict=True):
        copy.assign(value)


def warmed_up(decay: float, steps: Any) -> tf.Tensor:
    """Returns `min(decay, (1 + steps) / (10 + steps))`: a young average has a short memory.

    So a few steps of fine-tuning show in it, and it forgets its beginning.
    """
    steps = keras.ops.cast(steps, "float32")
    return keras.ops.minimum(decay, (1 + steps) / (10 + steps))


def move_average(average: keras.Model, network: keras.Model, *, decay: Any) -> None:
    """Moves `average` towards the weights of `network`: `m <- m + (1 - decay) (w - m)`."""
    # batch-norm statistics go along, they belong to the averaged weights; what a layer marks with
    # `averaged = False` is copied, as the vectors of spectral normalization are
    for mean, value in zip(average.weights, network.weights, strict=True):
        if mean.dtype.startswith(("float", "bfloat")) and getattr(mean, "averaged", True):
            mean.assign_add((1 - decay) * (value - mean))
        else:
            mean.assign(value)


def remembered(variables: Iterable[keras.Variable]) -> State:
    """Returns variables and the values that they have now, for `put_back`."""
    return [(variable, tf.identity(variable.value)) for variable in variables]


def put_back(state: State) -> None:
    """Gives variables the values that were remembered."""
    for variable, value in state:
        variable.assign(value)


@contextlib.contextmanager
def frozen_state(network: keras.Model) -> Iterator[None]:
    """Puts a network's state back after a pass: batch-norm statistics, spectral-norm vectors.

    The pass itself runs in training mode, so batch normalisation uses the batch's statistics.
    """
    state = remembered(network.non_trainable_variables)
    try:
        yield
    finally:
        put_back(state)
