"""A sheet of pictures with a caption above each."""

import math
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_CAPTION, _GAP = 18, 6


def sheet(pictures: Mapping[str, np.ndarray], *, columns: int = 8) -> Image.Image:
    """Returns pictures of one size, row by row, each under its name.

    Args:
        pictures: uint8 (H, W, 3) or (H, W), by name.
        columns: Pictures in a row.

    Raises:
        ValueError: If there are none.
    """
    if not pictures:
        raise ValueError("Expected pictures. Received: none.")
    height, width = next(iter(pictures.values())).shape[:2]
    step = width + _GAP, height + _CAPTION + _GAP
    columns = min(columns, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    page = Image.new("RGB", (columns * step[0] + _GAP, rows * step[1] + _GAP), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for number, (name, picture) in enumerate(pictures.items()):
        row, column = divmod(number, columns)
        left, top = _GAP + column * step[0], _GAP + row * step[1]
        draw.text((left + 2, top), name, fill="black", font=font)
        page.paste(Image.fromarray(picture).convert("RGB"), (left, top + _CAPTION))
    return page
