"""One measured figure and how it is printed."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A figure, its unit, and the least (or greatest) value it should have, when it has one."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    def line(self) -> str:
        verdict = ""
        if self.at_least is not None:
            verdict = f"{'met' if self.value >= self.at_least else 'MISSED'} (at least {self.at_least:g})"
        if self.at_most is not None:
            verdict = f"{'met' if self.value <= self.at_most else 'MISSED'} (at most {self.at_most:g})"
        return f"{self.name:<84}{self.value:>10.3g} {self.unit:<12}{verdict}".rstrip()


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
