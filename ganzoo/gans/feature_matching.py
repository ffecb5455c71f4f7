"""Feature matching: the generator matches the means of the discriminator's features.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv:1606.03498, section 3.1.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo.gans import GANS, players
from ganzoo.gans.base import Logs
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("feature_matching")
class FeatureMatchingGAN(NonSaturatingGAN):
    """The generator minimises ||E f(x) - E f(G(z))||^2, f a hidden layer of the discriminator.

    The discriminator plays the plain game. The means are over the batch of all replicas, the
    square is summed over all of the layer's outputs.

    Args:
        generator: As for `GAN`.
        discriminator: As for `GAN`.
        layer: Name of the discriminator's layer whose outputs are matched; by default they are
            what its last layer with weights, that of the logits, takes in.
        **options: Of `GAN`.

    Raises:
        ValueError: If the discriminator has no layer of that name.
    """

    indivisible = "it matches the means of features over the whole batch"

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        layer: str | None = None,
        **options: Any,
    ):
        super().__init__(generator, discriminator, **options)
        self.layer = layer
        self._features = _features(discriminator, layer)

    def features(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the matched layer's outputs, float32 (B, ...), in training mode."""
        return ops.cast(self._features(images), "float32")

    def generator_game(self, real: tf.Tensor, fake: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        with players.frozen_state(self.discriminator):
            real_mean, fake_mean = (batch_mean(self.features(images)) for images in (real, fake))
        loss = ops.sum(ops.square(real_mean - fake_mean))
        return loss, {"g_loss": loss}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": self.layer}


def _features(network: keras.Model, name: str | None) -> Callable:
    """Returns a function from images to a layer's outputs, with the network's own weights."""
    names = [layer.name for layer in network.layers]
    if name is not None and name not in names:
        raise ValueError(
            f"Expected layer, one of {', '.join(names)}, or None. Received: layer={name!r}."
        )
    if name is None:
        output = [layer for layer in network.layers if layer.weights][-1].input
    else:
        output = network.get_layer(name).output
    inner = keras.Model(network.inputs, output)
    # a plain function: Keras would track a model, and save the weights a second time
    return lambda images: inner(images, training=True)


def batch_mean(features: tf.Tensor) -> tf.Tensor:
    """Returns the mean of features (B, ...) over the batch of all replicas, (...)."""
    mean = ops.mean(features, axis=0)
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return mean
    return replica.all_reduce(tf.distribute.ReduceOp.MEAN, mean)
