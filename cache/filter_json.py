"""A filter as JSON, as a slice's file and an export's query hold it. Read strictly: anybody may have edited it."""

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from cache.errors import BadSlice
from cache.filters import Filter, Region, Subset

DEEPEST = 12  # filters within each other
MOST_SUBSETS = 48  # in all; each is a query within the query
MOST_CORNERS = 1_000  # of a region
MOST_FACES = 5_000  # picked one by one; each is looked up by its number
LONGEST_TEXT = 1_000  # characters of a split, a value, a name
LARGEST_ID = 2**63 - 1

Read = TypeVar("Read")


def to_json(where: Filter) -> dict[str, Any]:
    """Fields that hold something, in lists and plain values; null stands for no limit."""
    found = {
        "splits": list(where.splits),
        "predicted": list(where.predicted),
        "majority": list(where.majority),
        "correct": where.correct,
        "ranges": [[name, _limit(low), _limit(high)] for name, low, high in where.ranges],
        "values": [[name, list(allowed)] for name, allowed in where.values],
        "faces": list(where.faces),
        "regions": [{"layout": r.layout, "polygon": [list(corner) for corner in r.polygon]} for r in where.regions],
        "subsets": [{"model": s.model, "where": to_json(s.where), "inside": s.inside} for s in where.subsets],
    }
    return {name: value for name, value in found.items() if value not in ([], None)}


def from_json(found: Any) -> Filter:
    """The filter that `to_json` wrote. Raises BadSlice, which says what is wrong, for anything else."""
    where = _filter(found, 0)
    if (subsets := _count_subsets(where)) > MOST_SUBSETS:
        raise BadSlice(f"its filter holds {subsets} others, and at most {MOST_SUBSETS} are possible")
    return where


def record(
    found: Any, what: str, *, required: Collection[str] = (), optional: Collection[str] = ()
) -> Mapping[str, Any]:
    """A JSON object with all the required fields and no strange ones."""
    if not isinstance(found, dict):
        raise BadSlice(f"{what} must be an object of named fields")
    for name in required:
        if name not in found:
            raise BadSlice(f"{what} lacks the field '{name}'")
    for name in found:
        if name not in required and name not in optional:
            raise BadSlice(f"{what} has an unknown field '{name[:40]}'")
    return found


def text(found: Any, what: str, longest: int = LONGEST_TEXT) -> str:
    """A string that can be written as UTF-8."""
    if not isinstance(found, str) or len(found) > longest:
        raise BadSlice(f"{what} must be a text of at most {longest:,} characters")
    if any("\ud800" <= letter <= "\udfff" for letter in found):
        raise BadSlice(f"{what} holds half a character")
    return found


def model_name(found: Any) -> str | None:
    return None if found is None else text(found, "a model")


# ---- inside


def _filter(found: Any, depth: int) -> Filter:
    if depth > DEEPEST:
        raise BadSlice(f"its filter nests more than {DEEPEST} others in each other")
    names = Filter.__dataclass_fields__
    fields = record(found, "a filter", optional=names)
    correct = fields.get("correct")
    if correct is not None and not isinstance(correct, bool):
        raise BadSlice("'correct' must be true, false or null")

    faces = fields.get("faces", [])
    if isinstance(faces, list) and len(faces) > MOST_FACES:
        raise BadSlice(f"it names {len(faces):,} faces one by one, and at most {MOST_FACES:,} are possible")

    def each(name: str, read: Callable[[Any], Read]) -> tuple[Read, ...]:
        return _each(fields.get(name, []), f"'{name}'", read)

    return Filter(
        splits=each("splits", lambda one: text(one, "a split")),
        predicted=each("predicted", lambda one: _whole(one, "a class", 2**15 - 1)),
        majority=each("majority", lambda one: _whole(one, "a class", 2**15 - 1)),
        correct=correct,
        ranges=each("ranges", _range),
        values=each("values", _values),
        faces=each("faces", lambda one: _whole(one, "a face", LARGEST_ID)),
        regions=each("regions", _region),
        subsets=each("subsets", lambda one: _subset(one, depth + 1)),
    )


def _each(found: Any, what: str, read: Callable[[Any], Read]) -> tuple[Read, ...]:
    if not isinstance(found, list):
        raise BadSlice(f"{what} must be a list")
    return tuple(read(one) for one in found)


def _range(found: Any) -> tuple[str, float, float]:
    if not isinstance(found, list) or len(found) != 3:
        raise BadSlice("a range must be a list of a column, its least and its greatest value")
    name, low, high = found
    ends = (
        -math.inf if low is None else _number(low, "an end of a range"),
        math.inf if high is None else _number(high, "an end of a range"),
    )
    return text(name, "the column of a range"), *ends


def _values(found: Any) -> tuple[str, tuple[str, ...]]:
    if not isinstance(found, list) or len(found) != 2:
        raise BadSlice("an entry of 'values' must be a list of a column and a list of its values")
    name, allowed = found
    return text(name, "the column of values"), _each(allowed, "values", lambda one: text(one, "a value"))


def _region(found: Any) -> Region:
    fields = record(found, "a region", required=("layout", "polygon"))
    corners = _each(fields["polygon"], "a polygon", _corner)
    if not 3 <= len(corners) <= MOST_CORNERS:
        raise BadSlice(f"a polygon must have from 3 to {MOST_CORNERS:,} corners")
    return Region(text(fields["layout"], "a map"), corners)


def _corner(found: Any) -> tuple[float, float]:
    if not isinstance(found, list) or len(found) != 2:
        raise BadSlice("a corner must be a list of x and y")
    return _number(found[0], "a corner"), _number(found[1], "a corner")


def _subset(found: Any, depth: int) -> Subset:
    fields = record(found, "a subset", required=("model", "where", "inside"))
    if not isinstance(fields["inside"], bool):
        raise BadSlice("'inside' must be true or false")
    return Subset(model_name(fields["model"]), _filter(fields["where"], depth), fields["inside"])


def _whole(found: Any, what: str, most: int) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= most:
        raise BadSlice(f"{what} must be a whole number from 0 to {most}")
    return found


def _number(found: Any, what: str) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not -1e300 < found < 1e300:  # NaN fails too
        raise BadSlice(f"{what} must be a finite number")
    return float(found)


def _limit(end: float) -> float | None:
    return None if math.isinf(end) else end


def _count_subsets(where: Filter) -> int:
    return sum(1 + _count_subsets(subset.where) for subset in where.subsets)
