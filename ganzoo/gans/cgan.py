"""cGAN: both players are told the label.

Mirza & Osindero 2014, "Conditional Generative Adversarial Nets", arXiv:1411.1784.
"""

import keras

from ganzoo.gans import GANS
from ganzoo.gans.conditional import ConditionalGAN
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("cgan")
class CGAN(ConditionalGAN, NonSaturatingGAN):
    """The game of log D(x|y) and log(1 - D(G(z|y)|y)) (equation 2), played non-saturating.

    The discriminator judges whether an image is real and whether it is of its label at once: a
    good image of another class is a generated one. How labels enter is the networks' matter.
    """
