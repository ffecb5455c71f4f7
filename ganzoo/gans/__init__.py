"""Training algorithms, one a file; a config names them."""

from ganzoo.parts import Parts

GANS = Parts("GAN class")

import ganzoo.layers  # noqa: E402, F401  (a saved GAN may hold them)
from ganzoo.gans.acgan import ACGAN  # noqa: E402
from ganzoo.gans.base import GAN  # noqa: E402
from ganzoo.gans.boundary_seeking import BGAN  # noqa: E402
from ganzoo.gans.cgan import CGAN  # noqa: E402
from ganzoo.gans.conditional import ConditionalGAN  # noqa: E402
from ganzoo.gans.consensus import ConsensusGAN  # noqa: E402
from ganzoo.gans.dcgan import DCGAN  # noqa: E402
from ganzoo.gans.dragan import DRAGAN  # noqa: E402
from ganzoo.gans.experience_replay import ReplayGAN  # noqa: E402
from ganzoo.gans.f_gan import FGAN  # noqa: E402
from ganzoo.gans.feature_matching import FeatureMatchingGAN  # noqa: E402
from ganzoo.gans.gradient_penalty import R1GAN  # noqa: E402
from ganzoo.gans.gumbel import GumbelGAN  # noqa: E402
from ganzoo.gans.hinge import HingeGAN  # noqa: E402
from ganzoo.gans.historical_averaging import HistoricalAveragingGAN  # noqa: E402
from ganzoo.gans.infogan import InfoGAN  # noqa: E402
from ganzoo.gans.instance_noise import InstanceNoiseGAN  # noqa: E402
from ganzoo.gans.label_smoothing import LabelSmoothingGAN  # noqa: E402
from ganzoo.gans.least_squares import LSGAN  # noqa: E402
from ganzoo.gans.maximum_likelihood import MaximumLikelihoodGAN  # noqa: E402
from ganzoo.gans.minimax import MinimaxGAN  # noqa: E402
from ganzoo.gans.moment_matching import GMMN  # noqa: E402
from ganzoo.gans.non_saturating import NonSaturatingGAN  # noqa: E402
from ganzoo.gans.pacgan import PacGAN  # noqa: E402
from ganzoo.gans.projection import ProjectionGAN  # noqa: E402
from ganzoo.gans.reinforce import ReinforceGAN  # noqa: E402
from ganzoo.gans.relativistic import RaGAN  # noqa: E402
from ganzoo.gans.roth import RothGAN  # noqa: E402
from ganzoo.gans.semi_supervised import SGAN  # noqa: E402
from ganzoo.gans.unrolled import UnrolledGAN  # noqa: E402
from ganzoo.gans.wgan import WGAN  # noqa: E402
from ganzoo.gans.wgan_gp import WGANGP  # noqa: E402

__all__ = [
    "ACGAN",
    "BGAN",
    "CGAN",
    "ConditionalGAN",
    "ConsensusGAN",
    "DCGAN",
    "DRAGAN",
    "FeatureMatchingGAN",
    "FGAN",
    "GAN",
    "GANS",
    "GMMN",
    "GumbelGAN",
    "HingeGAN",
    "HistoricalAveragingGAN",
    "InfoGAN",
    "InstanceNoiseGAN",
    "LabelSmoothingGAN",
    "LSGAN",
    "MaximumLikelihoodGAN",
    "MinimaxGAN",
    "NonSaturatingGAN",
    "PacGAN",
    "ProjectionGAN",
    "R1GAN",
    "RaGAN",
    "ReinforceGAN",
    "ReplayGAN",
    "RothGAN",
    "SGAN",
    "UnrolledGAN",
    "WGAN",
    "WGANGP",
]
