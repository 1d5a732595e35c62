"""Faces by group, and sums over all groups but one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.metrics.checks import Floats


def members(group: ArrayLike, groups: int) -> list[NDArray[np.intp]]:
    """Indices of the faces of each group, in their order; group: (N,) whole numbers, -1 for a face in none.

    Raises ValueError on fewer than one group or a number outside -1 .. groups - 1, naming the face.

    >>> [list(map(int, each)) for each in members([1, -1, 0, 1], 3)]
    [[2], [0, 3], []]
    """
    numbers = np.asarray(group)
    if groups < 1:
        raise ValueError(f"Expected at least 1 group but got {groups}")
    if numbers.ndim != 1 or (numbers.size and not np.issubdtype(numbers.dtype, np.integer)):
        raise ValueError(f"Expected one whole number of a group per face but got {numbers.dtype} of {numbers.shape}")
    outside = (numbers < -1) | (numbers >= groups)
    if outside.any():
        face = int(outside.argmax())
        raise ValueError(f"Expected groups from -1 (none) to {groups - 1} but face {face} has {numbers[face]}")
    order = np.argsort(numbers, kind="stable")
    cuts = np.searchsorted(numbers[order], np.arange(groups + 1))
    return [order[start:end] for start, end in pairwise(cuts)]


def stream(seed: int, *numbers: int) -> int:
    """A seed of its own for each group, that does not run into those of other seeds.

    >>> stream(0, 1) != stream(1, 0)
    True
    """
    return int(np.random.SeedSequence([seed, *numbers]).generate_state(1)[0])


def of_others(sums: Floats) -> Floats:
    """The sum over all other groups for each group, along the first axis: (G, ...) -> (G, ...).

    Added up anew rather than taken off the whole, which would leave rounding where the others hold 0.

    >>> of_others(np.array([1.0, 2.0, 4.0])).tolist()
    [6.0, 5.0, 3.0]
    """
    others = 1.0 - np.eye(len(sums))
    return np.asarray((others @ sums.reshape(len(sums), -1)).reshape(sums.shape))
