"""DCGAN: the non-saturating game between two convolutional networks.

Radford, Metz & Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", arXiv:1511.06434.
"""

import keras

from ganzoo.gans import GANS
from ganzoo.gans.non_saturating import NonSaturatingGAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("dcgan")
class DCGAN(NonSaturatingGAN):
    """The non-saturating game with alternating updates, one each (`GAN.train_step`).

    Real and generated images go through the discriminator as two batches, and the generator
    answers the moved discriminator on the same generated images. What is new in the paper are the
    networks, those of `ganzoo.networks.dcgan`; latents are normal, where the paper draws them from
    uniform(-1, 1).
    """
