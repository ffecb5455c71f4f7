"""`save("x.keras")` and back: in a process that knows nothing of the first, bit for bit."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import DCGAN
from tests import small

# Loads a GAN as a stranger would: Keras only asks that its class has been imported.
STRANGER = """
import json, sys
import keras, numpy as np
import ganzoo.gans

folder, *precisions = sys.argv[1:]
for precision in precisions:
    gan = keras.models.load_model(f"{folder}/{precision}.keras")
    told = {
        "class": type(gan).__module__ + "." + type(gan).__name__,
        "name": gan.name,
        "latent_dim": gan.latent_dim,
        "ema_decay": gan.ema_decay,
        "seed": gan.seed,
        "steps_done": gan.steps_done,
        "policy": gan.dtype_policy.name,
        "global_policy": keras.config.dtype_policy().name,
        "trainable": [layer.trainable for layer in gan.discriminator.layers],
        "optimizers": [
            keras.saving.serialize_keras_object(one)["config"]
            for one in (gan.generator_optimizer, gan.discriminator_optimizer)
        ],
    }
    arrays = {"before": gan.generate(9, seed=2), "raw": gan.generate(9, seed=2, ema=False)}
    logs = gan.fit(np.load(f"{folder}/images.npy"), batch_size=4, verbose=0).history
    told["logs"] = logs
    arrays["after"] = gan.generate(9, seed=2)
    variables = [
        *gan.weights,
        gan.seed_generator.state,
        *gan.generator_optimizer.variables,
        *gan.discriminator_optimizer.variables,
    ]
    arrays |= {f"v{i:03d}": v.numpy() for i, v in enumerate(variables)}
    np.savez(f"{folder}/{precision}.npz", **arrays)
    print(json.dumps(told))
"""
PRECISIONS = ("float32", "mixed_float16")


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """Of each precision a GAN that was saved, its images, and what a fresh process made of it."""
    folder = tmp_path_factory.mktemp("strange")
    images = small.images(12, channels=3)
    np.save(folder / "images.npy", images)
    gans = {}
    for precision in PRECISIONS:
        gans[precision] = gan = small.gan(
            options={"latent_dim": 7, "channels": 3},
            ema_decay=0.75,
            seed=5,
            name="mine",
            precision=precision,
        )
        gan.compile(
            keras.optimizers.RMSprop(3e-3, rho=0.7, momentum=0.25),
            keras.optimizers.Adam(2e-3, beta_1=0.25, beta_2=0.9),
        )
        gan.freeze_discriminator(layers=1)
        gan.fit(images, batch_size=4, verbose=0)
        gan.save(folder / f"{precision}.keras")
    printed = small.run_script(small.PLAIN_GRAPHS + STRANGER, folder, *PRECISIONS)
    printed = printed.splitlines()[-len(PRECISIONS) :]
    told = dict(zip(PRECISIONS, map(json.loads, printed), strict=True))
    return {one: (gans[one], images, told[one], np.load(folder / f"{one}.npz")) for one in gans}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_fresh_process_generates_and_trains_on_as_if_nothing_had_happened(strange, precision):
    gan, images, told, found = strange[precision]
    assert told["class"] == "ganzoo.gans.dcgan.DCGAN"
    assert (told["name"], told["latent_dim"], told["seed"]) == ("mine", 7, 5)
    assert (told["ema_decay"], told["steps_done"]) == (0.75, 3)
    assert (told["policy"], told["global_policy"]) == (precision, "float32")
    assert told["trainable"] == [layer.trainable for layer in gan.discriminator.layers]
    configs = [one.get("inner_optimizer", {"config": one})["config"] for one in told["optimizers"]]
    assert ["inner_optimizer" in one for one in told["optimizers"]] == [precision != "float32"] * 2
    rmsprop, adam = configs
    assert (rmsprop["rho"], rmsprop["momentum"], adam["beta_1"], adam["beta_2"]) == (
        *(0.7, 0.25),
        *(0.25, 0.9),
    )
    np.testing.assert_allclose([rmsprop["learning_rate"], adam["learning_rate"]], [3e-3, 2e-3])

    np.testing.assert_array_equal(found["before"], gan.generate(9, seed=2))
    np.testing.assert_array_equal(found["raw"], gan.generate(9, seed=2, ema=False))
    # the batches of before: TensorFlow would trace the step anew for others, and round otherwise
    assert told["logs"] == gan.fit(images, batch_size=4, verbose=0).history
    np.testing.assert_array_equal(found["after"], gan.generate(9, seed=2))
    here = small.everything(gan)
    assert len(here) == len([name for name in found if name.startswith("v")])
    for position, value in enumerate(here):
        np.testing.assert_array_equal(found[f"v{position:03d}"], value)


def test_a_loaded_gan_trains_as_the_saved_one_after_a_step(tmp_path):
    gan = small.gan(ema_decay=0.5)
    gan.fit(small.images(8), batch_size=4, verbose=0)
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    for a, b in zip(small.everything(gan), small.everything(again), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(gan.sample_latents(3), again.sample_latents(3))
    for one in (gan, again):
        one.train_step(tf.constant(small.images(4, seed=9)))
    for a, b in zip(small.everything(gan), small.everything(again), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_gan_that_was_never_compiled_comes_back_ready_to_generate(tmp_path):
    gan = DCGAN(*small.convolutional(), latent_dim=5, seed=8)
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    np.testing.assert_array_equal(gan.generate(3, seed=0), again.generate(3, seed=0))


def test_weights_alone_can_be_saved_and_loaded(tmp_path):
    gan, other = small.gan(seed=3), small.gan(weights_seed=2)
    gan.fit(small.images(8), batch_size=4, verbose=0)
    gan.save_weights(tmp_path / "x.weights.h5")
    other.load_weights(tmp_path / "x.weights.h5")
    np.testing.assert_array_equal(gan.generate(3, seed=0), other.generate(3, seed=0))
    assert other.steps_done == 2


class WithOption(DCGAN):
    def __init__(self, generator, discriminator, *, strength, **options):
        super().__init__(generator, discriminator, **options)
        self.strength = strength

    def get_config(self):
        return {**super().get_config(), "strength": self.strength}


def test_a_subclass_with_an_option_of_its_own_comes_back_with_it(tmp_path):
    gan = small.gan(kind=WithOption, strength=0.3)
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras", custom_objects={"WithOption": WithOption})
    assert isinstance(again, WithOption) and again.strength == 0.3


def test_config_names_every_constructor_argument():
    import inspect

    gan = small.gan(name="mine", ema_decay=0.1, seed=2)
    config = gan.get_config()
    taken = set(inspect.signature(type(gan).__init__).parameters) - {"self"}
    assert set(config) == taken
    before = json.dumps(config)
    again = type(gan).from_config(config)
    assert json.dumps(gan.get_config()) == before
    assert again.get_config()["ema_decay"] == 0.1


def test_from_config_leaves_the_config_as_it_was():
    gan = small.gan()
    config = gan.get_config()
    before = dict(config)
    type(gan).from_config(config)
    assert all(config[key] is value for key, value in before.items())


def test_clone_model_gives_a_gan_with_fresh_state():
    gan = small.gan(seed=3)
    gan.fit(small.images(8), batch_size=4, verbose=0)
    clone = keras.models.clone_model(gan)
    assert isinstance(clone, DCGAN) and clone.steps_done == 0 and clone.seed == 3
