"""The GANs with algorithms or states of their own, with options other than the defaults."""

from ganzoo.gans import (
    FeatureMatchingGAN,
    HistoricalAveragingGAN,
    InstanceNoiseGAN,
    PacGAN,
    ReplayGAN,
    UnrolledGAN,
)
from tests.gans import points

OPTIONS = {
    UnrolledGAN: {"unrolling_steps": 2, "saddle": False},
    PacGAN: {"packing": 4},
    InstanceNoiseGAN: {"stddev": 0.3, "steps": 5},
    FeatureMatchingGAN: {"layer": "hidden"},
    HistoricalAveragingGAN: {"weight": 0.7},
    ReplayGAN: {"buffer_size": 6, "share": 0.5},
}


def made(kind, **options):
    """A compiled GAN of points; `options` are those of `tests.small.gan`."""
    own = OPTIONS[kind]
    networks = {"packing": own["packing"]} if "packing" in own else {}
    return points.gan(kind, options=networks, **own, **options)
