"""Batch normalisation by the statistics of a fixed reference batch and of the example itself.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv:1606.03498, section 3.5.
"""

import keras
import tensorflow as tf
from keras import ops

from ganzoo.layers.moments import moments
from ganzoo.layers.reference_batch_norm import ReferenceBatchNormalization


@keras.saving.register_keras_serializable("ganzoo")
class VirtualBatchNormalization(ReferenceBatchNormalization):
    """Normalises each example by the statistics of the reference batch joined with itself.

    Those are the mean and variance of n + 1 examples, the n of the reference batch and this one,
    whose weight is 1 / (n + 1). The examples of the reference batch are normalised by its own
    statistics. Otherwise as `ReferenceBatchNormalization`.
    """

    def statistics(
        self, x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        examples = x[self.size :]
        positions = list(range(1, len(x.shape) - 1))
        if positions:
            own_mean, own_variance = moments(examples, positions)
        else:
            own_mean, own_variance = examples, ops.zeros_like(examples)
        share = 1 / (self.size + 1)
        apart = ops.square(own_mean - mean)
        # mean of squares less squared mean, without the difference of two large numbers
        joined = (1 - share) * variance + share * own_variance + share * (1 - share) * apart
        moved = (1 - share) * mean + share * own_mean  # (B, 1, ..., C)
        return self._with_reference(mean, moved), self._with_reference(variance, joined)

    def _with_reference(self, reference: tf.Tensor, examples: tf.Tensor) -> tf.Tensor:
        return ops.concatenate([ops.repeat(reference, self.size, axis=0), examples], axis=0)
