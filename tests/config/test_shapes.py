"""What a config says of shapes: points in place of images, and several samples at once."""

import pytest
import yaml

from ganzoo.config import ConfigError, dump, load_config
from ganzoo.config.loading import data_shape

POINTS = {
    "generator": {"network": "mlp_generator", "shape": [2]},
    "discriminator": {"network": "mlp_discriminator", "shape": [2]},
    "data": {"dataset": "ring", "batch_size": 8},
}
IMAGES = {
    "generator": {"network": "dcgan_generator", "image_shape": [8, 8, 3]},
    "discriminator": {"network": "mlp_discriminator", "shape": [8, 8, 3]},
    "data": {"dataset": "digits", "image_size": 8},
}


def test_networks_of_points_state_their_shape_and_data_no_size(data):
    config = load_config(data(**POINTS))
    assert data_shape(config.generator) == (2,) and config.data.image_size is None
    again = load_config(yaml.safe_load(dump(config)))
    assert again == config and again.hash == config.hash
    sized = load_config(data(**{**POINTS, "data": {**POINTS["data"], "image_size": None}}))
    assert sized == config


def test_a_network_may_state_the_shape_of_images_by_either_name(data):
    config = load_config(data(**IMAGES))
    assert data_shape(config.generator) == data_shape(config.discriminator) == (8, 8, 3)
    with pytest.raises(ConfigError, match=r"discriminator.shape: \[8, 8, 1\] is not the gen"):
        load_config(data(**IMAGES), {"discriminator.shape": [8, 8, 1]})
    with pytest.raises(ConfigError, match="discriminator.shape: .*does not agree with data.image"):
        changes = {"generator.image_shape": [4, 4, 3], "data.image_size": 4}
        load_config(data(**IMAGES), changes)


def test_images_still_need_a_size(data):
    without = {**IMAGES, "data": {"dataset": "digits"}}
    with pytest.raises(ConfigError, match="data.image_size: missing"):
        load_config(data(**without))


@pytest.mark.parametrize(
    ("key", "value"), [("image_size", 8), ("channels", 1), ("crop", 4), ("flip", True)]
)
def test_what_points_do_not_have_is_refused(data, key, value):
    with pytest.raises(ConfigError, match=rf"data.{key}: .* is for images, and generator.shape"):
        load_config(data(**POINTS), {f"data.{key}": value})


@pytest.mark.parametrize("shape", [[2, 2], [], 2, [0], [8, 8, 1.5], [8, 8, 1, 1]])
def test_a_shape_of_neither_is_refused(data, shape):
    with pytest.raises(ConfigError, match=r"generator.shape: expected .*; got"):
        load_config(data(**POINTS), {"generator.shape": shape})


@pytest.mark.parametrize("parts", [POINTS, IMAGES])
def test_a_discriminator_of_packed_samples_has_as_many_times_the_channels(data, parts):
    shape = parts["discriminator"]["shape"]
    twice = [*shape[:-1], 2 * shape[-1]]
    packed = {"gan.packing": 2, "discriminator.shape": twice}
    assert load_config(data(**parts), packed).discriminator.options["shape"] == tuple(twice)
    channels = {} if len(shape) == 1 else {"data.channels": 3}
    load_config(data(**parts), {**packed, **channels})
    for wrong in ({**packed, "gan.packing": 3}, {"gan.packing": 2}):
        with pytest.raises(ConfigError, match=r"with \d times the channels \(gan.packing\)"):
            load_config(data(**parts), wrong)
    with pytest.raises(ConfigError, match="is not the generator's"):
        load_config(data(**parts), {"discriminator.shape": twice})
