"""Feature networks under a strategy: each replica takes its share, the result is the same."""

from tests import small

TWO_REPLICAS = """
import keras
import numpy as np
import tensorflow as tf
from ganzoo.metrics.features.forward import forward

def network():
    images = keras.Input((4, 4, 1))
    x = keras.layers.Conv2D(3, 3)(images)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(0.5)(x)
    return keras.Model(images, {"features": keras.layers.Flatten()(x)})

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    model = network()
    shared = forward(model)
alone = network()
alone.set_weights(model.get_weights())
for count in (1, 2, 5, 8):
    images = np.random.default_rng(count).normal(size=(count, 4, 4, 1)).astype("float32")
    found = shared(images)["features"]
    expected = alone(images, training=False)["features"].numpy()
    assert found.shape == expected.shape == (count, 12), found.shape
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
model.set_weights([w * 2 for w in model.get_weights()])
assert not np.allclose(shared(images)["features"], expected)
print(strategy.num_replicas_in_sync)
"""


def test_two_replicas_give_the_features_of_one_for_any_batch():
    assert small.run_on_two_cpus(TWO_REPLICAS) == 2
