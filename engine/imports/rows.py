"""Rows of predictions made elsewhere: what is wrong with them, and the class probabilities that they stand for."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

MOST_NAMED = 10  # wrong rows that a refusal names
SUM_TOLERANCE = 1e-3  # half precision rounds eight probabilities by up to half of it
BELOW_ZERO = 1e-6  # float32 arithmetic may leave this much where 0 was meant
BLOCK = 1 << 20  # numbers converted to float64 at a time (8 MiB)

Wrong = tuple[int, str]  # a row, counted from 0, and what is wrong with it


class ImportProblem(ValueError):
    """The file cannot be imported; the message says why and what to do."""


def refuse(path: Path, total: int, name: Callable[[int], str], wrong: Iterable[Wrong], remedy: str) -> None:
    """Raise ImportProblem when any row is wrong, naming the first ten and the number of all; else return.

    name: row -> what to call it, such as 'row 17 (face 4021)'.
    """
    named, count = [], 0
    for row, reason in wrong:
        count += 1
        if count <= MOST_NAMED:
            named.append(f"{name(row)}: {reason}")
    if count:
        rest = f"; and {count - len(named):,} more" if count > len(named) else ""
        raise ImportProblem(
            f"{path}: {count:,} of {total:,} rows cannot be used, so nothing was imported. Counting from 0: "
            f"{'; '.join(named)}{rest}. {remedy}"
        )


def wrong_rows(values: np.ndarray, logits: bool) -> Iterator[Wrong]:
    """Rows of (N, S, C) numbers that are no distribution over the classes, and the first reason why."""
    for start, block in _blocks(values):
        good = _good_logits(block) if logits else _good_probabilities(block)  # (B, S)
        for row in np.flatnonzero(~good.all(axis=1)):
            sample = int(good[row].argmin())
            what = _reason(block[row, sample], logits)
            yield start + int(row), what if values.shape[1] == 1 else f"sample {sample} {what}"


def are_distributions(values: np.ndarray) -> bool:
    """Whether every row of (N, S, C) numbers sums to 1 and none is negative: what true logits never do."""
    return all(_good_probabilities(block).all() for _, block in _blocks(values))


def probabilities(values: np.ndarray, logits: bool) -> np.ndarray:
    """(N, S, C) float64 that sum to 1, of rows in which `wrong_rows` found nothing wrong.

    >>> probabilities(np.log([[[0.25, 0.75]]]) + 3, logits=True).round(4)
    array([[[0.25, 0.75]]])
    """
    p = np.asarray(values, dtype=np.float64)
    # a softmax whose largest exponent is 0 cannot overflow; a logit of -inf gives exactly 0
    p = np.exp(p - p.max(axis=-1, keepdims=True)) if logits else np.maximum(p, 0.0)
    return np.asarray(p / p.sum(axis=-1, keepdims=True))


def _blocks(values: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The index of the first row, and some rows as (B, S, C) float64."""
    step = max(1, BLOCK // (values.shape[1] * values.shape[2]))
    for start in range(0, len(values), step):
        yield start, np.asarray(values[start : start + step], dtype=np.float64)


def _good_probabilities(block: np.ndarray) -> np.ndarray:
    """(B, S); NaN and infinities fail both comparisons."""
    with np.errstate(invalid="ignore", over="ignore"):
        sums = block.sum(axis=-1)
    return np.asarray((block.min(axis=-1) >= -BELOW_ZERO) & (np.abs(sums - 1.0) <= SUM_TOLERANCE))


def _good_logits(block: np.ndarray) -> np.ndarray:
    """(B, S); a logit of -inf is a class that the model rules out, as long as it leaves one."""
    return np.isfinite(block.max(axis=-1))  # NaN and +inf come out of max, and -inf when there is nothing else


def _reason(row: np.ndarray, logits: bool) -> str:
    strange = row[np.isnan(row) | (row == np.inf)] if logits else row[~np.isfinite(row)]
    if len(strange):
        return f"holds {strange[0]}"
    if logits:
        return "holds -inf for every class"
    if row.min() < -BELOW_ZERO:
        return f"holds {row.min():.6g}, and a probability is at least 0"
    with np.errstate(over="ignore"):
        return f"sums to {row.sum():.6g}"
