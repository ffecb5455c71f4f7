"""Updates whose loss or gradients are not finite: they are left out, counted, and reported."""

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo.gans import players

COLLAPSED = 1.0
"""Below this a loss scale makes losses smaller: gradients overflow float16 by themselves."""


class Faults(NamedTuple):
    """How many updates of a player were not made.

    Attributes:
        skipped: Those with a loss or gradients that were not finite, over all of the training.
        in_a_row: Those of them since the last update that was made.
        overflows: Those whose scaled gradients overflowed float16, after which the loss scale was
            halved: what loss scaling finds its scale by, and no fault as long as that is above 1.
    """

    skipped: int
    in_a_row: int
    overflows: int


class Tape(tf.GradientTape):
    """A gradient tape that also remembers the state which the recorded passes change.

    Args:
        variables: Non-trainable variables.
    """

    def __init__(self, variables: Iterable[keras.Variable]):
        super().__init__()
        self.before = players.remembered(variables)


class Mean(keras.metrics.Mean):
    """A mean of those scalars that are finite; NaN as long as none came.

    All replicas have to give it the same scalars: a worker then knows it without asking others.
    """

    def add_variable(self, *args: Any, **options: Any) -> keras.Variable:
        return super().add_variable(*args, **{**options, "aggregation": "only_first_replica"})

    def update_state(self, value: Any, sample_weight: None = None) -> None:
        value = ops.cast(value, self.dtype)
        finite = ops.isfinite(value)
        self.total.assign_add(ops.where(finite, value, 0.0))
        self.count.assign_add(ops.cast(finite, self.dtype))

    def result(self) -> tf.Tensor:
        return self.total / self.count


class Guard:
    """Makes updates whose loss and gradients are finite on all replicas, and counts the others.

    Args:
        names: The players.
    """

    def __init__(self, names: tuple[str, ...]):
        self.names = names
        # not tracked by Keras: checkpoints number a model's own variables in order
        self.counts = keras.Variable(
            np.zeros((len(names), len(Faults._fields))),
            dtype="int64",
            trainable=False,
            name="faults",
        )

    @property
    def faults(self) -> dict[str, Faults]:
        """The counts, by player."""
        rows = ops.convert_to_numpy(self.counts.value).tolist()
        return {name: Faults(*row) for name, row in zip(self.names, rows, strict=True)}

    def update(
        self,
        name: str,
        make: Callable[[], None],
        *,
        optimizer: keras.Optimizer,
        gradients: list[tf.Tensor],
        loss: tf.Tensor,
        before: players.State,
    ) -> None:
        """Makes an update, or skips it: then nothing changes but the counts and the loss scale.

        Args:
            name: The player.
            make: Takes the optimizer's step and does what follows it.
            optimizer: The player's.
            gradients: Of the scaled loss, on this replica; None for what it does not depend on.
            loss: Unscaled scalar, on this replica.
            before: The player's state before this update's passes; put back where it is skipped.
        """
        loss_is_finite, gradients_are = _finite(loss, gradients)
        place = self._table(name, in_a_row=1)

        def made() -> None:
            make()
            self.counts.assign(self.counts.value * (1 - place))

        def skipped() -> None:
            overflowed = tf.constant(False)
            if hasattr(optimizer, "dynamic_scale"):
                # a loss that is not finite is so at any scale
                overflowed = tf.logical_and(loss_is_finite, optimizer.dynamic_scale > COLLAPSED)
                _halve(optimizer, loss_is_finite)
            fault = self._table(name, skipped=1, in_a_row=1)
            self.counts.assign_add(tf.where(overflowed, self._table(name, overflows=1), fault))
            players.put_back(before)

        _choose(tf.logical_and(loss_is_finite, gradients_are), made, skipped)

    def _table(self, name: str, **values: int) -> np.ndarray:
        table = np.zeros(self.counts.shape, np.int64)
        table[self.names.index(name)] = Faults(**{field: 0 for field in Faults._fields} | values)
        return table


class StopOnNaN(keras.callbacks.Callback):
    """Tells of skipped updates, and stops a run that makes no others. `GAN.fit` adds one itself.

    The first skipped update of a `fit` is warned of. From then on the logs of an epoch have
    `skipped`, how many there have been since the training began; logs of healthy runs have not.
    A loss scale that falls below 1 is warned of too, once for each player.

    Args:
        checkpoints: Function that returns the paths of the run's checkpoints, the newest first, as
            `Workdir.saved`. The error names the newest from before the row of faults.
    """

    def __init__(self, checkpoints: Callable[[], Sequence[Any]] = tuple):
        super().__init__()
        self.checkpoints = checkpoints

    def on_train_begin(self, logs=None):
        self._faults = self._before_epoch = self.model.faults
        self._told: set[str] = set()
        self._good = {player: self._newest() for player in self._faults}

    def on_epoch_begin(self, epoch, logs=None):
        self._before_epoch = self._faults

    def on_train_batch_end(self, batch, logs=None):
        before, self._faults = self._faults, self.model.faults
        if before == self._faults:
            return
        for player, now in self._faults.items():
            if now.skipped > before[player].skipped:
                # no earlier row that grew: it began within this batch
                if now.in_a_row <= now.skipped - before[player].skipped:
                    self._good[player] = self._newest()
                self._tell("skipped", self._skipped(player))
            if now.overflows + now.skipped > before[player].overflows + before[player].skipped:
                self._check_scale(player)
            if now.in_a_row >= self.model.max_skipped:
                raise FloatingPointError(self._stopped(player, now.in_a_row))

    def on_epoch_end(self, epoch, logs=None):
        if logs is None:
            return
        if total := _skipped(self._faults):
            logs["skipped"] = total
        if total > _skipped(self._before_epoch):
            return  # until there are too many in a row
        for name, value in logs.items():
            if not math.isfinite(float(np.mean(value))):
                raise FloatingPointError(
                    f"{name} is {float(np.mean(value))} at step {self.model.steps_done}: the run "
                    f"has diverged.{_named(self._newest())} Try a lower learning_rate."
                )

    def _newest(self) -> Any:
        return next(iter(self.checkpoints()), None)

    def _tell(self, topic: str, text: str) -> None:
        if topic not in self._told:
            self._told.add(topic)
            warnings.warn(text, RuntimeWarning, stacklevel=2)

    def _skipped(self, player: str) -> str:
        return (
            f"Step {self.model.steps_done}: the {player}'s loss or its gradients were not finite, "
            "so its update was skipped. The log `skipped` counts such updates; "
            f"{self.model.max_skipped} in a row stop the training."
        )

    def _check_scale(self, player: str) -> None:
        optimizer = getattr(self.model, f"{player}_optimizer")
        scale = float(ops.convert_to_numpy(optimizer.scale_loss(1.0)))
        if scale < COLLAPSED:
            self._tell(
                f"{player}'s scale",
                f"Step {self.model.steps_done}: the scale of the {player}'s loss has fallen to "
                f"{scale:g}: its gradients overflow float16 even without scaling. Train in "
                "mixed_bfloat16 or float32, or with smaller weights of losses and penalties.",
            )

    def _stopped(self, player: str, in_a_row: int) -> str:
        # the one from before may have been removed since
        good = self._good[player] if self._good[player] in self.checkpoints() else self._newest()
        return (
            f"Step {self.model.steps_done}: the {player}'s loss or its gradients were not finite "
            f"{in_a_row} times in a row, and its updates were skipped: the run has diverged."
            f"{_named(good)} Try a lower learning_rate."
        )


def watched(given: Any) -> Any:
    """Returns the callbacks that `fit` was given, with a `StopOnNaN` first if there is none."""
    if isinstance(given, keras.callbacks.CallbackList):
        return given
    given = tf.nest.flatten(given) if given is not None else []
    if any(isinstance(one, StopOnNaN) for one in given):
        return given
    return [StopOnNaN(), *given]


def _named(checkpoint: Any) -> str:
    return f" The last good checkpoint is {checkpoint}." if checkpoint else ""


def _skipped(faults: dict[str, Faults]) -> int:
    return sum(one.skipped for one in faults.values())


def _finite(loss: tf.Tensor, gradients: list[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns whether the loss, and whether the gradients are finite on all replicas."""
    given = [getattr(g, "values", g) for g in gradients if g is not None]
    # the sum is not finite where one of them is not, and cheaper than to look at each; finite ones
    # whose sum overflows float32 are no gradients to follow either
    total = tf.add_n([tf.reduce_sum(g) for g in given])
    finite = tf.math.is_finite(loss), tf.math.is_finite(total)
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return finite
    # an update that is skipped on one replica has to be so on all
    failed = 1.0 - tf.cast(tf.stack(finite), tf.float32)
    failed = replica.all_reduce(tf.distribute.ReduceOp.SUM, failed)
    return failed[0] <= 0, failed[1] <= 0


def _halve(optimizer: keras.optimizers.LossScaleOptimizer, where: tf.Tensor) -> None:
    """Does what the optimizer itself does when gradients are not finite."""
    scale, counter = optimizer.dynamic_scale, optimizer.step_counter
    scale.assign(tf.where(where, scale.value / 2, scale.value))
    counter.assign(tf.where(where, tf.zeros_like(counter.value), counter.value))


def _choose(condition: tf.Tensor, first: Callable, second: Callable) -> None:
    """Calls one of two functions on every replica, by a condition that is the same on all."""
    if tf.__internal__.distribute.strategy_supports_no_merge_call():
        tf.cond(condition, first, second)
        return

    # a replica's branch may not wait for the others', and an optimizer's step does: it is the
    # strategy that branches, as in Keras's LossScaleOptimizer
    def branch(strategy: tf.distribute.Strategy, conditions: Any, *functions: Any) -> None:
        def call(function: Any) -> None:
            strategy.extended.call_for_each_replica(lambda own: own(), args=(function,))

        agreed = strategy.experimental_local_results(conditions)[0]
        tf.cond(agreed, *[lambda f=function: call(f) for function in functions])

    replica = tf.distribute.get_replica_context()
    replica.merge_call(branch, args=(condition, first, second))
