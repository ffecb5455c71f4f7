"""Micro-batches: the update of the whole batch, with the memory of a part of it."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from ganzoo import builders, registry
from ganzoo.gans import DCGAN, GANS, HingeGAN
from ganzoo.layers import SpectralNormalization
from tests import small
from tests.gans import every_class, points

INDIVISIBLE = {
    "consensus",
    "experience_replay",
    "feature_matching",
    "gmmn",
    "ragan",
    "reinforce",
    "sgan",
    "unrolled",
}
QUICK = {"minimax", "r1", "wgan_gp"}
SLOW = set(GANS) - INDIVISIBLE - QUICK


def sgd():
    return keras.optimizers.SGD(0.02)


def compare(name, *, steps, count=4, graph=True):
    """How far `steps` with micro-batches end from those with whole batches, and went at all."""
    ends = []
    for parts in (1, count):
        gan, _ = every_class.made(name, optimizer=sgd, accumulate=parts, eager=not graph)
        start = small.values(gan.trainable_variables)
        step = tf.function(gan.train_step, autograph=False) if graph else gan.train_step
        for number in range(steps):
            data = every_class.examples(gan, 8 * gan.updates_per_batch)
            turned = [tf.constant(np.roll(one, number, 0)) for one in tf.nest.flatten(data)]
            data = tf.nest.pack_sequence_as(data, turned)
            logs = {key: float(value) for key, value in step(data).items()}
        ends.append((gan, logs))
    (whole, logs), (parted, parted_logs) = ends
    moved = zip(start, small.values(whole.trainable_variables), strict=True)
    assert max(np.abs(a - b).max() for a, b in moved) > 1e-3
    np.testing.assert_array_equal(whole.seed_generator.state, parted.seed_generator.state)
    for key, value in logs.items():
        assert parted_logs[key] == pytest.approx(value, rel=1e-3, abs=1e-5), key
    networks = [[v for n in gan.networks.values() for v in n.weights] for gan in (whole, parted)]
    return every_class.farthest(*networks)


@pytest.mark.parametrize("name", sorted(QUICK))
def test_twenty_steps_of_sgd_give_the_weights_of_the_larger_batch(name):
    assert compare(name, steps=20) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SLOW))
def test_twenty_steps_of_any_other_class_give_the_weights_of_the_larger_batch(name):
    # the tokens of sequences are draws: a rounding error may change one, at some step
    # packs are of 4 images
    count = 2 if name == "pacgan" else 4
    assert compare(name, steps=20 if name != "gumbel_softmax" else 3, count=count) < 1e-5


def spectral_networks():
    generator, _ = points.networks()
    normal = keras.initializers.RandomNormal(stddev=0.5)
    shown = keras.Input((2,))
    x = SpectralNormalization(layers.Dense(6, name="hidden"))(shown)
    x = SpectralNormalization(layers.Dense(1, kernel_initializer=normal, name="logits"))(
        layers.LeakyReLU()(x)
    )
    return generator, keras.Model(shown, x)


def test_spectral_normalization_takes_the_power_iterations_of_the_larger_batch():
    ends = []
    for count in (1, 4):
        options = {"optimizer": sgd, "latent_dim": 3, "discriminator_steps": 2}
        gan = small.gan(spectral_networks, kind=HingeGAN, accumulate=count, **options)
        start = small.values(gan)
        gan.fit(small.points(16 * 20), batch_size=8, verbose=0)
        ends.append(gan)
    vectors = [v for v in ends[0].discriminator.weights if v.name == "u"]
    assert len(vectors) == 2
    assert sum(small.moved(start, ends[0])) > 8
    networks = [[v for n in gan.networks.values() for v in n.weights] for gan in ends]
    assert every_class.farthest(*networks) < 1e-5


def test_batch_norm_moves_by_the_mean_of_the_micro_batches_statistics():
    def networks():
        shown = keras.Input((2,))
        x = layers.BatchNormalization(momentum=0.9, name="norm")(shown)
        return points.networks()[0], keras.Model(shown, layers.Dense(1)(x))

    gan = small.gan(networks, accumulate=2, optimizer=lambda: keras.optimizers.SGD(0.0), eager=True)
    real = small.points(8)
    gan.update_discriminator(lambda x: (tf.reduce_mean(gan.judge(x)), {}), tf.constant(real))
    norm = gan.discriminator.get_layer("norm")
    halves = real.reshape(2, 4, 2)
    np.testing.assert_allclose(norm.moving_mean, 0.1 * real.mean(0), rtol=1e-5)
    expected = 0.9 + 0.1 * halves.var(axis=1).mean(0)
    np.testing.assert_allclose(norm.moving_variance, expected, rtol=1e-5)


@pytest.mark.parametrize("eager", [False, True])
def test_state_that_no_pass_changes_stays_to_the_bit(eager):
    gan = small.gan(points.networks, accumulate=3, eager=eager)
    gan.freeze_discriminator(layers=1)
    frozen = gan.discriminator.get_layer("hidden")
    before = small.values(frozen)
    gan.fit(small.points(36), batch_size=12, verbose=0)
    assert gan.steps_done == 3 and not any(small.moved(before, frozen))


def test_micro_batches_draw_the_rows_of_the_larger_batchs_latents():
    seen = {}
    for count in (1, 4):
        gan = small.gan(points.networks, accumulate=count, eager=True, discriminator_steps=2)
        sample, drawn = gan.sample_latents, []
        gan.sample_latents = lambda n, s=sample, d=drawn: d.append(s(n)) or d[-1]
        seen[count] = drawn
        gan.train_step(tf.constant(small.points(16)))
    assert [len(one) for one in seen[1]] == [8, 8] and [len(one) for one in seen[4]] == [2] * 12
    whole, parts = np.concatenate(seen[1]), np.concatenate(seen[4])
    np.testing.assert_array_equal(parts, np.concatenate([whole, whole[8:]]))


def test_nan_in_one_micro_batch_skips_the_whole_update():
    gan = small.gan(points.networks, accumulate=4, eager=True)
    before = small.values(gan.discriminator)
    real = small.points(8)
    real[3] = np.nan
    gan.train_step(tf.constant(real))
    assert gan.faults["discriminator"] == (1, 1, 0) and gan.faults["generator"] == (0, 0, 0)
    assert not any(small.moved(before, gan.discriminator))


def test_losses_are_scaled_and_unscaled_with_micro_batches_too():
    ends = []
    for count in (1, 2):
        gan = small.gan(
            small.dense, precision="mixed_float16", accumulate=count, optimizer=sgd, eager=True
        )
        start = small.values(gan.trainable_variables)
        gan.train_step(tf.constant(small.images(8)))
        after = small.values(gan.trainable_variables)
        ways = [(b - a).ravel() for a, b in zip(start, after, strict=True)]
        ends.append(np.concatenate(ways).astype("float64"))
    first, second = ends
    assert first @ second / np.sqrt((first @ first) * (second @ second)) > 0.999
    np.testing.assert_allclose(np.linalg.norm(first), np.linalg.norm(second), rtol=0.01)


@pytest.mark.parametrize("name", sorted(INDIVISIBLE))
def test_a_game_that_compares_the_images_of_a_batch_has_none(name):
    with pytest.raises(ValueError, match=r"Expected accumulate=1: \w.*Received: accumulate=2\."):
        every_class.made(name, accumulate=2)


@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_accumulate_is_a_whole_number(value):
    with pytest.raises(ValueError, match="Expected accumulate, a whole number >= 1"):
        small.gan(points.networks, accumulate=value)


def test_a_batch_without_equal_parts_raises():
    gan = small.gan(points.networks, accumulate=3)
    with pytest.raises(ValueError, match="accumulate=3 splits evenly.* Received: 8 images"):
        gan.fit(small.points(8), batch_size=8, verbose=0)
    gan.run_eagerly = True
    data = tf.data.Dataset.from_tensors(small.points(8)).repeat(1)
    with pytest.raises(ValueError, match="accumulate=3 splits evenly"):
        gan.fit(data, verbose=0)
    step = tf.function(gan.train_step, input_signature=[tf.TensorSpec((None, 2))], autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="accumulate=3 splits evenly"):
        step(tf.constant(small.points(8)))


def test_a_step_of_ones_own_that_generates_the_whole_batch_is_refused():
    class Own(DCGAN):
        def train_step(self, data):
            with self.record("generator") as tape:
                fake = self.fakes(data)
            return self.track(**self.update_generator(self.generator_game, data, fake, tape=tape))

    gan = small.gan(points.networks, kind=Own, accumulate=2)
    with pytest.raises(ValueError, match="Expected accumulate=1: a step of Own generates"):
        gan.train_step(tf.constant(small.points(8)))


def test_a_config_gives_it_to_the_class_and_a_file_brings_it_back(tmp_path):
    narrow = {"generator.width": 2, "discriminator.width": 2}
    config = registry.entry("dcgan_digits", {**narrow, "gan.accumulate": 2})
    gan = builders.build(config)
    assert gan.accumulate == 2
    gan.save(tmp_path / "x.keras")
    assert keras.models.load_model(tmp_path / "x.keras").accumulate == 2


MEMORY = """
import json, sys
import keras, tensorflow as tf
from ganzoo.gans import WGANGP
from ganzoo.networks.dcgan import dcgan_discriminator, dcgan_generator
from tests import small

def networks():
    shape = (32, 32, 3)
    generator = dcgan_generator(shape, latent_dim=5, width=16, norm="none")
    return generator, dcgan_discriminator(shape, width=16, norm="none")

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024

gan = small.gan(networks, kind=WGANGP, accumulate=int(sys.argv[1]), discriminator_steps=1)
step = tf.function(gan.train_step, autograph=False)
step(tf.constant(small.images(8, size=32, channels=3)))  # what TensorFlow itself takes
before = peak()
data = tf.constant(small.images(1024, size=32, channels=3))
for _ in range(2):
    step(data)
print(json.dumps(peak() - before))
"""


@pytest.mark.slow
def test_eight_micro_batches_need_less_than_half_of_the_memory():
    try:
        whole, parted = (json.loads(small.run_script(MEMORY, n).splitlines()[-1]) for n in (1, 8))
    except FileNotFoundError:
        pytest.skip("needs /proc")
    assert parted < whole / 2, (whole, parted)
