"""What replicas of a distributed step tell each other."""

from collections.abc import Mapping

import tensorflow as tf


def gathered(rows: tf.Tensor) -> tf.Tensor:
    """Returns the rows of all replicas, (B, ...) -> (B * replicas, ...), gradients included.

    For losses that compare the images of a batch with each other: their mean over a replica's
    share alone would be another loss. Every replica then has the loss of the whole batch.
    """
    replica = tf.distribute.get_replica_context()
    return rows if replica.num_replicas_in_sync == 1 else replica.all_gather(rows, axis=0)


def means(scalars: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Returns the means of scalars over the replicas, float32: the same on all of them."""
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1 or not scalars:
        return dict(scalars)
    stacked = tf.stack([tf.cast(value, tf.float32) for value in scalars.values()])
    found = replica.all_reduce(tf.distribute.ReduceOp.MEAN, stacked)
    return dict(zip(scalars, tf.unstack(found), strict=True))
