"""Every piece of advice is a change of a config that builds."""

import pytest

from ganzoo import builders, registry
from ganzoo.doctor import FAILURES, Setting, for_failure

SMALL = {
    "mlp_generator": {"generator.width": 2, "discriminator.width": 2},
    "dcgan_generator": {"generator.width": 2, "discriminator.width": 2},
}
# plain, with labels, with codes, texts, Wasserstein, packed, without batch norm, other schedules
ENTRIES = (
    "minimax_ring",
    "wgan_gp_ring",
    "pacgan_ring",
    "unrolled_ring",
    "dcgan_digits",
    "acgan_mnist",
    "infogan_mnist",
    "sngan_mnist",
    "gumbel_dates",
    "sgan_mnist",
)


def narrow(name):
    config = registry.entry(name)
    changes = {
        f"{player}.{key}": value
        for player in ("generator", "discriminator")
        for key, value in (("width", 2), ("hidden", 4))
        if key in getattr(config, player).options
    }
    return changes


def advised(name, failure, **more):
    changes = {**narrow(name), **more}
    gan = builders.build(registry.entry(name, changes), strategy="cpu")
    return gan, changes, for_failure(failure, gan)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(
    "name",
    [n if n == "minimax_ring" else pytest.param(n, marks=pytest.mark.slow)
     for n in ENTRIES],
)  # fmt: skip
def test_every_advice_builds_and_changes_the_config(name, failure):
    gan, changes, settings = advised(name, failure)
    assert 1 <= len(settings) <= 3
    for setting in settings:
        config = registry.entry(name, {**changes, **setting.changes})
        assert config.hash != registry.entry(name, changes).hash
        again = builders.build(config, strategy="cpu")
        assert again.image_shape == gan.image_shape
        # as it is shown: the same config by flags of the command line
        flags = [flag.removeprefix("--set=") for flag in setting.flags.split(" ")]
        told = registry.entry(name, [*(f"{k}={v}" for k, v in changes.items()), *flags])
        assert told.hash == config.hash


def keys(settings):
    return [sorted(setting.changes) for setting in settings]


def test_minimax_that_vanishes_is_told_of_the_other_loss_first():
    _, _, settings = advised("minimax_ring", "vanishing_gradients")
    assert settings[0].changes == {"gan.class": "non_saturating", "gan.latent_dim": 64}
    assert settings[1].changes["gan.class"] == "wgan_gp"


def test_a_discriminator_that_trains_ahead_is_told_to_train_less():
    more = {"gan": {"class": "lsgan", "latent_dim": 4, "discriminator_steps": 5}}
    _, _, settings = advised("minimax_ring", "vanishing_gradients", **more)
    assert {"gan.discriminator_steps": 1} in [setting.changes for setting in settings]


def test_a_critic_is_advised_without_batch_norm():
    _, _, settings = advised("dcgan_digits", "vanishing_gradients")
    critic = next(one for one in settings if one.changes.get("gan.class") == "wgan_gp")
    assert critic.changes["discriminator.norm"] == "layer"


def test_rates_are_advised_where_they_stand_in_the_config():
    _, _, settings = advised("minimax_ring", "divergence")
    key = "optimizers.{}.learning_rate.initial_learning_rate"
    assert settings[0].changes == {
        key.format("generator"): 1e-4,
        key.format("discriminator"): 2e-4,
    }
    _, _, settings = advised("dcgan_digits", "divergence")
    assert settings[0].changes["optimizers.generator.learning_rate"] == 2e-5


def test_channels_that_drown_images_are_told_where_the_discriminator_has_no_batch_norm():
    more = {"discriminator.norm": "spectral"}
    _, _, settings = advised("dcgan_digits", "mode_collapse", **more)
    assert settings[0].changes == {"generator.project_norm": "units"}
    _, _, settings = advised("dcgan_digits", "mode_collapse")
    assert all("generator.project_norm" not in one.changes for one in settings)


@pytest.mark.slow
def test_a_class_that_labels_or_codes_need_is_never_changed():
    for name in ("acgan_mnist", "infogan_mnist", "sgan_mnist", "gumbel_dates"):
        for failure in FAILURES:
            _, _, settings = advised(name, failure)
            assert all("gan.class" not in one.changes for one in settings)


def test_flags_are_written_as_the_command_line_takes_them():
    setting = Setting({"discriminator.shape": [4, 2], "gan.packing": 2}, "why")
    assert setting.flags == "--set=discriminator.shape=[4,2] --set=gan.packing=2"
