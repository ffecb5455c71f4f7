"""Recomputes the numbers on a card from the weights that it belongs to: `verify`."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganzoo import data as data_room
from ganzoo import registry
from ganzoo import weights as weights_room
from ganzoo.metrics.catalogue import CATALOGUE
from ganzoo.metrics.evaluation import evaluate
from ganzoo.metrics.features import classifier
from ganzoo.metrics.scores import Evaluation, Score

# A number may differ by this much on another machine, whose float32 sums round otherwise:
# relative to the card's number, and at least.
TOLERANCE = 0.02
LEAST = {"fcd": 0.02, "fid": 0.05, "fd_efficientnet": 0.05, "intra_fcd": 0.05, "test_errors": 2}
LEAST_OTHER = 0.005


@dataclass(frozen=True)
class Check:
    """One number of a card beside the one found again.

    Args:
        metric: Its name.
        stated: The card's number.
        found: The number recomputed.
        tolerance: By how much they may differ.
    """

    metric: str
    stated: float
    found: float
    tolerance: float

    @property
    def holds(self) -> bool:
        return abs(self.stated - self.found) <= self.tolerance

    def __str__(self) -> str:
        verdict = "ok" if self.holds else "DIFFERS"
        return (
            f"{self.metric:<15} card {self.stated:<10.5g} found {self.found:<10.5g} "
            f"tolerance {self.tolerance:<8.3g} {verdict}"
        )


class CardMismatch(ValueError):
    """Numbers on a card were not found again."""


def verify(
    name: str,
    *,
    data: Any = None,
    data_dir: str | os.PathLike | None = None,
    cache: bool = True,
    progress: bool = True,
) -> list[Check]:
    """Recomputes every metric on a card with the card's seed and numbers of images.

    Args:
        name: An entry with published weights, or a published classifier.
        data: The real images; by default the entry's data set.
        data_dir: Folder that is searched for the data set first.
        cache: Whether features of real images are kept on disk.
        progress: Whether to show progress bars.

    Returns:
        A check for each number on the card: values, those of classes, deviations, and the same of
        real images.

    Raises:
        CardMismatch: If a number differs by more than the card's tolerance; both are named.
        ValueError: If the entry has no card or none with metrics, or the real images are others
            than the card's.
    """
    card = weights_room.card(name)
    if not card.metrics:
        raise ValueError(f"The card of {name!r} has no metrics: nothing to verify.")
    options = {"data": data, "data_dir": data_dir, "progress": progress}
    if name in classifier.CLASSIFIERS:
        checks = _classifier_checks(card, **options)
    else:
        _check_kind(card)
        checks = _gan_checks(card, cache=cache, **options)
    if wrong := [check for check in checks if not check.holds]:
        listed = "; ".join(
            f"{check.metric} is {check.stated:.5g} on the card, {check.found:.5g} found again "
            f"(tolerance {check.tolerance:.3g})"
            for check in wrong
        )
        raise CardMismatch(f"{name}: {listed}.")
    return checks


def to_card(evaluation: Evaluation) -> dict[str, Any]:
    """Returns an evaluation's scores as a card's metrics, each with its tolerance."""
    return {
        metric: {
            **{key: value for key, value in score.to_dict().items() if key != "metric"},
            "tolerance": tolerance(score),
        }
        for metric, score in evaluation.items()
    }


def tolerance(score: Score) -> float:
    """Returns by how much a score may differ on another machine."""
    return _tolerance(score.metric, score.value)


def _tolerance(metric: str, value: float) -> float:
    least = LEAST.get(metric, LEAST_OTHER)
    return float(f"{max(TOLERANCE * abs(value), least):.2g}")


def _gan_checks(card: weights_room.Card, *, cache: bool, **options: Any) -> list[Check]:
    checks = []
    for facts in _groups(card):
        found = evaluate(
            card.name,
            options["data"],
            data_dir=options["data_dir"],
            progress=options["progress"],
            cache=cache,
            metrics=facts["metrics"],
            images=facts["images"],
            extractor=facts["extractor"],
            seed=facts["seed"],
            split=facts["split"],
            floor=facts["floor"],
        )
        _check_data(card, found.fingerprint, found.data)
        for metric, score in found.items():
            stated = card.metrics[metric]
            checks.append(Check(metric, stated["value"], score.value, stated["tolerance"]))
            if "extractor_hash" in stated and stated["extractor_hash"] != score.extractor_hash:
                raise CardMismatch(
                    f"{card.name}: {metric} was measured with extractor "
                    f"{stated['extractor_hash'][:12]}. Received: {score.extractor_hash[:12]}."
                )
            checks += _more_checks(metric, stated, score) + _class_checks(metric, stated, score)
    return checks


def _more_checks(metric: str, stated: Mapping[str, Any], score: Score) -> list[Check]:
    """Checks of the deviation and of real images' number, where the card has them.

    A deviation moves by no more than the numbers that it is of: the value's tolerance is its too.
    Where nothing varies none is measured, which is one of 0.
    """
    found = {"std": score.std or 0.0, "floor": score.floor}
    named = {"std": f"{metric}, std", "floor": f"{metric}, real"}
    return [
        Check(named[key], stated[key], found[key], stated["tolerance"])
        for key in named
        if key in stated
    ]


def _class_checks(metric: str, stated: Mapping[str, Any], score: Score) -> list[Check]:
    """Checks of each class's number, with the tolerance that it would have by itself.

    Those of real images have the whole's tolerance, as the whole's own number of real images has.
    """
    found, known = score.by_class or {}, stated.get("by_class", {})
    checks = [
        Check(f"{metric}, {name}", value, found.get(name, math.nan), _tolerance(metric, value))
        for name, value in known.items()
    ]
    found, known = score.floor_by_class or {}, stated.get("floor_by_class", {})
    return checks + [
        Check(f"{metric}, {name}, real", value, found.get(name, math.nan), stated["tolerance"])
        for name, value in known.items()
    ]


def _groups(card: weights_room.Card) -> list[dict[str, Any]]:
    """Metrics measured alike, together: the same images, seed, split and extractor."""
    networks = {m.get("extractor") for m in card.metrics.values()} - {None}
    groups: dict[tuple, dict[str, Any]] = {}
    for metric, stated in card.metrics.items():
        if not isinstance(stated, dict) or "tolerance" not in stated:
            raise ValueError(f"The card of {card.name!r} has a metric of an old form: {metric}.")
        # pixel metrics go with whichever extractor the others have
        network = stated.get("extractor") or min(networks, default=None)
        count, split = stated["images"], stated["split"]
        if metric in CATALOGUE and CATALOGUE[metric].needs == "gan":
            # a whole test split is not what images are scored against
            count, split = None, None
        key = (count, stated["seed"], split, network, "floor" in stated)
        names = ("images", "seed", "split", "extractor", "floor")
        group = groups.setdefault(key, {**dict(zip(names, key, strict=True)), "metrics": []})
        group["metrics"].append(metric)
    return list(groups.values())


def _check_kind(card: weights_room.Card) -> None:
    kind = registry.info(card.name).kind_of_labels
    if card.kind_of_labels not in ("", kind):
        raise ValueError(
            f"The card of {card.name!r} says that it is {card.kind_of_labels}: it is {kind}."
        )


def _check_data(card: weights_room.Card, fingerprint: str, name: str) -> None:
    if fingerprint != card.data["fingerprint"]:
        raise ValueError(
            f"The card of {card.name!r} was measured on other images: {card.data['source']} "
            f"{card.data['fingerprint'][:12]}. Received: {name} {fingerprint[:12]}."
        )


def _classifier_checks(card: weights_room.Card, **options: Any) -> list[Check]:
    stated = card.metrics["accuracy"]
    source = card.data["source"] if options["data"] is None else options["data"]
    test = data_room.open_source(
        source,
        split=stated["split"],
        data_dir=options["data_dir"],
        image_size=classifier.SIZE,
        channels=1,
        progress=options["progress"],
    )
    found = classifier.Classifier(card.name).accuracy(test.images, test.labels)
    return [Check("accuracy", stated["value"], found, stated["tolerance"])]


def published() -> list[str]:
    """Returns the names of all cards that `verify` takes: entries' and classifiers'."""
    known = {*registry.list_models(), *classifier.CLASSIFIERS}
    return [name for name in weights_room.cards() if name in known]
