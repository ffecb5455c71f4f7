"""The space that a generator draws from: walks, arithmetic, neighbours, inversion, inpainting.

Each function takes a GAN that generates images and returns arrays, or a result with a `picture()`.
"""

from ganzoo import lazy

_ROOMS = {
    "Arithmetic": "equation",
    "Inpainting": "inpainting",
    "Inversion": "inversion",
    "Neighbours": "nearest",
    "arithmetic": "equation",
    "inpaint": "inpainting",
    "interpolate": "interpolation",
    "interpolation_frames": "interpolation",
    "interpolation_grid": "interpolation",
    "invert": "inversion",
    "lerp": "lines",
    "masks": "holes",
    "neighbours": "nearest",
    "numbered": "pictures",
    "poisson": "blending",
    "psnr": "fidelity",
    "slerp": "lines",
    "traverse": "traversal",
    "traverse_grid": "traversal",
}
__all__ = sorted(_ROOMS)
__getattr__, __dir__ = lazy.attributes(globals(), _ROOMS)
