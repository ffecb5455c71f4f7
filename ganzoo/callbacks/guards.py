"""What stops a run that has diverged.

The GAN skips updates that are not finite (`ganzoo.gans.guard`), and `StopOnNaN` ends a run in which
nothing else is left; `check_finite` keeps weights from being saved that went astray otherwise.
"""

import keras
import numpy as np

from ganzoo.gans.guard import StopOnNaN

__all__ = ["StopOnNaN", "check_finite"]


def check_finite(gan: keras.Model) -> None:
    """Raises FloatingPointError if a weight of one of a GAN's networks is not finite."""
    for name, network in gan.networks.items():
        for variable in network.weights:
            if not np.isfinite(variable.numpy()).all():
                raise FloatingPointError(
                    f"{name}'s {variable.path} is not finite at step {gan.steps_done}: the run has "
                    "diverged. Its last checkpoint is from before; try a lower learning_rate."
                )
