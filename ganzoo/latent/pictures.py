"""Pictures of several kinds of images beside each other, and of equations."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganzoo.grids import CELL, enlarge, grid

WHITE = 255


def side_by_side(*columns: np.ndarray, scale: int | None = None) -> np.ndarray:
    """Returns a picture with a row for each image: the first of every column, the second, ...

    Args:
        *columns: uint8 images (N, H, W, C) each, all of one shape.
        scale: As for `ganzoo.visualize.grid`.
    """
    images = np.stack(columns, axis=1)
    return grid(images.reshape(-1, *images.shape[2:]), columns=len(columns), scale=scale)


def numbered(images: Any, *, columns: int = 8, scale: int | None = None) -> np.ndarray:
    """Returns a grid of images with the number of each above it, from 0 on, uint8 RGB.

    Args:
        images: uint8 images (N, H, W, C).
        columns: Images a row.
        scale: As for `ganzoo.visualize.grid`.
    """
    images = enlarge(np.asarray(images), scale)
    line = text_height(images)
    above = np.full((len(images), line, *images.shape[2:]), WHITE, np.uint8)
    picture = rgb(grid(np.concatenate([above, images], axis=1), columns=columns))
    drawn = Image.fromarray(picture)
    height, width = (side + 2 for side in (images.shape[1] + line, images.shape[2]))
    for number in range(len(images)):
        row, column = divmod(number, columns)
        write(drawn, str(number), (2 + column * width, 2 + row * height), line)
    return np.asarray(drawn)


def equation(
    terms: Sequence[tuple[str, np.ndarray, np.ndarray]],
    result: np.ndarray,
    *,
    scale: int | None = None,
) -> np.ndarray:
    """Returns a picture of an equation: signed columns of examples over their mean, = a grid.

    Args:
        terms: For each, a sign, `"+"` or `"-"`, its examples (K, H, W, C) and the image of their
            mean (H, W, C), uint8.
        result: uint8 images (9, H, W, C), the middle one in the middle.
        scale: As for `ganzoo.visualize.grid`.
    """
    if scale is None:
        scale = math.ceil(2 * CELL / min(result.shape[1:3]))
    blocks = []
    for position, (sign, examples, mean) in enumerate(terms):
        if position or sign == "-":
            blocks.append(sign)
        above, below = (grid(one, columns=1, scale=scale) for one in (examples, mean[np.newaxis]))
        gap = np.full((8, *above.shape[1:]), WHITE, np.uint8)
        blocks.append(np.concatenate([above, gap, below]))
    return _in_a_line([*blocks, "=", grid(result, columns=3, scale=scale)])


def _in_a_line(blocks: Sequence[Any]) -> np.ndarray:
    """Returns arrays, and texts between them, in a line, their lower edges on one height."""
    height = max(block.shape[0] for block in blocks if not isinstance(block, str))
    parts = []
    for block in blocks:
        if isinstance(block, str):
            sign = Image.new("RGB", (32, height), (WHITE,) * 3)
            write(sign, block, (8, height // 2 - 16), 32)
            parts.append(np.asarray(sign))
        else:
            block = rgb(block)
            above = np.full((height - len(block), *block.shape[1:]), WHITE, np.uint8)
            parts.append(np.concatenate([above, block]))
    return np.concatenate(parts, axis=1)


def rgb(picture: np.ndarray) -> np.ndarray:
    """Returns a grey or coloured picture (H, W, C) with three channels."""
    return picture[..., :3] if picture.shape[-1] >= 3 else picture.repeat(3, axis=-1)


def text_height(images: np.ndarray) -> int:
    """Returns pixels of a line of text above images (N, H, W, C): they are read together."""
    return max(10, images.shape[1] // 5)


def write(picture: Image.Image, text: str, place: tuple[int, int], height: int) -> None:
    """Writes a text of that height into a picture, `place` being its left upper corner."""
    font = ImageFont.load_default(0.8 * height)
    ImageDraw.Draw(picture).text(place, text, fill=(0, 0, 0), font=font)
