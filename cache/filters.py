"""Which faces to show: a filter and a sort, turned into SQL with bound parameters.

Column names come only from the cache's own columns and are quoted; values are always bound. Nothing a person typed,
in a widget or in a URL, becomes part of a statement.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from cache.errors import BadQuery

Kind = Literal["number", "text", "class"]
Value = str | int | float | bool


@dataclass(frozen=True)
class Column:
    """A column that faces can be sorted or filtered by."""

    name: str
    kind: Kind
    unit: str = ""
    description: str = ""


@dataclass(frozen=True)
class Region:
    """A polygon on a map of the faces: what a lasso or a box encloses, by the even-odd rule."""

    layout: str
    polygon: tuple[tuple[float, float], ...]  # x, y of the corners; the last is joined to the first


@dataclass(frozen=True)
class Filter:
    """Every condition must hold; an empty one holds for every face."""

    splits: tuple[str, ...] = ()
    predicted: tuple[int, ...] = ()  # class indices
    majority: tuple[int, ...] = ()  # class indices
    correct: bool | None = None  # faces without a majority are neither
    ranges: tuple[tuple[str, float, float], ...] = ()  # (number column, low, high), both ends included
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (text column, allowed values)
    faces: tuple[int, ...] = ()  # picked one by one
    regions: tuple[Region, ...] = ()
    subsets: "tuple[Subset, ...]" = ()

    def within(self, model: str | None, other: "Filter", *, inside: bool = True) -> "Filter":
        """This filter, and the other one as `model` judges it; with inside=False, and not the other one."""
        return replace(self, subsets=(*self.subsets, Subset(model, other, inside)))

    def where(self, columns: Mapping[str, Column]) -> tuple[str, list[Value]]:
        """SQL condition on the columns, and its parameters; regions and subsets are `Cache.condition`'s to add.

        Raises BadQuery for a column the cache lacks.
        """
        terms: list[str] = []
        bound: list[Value] = []

        def one_of(name: str, allowed: tuple[str, ...] | tuple[int, ...]) -> None:
            if allowed:
                terms.append(f"{identifier(name, columns)} IN ({', '.join('?' * len(allowed))})")
                bound.extend(allowed)

        one_of("face_id", self.faces)
        one_of("split", self.splits)
        one_of("predicted", self.predicted)
        one_of("majority", self.majority)
        if self.correct is not None:
            predicted, majority = (identifier(name, columns) for name in ("predicted", "majority"))
            terms.append(f"{predicted} {'=' if self.correct else '<>'} {majority}")
        for name, low, high in self.ranges:
            _expect(name, "number", columns)
            terms.append(f"{identifier(name, columns)} BETWEEN ? AND ?")
            bound.extend((float(low), float(high)))
        for name, allowed in self.values:
            _expect(name, "text", columns)
            one_of(name, allowed)
        return " AND ".join(terms) or "TRUE", bound


@dataclass(frozen=True)
class Subset:
    """The faces that a filter lets through when `model` judges them, or (inside=False) all the others."""

    model: str | None
    where: Filter
    inside: bool = True


@dataclass(frozen=True)
class Sort:
    """Order of the faces; ties by face_id, nulls last."""

    column: str = "face_id"
    descending: bool = False

    def order(self, columns: Mapping[str, Column]) -> str:
        direction = "DESC" if self.descending else "ASC"
        return f"{identifier(self.column, columns)} {direction} NULLS LAST, face_id"


def identifier(name: str, columns: Mapping[str, Column]) -> str:
    """A column name fit for SQL, if the cache has it."""
    if name not in columns:
        raise BadQuery(f"This cache has no column '{name}'. It has: {', '.join(columns)}.")
    return quote(name)


def quote(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _expect(name: str, kind: Kind, columns: Mapping[str, Column]) -> None:
    identifier(name, columns)
    if columns[name].kind != kind:
        raise BadQuery(f"Column '{name}' holds {columns[name].kind} values, and the filter needs {kind} values.")
