"""What every metric asks of its input, in one place: all of them refuse the same things in the same words."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SUM_TOLERANCE = 1e-4  # float32 softmax rows keep within 1e-6 of 1; a forgotten softmax or class does not


def check_shape(values: np.ndarray, name: str, axes: tuple[str, ...]) -> None:
    """Raise ValueError unless `values` has these axes; only the first may be empty."""
    if values.ndim != len(axes) or 0 in values.shape[1:]:
        letters = ", ".join(axes) + ("," if len(axes) == 1 else "")
        raise ValueError(f"Expected {name} of shape ({letters}), none empty after N, but got {values.shape}")


def as_probabilities(
    values: ArrayLike, name: str, axes: tuple[str, ...] = ("face",), *, nan_rows: bool = False, first: int = 0
) -> Floats:
    """Check that each row along the last axis is a distribution; return float64 rows that sum to 1.

    values: (..., C). Rows whose sum is within SUM_TOLERANCE of 1 are divided by it, so that entropies of
    float32 input keep their bounds 0 and ln C. With `nan_rows`, a row of NaN only (nobody voted) passes.
    `axes` names the leading axes in the error, `first` is added to the index on the first of them.
    Raises ValueError naming the first row that is not finite, has a negative entry, or does not sum to 1.

    >>> as_probabilities([[1, 0], [0.5, 0.25]], "probs")
    Traceback (most recent call last):
    ValueError: Expected rows of probs to sum to 1 within 0.0001 but face 1 sums to 0.75
    """
    p = np.asarray(values, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # inf - inf is refused below, with its place
        sums = p.sum(axis=-1)
    good = (p.min(axis=-1) >= 0) & (np.abs(sums - 1.0) <= SUM_TOLERANCE)  # NaN and inf fail both
    if nan_rows:
        good |= np.isnan(p).all(axis=-1)
    if not good.all():
        index = np.unravel_index(int(np.argmin(good)), good.shape)
        row, where = p[index], [int(i) for i in index]
        where[0] += first
        at = ", ".join(f"{axis} {i}" for axis, i in zip(axes, where, strict=True))
        if not np.isfinite(row).all():
            raise ValueError(f"Expected finite {name} but {at} holds {row[~np.isfinite(row)][0]}")
        if row.min() < 0:
            raise ValueError(f"Expected {name} of at least 0 but {at} holds {row.min():.6g}")
        raise ValueError(
            f"Expected rows of {name} to sum to 1 within {SUM_TOLERANCE:g} but {at} sums to {row.sum():.6g}"
        )
    return np.asarray(p / sums[..., None], dtype=np.float64)


def as_column(values: ArrayLike, name: str, length: int | None = None) -> Floats:
    """Return one finite-or-NaN float64 value per face, (N,); NaN means unknown.

    Raises ValueError on another number of axes, a length other than `length`, or an infinite value.
    """
    column = np.asarray(values, dtype=np.float64)
    check_shape(column, name, ("N",))
    if length is not None and len(column) != length:
        raise ValueError(f"Expected {name} of length {length}, like the others, but got {len(column)}")
    infinite = np.isinf(column)
    if infinite.any():
        raise ValueError(f"Expected finite values or NaN in {name} but face {infinite.argmax()} is infinite")
    return column
