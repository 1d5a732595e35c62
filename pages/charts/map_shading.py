"""What the colours of a map mean: groups by name, or a scale of numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pages.charts.colours import ANNOTATORS, MODEL, OUTLINE, part_colour

STEPS = 64  # colours of a scale: more than the eye tells apart
MOST_GROUPS = 11  # with names of their own; all others share one colour
BACKGROUND = {"light": "#FFFFFF", "dark": "#15181C"}  # as in .streamlit/config.toml
WRONG = "#E69F00"
# Okabe and Ito's colours, whose first one is the theme's ink, then three that differ from them in lightness too.
GROUPS = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#882255",
    "#999933",
    "#AA9CFF",
)
OTHER = {"light": "#A5A9AE", "dark": "#6C737B"}
UNKNOWN = {"light": "#CDD1D6", "dark": "#454C54"}
VOTED = ("disagreement", "n_votes")
JUDGED = ("confidence", "jsd", "nll", "brier")


@dataclass(frozen=True)
class Shading:
    """Colours by number; the last one is of faces whose value is unknown."""

    title: str  # with its unit
    palette: tuple[str, ...]
    names: tuple[str, ...] = ()  # of the colours, where each is a group
    low: float = math.nan  # of a scale: what the first colour and the last but one stand for
    high: float = math.nan

    @property
    def is_scale(self) -> bool:
        return not self.names

    def indices(self, values: np.ndarray) -> np.ndarray:
        """Which colour each value (N,) has; NaN is unknown: (N,) uint8."""
        last = len(self.palette) - 1
        known = ~np.isnan(values)
        if self.is_scale:
            share = (values - self.low) / ((self.high - self.low) or 1.0)
            values = np.floor(np.clip(share, 0, 1) * (last - 1) + 0.5)
        return np.where(known, np.clip(np.nan_to_num(values), 0, last - 1), last).astype(np.uint8)

    def rgb(self) -> np.ndarray:
        """(K, 3) from 0 to 255."""
        return np.array([channels(colour) for colour in self.palette], dtype=np.float64)


def groups(title: str, names: Sequence[str], theme: str, *, other: bool = False, unknown: str = "unknown") -> Shading:
    """A colour for each of up to 11 names, one for all others, one for faces without any."""
    own = (ANNOTATORS[theme], *GROUPS)[: len(names)]
    rest = ((OTHER[theme],), ("other",)) if other else ((), ())
    return Shading(title, (*own, *rest[0], UNKNOWN[theme]), (*names, *rest[1], unknown))


def verdicts(title: str, theme: str) -> Shading:
    """Right and wrong, the same two colours wherever they stand."""
    return Shading(title, (MODEL, WRONG, UNKNOWN[theme]), ("correct", "wrong", "no majority"))


def scale(title: str, column: str, low: float, high: float, theme: str) -> Shading:
    """From near the page's background to the column's colour."""
    page, full = BACKGROUND[theme], hue(column, theme)
    end = mixed(full, "#FFFFFF", 0.45) if theme == "dark" else mixed(full, "#000000", 0.25)  # farther from the page yet
    stops = (mixed(page, full, 0.22), full, end)
    shares = np.linspace(0, 2, STEPS)
    palette = tuple(mixed(stops[min(1, int(s))], stops[min(1, int(s)) + 1], s - min(1, int(s))) for s in shares)
    return Shading(title, (*palette, UNKNOWN[theme]), low=low, high=high)


def hue(column: str, theme: str) -> str:
    """The colour that a number column has everywhere; grey for those that have none."""
    if column.startswith("u_"):
        return part_colour(column, theme)
    if column in VOTED:
        return ANNOTATORS[theme]
    return MODEL if column in JUDGED else OUTLINE


def channels(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def mixed(one: str, other: str, share: float) -> str:
    """
    >>> mixed("#000000", "#FF8000", 0.5)
    '#804000'
    """
    pairs = zip(channels(one), channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)
