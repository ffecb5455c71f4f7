"""What the doctor found in a run: a table to read, a file to keep."""

import dataclasses
import json
import math
from typing import Any

from ganzoo.doctor.advice import Setting
from ganzoo.doctor.rules import ENOUGH, Finding

SHOWN = {
    "distance": "distance of samples from data",
    "diversity": "diversity of samples, data 1",
    "missing": "share of data left out",
    "modes": "modes covered",
    "classes": "classes covered",
    "auc": "told apart by discriminator",
    "accuracy": "accuracy at logit 0",
    "g_gradient": "generator's gradient",
    "d_gradient": "discriminator's gradient",
    "real": "mean logit of data",
    "fake": "mean logit of samples",
}


@dataclasses.dataclass(frozen=True)
class Report:
    """What the doctor found.

    Args:
        name: Of the GAN.
        steps: That it has done.
        findings: Failures, none for a run in which it sees none.
        advice: What to change, by failure.
        series: What was measured, look by look.
        left_out: What this class of GAN has no measure of, in words.
        stopped: Step at which the doctor ended the run, None if it did not.
        cost: Share of the time that the looks took.
        problem: Why there is nothing to see; empty if there is.
    """

    name: str
    steps: int
    findings: list[Finding]
    advice: dict[str, list[Setting]]
    series: list[dict[str, Any]]
    left_out: list[str] = dataclasses.field(default_factory=list)
    stopped: int | None = None
    cost: float = 0.0
    problem: str = ""

    def to_json(self) -> str:
        """Returns the text of `doctor.json`; numbers that are not finite are null."""
        return json.dumps(_finite(dataclasses.asdict(self)), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "Report":
        """Returns the report that a text holds.

        Raises:
            ValueError: If it holds none.
        """
        try:
            found = json.loads(text)
            found["findings"] = [Finding(**one) for one in found["findings"]]
            found["advice"] = {
                failure: [Setting(**one) for one in settings]
                for failure, settings in found["advice"].items()
            }
            return cls(**found)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"Expected a report of the doctor's. Received: {error}.") from None

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        count = len(self.series)
        looks = f"{count} look{'s' * (count != 1)} in {self.steps:,} steps"
        lines = [f"the doctor on {self.name}: {looks}, {self.cost:.1%} of the time"]
        if self.problem:
            return [*lines, f"  nothing to say: {self.problem}."]
        lines += [f"  left out: {one}." for one in self.left_out]
        if self.stopped is not None:
            lines.append(f"  ended the run at step {self.stopped:,}: it was beyond saving.")
        if not self.findings:
            enough = "no failure seen." if count >= ENOUGH else "too few looks to say anything."
            lines.append(f"  {enough}")
        for one in self.findings:
            lines.append(f"  {one.words.upper()}, since step {one.since:,}: {one.numbers}")
            for number, setting in enumerate(self.advice.get(one.failure, ())):
                head = "    try: " if number == 0 else "    or:  "
                lines.append(f"{head}{setting.flags}  ({setting.why})")
        return [*lines, *self._table()]

    def _table(self) -> list[str]:
        """The first, the middle and the last of the series, side by side."""
        if not self.series:
            return []
        chosen = sorted({0, len(self.series) // 2, len(self.series) - 1})
        header = ["", *(f"step {self.series[i]['step']:,}" for i in chosen)]
        rows = [header]
        for key, words in SHOWN.items():
            if any(key in one for one in self.series):
                rows.append([words, *(_number(self._at(key, i)) for i in chosen)])
        widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
        return [
            "  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in rows
        ]

    def _at(self, key: str, place: int) -> Any:
        """The value at a look, or at the last before it that has one."""
        known = [one[key] for one in self.series[: place + 1] if key in one]
        return known[-1] if known else None


def _number(value: Any) -> str:
    if value is None:
        return "-"
    if not math.isfinite(value):
        return "not finite"
    return f"{value:.3g}"


def _finite(value: Any) -> Any:
    """A value fit for JSON, which has no NaN."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
