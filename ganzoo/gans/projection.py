"""Projection discriminator: the label's own direction among the discriminator's features.

Miyato & Koyama 2018, "cGANs with Projection Discriminator", arXiv:1802.05637.
"""

import keras

from ganzoo.gans import GANS
from ganzoo.gans.conditional import ConditionalGAN
from ganzoo.gans.hinge import HingeGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("projection")
class ProjectionGAN(ConditionalGAN, HingeGAN):
    """The hinge game of a discriminator f(x, y) = <embed(y), phi(x)> + psi(phi(x)).

    That form is the log-ratio of two joint densities whose classes are softmaxes of phi, and it is
    the network's: `conditioning: projection`, with spectral normalization, in
    `ganzoo.networks.dcgan`. The generator's is `conditioning: batch_norm`.
    """
