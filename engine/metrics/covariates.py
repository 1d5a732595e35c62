"""Attributes of faces as the columns of a regression, and which of them cannot serve there, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.checks import Floats, as_column

MOST_STRINGS = 20
MOST_UNKNOWN = 0.5  # share of the faces: those unknown drop out of the whole regression
SAME = 1 - 0.999**2  # share of its variance that a covariate must have of its own: |correlation| up to .999
RANK = 1e-9  # the same of a single column of one that has some
KNOTS = (5.0, 35.0, 65.0, 95.0)  # percentiles, as Harrell 2015 recommends for four


@dataclass(frozen=True, eq=False)
class Covariates:
    """design: (N, K), full rank beside a column of ones on the faces where `known`, (N,), holds; NaN elsewhere."""

    design: Floats
    known: NDArray[np.bool_]
    used: tuple[str, ...]
    left_out: dict[str, str]


def prepare(covariates: Mapping[str, ArrayLike], group: NDArray[np.intp], groups: int) -> Covariates:
    """Columns for those that can serve, in the order given.

    Left out is what is unknown of all faces or of more than half, constant, has more than MOST_STRINGS strings, or
    says the same as the groups or as the covariates before it (correlation above .999). Faces in no group, -1, do not
    count. Raises ValueError on unequal lengths or infinite values.

    >>> prepare({"a": [1.0, 2, 3], "b": [5.0, 5, 5]}, np.array([0, 0, 1]), 2).left_out
    {'b': 'constant'}
    """
    inside = group >= 0
    blocks: dict[str, Floats] = {}
    texts = {name for name, values in covariates.items() if _is_text(values)}
    left_out: dict[str, str] = {}
    for name, values in covariates.items():
        found = (_indicators if name in texts else _curves)(values, name, inside)
        if isinstance(found, str):
            left_out[name] = found
        else:
            blocks[name] = found
    known = np.ones(len(group), dtype=bool)
    for block in blocks.values():
        known &= ~np.isnan(block[:, 0])
    rows = np.flatnonzero(known & inside)
    of_groups = orthonormal((group[rows, None] == np.arange(groups)).astype(np.float64))
    ones = np.ones((len(rows), 1)) / max(len(rows), 1) ** 0.5
    basis, kept = ones, []
    of_each: dict[str, Floats] = {}
    for name, block in blocks.items():
        here = block[rows]
        said = here if name in texts else here[:, :1]  # a number says the same if it does, whatever its bends
        reason = _same_as(said, ones, of_groups, of_each, basis)
        if reason:
            left_out[name] = reason
            continue
        of_each[name] = np.column_stack([ones, orthonormal(here - here.mean(axis=0))])
        for column in range(block.shape[1]):
            rest = _remainder(here[:, column : column + 1], basis)
            if _share_left(here[:, column : column + 1], rest, ones)[0] > RANK:
                basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
                kept.append(block[:, column])
    design = np.stack(kept, axis=1) if kept else np.zeros((len(group), 0))
    return Covariates(design, known, tuple(of_each), left_out)


def _is_text(values: ArrayLike) -> bool:
    given = np.asarray(values)
    return given.dtype.kind in "US" or (given.dtype == object and any(isinstance(value, str) for value in given))


def _curves(values: ArrayLike, name: str, inside: NDArray[np.bool_]) -> Floats | str:
    """The columns of a number, (N, k), NaN where unknown; or why there are none."""
    column = as_column(values, name, len(inside))  # None becomes NaN
    seen = column[inside & ~np.isnan(column)]
    reason = unusable(len(seen), int(inside.sum()))
    if reason:
        return reason
    spread = seen.std()
    if spread <= 1e-12 * np.abs(seen).max():
        return "constant"
    return _spline((column - seen.mean()) / spread, inside)


def unusable(known: int, faces: int) -> str:
    """Why a column that is known of so many faces is of no use; '' if it is of use."""
    if known == 0:
        return "unknown for all faces"
    if known < (1 - MOST_UNKNOWN) * faces:
        return f"unknown for {100 * (1 - known / faces):.0f} % of the faces"
    return ""


def _indicators(values: ArrayLike, name: str, inside: NDArray[np.bool_]) -> Floats | str:
    """One column per string but the most frequent, (N, k), NaN where unknown; or why there are none."""
    given = np.asarray(values, dtype=object)
    if given.shape != inside.shape:
        raise ValueError(f"Expected {name} of length {len(inside)}, like the others, but got {given.shape}")
    known = np.array([isinstance(value, str) for value in given], dtype=bool)
    reason = unusable(int((known & inside).sum()), int(inside.sum()))
    if reason:
        return reason
    strings, code = np.unique(given[known].astype(str), return_inverse=True)
    counts = np.bincount(code[inside[known]], minlength=len(strings))
    if (counts > 0).sum() > MOST_STRINGS:
        return f"{(counts > 0).sum()} distinct strings, more than {MOST_STRINGS}"
    if (counts > 0).sum() == 1:
        return "constant"
    others = np.flatnonzero((counts > 0) & (np.arange(len(counts)) != counts.argmax()))
    columns = np.full((len(given), len(others)), np.nan)
    columns[known] = code[:, None] == others
    return columns


def _spline(z: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Restricted cubic spline, linear beyond its outer knots: (N,) -> (N, knots - 1), z first.

    z alone where fewer than three knots differ. Source: Harrell 2015, section 2.4.5.
    """
    knots = np.unique(np.percentile(z[inside & ~np.isnan(z)], KNOTS))
    if len(knots) < 3:
        return z[:, None]
    *inner, second, last = knots
    cubes = {knot: np.maximum(z - knot, 0.0) ** 3 for knot in knots}
    bends = [
        cubes[knot] + (cubes[last] * (second - knot) - cubes[second] * (last - knot)) / (last - second)
        for knot in inner
    ]
    return np.stack([z, *bends], axis=1)


def _same_as(here: Floats, ones: Floats, of_groups: Floats, of_each: Mapping[str, Floats], basis: Floats) -> str:
    """Why a covariate, (n, k) on the faces compared, adds nothing; '' if it does."""
    if not len(here) or np.ptp(here, axis=0).max() == 0:
        return "constant among the faces whose covariates are all known"
    if _follows(here, of_groups, ones):
        return "says the same as the groups"
    for name, other in of_each.items():
        if _follows(here, other, ones):
            return f"says the same as {name}"
    return "follows from the covariates before it" if _follows(here, basis, ones) else ""


def _follows(here: Floats, basis: Floats, ones: Floats) -> bool:
    return bool((_share_left(here, _remainder(here, basis), ones) < SAME).all())


def _share_left(columns: Floats, remainder: Floats, ones: Floats) -> Floats:
    """Share of each column's variance that is left in its remainder, (k,); 0 for a constant column."""
    whole = (_remainder(columns, ones) ** 2).sum(axis=0)
    return np.divide((remainder**2).sum(axis=0), whole, out=np.zeros(len(whole)), where=whole > 0)


def _remainder(columns: Floats, basis: Floats) -> Floats:
    """What of the columns an orthonormal basis does not explain; twice, for the digits."""
    for _ in range(2):
        columns = columns - basis @ (basis.T @ columns)
    return columns


def orthonormal(columns: Floats) -> Floats:
    """An orthonormal basis of what the columns span, also when they are not independent: (n, K) -> (n, rank)."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, sizes > RANK * max(sizes.max(initial=0.0), 1e-300)]
