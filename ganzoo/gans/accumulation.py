"""Gradient accumulation: the images of an update pass through the networks in micro-batches.

Only one micro-batch is in memory with its activations, and the gradients' sum. The update is that
of the whole batch but for rounding, with the same random numbers.
"""

import contextlib
import contextvars
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from ganzoo.gans import inputs, players


@dataclasses.dataclass(frozen=True)
class Part:
    """A micro-batch that is being worked on.

    Attributes:
        number: Which one it is, from 0.
        count: How many there are.
        examples: The real examples of all, on this replica.
    """

    number: tf.Tensor | int
    count: int
    examples: Any


# a variable of its own in each thread, thus on each replica
_CURRENT: contextvars.ContextVar[Part | None] = contextvars.ContextVar("part", default=None)


def current() -> Part | None:
    """Returns the micro-batch that is being worked on, or None where a batch is whole."""
    return _CURRENT.get()


def train_step(gan: Any, data: Any) -> dict[str, tf.Tensor]:
    """`GAN.train_step`, Goodfellow's Algorithm 1, in micro-batches.

    The generator answers the discriminator as updated by all micro-batches, so that its images
    are generated once more, from the same latents: none are kept with their activations.
    """
    state = gan.seed_generator.state

    def judged(real: Any) -> tuple[tf.Tensor, dict]:
        return gan.discriminator_game(real, gan.fixed_fakes(real))

    def shown(real: Any) -> tuple[tf.Tensor, dict]:
        after = tf.identity(state.value)
        state.assign(before)
        fake = gan.fakes(real)
        state.assign(after)
        return gan.generator_game(real, fake)

    *earlier, real = inputs.split(gan.real_examples(data), gan.discriminator_steps)
    for batch in earlier:
        gan.update_discriminator(judged, batch)
    before = tf.identity(state.value)
    d_logs = gan.update_discriminator(judged, real)
    g_logs = gan.update_generator(shown, real)
    return gan.track(**d_logs, **g_logs)


def gradients(
    gan: Any, player: str, loss_fn: Callable, args: tuple
) -> tuple[tf.Tensor, list[tf.Tensor], dict[str, tf.Tensor]]:
    """Returns a player's loss, the gradients of its scaled loss and its logs, of a whole batch.

    Each micro-batch begins with the player's state and the seeds that the batch begins with. The
    state ends as the mean of those that the micro-batches end with: the vectors of spectral
    normalization as after the whole batch, as they do not depend on images.

    Args:
        gan: The GAN.
        player: `"generator"` or `"discriminator"`.
        loss_fn: Function of a micro-batch of `args` that returns the mean loss and logs.
        args: Examples of the whole batch, the real ones first; at least one.

    Raises:
        ValueError: If the batch has no equal parts.
    """
    count, variables = gan.accumulate, gan.player_variables(player)
    check_parts(args, count)
    seed = players.remembered([gan.seed_generator.state])
    start = players.remembered(v for v in gan.player_state(player) if _is_float(v))

    def part(number: tf.Tensor | int) -> list:
        players.put_back(seed + start)
        with (
            _working_on(Part(number, count, args[0])),
            tf.GradientTape(watch_accessed_variables=False) as tape,
        ):
            # what depends on nothing of the player's is not kept for the gradient
            tape.watch([variable.value for variable in variables])
            loss, logs = loss_fn(*_rows(args, number, count))
            scaled = gan.scaled_loss(player, loss / count)
        found = tape.gradient(scaled, variables, unconnected_gradients="zero")
        # what has moved: a mean of the values themselves would round those that stay as they are
        state = [(variable.value - value) / count for variable, value in start]
        logs = tf.nest.map_structure(lambda value: value / count, logs)
        return [loss / count, [tf.convert_to_tensor(g) for g in found], logs, state]

    loss, found, logs, moved = _summed(part, count)
    players.put_back([(v, value + own) for (v, value), own in zip(start, moved, strict=True)])
    return loss, found, logs


def check_parts(examples: Any, count: int) -> None:
    """Raises ValueError if a batch, of a known number of examples, has no equal parts."""
    for size in {tensor.shape[0] for tensor in tf.nest.flatten(examples)} - {None}:
        if size % count:
            raise ValueError(
                f"Expected a batch that accumulate={count} splits evenly, on each replica. "
                f"Received: {size} images of an update."
            )


def _summed(part: Callable[[Any], list], count: int) -> list:
    """Returns the sum of what `part` gives for each number, one after the other."""
    first = part(0)

    def add(number: Any, total: list) -> list:
        return tf.nest.map_structure(tf.add, total, part(number))

    if tf.distribute.get_replica_context().num_replicas_in_sync == 1:
        return tf.while_loop(
            lambda number, total: number < count,
            lambda number, total: (number + 1, add(number, total)),
            (tf.constant(1), first),
            parallel_iterations=1,
        )[1]
    # within a loop of TensorFlow's replicas can't tell each other anything
    total = first
    for number in range(1, count):
        # so that micro-batches do not run side by side
        with tf.control_dependencies(tf.nest.flatten(total)):
            total = add(number, total)
    return total


def _rows(examples: Any, number: tf.Tensor | int, count: int) -> Any:
    def rows(tensor: tf.Tensor) -> tf.Tensor:
        size = tf.shape(tensor)[0]
        even = tf.debugging.assert_equal(
            size % count, 0, f"Expected a batch that accumulate={count} splits evenly."
        )
        with tf.control_dependencies([even] if even is not None else []):
            size //= count
        known = tensor.shape[0] and tensor.shape[0] // count
        found = tensor[number * size : (number + 1) * size]
        return tf.ensure_shape(found, (known, *tensor.shape[1:]))

    return tf.nest.map_structure(rows, examples)


@contextlib.contextmanager
def _working_on(part: Part) -> Iterator[None]:
    token = _CURRENT.set(part)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def _is_float(variable: Any) -> bool:
    # others are the seeds of layers that draw: each micro-batch has draws of its own
    return variable.dtype.startswith(("float", "bfloat"))
