"""Vector arithmetic: smiling woman - neutral woman + neutral man.

Radford, Metz & Chintala 2016, arXiv:1511.06434, section 6.3.2 and figure 7.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganzoo.grids import whole
from ganzoo.latent import pictures, rendering

NUMBERS = r"\s*\d+\s*(?:,\s*\d+\s*)*"
EXPRESSION = re.compile(rf"\s*[+-]?{NUMBERS}(?:[+-]{NUMBERS})*")
AROUND = 8  # images about the result, in a grid of 3 x 3


@dataclass(frozen=True, eq=False)
class Term:
    """A term of an equation.

    Args:
        sign: 1 or -1.
        numbers: Numbers of its examples.
        examples: Their images, uint8 (K, H, W, C).
        latents: Mean of their latents, float32 (D,).
        image: Image of that mean, uint8 (H, W, C).
    """

    sign: int
    numbers: tuple[int, ...]
    examples: np.ndarray
    latents: np.ndarray
    image: np.ndarray


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """What `arithmetic` returns.

    Args:
        terms: The terms.
        latents: float32 (9, D): the result, which is the fifth, with noise but for that one.
        images: Their images, uint8 (9, H, W, C).
    """

    terms: tuple[Term, ...]
    latents: np.ndarray
    images: np.ndarray

    @property
    def image(self) -> np.ndarray:
        """The image of the result, uint8 (H, W, C)."""
        return self.images[AROUND // 2]

    def picture(self, *, scale: int | None = None) -> np.ndarray:
        """Returns the equation, uint8 RGB: each term's examples over the image of their mean."""
        terms = [("+" if one.sign > 0 else "-", one.examples, one.image) for one in self.terms]
        return pictures.equation(terms, self.images, scale=scale)


def arithmetic(
    gan: Any,
    terms: str | Sequence[tuple[int, Sequence[int]]],
    *,
    of: int = 64,
    seed: int = 0,
    jitter: float = 0.25,
    ema: bool = True,
    **conditions: Any,
) -> Arithmetic:
    """Adds and subtracts concepts, each being the mean latent of some generated images.

    The paper takes three images a concept: arithmetic on single ones was unstable. Around the
    result lie eight images more, of latents with uniform noise of `jitter` added, as in its figure.
    Labels take no part in sums: a mean has the label of its term's first image, the result that of
    the first term's. Codes within a latent vector are added like noise.

    Args:
        gan: A GAN of images.
        terms: Numbers of images among `gan.generate(of, seed=seed)`, from 0 on, which `numbered`
            shows: a text such as `"3,8,21 - 5,9,11 + 2,30,31"`, or signs, 1 or -1, with numbers.
        of: How many images the terms are chosen from.
        seed: Seed of those, and of the noise.
        jitter: See above; the paper's.
        ema: Whether to use the moving average of the generator's weights.
        **conditions: As for `gan.generate`.

    Raises:
        ValueError: If a term is written otherwise or a number is out of range.
    """
    signed = parsed(terms) if isinstance(terms, str) else _checked(terms)
    for _, numbers in signed:
        for number in numbers:
            whole("a term's number", number, 0, whole("of", of, 1) - 1)
    drawn = rendering.draw(gan, of, seed=seed, **conditions)
    generator = rendering.network(gan, ema)
    found = tuple(_term(generator, drawn, sign, numbers) for sign, numbers in signed)
    noise = np.random.default_rng(seed).uniform(-jitter, jitter, (AROUND + 1, gan.latent_dim))
    noise[AROUND // 2] = 0
    total = sum(one.sign * one.latents.astype(np.float64) for one in found)
    latents = (total + noise).astype(np.float32)
    first = [np.repeat(part[[signed[0][1][0]]], len(latents), axis=0) for part in drawn[1:]]
    return Arithmetic(found, latents, rendering.images(generator, [latents, *first]))


def parsed(text: str) -> list[tuple[int, tuple[int, ...]]]:
    """Returns the terms of a text such as `"3,8,21 - 5,9,11 + 2,30,31"`.

    Raises:
        ValueError: If it is written otherwise.
    """
    if not EXPRESSION.fullmatch(text):
        raise ValueError(
            f"Expected terms of image numbers, '3,8,21 - 5,9,11 + 2,30,31' say. Received: {text!r}."
        )
    found = re.findall(rf"([+-]?)({NUMBERS})", text)
    return [(-1 if sign == "-" else 1, tuple(map(int, part.split(",")))) for sign, part in found]


def _checked(terms: Sequence[tuple[int, Sequence[int]]]) -> list[tuple[int, tuple[int, ...]]]:
    found = [(sign, tuple(numbers)) for sign, numbers in terms]
    if not found or any(sign not in (1, -1) or not numbers for sign, numbers in found):
        raise ValueError(
            f"Expected terms (sign, numbers), the sign 1 or -1. Received: {list(terms)}."
        )
    return found


def _term(generator: Any, drawn: list[np.ndarray], sign: int, numbers: tuple[int, ...]) -> Term:
    """Returns a term; its mean has the labels of the first example."""
    chosen = [part[list(numbers)] for part in drawn]
    mean = chosen[0].mean(axis=0, dtype=np.float64).astype(np.float32)
    shown = [np.concatenate([part, part[:1]]) for part in chosen]
    shown[0][-1] = mean
    *examples, image = rendering.images(generator, shown)
    return Term(sign, numbers, np.stack(examples), mean, image)
