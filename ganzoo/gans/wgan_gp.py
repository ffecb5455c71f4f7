"""WGAN-GP: a critic whose gradient is kept near length 1 between real and generated images.

Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", arXiv:1704.00028.
"""

from typing import Any

import keras

from ganzoo import penalties
from ganzoo.gans import GANS, players
from ganzoo.gans.checks import batch_norms, check_number
from ganzoo.gans.wasserstein import WassersteinGame


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("wgan_gp")
class WGANGP(WassersteinGame):
    """Adds `penalty_weight * (||grad D(x)|| - 1)^2` to each of the critic's losses (Algorithm 1).

    Each x is a point between a real and a generated image, at a place drawn for it alone. The
    penalty is one of each image by itself, so a critic with batch normalisation, where the images
    of a batch change each other's outputs, is refused (section 4). The paper trains with
    `Adam(1e-4, beta_1=0, beta_2=0.9)`. The log `gradient_penalty` is the penalty without its
    weight; `d_loss` is without it.

    Args:
        generator: See `GAN`.
        discriminator: The critic, from images (B, H, W, C) to (B, 1), without batch normalisation.
        penalty_weight: lambda of the paper.
        **options: See `GAN`; `discriminator_steps` is 5 by default.

    Raises:
        ValueError: If the critic has batch normalisation or `penalty_weight` is negative.
    """

    tracked = (*WassersteinGame.tracked, "gradient_penalty")

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        penalty_weight: float = 10.0,
        **options: Any,
    ):
        check_number("penalty_weight", penalty_weight)
        super().__init__(generator, discriminator, **options)
        self.penalty_weight = penalty_weight

    def check_networks(self, generator, discriminator, latent_dim):
        super().check_networks(generator, discriminator, latent_dim)
        found = batch_norms(discriminator)
        if found:
            raise ValueError(
                "Expected a critic without batch normalization, since the gradient penalty is one "
                'of each image by itself; norm="none" and norm="layer" build such critics. '
                f"Received: layer {found[0].name!r} of {discriminator.name!r}."
            )

    def discriminator_game(self, real, fake):
        loss, logs = super().discriminator_game(real, fake)
        shares = self.draw(keras.random.uniform, keras.ops.shape(real)[0])
        with players.frozen_state(self.discriminator):
            penalty = penalties.between(self.judge, real, fake, shares)
        return loss + self.penalty_weight * penalty, {**logs, "gradient_penalty": penalty}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "penalty_weight": self.penalty_weight}
