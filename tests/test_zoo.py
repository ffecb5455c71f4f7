"""A name is a promise: every entry of the zoo builds, trains in every precision, and comes back."""

import keras
import numpy as np
import pytest

from ganzoo import builders, registry, weights
from tests import small

NAMES = registry.list_models()


@pytest.fixture(scope="module", params=NAMES)
def config(request):
    """An entry with networks as narrow as they can be."""
    whole = registry.entry(request.param)
    parts = {player: getattr(whole, player).options for player in builders.PLAYERS}
    narrow = {f"{player}.width": 2 for player, options in parts.items() if "width" in options}
    return registry.entry(request.param, narrow)


@pytest.fixture(scope="module")
def gan(config):
    """The entry's GAN after a step, in a graph and in float32."""
    return checked_after_steps(builders.build(config), 1)


def images_for(gan, count=4):
    size, _, channels = gan.image_shape
    return small.images(count, size=size, channels=channels)


def checked_after_steps(gan, steps):
    before = small.values(gan.trainable_variables)
    logs = gan.fit(images_for(gan), batch_size=4, epochs=steps, verbose=0).history
    assert set(logs) == set(gan.tracked) and gan.steps_done == steps
    assert all(np.isfinite(values).all() for values in logs.values())
    assert all(np.isfinite(value).all() for value in small.values(gan))
    assert all(small.moved(before, gan.trainable_variables))
    return gan


def test_the_zoo_has_the_entries_of_its_readme():
    promised = {"mnist", "fashion_mnist", "cifar10", "celeba", "lsun", "digits"}
    assert {f"dcgan_{data}" for data in promised} <= set(NAMES)


def test_an_entry_generates_images_of_the_size_of_its_data(config, gan):
    images = gan.generate(2, seed=0)
    assert images.dtype == np.uint8 and images.shape == (2, *gan.image_shape)
    assert gan.image_shape[:2] == (config.data.image_size,) * 2


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_an_entry_trains_in_half_precision(config, precision):
    gan = builders.build(config, precision=precision)
    # float16's first steps are skipped until the loss scale, halved each time, does not overflow
    checked_after_steps(gan, 12 if precision == "mixed_float16" else 1)
    assert gan.generate(2, seed=0).shape == (2, *gan.image_shape)
    assert gan.dtype_policy.name == precision


def test_an_entry_saves_and_loads_back_equal(gan, tmp_path):
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    np.testing.assert_array_equal(gan.generate(3, seed=0), again.generate(3, seed=0))
    for one in (gan, again):
        one.fit(images_for(gan), batch_size=4, verbose=0)
    for a, b in zip(small.values(gan), small.values(again), strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_weight_of_an_entry_has_a_name_of_its_own(gan):
    names = weights.collect(gan)
    assert len(names) == sum(len(network.weights) for network in gan.networks.values())
    weights.assign(gan, names)
