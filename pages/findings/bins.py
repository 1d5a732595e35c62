"""Groups of faces for an audit: the values of a text, the ranges of a number, or the crossing of two attributes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cache.filters import Column
from pages.findings.groups import MOST_GROUPS, groups_of

SKIN = ("dark", "brown", "tan", "intermediate", "light", "very light")  # Chardon et al. 1991, from the lowest ITA
EDGES = {"attr_ita": (-30.0, 10.0, 28.0, 41.0, 55.0), "attr_head_yaw": (-45.0, -15.0, 15.0, 45.0)}
RANGES = 4  # of any other number of many values, about equal in faces
EXAMPLE = "10,28,41"


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which group each of n faces is in. Groups are in the order to show them, and each holds a face."""

    names: tuple[str, ...]  # (G,)
    index: np.ndarray  # (n,) int, 0 .. G - 1, and -1 for a face in no group
    unknown: np.ndarray  # (n,) bool, faces whose value is unknown
    rare: int = 0  # faces whose value is known, and not among the most frequent
    edges: tuple[float, ...] = ()  # between the ranges of a number; a range holds its upper edge and not its lower one
    empty: tuple[str, ...] = ()  # ranges that no face is in
    brief: tuple[str, ...] = ()  # (G,) shorter names for where there is less room; () where they are the names

    @property
    def sizes(self) -> np.ndarray:
        """Faces of each group, (G,)."""
        return np.bincount(self.index[self.index >= 0], minlength=len(self.names))


@dataclass(frozen=True, eq=False)
class Crossing:
    """The groups of two attributes at once: those cells of their table that hold a face, row by row."""

    groups: Grouping
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cell: np.ndarray  # (G, 2) int, row and column of each group


def group_by(
    values: np.ndarray, column: Column, classes: Sequence[str] = (), edges: Sequence[float] | None = None
) -> Grouping:
    """The groups of one attribute.

    values: (n,), as in Numbers. edges: where to cut a number. Without them, skin tone (ITA) is cut into Chardon's
    classes and the head's yaw at 15 and 45 degrees to either side; any other number of few values makes a group per
    value, and one of many values four ranges of about equal numbers of faces. A text makes a group per each of its 12
    most frequent values.

    >>> group_by(np.array([3.0, 12.0, np.nan]), Column("attr_x", "number"), edges=[10]).names
    ('up to 10', 'above 10')
    """
    if column.kind != "number":
        return _by_value(values, column, classes)
    known = values[~np.isnan(values)]
    cuts = tuple(edges) if edges is not None else EDGES.get(column.name, ())
    if not cuts and len(np.unique(known)) <= MOST_GROUPS:
        return _by_value(values, Column(column.name, "number"), classes)
    called = SKIN if column.name == "attr_ita" and cuts == EDGES["attr_ita"] else ()
    return _cut(values, cuts or quantile_edges(known), called)


def parse_edges(text: str) -> tuple[float, ...]:
    """Where to cut a number, as typed. Raises ValueError with what was expected.

    >>> parse_edges("10, 28,41")
    (10.0, 28.0, 41.0)
    """
    try:
        edges = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"expected numbers between commas, such as {EXAMPLE}") from None
    if not all(map(math.isfinite, edges)):
        raise ValueError("expected edges that are finite")
    if any(low >= high for low, high in pairwise(edges)):
        raise ValueError("expected edges from the lowest to the highest, each once")
    if len(edges) >= MOST_GROUPS:
        raise ValueError(f"expected at most {MOST_GROUPS - 1} edges")
    return edges


def edges_text(edges: Sequence[float]) -> str:
    """As `parse_edges` reads them.

    >>> edges_text((10.0, 28.5))
    '10,28.5'
    """
    return ",".join(map(_short, edges))


def quantile_edges(known: np.ndarray) -> tuple[float, ...]:
    """At most RANGES - 1 edges that leave about equal numbers of the values (n,) between them, rounded where they can.

    >>> quantile_edges(np.arange(0, 1000) + 0.123)
    (249.0, 499.0, 749.0)
    """
    if len(known) == 0:
        return ()
    exact = np.unique(np.quantile(known, np.arange(1, RANGES) / RANGES, method="inverted_cdf"))
    low, high = known.min(), known.max()
    width = (high - low) / 100
    rounded = np.unique(exact.round(max(0, math.ceil(-math.log10(width))))) if width > 0 else exact
    edges = rounded if len(rounded) == len(exact) else exact
    return tuple(float(edge) for edge in edges if low <= edge < high)


def range_names(edges: Sequence[float], called: Sequence[str] = ()) -> tuple[str, ...]:
    """One per range; called: what they are known as.

    >>> range_names((10.0, 28.0)), range_names((0.0,), ("dark", "light"))
    (('up to 10', '10 to 28', 'above 28'), ('dark (up to 0)', 'light (above 0)'))
    """
    ends = [_short(edge) for edge in edges]
    inner = [f"{low} to {high}" for low, high in pairwise(ends)]
    ranges = [f"up to {ends[0]}", *inner, f"above {ends[-1]}"] if ends else ["every value"]
    return tuple(f"{name} ({span})" for name, span in zip(called, ranges, strict=True)) if called else tuple(ranges)


def cross(first: Grouping, second: Grouping) -> Crossing:
    """Every combination of a group of the first and one of the second that some face is in."""
    both = (first.index >= 0) & (second.index >= 0)
    code = np.where(both, first.index * len(second.names) + second.index, -1)
    found = np.unique(code[both])
    cell = np.stack([found // max(1, len(second.names)), found % max(1, len(second.names))], axis=1)
    index = np.where(both, np.searchsorted(found, code), -1)
    rows, columns = first.brief or first.names, second.brief or second.names
    names = tuple(f"{rows[row]} · {columns[column]}" for row, column in cell)
    unknown = first.unknown | second.unknown
    groups = Grouping(names, index, unknown, rare=int((~both & ~unknown).sum()))
    return Crossing(groups, rows, columns, cell)


def _by_value(values: np.ndarray, column: Column, classes: Sequence[str]) -> Grouping:
    known = np.array([v is not None for v in values], bool) if column.kind == "text" else ~np.isnan(values)
    found = groups_of(values, column, classes)
    if not known.all():
        found.popitem()  # the unknown, which come last
    index = np.full(len(values), -1)
    for place, inside in enumerate(found.values()):
        index[inside] = place
    return Grouping(tuple(found), index, ~known, rare=int((known & (index < 0)).sum()))


def _cut(values: np.ndarray, edges: tuple[float, ...], called: Sequence[str]) -> Grouping:
    known = ~np.isnan(values)
    place = np.where(known, np.searchsorted(edges, values, side="left"), -1)
    names = range_names(edges, called)
    held, index = np.unique(place[known], return_inverse=True)
    dense = np.full(len(values), -1)
    dense[known] = index
    empty = tuple(name for at, name in enumerate(names) if at not in held)
    brief = tuple(called[at] for at in held) if called else ()
    return Grouping(tuple(names[at] for at in held), dense, ~known, edges=edges, empty=empty, brief=brief)


def _short(edge: float) -> str:
    return f"{edge + 0.0:.10g}"
