"""What an audit measures of a group of faces, as its axes and tables name it."""

from dataclasses import dataclass
from typing import Literal

from pages.charts.colours import ANNOTATORS, MODEL, TRIPLE, part_colour


@dataclass(frozen=True)
class Quantity:
    """One column of an audit."""

    title: str  # on axes, in tables and in the URL
    unit: str = ""
    scale: float = 1.0  # from what the metrics return to the unit
    decimals: int = 3
    better: Literal["high", "low", ""] = ""  # '' where neither end is good in itself
    needs_votes: bool = False

    @property
    def labelled(self) -> str:
        """'accuracy (%)'"""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def gap_unit(self) -> str:
        """A difference of percentages is none itself."""
        return "points" if self.unit == "%" else self.unit

    @property
    def gap_labelled(self) -> str:
        """'gap of accuracy (points)'"""
        return f"gap of {self.title} ({self.gap_unit})" if self.gap_unit else f"gap of {self.title}"


QUANTITIES = {
    "accuracy": Quantity("accuracy", "%", 100.0, 1, "high", True),
    "jsd": Quantity("JSD", "nats", better="low", needs_votes=True),
    "nll": Quantity("NLL", "nats", better="low", needs_votes=True),
    "ece": Quantity("ECE", "%", 100.0, 1, "low", True),
    "disagreement": Quantity("d", needs_votes=True),
    "u_aleatoric": Quantity("U_a", "nats"),
    "u_epistemic": Quantity("U_e", "nats"),
    "u_total": Quantity("U_t", "nats"),
    "confidence": Quantity("confidence", "%", 100.0, 1),
    "handed": Quantity("handed over", "%", 100.0, 1),
}


def colour_of(quantity: str, theme: str) -> str:
    """The triple in its own colours, what people say in ink, all else in the model's green."""
    if quantity in TRIPLE:
        return part_colour(quantity, theme)
    return ANNOTATORS[theme] if quantity == "disagreement" else MODEL
