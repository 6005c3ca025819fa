"""What was measured: comparisons of interleaved rounds, as a Markdown table and as JSON."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

AT_LEAST = "≥"
AT_MOST = "≤"
_HOLDS: dict[str, Callable[[float, float], bool]] = {AT_LEAST: operator.ge, AT_MOST: operator.le}
HEADER = ("figure", "measured", "ours", "limit", "limit's value", "ratio", "aim")


@dataclass(frozen=True)
class Aim:
    """What the median should be: of the ratio when there is a limit, else of our own value."""

    relation: str  # AT_LEAST or AT_MOST
    value: float

    def is_met_by(self, value: float) -> bool:
        """Whether that median is good enough."""
        return _HOLDS[self.relation](value, self.value)

    def __str__(self) -> str:
        return f"{self.relation} {number(self.value)}"


@dataclass
class Comparison:
    """One line of the table. Round i of ours was measured next to round i of the limit's."""

    figure: str  # "a"
    measured: str  # "trades/s to Kafka's acknowledgement"
    unit: str
    ours: list[float] = field(default_factory=list)
    limit: str = ""  # what sets the bar, "librdkafka alone"; "" when there is none
    theirs: list[float] = field(default_factory=list)
    aim: Aim | None = None

    def add(self, ours: float, theirs: float | None = None) -> None:
        """A round."""
        self.ours.append(ours)
        if theirs is not None:
            self.theirs.append(theirs)

    @property
    def ratios(self) -> list[float]:
        """Ours over the limit's, round by round; empty without a limit."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs) if theirs > 0]

    @property
    def is_met(self) -> bool | None:
        """None without an aim or without a round."""
        values = self.ratios if self.limit else self.ours
        return self.aim.is_met_by(median(values)) if self.aim and values else None

    def cells(self) -> tuple[str, ...]:
        """The line of the table."""
        verdict = {None: "", True: ", met", False: ", missed"}[self.is_met]
        return (
            self.figure,
            self.measured,
            f"{spread(self.ours)} {self.unit}".strip(),
            self.limit,
            f"{spread(self.theirs)} {self.unit}".strip() if self.theirs else "",
            spread(self.ratios),
            f"{self.aim}{verdict}" if self.aim else "",
        )

    def as_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        return {
            "figure": self.figure,
            "measured": self.measured,
            "unit": self.unit,
            "ours": summary(self.ours),
            "limit": self.limit or None,
            "theirs": summary(self.theirs),
            "ratio": summary(self.ratios),
            "aim": str(self.aim) if self.aim else None,
            "is_met": self.is_met,
        }


def summary(values: Sequence[float]) -> dict[str, Any] | None:
    """Minimum, median, maximum and the rounds themselves; None without any."""
    if not values:
        return None
    return {"min": min(values), "median": median(values), "max": max(values), "rounds": list(values)}


def spread(values: Sequence[float]) -> str:
    """"median (minimum to maximum)"; the value alone when there was one round."""
    if not values:
        return ""
    if len(values) == 1:
        return number(values[0])
    return f"{number(median(values))} ({number(min(values))} to {number(max(values))})"


def number(value: float) -> str:
    """Three significant digits, thousands with commas."""
    if abs(value) >= 1000:
        digits = len(str(int(abs(value)))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}"


def table(comparisons: Sequence[Comparison]) -> str:
    """The Markdown table."""
    rows = [HEADER, tuple("---" for _ in HEADER), *(each.cells() for each in comparisons)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
