"""The worker of `train_step.py` that trains one of ganzoo's GANs, as `ganzoo.load` compiles it."""

import functools
from typing import Any

import keras
import multiply_adds
import numpy as np
import subject
import tensorflow as tf
from workers import run_for, run_steps, serve


class GanzooStep:
    """One training step of a GAN on one prepared batch.

    Args:
        gan: Name of its class in the registry.
        shape: (H, W, C) of the images.
        width: Width of both networks.
        hidden: Units of a dense layer in both networks; 0: none.
        batch_size: Images an update.
        threads: Threads of TensorFlow.
        warm_up: Steps before the first that is measured.
    """

    def __init__(
        self,
        *,
        gan: str,
        shape: list[int],
        width: int,
        hidden: int,
        batch_size: int,
        threads: int,
        warm_up: int,
    ):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        self.gan = subject.made(
            gan=gan, shape=tuple(shape), width=width, hidden=hidden, batch_size=batch_size
        )
        self.images = len(tf.nest.flatten(subject.batch(self.gan, batch_size))[0])
        self.step = subject.compiled_step(self.gan, batch_size)
        run_steps(self.step, warm_up)

    def about(self) -> dict[str, Any]:
        """Returns versions, a step's images and their shape, weights, and multiply-adds."""
        gan = self.gan
        count = multiply_adds.of_gan(gan)
        return {
            "version": f"TensorFlow {tf.__version__}, Keras {keras.__version__}",
            "shape": gan.image_shape,
            "images": self.images,
            "weights": {
                player: sum(int(np.prod(v.shape)) for v in gan.player_variables(player))
                for player in ("generator", "discriminator")
            },
            "multiply_adds": count and {"all": count.all, "inside": count.inside},
        }

    def train(self, *, seconds: float) -> dict[str, float]:
        """Trains for some time; returns `steps` and `seconds`."""
        return run_for(self.step, seconds)

    def matmul(self, *, size: int, products: int) -> list[float]:
        """Returns the seconds of each of some products of two square float32 matrices."""
        a, b = (tf.random.normal((size, size)) for _ in range(2))
        product = functools.partial(tf.matmul, a, b)
        run_steps(product, 2)
        return [run_steps(product, 1) for _ in range(products)]


if __name__ == "__main__":
    serve(GanzooStep)
