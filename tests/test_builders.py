"""From a config to a compiled GAN, and from a name to a trained one."""

import random

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo import builders, registry, weights
from ganzoo.config import ConfigError
from ganzoo.gans import DCGAN
from tests import small

SMALL = {"generator.width": 2, "discriminator.width": 2}


def entry(**changes):
    return registry.entry("dcgan_digits", {**SMALL, **changes})


def test_a_config_becomes_a_compiled_gan():
    config = registry.entry(
        "dcgan_digits",
        {
            "gan.latent_dim": 7,
            "generator": {"width": 3, "image_shape": [16, 16, 3]},
            "discriminator": {"width": 5, "image_shape": [16, 16, 3]},
            "data.image_size": 16,
            "optimizers.generator.learning_rate": 0.125,
            "optimizers.discriminator": {"class": "rmsprop", "learning_rate": 0.25, "rho": 0.5},
            "training": {"ema_decay": 0.75, "seed": 3},
        },
    )
    gan = builders.build(config)
    assert isinstance(gan, DCGAN) and gan.name == "dcgan_digits"
    assert (gan.latent_dim, gan.image_shape) == (7, (16, 16, 3))
    assert gan.generator.input_shape == (None, 7)
    assert gan.generator.get_layer("project_norm").gamma.shape == (12,)
    assert gan.discriminator.get_layer("down1").filters == 5
    assert (gan.ema_decay, gan.seed) == (0.75, 3)
    adam, rmsprop = gan.generator_optimizer, gan.discriminator_optimizer
    assert isinstance(adam, keras.optimizers.Adam)
    assert (float(adam.learning_rate), adam.beta_1) == (0.125, 0.5)
    assert isinstance(rmsprop, keras.optimizers.RMSprop)
    assert (float(rmsprop.learning_rate), rmsprop.rho) == (0.25, 0.5)
    gan.fit(small.images(4, size=16, channels=3), batch_size=4, verbose=0)


def test_fresh_weights_are_those_of_the_seed_whatever_was_drawn_before():
    ends = []
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        ends.append(small.values(builders.build(entry())))
    for a, b in zip(*ends, strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_seed_gives_other_weights():
    first, second = (builders.build(entry(**{"training.seed": seed})) for seed in (0, 1))
    kernels = zip(first.trainable_variables, second.trainable_variables, strict=True)
    assert all(
        (a.numpy() != b.numpy()).any() for a, b in kernels if a.path.endswith(("kernel", "gamma"))
    )


def test_building_leaves_pythons_random_numbers_alone():
    random.seed(5)
    expected = random.random()
    random.seed(5)
    builders.build(entry())
    assert random.random() == expected


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_precision_is_the_configs_or_the_one_given_and_does_not_leak(precision):
    for gan in (
        builders.build(entry(**{"training.precision": precision})),
        builders.build(entry(), precision=precision),
    ):
        assert gan.dtype_policy.name == precision
        layer = gan.generator.get_layer("project")
        assert layer.compute_dtype == precision.removeprefix("mixed_")
    assert keras.config.dtype_policy().name == "float32"


def test_precision_does_not_leak_from_a_build_that_fails():
    with pytest.raises(ConfigError):
        builders.build(entry(**{"generator.widht": 3}), precision="mixed_float16")
    assert keras.config.dtype_policy().name == "float32"


def test_an_unknown_precision_or_strategy_raises_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'mixed_float16'"):
        builders.build(entry(), precision="mixed_float_16")
    with pytest.raises(ValueError, match="did you mean 'mirrored'"):
        builders.build(entry(), strategy="mirored")


@pytest.mark.parametrize(
    "key, value, nearest",
    [
        ("generator.widht", 3, "width"),
        ("discriminator.widths", 3, "width"),
        ("gan.latent_dims", 3, "latent_dim"),
        ("gan.class", "dcgam", "dcgan"),
        ("generator.network", "dcgan_generater", "dcgan_generator"),
        ("discriminator.network", "dcgan_discriminater", "dcgan_discriminator"),
        ("optimizers.generator.class", "adamm", "adam"),
        ("optimizers.generator.learning_rat", 0.5, "learning_rate"),
    ],
)
def test_a_wrong_part_or_option_raises_with_its_key_and_the_nearest(key, value, nearest):
    changes = {key: value}
    if key.endswith(("network", "class")):  # another part starts afresh
        section = key.rpartition(".")[0]
        known = {
            "generator": {"image_shape": [8, 8, 1]},
            "discriminator": {"image_shape": [8, 8, 1]},
            "optimizers.generator": {"learning_rate": 1e-4},
        }
        changes |= {f"{section}.{k}": v for k, v in known.get(section, {}).items()}
    config = registry.entry("dcgan_digits", changes)
    with pytest.raises(ConfigError) as raised:
        builders.build(config)
    message = str(raised.value)
    assert key in message and f"did you mean '{nearest}'" in message


def test_load_with_fresh_weights_is_the_config_built():
    gan = ganzoo.load("dcgan_digits", weights=None, **nested(SMALL))
    for a, b in zip(gan.weights, builders.build(entry()).weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert gan.generate(2).shape == (2, 8, 8, 1)


def nested(changes):
    result = {}
    for key, value in changes.items():
        section, _, name = key.partition(".")
        result.setdefault(section, {})[name] = value
    return result


def test_load_takes_overrides_strategy_and_precision():
    gan = ganzoo.load(
        "dcgan_digits",
        weights=None,
        strategy="cpu",
        precision="mixed_bfloat16",
        gan={"latent_dim": 3},
        **nested(SMALL),
    )
    assert gan.latent_dim == 3 and gan.dtype_policy.name == "mixed_bfloat16"


def test_load_of_a_file_gives_the_gan_that_was_written(tmp_path):
    gan = builders.build(entry())
    gan.fit(small.images(64, size=8), batch_size=16, verbose=0)
    path = tmp_path / "mine.safetensors"
    weights.write(path, weights.collect(gan, dtype="float32"), {})
    again = ganzoo.load("dcgan_digits", weights=path, **nested(SMALL))
    for a, b in zip(gan.networks.values(), again.networks.values(), strict=True):
        for x, y in zip(small.values(a), small.values(b), strict=True):
            np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(gan.generate(5, seed=0), again.generate(5, seed=0))
    again.fit(small.images(16, size=8), batch_size=16, verbose=0)  # ready for fine-tuning


def test_load_of_weights_for_another_architecture_names_the_first_variable_that_differs(tmp_path):
    path = tmp_path / "mine.safetensors"
    weights.write(path, weights.collect(builders.build(entry())), {})
    wider = nested({**SMALL, "generator.width": 3})
    with pytest.raises(ValueError, match="generator.*/project/kernel.* shape"):
        ganzoo.load("dcgan_digits", weights=path, **wider)


def test_load_of_an_unknown_name_raises_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'dcgan_mnist'"):
        ganzoo.load("dcgan_mnits")


def test_load_without_published_weights_raises_before_anything_is_built(monkeypatch):
    monkeypatch.setattr(builders, "build", lambda *a, **k: pytest.fail("built in vain"))
    with pytest.raises(ValueError, match="ganzoo train dcgan_lsun"):
        ganzoo.load("dcgan_lsun")


@pytest.mark.parametrize("name", ganzoo.list_models(pretrained=True))
def test_load_of_a_published_entry_generates_and_fine_tunes_at_once(name):
    gan = ganzoo.load(name)
    assert gan.name == name
    made, shape = gan.generate(64, seed=0), gan.image_shape
    if len(shape) == 3:
        assert made.std() > 20  # neither blank nor grey
    else:
        assert made.std(axis=0).min() > 0.3  # no single mode
    data = small.data_for(gan, 4 * gan.updates_per_batch)
    before = small.values(gan.trainable_variables)
    gan.fit(*(data if isinstance(data, tuple) else (data,)), batch_size=4, verbose=0)
    assert not small.unmoved(gan, before)[0]
