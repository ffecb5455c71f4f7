"""Experience replay: the discriminator is shown generated images of the past again.

Shrivastava et al. 2017, "Learning from Simulated and Unsupervised Images through Adversarial
Training", arXiv:1612.07828, section 2.3.
"""

from typing import Any

import keras
import tensorflow as tf

from ganzoo.gans import GANS, inputs
from ganzoo.gans.base import Logs
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("experience_replay")
class ReplayGAN(NonSaturatingGAN):
    """In the discriminator's updates, past images stand for a share of the generated ones.

    So it does not forget what the generator has given up, and the generator can't go round in
    circles. They are drawn at random from a buffer; the new images whose places they take go into
    it, at first into empty places and then over random ones, as in the paper. While the buffer
    holds too few, new images stay in their places. The generator plays the plain game.

    Args:
        generator: As for `GAN`.
        discriminator: As for `GAN`.
        buffer_size: Images in the buffer, at least 1. They are saved with the model.
        share: Share of the generated images that are replaced, in [0, 1]; half in the paper.
        **options: Of `GAN`.
    """

    indivisible = "each of its updates reads and writes the buffer once"

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        buffer_size: int = 1024,
        share: float = 0.5,
        **options: Any,
    ):
        super().__init__(generator, discriminator, **options)
        inputs.check_count("buffer_size", buffer_size)
        if not 0 <= share <= 1:
            raise ValueError(f"Expected 0 <= share <= 1. Received: share={share}.")
        self.buffer_size = buffer_size
        self.share = share
        options = {"initializer": "zeros", "trainable": False, "dtype": "float32"}
        with self.distribute_strategy.scope():
            shape = (buffer_size, *self.image_shape)
            self._buffer = self.add_weight(name="buffer", shape=shape, **options)
            self._full = self.add_weight(name="full", shape=(buffer_size,), **options)

    def player_state(self, player: str) -> list[keras.Variable]:
        # images that are not finite must not stay
        own = [self._buffer, self._full] if player == "discriminator" else []
        return super().player_state(player) + own

    def discriminator_game(self, real: tf.Tensor, fake: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        return super().discriminator_game(real, self.replayed(fake))

    def replayed(self, fake: tf.Tensor) -> tf.Tensor:
        """Returns this replica's generated images, some replaced by past ones, and keeps those."""
        count = tf.shape(fake)[0]
        replica = tf.distribute.get_replica_context()
        total = count * replica.num_replicas_in_sync
        first = tf.convert_to_tensor(replica.replica_id_in_sync_group) * count
        # the replaced rows lie evenly, so that each replica has its share of them
        ends = tf.floor(tf.cast(tf.range(total + 1), tf.float64) * self.share)
        ends = tf.cast(ends, tf.int32)
        replaced, number = ends[1:] > ends[:-1], ends[-1]

        full = self._full.value
        # the same on all replicas: they keep one buffer
        order = keras.random.uniform((2, self.buffer_size), seed=self.seed_generator)
        to_read = tf.argsort(order[0] - full)  # full places first
        to_write = tf.argsort(order[1] + full)[:number]  # empty places first
        places = tf.gather(to_read, tf.minimum(ends[:-1], self.buffer_size - 1))
        mine = slice(first, first + count)
        past = tf.gather(self._buffer.value, places[mine])
        known = replaced[mine] & (tf.gather(full, places[mine]) > 0)
        shown = tf.where(tf.reshape(known, (-1, *[1] * (len(fake.shape) - 1))), past, fake)

        everyone = fake if replica.num_replicas_in_sync == 1 else replica.all_gather(fake, axis=0)
        rows = tf.argsort(tf.cast(~replaced, tf.int32), stable=True)[: tf.shape(to_write)[0]]
        self._keep(to_write[:, None], tf.gather(everyone, rows))
        return shown

    def _keep(self, places: tf.Tensor, images: tf.Tensor) -> None:
        images, ones = tf.stop_gradient(images), tf.ones(tf.shape(places)[:1])
        buffer, full = self._buffer.value, self._full.value
        self._buffer.assign(tf.tensor_scatter_nd_update(buffer, places, images))
        self._full.assign(tf.tensor_scatter_nd_update(full, places, ones))

    def get_config(self) -> dict[str, Any]:
        own = {"buffer_size": self.buffer_size, "share": self.share}
        return {**super().get_config(), **own}
