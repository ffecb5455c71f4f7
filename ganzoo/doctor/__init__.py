"""Why a GAN fails, seen in its training: vanishing gradients, mode collapse, no convergence.

`measurements` are of samples and logits, `probe` takes them of a GAN in training without a trace,
`rules` turn a series of them into findings, `advice` names the settings to change, `report` is what
is shown and kept. `ganzoo.callbacks.TrainingDoctor` brings it all into `fit`.
"""

from ganzoo import lazy

_ROOMS = {
    "FAILURES": "rules",
    "Finding": "rules",
    "Probe": "probe",
    "Report": "report",
    "Setting": "advice",
    "diagnose": "rules",
    "for_failure": "advice",
}
__all__ = sorted(_ROOMS)
__getattr__, __dir__ = lazy.attributes(globals(), _ROOMS)
