"""A name is a promise: every entry of the zoo builds, trains in every precision, and comes back."""

import keras
import numpy as np
import pytest

from ganzoo import builders, registry, weights
from ganzoo.config import load_config
from ganzoo.config.loading import data_shape
from ganzoo.metrics import catalogue
from tests import small

NAMES = registry.list_models()
WIDTHS = {"dcgan": 2, "mlp": 8, "sequence": 8}
SIZES = {"image_shape", "shape", "width", "latent_dim"}  # what entries of one kind differ in
# Points are learned as images are, whether or not an entry that ships does so.
POINTS = {
    "name": "points",
    "summary": "Points",
    "gan": {"class": "non_saturating", "latent_dim": 4},
    "generator": {"network": "mlp_generator", "shape": [2]},
    "discriminator": {"network": "mlp_discriminator", "shape": [2]},
    "optimizers": {
        "generator": {"class": "adam", "learning_rate": 1e-3},
        "discriminator": {"class": "adam", "learning_rate": 1e-3},
    },
    "data": {"dataset": "ring"},
    "training": {"steps": 10},
}


def whole(name):
    return load_config(POINTS) if name == "points" else registry.entry(name)


def kind(config):
    """What entries share whose steps are the same but for sizes, data and optimizers."""
    parts = (config.gan, config.generator, config.discriminator)
    return str(
        [(one.name, {k: v for k, v in one.options.items() if k not in SIZES}) for one in parts]
    )


# The first entry of each kind. Its step runs as a graph, unless that is tested where published
# weights are fine-tuned (test_builders.py).
FIRST = list({kind(whole(name)): name for name in reversed([*NAMES, "points"])}.values())
IN_GRAPHS = set(FIRST) - set(registry.list_models(pretrained=True))


@pytest.fixture(scope="module", params=[*NAMES, "points"])
def config(request):
    """An entry with networks as narrow as they can be."""
    return narrowed(request.param)


def narrowed(name):
    config, narrow = whole(name), {}
    for player in builders.PLAYERS:
        part = getattr(config, player)
        network = part.name.partition("_")[0]
        if "width" in part.options or network == "mlp":
            narrow[f"{player}.width"] = WIDTHS.get(network, 2)
    return load_config(config, narrow)


@pytest.fixture(scope="module")
def gan(config):
    """The entry's GAN after a step in float32."""
    gan = builders.build(config)
    gan.run_eagerly = config.name not in IN_GRAPHS
    return checked_after_steps(gan, 1)


def data_for(gan, count=4):
    """Data for one step of batches of `count`."""
    return small.data_for(gan, count * gan.updates_per_batch)


def checked_after_steps(gan, steps):
    before = small.values(gan.trainable_variables)
    logs = gan.fit(data_for(gan), batch_size=4, epochs=steps, verbose=0).history
    scales = {"d_loss_scale", "g_loss_scale"} if gan.dtype_policy.name == "mixed_float16" else set()
    assert set(logs) == {*gan.tracked, *scales} and gan.steps_done == steps
    assert all(np.isfinite(values).all() for values in logs.values())
    assert all(np.isfinite(value).all() for value in small.values(gan))
    unmoved, excused = small.unmoved(gan, before)
    assert not unmoved, unmoved
    assert len(excused) <= len(gan.trainable_variables) / 4
    return gan


def test_the_zoo_has_the_entries_of_its_readme():
    promised = {"mnist", "fashion_mnist", "cifar10", "celeba", "lsun", "digits"}
    assert {f"dcgan_{data}" for data in promised} <= set(NAMES)


def test_an_entry_generates_images_of_the_size_of_its_data(config, gan):
    images = gan.generate(2, seed=0)
    assert images.shape == (2, *gan.image_shape) == (2, *data_shape(config.generator))
    if len(gan.image_shape) == 1:
        assert images.dtype == (np.int32 if "characters" in config.gan.options else np.float32)
        assert config.data.image_size is None
    else:
        assert images.dtype == np.uint8
        assert gan.image_shape[:2] == (config.data.image_size,) * 2


def test_an_entry_s_own_metrics_fit_its_data(config, gan):
    catalogue.check_shape(config.evaluation.metrics, gan.image_shape)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", sorted(FIRST))
def test_each_kind_of_entry_trains_in_half_precision(name, precision):
    gan = builders.build(narrowed(name), precision=precision)
    gan.compile(run_eagerly=True)  # a graph takes longer to build than a few steps do
    if precision == "mixed_float16":
        # at Keras's own scale the first steps overflow, and are skipped while it is halved
        for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
            optimizer.dynamic_scale.assign(64.0)
    checked_after_steps(gan, 2)
    assert gan.generate(2, seed=0).shape == (2, *gan.image_shape)
    assert gan.dtype_policy.name == precision


def test_an_entry_saves_and_loads_back_equal(gan, tmp_path):
    gan.run_eagerly, gan.train_function = True, None  # two graphs would take longer to build
    gan.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    np.testing.assert_array_equal(gan.generate(3, seed=0), again.generate(3, seed=0))
    for one in (gan, again):
        one.fit(data_for(gan), batch_size=4, verbose=0)
    for a, b in zip(small.values(gan), small.values(again), strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_weight_of_an_entry_has_a_name_of_its_own(gan):
    names = weights.collect(gan)
    assert len(names) == sum(len(network.weights) for network in gan.networks.values())
    weights.assign(gan, names)
