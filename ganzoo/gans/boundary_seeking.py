"""The boundary-seeking GAN, for continuous data.

Hjelm et al. 2018, "Boundary-Seeking Generative Adversarial Networks", arXiv:1702.08431.
"""

import keras

from ganzoo import losses
from ganzoo.gans import GANS
from ganzoo.gans.base import GAN


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("bgan")
class BGAN(GAN):
    """The generator brings its images to the discriminator's decision boundary, from either side.

    It minimises half the squared logit, whose root is `log(p_data / p_model)` for the optimal
    discriminator; the discriminator minimises cross-entropy as ever. The paper's policy gradient
    for discrete data is left out.
    """

    def discriminator_loss(self, real_logits, fake_logits):
        return losses.non_saturating_discriminator(real_logits, fake_logits)

    def generator_loss(self, fake_logits):
        return losses.boundary_seeking_generator(fake_logits)
