"""Adam whose update of a variable is one operation."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ganzoo")
class Adam(keras.optimizers.Adam):
    """Keras's Adam, by TensorFlow's fused operation.

    Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization", arXiv:1412.6980: algorithm 1 in
    the order of operations that the end of its section 2 gives, with epsilon beside the uncorrected
    root. Keras computes the same in a dozen operations, each of which goes through the whole
    variable. Arguments, moments and saved state are Keras's own; with `amsgrad`, and for sparse
    gradients, so is the update.
    """

    def update_step(self, gradient, variable, learning_rate):
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        dtype, place = variable.dtype, self._get_variable_index(variable)
        beta_1, beta_2 = (tf.constant(beta, dtype) for beta in (self.beta_1, self.beta_2))
        step = tf.cast(self.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )
