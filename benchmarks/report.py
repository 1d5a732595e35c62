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
        value = f"{self.value:,.0f}" if abs(self.value) >= 1000 else f"{self.value:.3g}"
        return f"{self.name:<84}{value:>10} {self.unit:<12}{verdict}".rstrip()


def median(values: Sequence[float]) -> float:
    return statistics.median(values)
