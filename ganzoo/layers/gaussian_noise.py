"""Gaussian noise on activations, by random numbers that a GAN draws."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import keras
import tensorflow as tf
from keras import ops

Draw = Callable[[tuple[int, ...]], tf.Tensor]

_current = threading.local()  # a replica runs in a thread of its own


@contextlib.contextmanager
def noise_from(draw: Draw) -> Iterator[None]:
    """Makes all `GaussianNoise` layers that are called within take their numbers from `draw`.

    Args:
        draw: Function from the shape of one example to numbers (B, *shape), float32, from N(0, 1).
    """
    before = getattr(_current, "draw", None)
    _current.draw = draw
    try:
        yield
    finally:
        _current.draw = before


@keras.saving.register_keras_serializable("ganzoo")
class GaussianNoise(keras.layers.GaussianNoise):
    """Keras's layer, whose random numbers may come from elsewhere (`noise_from`).

    By itself a layer keeps a seed of its own. That is not saved, so a resumed run would see other
    noise, and it is the same on all replicas, so that they would see the same noise.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        draw = getattr(_current, "draw", None)
        if draw is None or not training or not self.stddev:
            return super().call(inputs, training=training)
        return inputs + ops.cast(self.stddev * draw(inputs.shape[1:]), inputs.dtype)
