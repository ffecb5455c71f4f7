"""The results of an evaluation: each number with all that is needed to get it again."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ganzoo.metrics.names import POINT_METRICS

_COLUMNS = ("metric", "value", "std", "real data")
_MOST_CLASSES = 20


@dataclass(frozen=True)
class Score:
    """One measured number.

    Args:
        metric: A name of `ganzoo.metrics.names.METRICS`.
        value: The number.
        std: Its standard deviation over subsets or splits; None where the metric has none, or where
            every subset would be the whole set: of kernel distances up to 1,000 images.
        floor: The same metric of held-out real images in place of generated ones: what perfect
            samples would score. None where it was not asked for.
        extractor: Name of the feature network; None for metrics of pixels.
        extractor_hash: sha256 of its weights.
        resize: How images reached its size.
        images: Number of generated images.
        real_images: Number of real images.
        split: Split of the real images.
        seed: Seed of the latents and of the choice of real images.
        by_class: The number of each class alone, by name, where the metric is one of classes.
        floor_by_class: The same of held-out real images.
    """

    metric: str
    value: float
    std: float | None = None
    floor: float | None = None
    extractor: str | None = None
    extractor_hash: str | None = None
    resize: str | None = None
    images: int = 0
    real_images: int = 0
    split: str = "train"
    seed: int = 0
    by_class: Mapping[str, float] | None = None
    floor_by_class: Mapping[str, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain data without the fields that say nothing."""
        return {key: value for key, value in asdict(self).items() if value is not None}


class Evaluation(Mapping[str, Score]):
    """The scores of one set of images by metric; printed, a table.

    Args:
        subject: What was evaluated.
        data: The real images' name.
        fingerprint: sha256 of the real data set, decoded.
        scores: In the order of the table.
    """

    def __init__(self, subject: str, data: str, fingerprint: str, scores: list[Score]):
        self.subject, self.data, self.fingerprint = subject, data, fingerprint
        self._scores = {score.metric: score for score in scores}

    def __getitem__(self, metric: str) -> Score:
        return self._scores[metric]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    @property
    def values_only(self) -> dict[str, float]:
        """The bare numbers by metric."""
        return {metric: score.value for metric, score in self.items()}

    def to_dict(self) -> dict[str, Any]:
        """Returns plain data, fit for JSON."""
        scores = {metric: score.to_dict() for metric, score in self.items()}
        data = {"name": self.data, "fingerprint": self.fingerprint}
        return {"subject": self.subject, "data": data, "scores": scores}

    def to_json(self) -> str:
        """Returns the same as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def __str__(self) -> str:
        lines = _table([_COLUMNS, *map(_row, self._scores.values())])
        classes = _table(self._classes())
        return "\n".join([*lines, "", *classes, *([""] if classes else []), *self._notes()])

    def __repr__(self) -> str:
        return f"<Evaluation of {self.subject}: {self.values_only}>"

    def _classes(self) -> list[tuple[str, ...]]:
        """A row for each class, where there are not too many."""
        found = [score for score in self.values() if score.by_class]
        names = list(dict.fromkeys(name for score in found for name in score.by_class))
        if not 0 < len(names) <= _MOST_CLASSES:
            return []
        rows = [tuple(_of_class(score, name) for score in found) for name in names]
        header = ("class", *(f"{score.metric} (real)" for score in found))
        return [header, *((name, *row) for name, row in zip(names, rows, strict=True))]

    def _notes(self) -> Iterator[str]:
        """Lines under the table: what the numbers rest on."""
        first = next(iter(self._scores.values()), None)
        if first is None:
            return
        noun = "points" if {*self} <= {*POINT_METRICS} else "images"
        yield f"{self.subject}: {first.images:,} {noun}, seed {first.seed}"
        yield f"against {first.real_images:,} of {self.data}, split {first.split}"
        networks = {(s.extractor, s.extractor_hash, s.resize) for s in self.values()}
        for name, sha256, resize in sorted(one for one in networks if one[0]):
            yield f"features: {name} {sha256[:12]}, resize {resize}"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Lines of a table whose first row is the header; columns that say nothing are left out."""
    if not rows:
        return []
    columns = range(len(rows[0]))
    used = [n for n in columns if n < 2 or any(row[n] for row in rows[1:])]
    widths = [max(len(row[n]) for row in rows) for n in columns]
    return [
        "  ".join(row[n].ljust(widths[n]) if not n else row[n].rjust(widths[n]) for n in used)
        for row in rows
    ]


def _of_class(score: Score, name: str) -> str:
    """A class's number, and what real images have."""
    if name not in score.by_class:
        return ""
    real = (score.floor_by_class or {}).get(name)
    return f"{score.by_class[name]:.4g}" + ("" if real is None else f" ({real:.4g})")


def _row(score: Score) -> tuple[str, str, str, str]:
    std, floor = ("" if value is None else f"{value:.4g}" for value in (score.std, score.floor))
    return score.metric, f"{score.value:.4g}", std, floor
