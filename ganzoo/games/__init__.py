"""GAN training as a game: vector fields, methods to play them, and what eigenvalues say of both.

Games of two numbers are plain NumPy. `jacobian_vector_product` and `leading_eigenvalues` do for
the weights of a GAN what `Game.jacobian` and `eigenvalues` do there. One sign throughout: the field
is the direction in which the players move, minus the gradient of each player's own loss, so that
eigenvalues with negative real parts draw play towards an equilibrium.
"""

from ganzoo import lazy

_ROOMS = {
    "Game": "game",
    "METHODS": "methods",
    "Snapshot": "one_dimension",
    "bilinear": "toys",
    "differentiate": "game",
    "dirac_gan": "dirac",
    "duality_gap": "toys",
    "eigenvalues": "analysis",
    "flow": "methods",
    "harmonic": "methods",
    "jacobian_vector_product": "spectrum",
    "largest_rate": "analysis",
    "leader_follower": "toys",
    "leading_eigenvalues": "spectrum",
    "learner": "one_dimension",
    "measured_rate": "analysis",
    "model_density": "one_dimension",
    "optimal_discriminator": "one_dimension",
    "play": "methods",
    "portrait": "portraits",
    "snapshot": "one_dimension",
    "spectral_radius": "analysis",
    "stuck": "toys",
    "time_averages": "analysis",
    "update_matrix": "analysis",
    "with_consensus": "game",
}
__all__ = sorted(_ROOMS)
__getattr__, __dir__ = lazy.attributes(globals(), _ROOMS)
