"""A name is a promise: every entry of the zoo, in every precision."""

import keras
import numpy as np
import pytest

from ganzoo import builders, registry
from tests import small

NAMES = registry.list_models()


@pytest.fixture(scope="module", params=NAMES)
def config(request):
    """An entry with networks as narrow as they can be."""
    narrow = {f"{player}.width": 2 for player in builders.PLAYERS}
    return registry.entry(request.param, narrow)


def images_for(gan, count=4):
    size, _, channels = gan.image_shape
    return small.images(count, size=size, channels=channels)


def test_the_zoo_has_the_entries_of_its_readme():
    promised = {"mnist", "fashion_mnist", "cifar10", "celeba", "lsun", "digits"}
    assert {f"dcgan_{data}" for data in promised} <= set(NAMES)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_an_entry_takes_a_train_step_and_generates(config, precision):
    gan = builders.build(config, precision=precision)
    before = small.values(gan.trainable_variables)
    # float16's first steps are skipped until the loss scale, halved each time, does not overflow
    steps = 12 if precision == "mixed_float16" else 1
    logs = gan.fit(images_for(gan), batch_size=4, epochs=steps, verbose=0).history
    assert set(logs) == set(gan.tracked) and gan.steps_done == steps
    assert all(np.isfinite(values).all() for values in logs.values())
    assert all(np.isfinite(value).all() for value in small.values(gan))
    assert all(small.moved(before, gan.trainable_variables))
    assert gan.generate(2, seed=0).shape == (2, *gan.image_shape)
    assert gan.dtype_policy.name == precision


def test_an_entry_saves_and_loads_back_equal(config, tmp_path):
    gan = builders.build(config)
    gan.fit(images_for(gan), batch_size=4, verbose=0)
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    np.testing.assert_array_equal(gan.generate(3, seed=0), again.generate(3, seed=0))
    for one in (gan, again):
        one.fit(images_for(gan), batch_size=4, verbose=0)
    for a, b in zip(small.values(gan), small.values(again), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_entrys_images_have_the_size_of_its_data(config):
    gan = builders.build(config)
    size = config.data.image_size
    assert gan.image_shape[:2] == (size, size)


def test_every_weight_of_an_entry_has_a_name_of_its_own(config):
    from ganzoo import weights

    gan = builders.build(config)
    names = weights.collect(gan)
    assert len(names) == sum(len(network.weights) for network in gan.networks.values())
    weights.assign(gan, names)
