"""Generators and discriminators, one family a file; a config names them."""

from ganzoo.parts import Parts

NETWORKS = Parts("network")

from ganzoo.networks import dcgan, mlp, semi_supervised, sequences  # noqa: E402, F401  (enters its networks)
