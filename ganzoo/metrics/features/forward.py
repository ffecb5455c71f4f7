"""Runs a feature network on NumPy batches, on all devices of the current strategy."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

Forward = Callable[[np.ndarray | tf.Tensor], dict[str, np.ndarray]]


def forward(network: keras.Model) -> Forward:
    """Returns a function from images (B, H, W, C) to the network's outputs by name.

    Under a strategy with several replicas each takes its share of every batch; the network must
    have been built in the strategy's scope, and its weights are read when a batch comes. With
    several workers each does the whole batch.

    Args:
        network: Model with a dict of outputs, (B, d) each; runs in inference mode.
    """
    strategy = tf.distribute.get_strategy()

    @tf.function(reduce_retracing=True)
    def whole(images):
        return network(images, training=False)

    @tf.function(reduce_retracing=True)
    def shares(images):
        return strategy.run(whole, args=(images,))

    workers = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    replicas = 1 if workers else strategy.num_replicas_in_sync

    def run(images):
        if replicas == 1:
            found = whole(tf.convert_to_tensor(images))
            return {name: value.numpy() for name, value in found.items()}
        images, count = np.asarray(images), len(images)
        missing = np.repeat(images[-1:], -count % replicas, axis=0)  # all shares of one size
        parts = np.split(np.concatenate([images, missing]), replicas)
        values = strategy.experimental_distribute_values_from_function(
            lambda context: tf.convert_to_tensor(parts[context.replica_id_in_sync_group])
        )
        found = shares(values)
        local = strategy.experimental_local_results
        joined = {
            n: np.concatenate([x.numpy() for x in local(value)]) for n, value in found.items()
        }
        return {name: value[:count] for name, value in joined.items()}

    return run
