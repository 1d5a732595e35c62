"""What a model gains by giving faces up, for each order in which it may do so: curves, areas and the table of both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cache.numbers import Numbers
from engine.metrics.bootstrap import Estimate, Resamples
from engine.metrics.rejection import Area, areas, risk_coverage
from pages.charts.coverage import SCORES, TABLE_3, Score

COVERAGES = tuple(step / 100 for step in (*range(5, 50, 5), *range(50, 101)))  # with every stop of the page's slider
ORDERS = ("u_aleatoric", "u_epistemic", "u_total", "doubt")
COLUMNS = ("u_aleatoric", "u_epistemic", "u_total", "confidence", "predicted", "majority", "jsd", "nll")
AREA = Score("area", "")


@dataclass(frozen=True, eq=False)
class Order:
    """One order: the scores of the faces kept at each of COVERAGES, and the area under the curve of the errors."""

    curve: dict[str, np.ndarray]
    area: Area


@dataclass(frozen=True)
class Row:
    """One statistic by every order."""

    label: str
    score: Score
    estimates: dict[str, Estimate]  # by order, as in ORDERS

    @property
    def faces(self) -> str:
        """n of the row, from the fewest to the most where the orders keep different numbers of known faces."""
        fewest, most = (pick(e.n for e in self.estimates.values()) for pick in (min, max))
        return f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"


def orders_of(samples: int) -> list[str]:
    """With one sample, U_e is 0 for every face and orders nothing."""
    return [order for order in ORDERS if order != "u_epistemic" or samples > 1]


def doubt(faces: Numbers, order: str) -> np.ndarray:
    """What the faces are given up by, highest first, (n,)."""
    return 1 - faces.columns["confidence"] if order == "doubt" else faces.columns[order]


def correct(faces: Numbers) -> np.ndarray:
    """1 where the model's class is the annotators' most frequent one, NaN where there is none, (n,)."""
    predicted, majority = faces.columns["predicted"], faces.columns["majority"]
    return np.where(np.isnan(majority), np.nan, predicted == majority)


def measured(faces: Numbers, orders: Sequence[str]) -> dict[str, Order]:
    """Of each order, by its name. faces: with COLUMNS."""
    right, draws = correct(faces), Resamples(len(faces))
    losses = {"accuracy": right, "jsd": faces.columns["jsd"], "nll": faces.columns["nll"]}
    doubts = {order: doubt(faces, order) for order in orders}
    found = areas(doubts, 1 - right, draws)
    return {name: Order(risk_coverage(by, losses, COVERAGES, draws), found[name]) for name, by in doubts.items()}


def rows_of(found: dict[str, Order], kept: float) -> list[Row]:
    """Each score with nothing given up, at the coverage of Table 3 and at `kept`; then the areas."""
    rows = []
    for name, score in SCORES.items():
        for coverage in sorted({1.0, TABLE_3, kept}, reverse=True):
            which = "all faces" if coverage == 1 else f"{100 * coverage:.0f} % kept"
            estimates = {order: at(measures.curve, name, coverage) for order, measures in found.items()}
            rows.append(Row(f"{score.title} ({score.unit}), {which}", score, estimates))
    rows.append(Row("AURC of the errors", AREA, {order: measures.area.aurc for order, measures in found.items()}))
    rows.append(Row("excess AURC", AREA, {order: measures.area.excess for order, measures in found.items()}))
    return rows


def at(curve: dict[str, np.ndarray], name: str, coverage: float) -> Estimate:
    """One point of a curve; n counts the faces kept whose score is known."""
    row = int(np.abs(curve["coverage"] - coverage).argmin())
    value, low, high = (float(curve[f"{name}{end}"][row]) for end in ("", "_low", "_high"))
    return Estimate(value, low, high, int(curve[f"{name}_n"][row]))
