"""Runs on two logical CPUs and prints what happened, for test_replicas.py.

A process of its own, since TensorFlow fixes its devices when it is first used.
"""

import json
import sys
import warnings

import keras
import numpy as np
import tensorflow as tf

from ganzoo import registry, training
from ganzoo.gans import DCGAN
from ganzoo.strategy import get_strategy
from tests import small
from tests.gans import conditional

ONE, TWO = get_strategy("cpu"), get_strategy("mirrored")
IMAGES = small.images(40)


def sgd():
    return keras.optimizers.SGD(0.2)


def fitted(strategy, networks=small.dense, *, optimizer=sgd, data=None, **options):
    with strategy.scope():
        options["eager"] = strategy is ONE
        gan = small.gan(networks, seed=3, ema_decay=0.9, optimizer=optimizer, **options)
    given = {"x": IMAGES, "batch_size": 8} if data is None else {"x": data}
    return gan, gan.fit(**given, verbose=0).history


def farthest(first, second):
    pairs = zip(small.values(first), small.values(second), strict=True)
    return float(max(np.abs(a - b).max() for a, b in pairs))


def floats():
    data = tf.data.Dataset.from_tensor_slices(IMAGES).batch(8)
    return data.map(lambda batch: tf.cast(batch, tf.float32) / 127.5 - 1)


class Summed(DCGAN):
    """Undoes the division by the replica count: Keras's own sum of gradients."""

    def update_discriminator(self, loss_fn, *args):
        return super().update_discriminator(self._summed(loss_fn), *args)

    def update_generator(self, loss_fn, *args, tape=None):
        return super().update_generator(self._summed(loss_fn), *args, tape=tape)

    def _summed(self, loss_fn):
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync

        def summed(*args):
            loss, logs = loss_fn(*args)
            return loss * replicas, logs

        return summed


class SameLatents(DCGAN):
    """Each replica draws its own latents from the same seed: the same ones."""

    def sample_latents(self, count):
        shape = (count, self.latent_dim)
        return keras.random.normal(shape, dtype="float32", seed=self.seed_generator)


def compare():
    one, one_logs = fitted(ONE)
    two, two_logs = fitted(TWO)
    start = small.gan(small.dense)
    images = [gan.generate(50, seed=1).astype(int) for gan in (one, two)]
    return {
        "replicas": TWO.num_replicas_in_sync,
        "steps_done": [one.steps_done, two.steps_done],
        "weights": farthest(one.trainable_variables, two.trainable_variables),
        "average": farthest(one.generator_ema, two.generator_ema),
        "trained": farthest(one.trainable_variables, start.trainable_variables),
        "logs": [one_logs, two_logs],
        "images": float(np.abs(images[0] - images[1]).max()),
        "seeds": [gan.seed_generator.state.numpy().tolist() for gan in (one, two)],
        "data_set": farthest(*(fitted(s, data=floats())[0] for s in (ONE, TWO))),
        "summed": farthest(one, fitted(TWO, kind=Summed)[0]),
        "same_latents": farthest(one, fitted(TWO, kind=SameLatents)[0]),
        "same_strategy": get_strategy("mirrored") is TWO,
    }


def precisions():
    result = {}
    for precision in ("mixed_float16", "mixed_bfloat16"):
        gan, logs = fitted(TWO, small.convolutional, optimizer=None, precision=precision)
        copies = [
            np.abs(copies[0] - copies[1]).max()
            for variable in gan.weights
            if "moving_" not in variable.path  # each replica's own, the first one's are used
            for copies in [[np.array(copy) for copy in variable.value.values]]
        ]
        finite = all(np.isfinite(value).all() for value in small.values(gan))
        result[precision] = {
            "copies": float(max(copies)),
            "finite": bool(finite and np.isfinite(logs["g_loss"]).all()),
            "shape": gan.generate(3).shape,
        }
    return result


class FarOnOne(DCGAN):
    """The second replica's loss of the discriminator is so large that its gradients overflow."""

    def discriminator_loss(self, real_logits, fake_logits):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        large = tf.where(tf.equal(replica, 1), 1e6, 1.0)
        return large * super().discriminator_loss(real_logits, fake_logits)


def faulty(gan, images):
    """What a step on images does to a GAN's discriminator."""
    before = small.values(gan.discriminator)
    optimizer = gan.discriminator_optimizer
    scale = float(optimizer.scale_loss(1.0))
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        gan.fit(tf.data.Dataset.from_tensors(images), verbose=0)
    networks = [v for network in gan.networks.values() for v in network.weights]
    copies = [[np.array(one) for one in v.value.values] for v in networks]
    return {
        "finite": all(bool(np.isfinite(copy).all()) for both in copies for copy in both),
        "same": all(np.array_equal(*both) for both in copies),
        "moved": any(small.moved(before, gan.discriminator)),
        "scale": float(optimizer.scale_loss(1.0)) / scale,
        "faults": [*gan.faults["discriminator"]],
    }


def overflow():
    """Scaled gradients that overflow on the second replica alone."""
    with TWO.scope():
        gan = small.gan(small.dense, kind=FarOnOne, precision="mixed_float16", optimizer=sgd)
    return faulty(gan, IMAGES[:8])


def not_a_number(precision):
    """NaN in the images of the second replica alone, and then a step without."""
    with TWO.scope():
        gan = small.gan(small.dense, precision=precision, optimizer=sgd)
        for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
            if precision == "mixed_float16":
                optimizer.dynamic_scale.assign(64.0)
    images = IMAGES[:8].astype("float32") / 255
    broken = images.copy()
    broken[4:] = np.nan
    return [faulty(gan, broken), faulty(gan, images)]


def accumulated(networks, optimizer=sgd, **options):
    """How far micro-batches on two replicas end from whole batches on one."""
    one, _ = fitted(ONE, networks, optimizer=optimizer, **options)
    two, _ = fitted(TWO, networks, optimizer=optimizer, accumulate=2, **options)
    return farthest(one.trainable_variables, two.trainable_variables)


def labelled_accumulated():
    ends = []
    for strategy, count in ((ONE, 1), (TWO, 2)):
        with strategy.scope():
            options = {"norm": "none", "optimizer": sgd, "accumulate": count}
            gan = conditional.gan("cgan", eager=strategy is ONE, **options)
        gan.fit(*conditional.data(), batch_size=8, verbose=0)
        ends.append(gan)
    return farthest(*[gan.trainable_variables for gan in ends])


def refusals():
    with TWO.scope():
        gan = small.gan(small.dense)
    messages = []
    for data in (
        {"x": IMAGES[:9], "batch_size": 3},
        {"x": tf.data.Dataset.from_tensors(IMAGES[:9])},
    ):
        try:
            gan.fit(**data, verbose=0)
        except ValueError as error:
            messages.append(str(error))
    distributed = TWO.experimental_distribute_dataset(floats())
    gan.fit(distributed, verbose=0)
    return {"messages": messages, "distributed": gan.steps_done}


def run(folder):
    """A run that is stopped and resumed, beside one that is not."""
    ends = []
    for name, stops in (("whole", [8]), ("parts", [3, 8])):
        for steps in stops:
            config = registry.entry(
                "dcgan_digits",
                {
                    "generator.width": 2,
                    "discriminator.width": 2,
                    "data.batch_size": 16,
                    "training.steps": steps,
                    "training.log_every": 4,
                },
            )
            gan = training.train(
                config, workdir=f"{folder}/{name}", strategy="mirrored", progress=False
            )
        ends.append(gan)
    return {
        "steps_done": [gan.steps_done for gan in ends],
        "resumed": farthest(*ends),
        "replicas": ends[1].distribute_strategy.num_replicas_in_sync,
    }


def saved(folder):
    gan, _ = fitted(TWO)
    gan.save(f"{folder}/x.keras")
    with TWO.scope():
        again = keras.models.load_model(f"{folder}/x.keras")
    for one in (gan, again):
        one.fit(IMAGES[:8], batch_size=8, verbose=0)
    return {"again": farthest(gan, again)}


if __name__ == "__main__":
    folder = sys.argv[1]
    print(
        json.dumps(
            {
                "compare": compare(),
                "precisions": precisions(),
                "overflow": overflow(),
                "not_a_number": {p: not_a_number(p) for p in ("float32", "mixed_float16")},
                "accumulated": [accumulated(small.dense), labelled_accumulated()],
                "refusals": refusals(),
                "run": run(folder),
                "saved": saved(folder),
            }
        )
    )
