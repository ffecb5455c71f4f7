"""WGAN: a critic whose weights are clipped.

Arjovsky, Chintala & Bottou 2017, "Wasserstein GAN", arXiv:1701.07875.
"""

from typing import Any

import keras

from ganzoo.gans import GANS
from ganzoo.gans.checks import check_number
from ganzoo.gans.wasserstein import WassersteinGame


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("wgan")
class WGAN(WassersteinGame):
    """Clips every trainable weight of the critic after each of its updates (Algorithm 1).

    Biases and batch normalisation's gains are clipped with the kernels, as in the authors' code.
    The paper trains both players with `RMSprop(5e-5)`, since momentum made the critic unstable.
    The generator answers the images of the last critic update, where Algorithm 1 draws them anew.

    Args:
        generator: See `GAN`.
        discriminator: The critic, from images (B, H, W, C) to (B, 1).
        clip: Largest absolute weight of the critic, c of the paper.
        **options: See `GAN`; `discriminator_steps` is 5 by default.

    Raises:
        ValueError: If `clip` is not positive.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        clip: float = 0.01,
        **options: Any,
    ):
        check_number("clip", clip, above=0)
        super().__init__(generator, discriminator, **options)
        self.clip = clip

    def after_update(self, player: str) -> None:
        """Clips the critic's weights to [-clip, clip] after each of its optimizer's steps."""
        super().after_update(player)
        if player == "discriminator":
            for variable in self.player_variables(player):
                variable.assign(keras.ops.clip(variable, -self.clip, self.clip))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "clip": self.clip}
