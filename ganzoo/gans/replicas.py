"""What replicas of a distributed step tell each other."""

import tensorflow as tf


def gathered(rows: tf.Tensor) -> tf.Tensor:
    """Returns the rows of all replicas, (B, ...) -> (B * replicas, ...), gradients included.

    For losses that compare the images of a batch with each other: their mean over a replica's
    share alone would be another loss. Every replica then has the loss of the whole batch.
    """
    replica = tf.distribute.get_replica_context()
    return rows if replica.num_replicas_in_sync == 1 else replica.all_gather(rows, axis=0)
