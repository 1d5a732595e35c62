"""What a map of the faces shows: its points, or its cells where points are too many, and the face nearest to a spot."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cache.errors import BadQuery
from cache.filters import Filter, Value, identifier
from cache.reader import EVERYTHING, Cache

MOST_POINTS = 30_000  # a browser draws more of them too slowly
MOST_SCALED = 100_000  # faces that a scale of colours is fitted to
MOST_ACROSS = 500  # cells from side to side
CORRECTNESS = "correctness"  # a shade that is no column: 0 correct, 1 wrong, unknown without a majority


@dataclass(frozen=True)
class Window:
    """A stretch of a map."""

    left: float
    right: float
    bottom: float
    top: float


@dataclass(frozen=True)
class Shade:
    """What tells faces apart on a map: a number column, or groups."""

    column: str  # of `Cache.columns`, or CORRECTNESS
    groups: tuple[Value, ...] = ()  # values of a text or class column, in this order; all others are one more group


def extent(cache: Cache, layout: str) -> Window | None:
    """The stretch that holds every face of a map; None when it holds none."""
    # `isfinite`: whoever wrote the map, a stray infinity must not make all others one point.
    found = cache.rows(
        f"SELECT min(x), max(x), min(y), max(y) FROM {cache.points(layout)} WHERE isfinite(x) AND isfinite(y)", []
    )[0]
    return None if found[0] is None else Window(*map(float, found))


def spread(cache: Cache, model: str | None, column: str) -> tuple[float, float]:
    """The middle 98 % of a number column, for a scale of colours that a few odd faces do not stretch; NaN for none.

    Of many faces, the middle 98 % of MOST_SCALED, the same at each call.
    """
    name = identifier(column, cache.columns(model))
    share = min(1.0, MOST_SCALED / max(1, cache.count(model)))
    low, high = cache.rows(
        f"SELECT quantile_disc(v, 0.01), quantile_disc(v, 0.99) FROM (SELECT {name}::DOUBLE AS v FROM "
        f"{cache.joined(model)} WHERE hash(face_id) <= {int(share * (2**64 - 1))}) WHERE isfinite(v)",
        [],
    )[0]
    return (float("nan"), float("nan")) if low is None else (float(low), float(high))


def count_within(cache: Cache, model: str | None, layout: str, window: Window, where: Filter = EVERYTHING) -> int:
    """Faces that match and that the window shows."""
    source, condition, bound = _shown(cache, model, layout, window, where)
    return int(cache.rows(f"SELECT count(*) FROM {source} WHERE {condition}", bound)[0][0])


def points(
    cache: Cache, model: str | None, layout: str, window: Window, shade: Shade, where: Filter = EVERYTHING
) -> pd.DataFrame:
    """Faces that match, in no order that means anything: face_id, x, y, value (NaN: unknown). At most MOST_POINTS."""
    value, first = _value(cache, model, shade)
    source, condition, bound = _shown(cache, model, layout, window, where)
    found = cache.frame(
        f"SELECT face_id, x, y, {value} AS value FROM {source} WHERE {condition} ORDER BY hash(face_id) LIMIT ?",
        [*first, *bound, MOST_POINTS],
    )
    return found.astype({"x": np.float32, "y": np.float32, "value": np.float64})


def cells(
    cache: Cache,
    model: str | None,
    layout: str,
    window: Window,
    shade: Shade,
    where: Filter = EVERYTHING,
    *,
    grid: tuple[int, int],
) -> pd.DataFrame:
    """The window cut into equal cells, those of them that hold faces: columns across, up (from 0), faces, value.

    grid: cells from left to right and from bottom to top. A number column has a row per cell, and value is the mean
    there (NaN: all unknown); groups have a row per cell and group (NaN: unknown).
    """
    if not all(0 < side <= MOST_ACROSS for side in grid):
        raise BadQuery(f"A map is cut into 1 to {MOST_ACROSS} cells from side to side.")
    value, first = _value(cache, model, shade)
    source, condition, bound = _shown(cache, model, layout, window, where)
    mean = _is_number(cache, model, shade)
    return cache.frame(
        f"SELECT across, up, count(*) AS faces, {'avg(shade)' if mean else 'shade'} AS value FROM ("
        f"SELECT {_cell('x')} AS across, {_cell('y')} AS up, {value} AS shade FROM {source} WHERE {condition}) "
        f"GROUP BY across, up{'' if mean else ', shade'}",
        [
            *(window.left, window.right - window.left, grid[0], grid[0] - 1),
            *(window.bottom, window.top - window.bottom, grid[1], grid[1] - 1),
            *first,
            *bound,
        ],
    ).astype({"value": np.float64})


def nearest(
    cache: Cache,
    model: str | None,
    layout: str,
    x: float,
    y: float,
    reach: tuple[float, float],
    where: Filter = EVERYTHING,
) -> int | None:
    """The face nearest to a spot among those that match; None when there is none within reach.

    reach: how far sideways and upwards; a distance counts in shares of it, for the axes may differ in scale.
    """
    x, y, across, up = map(float, (x, y, *reach))
    window = Window(x - across, x + across, y - up, y + up)
    source, condition, bound = _shown(cache, model, layout, window, where)
    found = cache.rows(
        f"SELECT face_id, ((x - ?) / ?) ** 2 + ((y - ?) / ?) ** 2 AS far FROM {source} WHERE {condition} AND far <= 1 "
        "ORDER BY far, face_id LIMIT 1",
        [x, across, y, up, *bound],
    )
    return int(found[0][0]) if found else None


def _shown(cache: Cache, model: str | None, layout: str, window: Window, where: Filter) -> tuple[str, str, list[Value]]:
    """What to select from, the condition, and its parameters."""
    condition, bound = cache.condition(model, where)
    inside = "x BETWEEN ? AND ? AND y BETWEEN ? AND ?"
    edges: list[Value] = [window.left, window.right, window.bottom, window.top]
    return cache.placed(model, layout), f"{inside} AND {condition}", [*edges, *bound]


def _cell(axis: str) -> str:
    """Which cell along an axis; a face at the far edge belongs to the last one."""
    return f"least(floor(({axis} - ?) / ? * ?), ?)::SMALLINT"


def _value(cache: Cache, model: str | None, shade: Shade) -> tuple[str, list[Value]]:
    """What a shade gives each face, as SQL, and its parameters."""
    known = cache.columns(model)
    if shade.column == CORRECTNESS:
        identifier("predicted", known)
        return "CASE WHEN majority IS NOT NULL THEN (predicted <> majority)::TINYINT END", []
    name = identifier(shade.column, known)
    kind = known[shade.column].kind
    if kind == "class" and not shade.groups:
        return name, []
    if kind == "number":
        return f"CASE WHEN isfinite({name}::DOUBLE) THEN {name} END", []
    cases = " ".join(f"WHEN {name} = ? THEN {i}" for i in range(len(shade.groups)))
    return f"CASE WHEN {name} IS NULL THEN NULL {cases} ELSE {len(shade.groups)} END", list(shade.groups)


def _is_number(cache: Cache, model: str | None, shade: Shade) -> bool:
    return shade.column != CORRECTNESS and cache.columns(model)[shade.column].kind == "number"
