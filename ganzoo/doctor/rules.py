"""From what was measured, look by look, to the failures that it shows.

A verdict is about the last part of the run so far: samples are far from the data, or leave out
some of them, and that has not got better. Which failure it is depends on what the samples do. They
stay where they are because the generator's gradient has vanished; they stay, at a part of the data,
though it has not: mode collapse; or they go on moving and do not arrive: failure to converge.

The thresholds were set on runs that no result is reported of (`benchmarks/failures/doctor.py`).
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

FAILURES = ("vanishing_gradients", "mode_collapse", "non_convergence", "divergence")
WORDS = {
    "vanishing_gradients": "vanishing gradients",
    "mode_collapse": "mode collapse",
    "non_convergence": "failure to converge",
    "divergence": "numbers that are not finite",
}
ENOUGH = 8
"""Looks that a verdict needs, and a verdict that a run is beyond saving needs twice as many."""
LAST = 0.4
"""Share of the run that a verdict is about."""
FAR = 0.35
"""Distance from the data, where 1 is that of a point in their middle, that is too far."""
LEFT_OUT = 0.25
"""Share of the data that a good generator does not leave out."""
COLLAPSED = 0.25
"""Samples with less than this share of the data's diversity are alike."""
WANDERING = 0.25
"""Mean distance between the samples of two looks that is more than noise and fine tuning."""
STILL = 0.08
"""Samples that move less than this go nowhere."""
VANISHED = 1e-3
"""A gradient below this share of what it could be."""
BETTER = 0.7
"""A distance that has fallen to this share of what it was is getting better."""

Look = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Finding:
    """A failure that is seen.

    Args:
        failure: One of `FAILURES`.
        words: Its name in words.
        since: Step from which on it has been seen.
        numbers: What says so, in words.
        hopeless: Whether the run is beyond saving: it has been so for long and gets no better.
    """

    failure: str
    words: str
    since: int
    numbers: str
    hopeless: bool = False


def diagnose(series: Sequence[Look]) -> list[Finding]:
    """Returns the failures that a run shows at its last look: none or one, so far.

    Args:
        series: Looks in order, each with its `step` and what `ganzoo.doctor.probe` measures.
    """
    if not series:
        return []
    if found := _divergence(series):
        return [found]
    looks = [look for look in series if look.get("finite") == 1.0]
    if len(looks) < ENOUGH:
        return []
    late = Late(looks)
    for rule in (_vanishing_gradients, _mode_collapse, _non_convergence):
        if found := rule(late):
            return [found]
    return []


class Late:
    """The last part of a run, in numbers.

    Args:
        looks: All looks of the run with finite samples, in order.
    """

    def __init__(self, looks: Sequence[Look]):
        self.looks = list(looks)
        last = looks[-1]["step"]
        late = [look for look in looks if look["step"] > (1 - LAST) * last]
        self.late = late if len(late) >= ENOUGH // 2 else list(looks[-ENOUGH // 2 :])
        before = [look for look in self.looks if look["step"] < self.late[0]["step"]]
        self.before = before[len(before) // 3 :] or self.late
        self.distance, self.missing = self.median("distance"), self.median("missing")
        self.diversity, self.auc = self.median("diversity"), self.median("auc")
        recent = self.late[-max(5, len(self.late) // 2) :]
        self.wander = wander([look["quantiles"] for look in recent])

    def median(self, key: str, looks: Sequence[Look] | None = None) -> float:
        """The median of a measurement over looks that have it, by default late ones; else NaN."""
        among = self.late if looks is None else looks
        known = [look[key] for look in among if look.get(key) is not None]
        if not known and looks is None:  # gradients are not of every look
            known = [look[key] for look in self.looks if look.get(key) is not None][-1:]
        return float(np.median(known)) if known else math.nan

    @property
    def bad(self) -> bool:
        """Whether samples are far from the data, leave out much of them or are alike."""
        return self.distance > FAR or self.missing > LEFT_OUT or self.diversity < COLLAPSED

    @property
    def swings(self) -> bool:
        """Whether samples move by more than they have come nearer to the data."""
        return self.wander > self.median("distance", self.before) - self.distance

    @property
    def better(self) -> bool:
        """Whether samples have come much nearer to the data, and still do."""
        half = len(self.late) // 2
        falls = self.median("distance", self.late[half:]) < self.median(
            "distance", self.late[:half]
        )
        return falls and self.distance < BETTER * self.median("distance", self.before)

    def since(self, shows: Callable[[Look], bool | None]) -> int:
        """The step from which on looks show something, but for single ones between them."""
        known = [(look["step"], shows(look)) for look in self.looks]
        known = [(step, one) for step, one in known if one is not None]
        start, missed = known[-1][0], 0
        for step, one in reversed(known):
            missed = 0 if one else missed + 1
            if missed == 2:
                break
            start = step if one else start
        return start

    def lasting(self, since: int) -> bool:
        """Whether that has been so for at least half of many looks."""
        after = sum(look["step"] >= since for look in self.looks)
        return len(self.looks) >= 2 * ENOUGH and after >= len(self.looks) / 2


def wander(quantiles: Sequence[Any]) -> float:
    """Returns the mean distance between the samples of two looks, in units of `distance`.

    Args:
        quantiles: Of each look, (L, 16).
    """
    looks = np.asarray(quantiles, np.float64)
    count = len(looks)
    if count < 2:
        return 0.0
    apart = np.abs(looks[:, None] - looks[None]).mean(axis=(2, 3))
    return float(apart.sum() / (count * (count - 1)))


def vanished(look: Look) -> bool | None:
    """Returns whether a look shows a generator's gradient too small to learn by; None: unknown.

    It has vanished in the loss, which is flat where the discriminator is sure, if it is small
    beside the gradient of the logits; in the discriminator, if it is small beside the weights.
    """
    if look.get("g_gradient") is None:
        return None
    gradient = look["g_gradient"]
    logits = look.get("g_logit_gradient")
    in_loss = logits is not None and gradient < VANISHED * logits
    return in_loss or gradient < VANISHED * 1e-2 * look.get("g_weights", 1.0)


def _vanishing_gradients(late: Late) -> Finding | None:
    known = [one for one in map(vanished, late.late) if one is not None]
    known = known or [vanished(look) for look in late.looks if vanished(look) is not None][-1:]
    if not known or np.mean(known) < 0.5 or not late.bad or late.better:
        return None
    since = late.since(vanished)
    gradient, logits = late.median("g_gradient"), late.median("g_logit_gradient")
    numbers = f"the generator's gradient is {gradient:.2g}, {logits:.2g} that of its logits"
    numbers += _judged(late) + f"; samples are {_far(late.distance)}"
    return _finding("vanishing_gradients", since, numbers, late.lasting(since))


def _mode_collapse(late: Late) -> Finding | None:
    alike = late.diversity < COLLAPSED
    if not (late.missing > LEFT_OUT or alike) or late.wander > WANDERING or late.better:
        return None
    since = late.since(lambda look: look["missing"] > LEFT_OUT or look["diversity"] < COLLAPSED)
    numbers = f"samples leave out {late.missing:.0%} of the data"
    if not math.isnan(modes := late.median("modes")):
        numbers += f", with {modes:.0f} modes covered"
    numbers += f", have {late.diversity:.2f} of their diversity, and stay there"
    severe = (late.missing > 0.7 or late.diversity < 0.05) and late.wander < STILL
    return _finding("mode_collapse", since, numbers, severe and late.lasting(since))


def _non_convergence(late: Late) -> Finding | None:
    # samples that move a little too far and show all of the data may settle yet
    bad = late.missing > LEFT_OUT or late.distance > 2 * FAR
    if not bad or late.wander <= STILL or (late.better and not late.swings):
        return None
    since = late.since(lambda look: look["distance"] > FAR or look["missing"] > LEFT_OUT)
    numbers = f"samples move by {late.wander:.2f} from look to look, and are {_far(late.distance)}"
    numbers += f", leaving out {late.missing:.0%} of them{_judged(late)}"
    severe = late.distance > 2.0 and late.wander > WANDERING
    return _finding("non_convergence", since, numbers, severe and late.lasting(since))


def _divergence(series: Sequence[Look]) -> Finding | None:
    last = series[-1]
    lost = [look for look in series if look.get("finite") == 0.0]
    skipped = [look.get("skipped", 0.0) for look in series[-3:]]
    if last.get("finite") == 0.0:
        numbers = "samples are NaN or infinite"
        return _finding("divergence", lost[0]["step"], numbers, True)
    if last.get("in_a_row", 0.0) > 0 or skipped[-1] > skipped[0]:
        first = next(look["step"] for look in series if look.get("skipped", 0.0) > 0)
        numbers = f"{last['skipped']:.0f} updates were skipped, {last['in_a_row']:.0f} in a row"
        return _finding("divergence", first, numbers, False)
    return None


def _finding(failure: str, since: int, numbers: str, hopeless: bool) -> Finding:
    return Finding(failure, WORDS[failure], int(since), numbers, bool(hopeless))


def _far(distance: float) -> str:
    return f"{distance:.2f} from the data, 1 being a single point in their middle"


def _judged(late: Late) -> str:
    if math.isnan(late.auc):
        return ""
    return f"; the discriminator tells {late.auc:.0%} of pairs apart"
