"""Where faces stand in a filtered, sorted list: neighbours, equal steps along it, faces that two lists rank unlike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cache.filters import Filter, Sort, Value, identifier, quote
from cache.reader import DATASET_ORDER, EVERYTHING, MAX_ROWS, Cache


@dataclass(frozen=True)
class Place:
    """The position of a face in a list, and the faces on either side of it."""

    position: int  # 0 is the first
    total: int
    previous: int | None
    next: int | None


def place(
    cache: Cache, model: str | None, face_id: int, where: Filter = EVERYTHING, sort: Sort = DATASET_ORDER
) -> Place | None:
    """Place of a face in `cache.page(model, where, sort)`; None when the filter leaves it out.

    Compares every face with this one, which needs no sort of the whole list.
    """
    known = cache.columns(model)
    sort.order(known)  # refuses an unknown column
    condition, bound = cache.condition(model, where)
    listed = f"(SELECT face_id, {quote(sort.column)} AS value FROM {cache.joined(model)} WHERE {condition})"
    own = cache.rows(f"SELECT value FROM {listed} WHERE face_id = ?", [*bound, face_id])
    if not own:
        return None
    before, after = (">", "<") if sort.descending else ("<", ">")
    values: list[Value]
    if own[0][0] is None:  # nulls come last, by face_id
        earlier, later = "(value IS NOT NULL OR face_id < ?)", "(value IS NULL AND face_id > ?)"
        values = [face_id]
    else:
        earlier = f"(value {before} ? OR (value = ? AND face_id < ?))"
        later = f"(value {after} ? OR value IS NULL OR (value = ? AND face_id > ?))"
        values = [own[0][0], own[0][0], face_id]
    position, total = cache.rows(
        f"SELECT count(*) FILTER (WHERE {earlier}), count(*) FROM {listed}", [*values, *bound]
    )[0]
    forward, backward = ("DESC", "ASC") if sort.descending else ("ASC", "DESC")
    previous = cache.rows(
        f"SELECT face_id FROM {listed} WHERE {earlier} ORDER BY value {backward} NULLS FIRST, face_id DESC LIMIT 1",
        [*bound, *values],
    )
    following = cache.rows(
        f"SELECT face_id FROM {listed} WHERE {later} ORDER BY value {forward} NULLS LAST, face_id LIMIT 1",
        [*bound, *values],
    )
    return Place(
        int(position), int(total), previous[0][0] if previous else None, following[0][0] if following else None
    )


def spread(
    cache: Cache,
    model: str | None,
    column: str,
    where: Filter = EVERYTHING,
    *,
    faces: int = 12,
    columns: Sequence[str] = (),
) -> pd.DataFrame:
    """Up to `faces` faces at equal steps of rank, from the lowest to the highest value of a number column.

    Returns face_id and `columns`. Of equal values the one with the lower face_id comes first; faces without a value are
    left out.
    """
    _expect_known(cache, model, columns)
    face_id, values = _valued(cache, model, (column,), where)
    steps = max(0, min(faces, len(face_id), MAX_ROWS))
    ranks = sorted({round(i * (len(face_id) - 1) / max(1, steps - 1)) for i in range(steps)})
    return _rows(cache, model, pd.DataFrame({"face_id": _at_ranks(face_id, values[0], ranks)}), columns)


def contrasts(
    cache: Cache,
    model: str | None,
    one: str,
    other: str,
    where: Filter = EVERYTHING,
    *,
    limit: int = 12,
    columns: Sequence[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Faces in the upper half by one number column and in the lower half by another, and the reverse; widest gap first.

    Either has face_id, high_rank, low_rank (mid-rank percentiles among the faces that match and have both values, from
    0 to 100, so that tied faces share one) and `columns`.
    """
    _expect_known(cache, model, columns)
    face_id, values = _valued(cache, model, (one, other), where)
    ranks, most = (_Ranks(values[0]), _Ranks(values[1])), max(0, min(limit, MAX_ROWS))
    first, second = (pd.DataFrame(_widest(face_id, *pair, most)) for pair in (ranks, ranks[::-1]))
    return _rows(cache, model, first, columns), _rows(cache, model, second, columns)


def _expect_known(cache: Cache, model: str | None, columns: Sequence[str]) -> None:
    known = cache.columns(model)
    for name in columns:
        identifier(name, known)


def _valued(
    cache: Cache, model: str | None, columns: Sequence[str], where: Filter
) -> tuple[np.ndarray, list[np.ndarray]]:
    """face_id and number columns, (n,) each, of the faces that match and have a value in each."""
    known = cache.columns(model)
    condition, bound = cache.condition(model, where)
    names = [identifier(name, known) for name in columns]
    terms = [f"{name} IS NOT NULL AND NOT isnan({name}::DOUBLE)" for name in names]
    wanted = ", ".join(f"{name} AS v{i}" for i, name in enumerate(names))
    found = cache.arrays(
        f"SELECT face_id, {wanted} FROM {cache.joined(model)} WHERE {' AND '.join([*terms, condition])}", bound
    )
    return found["face_id"], [found[f"v{i}"] for i in range(len(names))]


def _rows(cache: Cache, model: str | None, faces: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The same faces, by face_id, with more columns beside them."""
    wanted = [name for name in dict.fromkeys(columns) if name != "face_id"]
    if faces.empty:
        return faces.reindex(columns=[*faces, *wanted])
    listed = Filter(faces=tuple(map(int, faces.face_id)))
    return faces.merge(cache.page(model, listed, limit=len(faces), columns=wanted), on="face_id", how="left")


def _at_ranks(face_id: np.ndarray, values: np.ndarray, ranks: Sequence[int]) -> np.ndarray:
    """The faces at some ranks of a column, from 0; without sorting it."""
    if not ranks:
        return face_id[:0]
    found = []
    for rank, value in zip(ranks, np.partition(values, ranks)[list(ranks)], strict=True):
        alike = np.sort(face_id[values == value])
        found.append(alike[rank - np.count_nonzero(values < value)])
    return np.array(found)


class _Ranks:
    """Mid-rank percentiles of a column, from 0 to 100: tied faces share one."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.ascending = values, np.sort(values)

    def of(self, at: np.ndarray) -> np.ndarray:
        below, up_to = (np.searchsorted(self.ascending, self.values[at], side) for side in ("left", "right"))
        return np.asarray(50.0 * (below + up_to) / len(self.values))

    def top(self, percent: float) -> np.ndarray:
        """Which faces may rank within so many percent of the top; and a few below, tied with the last."""
        at = math.ceil((1 - percent / 100) * len(self.values)) - 1
        return np.asarray(self.values >= self.ascending[max(0, at)])

    def bottom(self, percent: float) -> np.ndarray:
        at = math.floor(percent / 100 * len(self.values))
        return np.asarray(self.values <= self.ascending[min(len(self.values) - 1, at)])


def _widest(face_id: np.ndarray, high: _Ranks, low: _Ranks, limit: int) -> dict[str, np.ndarray]:
    """The faces with the widest gap of ranks, looked for near the top of one column and the bottom of the other.

    A gap of G needs ranks within 100 - G of the ends, so the search widens until what it has found rules out the rest.
    """
    found: dict[str, np.ndarray] = {"face_id": face_id[:0], "high_rank": np.zeros(0), "low_rank": np.zeros(0)}
    for percent in (2, 5, 10, 20, 50) if len(face_id) else ():
        at = np.flatnonzero(high.top(percent) & low.bottom(percent))
        ranks = high.of(at), low.of(at)
        halves = (ranks[0] > 50) & (ranks[1] < 50)
        at, first, second = at[halves], ranks[0][halves], ranks[1][halves]
        order = np.lexsort((face_id[at], second - first))[:limit]
        found = {"face_id": face_id[at[order]], "high_rank": first[order], "low_rank": second[order]}
        if len(order) == limit and (not limit or (first - second)[order[-1]] > 100 - percent):
            break
    return found
