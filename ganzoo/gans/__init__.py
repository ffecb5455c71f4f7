"""Training algorithms, one a file; a config names them."""

from ganzoo.parts import Parts

GANS = Parts("GAN class")

from ganzoo.gans.base import GAN  # noqa: E402
from ganzoo.gans.dcgan import DCGAN  # noqa: E402

__all__ = ["GAN", "GANS", "DCGAN"]
