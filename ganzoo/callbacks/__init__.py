"""What happens beside the steps of a run: samples, scalars, checkpoints, guards.

All are plain Keras callbacks; they count steps by the GAN's own `steps_done`, so that a resumed
run goes on where it was.
"""

from ganzoo.callbacks.doctor import TrainingDoctor
from ganzoo.callbacks.evaluation import EvaluateCallback
from ganzoo.callbacks.guards import StopOnNaN, check_finite
from ganzoo.callbacks.progress import Progress
from ganzoo.callbacks.samples import SampleGrid
from ganzoo.callbacks.scalars import Scalars, forget_scalars
from ganzoo.callbacks.steps import CarriedMeans, Checkpoint, EverySteps, StopAt

__all__ = [
    "CarriedMeans",
    "Checkpoint",
    "EvaluateCallback",
    "EverySteps",
    "Progress",
    "SampleGrid",
    "Scalars",
    "StopAt",
    "StopOnNaN",
    "TrainingDoctor",
    "check_finite",
    "forget_scalars",
]
