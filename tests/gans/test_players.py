"""Which update moves what: weights, batch-norm statistics, variables that have no owner."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.gans import DCGAN, GAN
from ganzoo.gans.feature_matching import FeatureMatchingGAN
from ganzoo.gans.pacgan import PacGAN
from ganzoo.networks.mlp import mlp_discriminator
from tests import small


@pytest.fixture
def gan():
    return small.gan(latent_dim=5)


def real_and_fake(gan, count=6):
    real = gan.real_images(tf.constant(small.images(count)))
    return real, gan.fakes(real)


def test_discriminator_update_leaves_generator_untouched(gan):
    real, fake = real_and_fake(gan)
    generator, average = small.values(gan.generator), small.values(gan.generator_ema)
    weights = small.values(gan.discriminator.trainable_variables)
    gan.update_discriminator(gan.discriminator_game, real, fake)
    assert not any(small.moved(generator, gan.generator.weights))
    assert not any(small.moved(average, gan.generator_ema.weights))
    assert all(small.moved(weights, gan.discriminator.trainable_variables))


def test_generator_update_leaves_discriminator_untouched_statistics_included(gan):
    discriminator = small.values(gan.discriminator)
    generator = small.values(gan.generator.trainable_variables)
    statistics = small.values(small.statistics(gan.generator))
    gan.update_generator(lambda: gan.generator_game(None, gan.fakes(tf.zeros(6))))
    assert not any(small.moved(discriminator, gan.discriminator.weights))
    assert all(small.moved(generator, gan.generator.trainable_variables))
    assert all(small.moved(statistics, small.statistics(gan.generator)))


def test_generator_is_judged_in_training_mode(gan):
    # batch norm with the batch's statistics: the logits are those of training, not inference
    _, fake = real_and_fake(gan)
    statistics = small.statistics(gan.discriminator)
    for variable in statistics:
        variable.assign(variable + 3.0)
    _, logs = gan.generator_game(None, fake)
    logits = gan.discriminator(fake, training=True)
    np.testing.assert_allclose(logs["g_loss"], np.log1p(np.exp(-logits)).mean(), rtol=1e-5)


def momentum_passes(network, before, batches):
    """The moving statistics after one pass in training mode for each of `batches`."""
    for variable, value in zip(small.statistics(network), before, strict=True):
        variable.assign(value)
    for batch in batches:
        network(batch, training=True)
    return small.values(small.statistics(network))


def test_a_step_moves_discriminators_statistics_by_real_then_fake_and_generators_once():
    gan = small.gan(latent_dim=5, optimizer=lambda: keras.optimizers.SGD(0.0), seed=3)
    twin = small.gan(latent_dim=5, optimizer=lambda: keras.optimizers.SGD(0.0), seed=3)
    images = small.images(8)
    before_d = small.values(small.statistics(gan.discriminator))
    before_g = small.values(small.statistics(gan.generator))
    gan.train_step(tf.constant(images))

    latents = twin.sample_latents(8)
    expected_g = momentum_passes(twin.generator, before_g, [latents])
    fake = twin.generator(latents, training=True)
    real = images.astype("float32") / 127.5 - 1
    expected_d = momentum_passes(twin.discriminator, before_d, [real, fake])
    mixed = momentum_passes(twin.discriminator, before_d, [tf.concat([real, fake], 0)])
    after_g = small.values(small.statistics(gan.generator))
    after_d = small.values(small.statistics(gan.discriminator))
    assert len(after_d) == 2 and len(after_g) == 4
    for a, b in zip(after_g + after_d, expected_g + expected_d, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    # the oracle tells one mixed pass, and three passes, from two
    assert not any(np.allclose(a, b, rtol=1e-4) for a, b in zip(after_d, mixed, strict=True))
    thrice = momentum_passes(twin.discriminator, before_d, [real, fake, fake])
    assert not any(np.allclose(a, b, rtol=1e-4) for a, b in zip(after_d, thrice, strict=True))


def test_generation_and_calls_move_no_statistics(gan):
    before = small.values(gan)
    gan(np.zeros((3, 5), "float32"))
    gan.generate(3, seed=0)
    gan.generate(3, seed=0, ema=False)
    assert not any(small.moved(before, gan.weights))


def test_a_layer_that_both_players_share_raises():
    shared = keras.layers.Dense(4, name="shared")
    latents, pictures = keras.Input((4,)), keras.Input((4,))
    gan = DCGAN(
        keras.Model(latents, shared(latents)),
        keras.Model(pictures, keras.layers.Dense(1)(shared(pictures))),
        latent_dim=4,
    )
    with pytest.raises(ValueError, match="shared/kernel belongs to .'generator', 'discriminator'"):
        gan.compile()


class WithHead(DCGAN):
    """Has a layer that neither player owns."""

    def __init__(self, generator, discriminator, **options):
        super().__init__(generator, discriminator, **options)
        self.head = keras.layers.Dense(2, name="head")
        self.head.build((None, 3))


class WithOwnedHead(WithHead):
    def player_variables(self, player):
        own = super().player_variables(player)
        return own + self.head.trainable_variables if player == "generator" else own


def test_a_trainable_variable_that_no_player_owns_raises():
    with pytest.raises(ValueError, match="head/kernel belongs to none"):
        small.gan(kind=WithHead, latent_dim=5)


def test_a_subclass_gives_a_head_to_a_player_by_player_variables():
    gan = small.gan(kind=WithOwnedHead, latent_dim=5)
    head = {id(v) for v in gan.head.trainable_variables}
    assert head <= {id(v) for v in gan.player_variables("generator")}


def test_every_trainable_variable_of_dcgan_has_one_owner(gan):
    owned = [v for p in ("generator", "discriminator") for v in gan.player_variables(p)]
    assert {id(v) for v in owned} == {id(v) for v in gan.trainable_variables}
    assert len(owned) == len({id(v) for v in owned})


def test_one_optimizer_for_both_players_raises(gan):
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="an optimizer for each player"):
        gan.compile(adam, adam)


def test_networks_that_do_not_fit_raise_with_both_shapes():
    generator, discriminator = small.convolutional()
    with pytest.raises(ValueError, match=r"latent_dim=7\. Received: input shape \(None, 5\)"):
        DCGAN(generator, discriminator, latent_dim=7)
    _, other = small.convolutional(channels=3)
    with pytest.raises(ValueError, match=r"\(None, 16, 16, 1\), .*\(None, 16, 16, 3\)"):
        DCGAN(generator, other, latent_dim=5)


@pytest.mark.parametrize("kind", [DCGAN, FeatureMatchingGAN, PacGAN])
def test_a_discriminator_of_many_logits_is_refused(kind):
    generator, _ = small.planar()
    packed = mlp_discriminator((4 if kind is PacGAN else 2,), width=8, outputs=10)
    with pytest.raises(
        ValueError, match=r"logits \(None, 1\).*Received: output shape \(None, 10\)"
    ):
        kind(generator, packed, latent_dim=5)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2, float("nan")])
def test_a_decay_outside_0_to_1_raises(decay):
    with pytest.raises(ValueError, match="0 <= ema_decay < 1. Received: ema_decay="):
        DCGAN(*small.convolutional(), latent_dim=5, ema_decay=decay)


def test_the_base_class_says_what_a_subclass_must_define():
    gan = small.gan(kind=GAN, latent_dim=5)
    with pytest.raises(TypeError, match="GAN must define `discriminator_loss`"):
        gan.train_step(tf.constant(small.images(4)))
