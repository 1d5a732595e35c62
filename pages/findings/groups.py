"""Cutting faces into groups by one column: a class, a text, or a number in ranges."""

from collections.abc import Sequence

import numpy as np

from cache.filters import Column
from pages.widgets.wording import number

MOST_GROUPS = 12
RANGES = 5  # of a number with more values than that, equal in faces

Groups = dict[str, np.ndarray]  # name -> which faces, (n,) bool; in the order to show them


def groups_of(values: np.ndarray, column: Column, classes: Sequence[str]) -> Groups:
    """Groups in their natural order, and the faces whose value is unknown as a last one of their own.

    values: (n,), as in Numbers. A class or a number of few values makes a group per value, a text one per each of its
    12 most frequent values, a number of many values five ranges of about equal numbers of faces.
    """
    if column.kind == "text":
        known = np.array([value is not None for value in values], dtype=bool)
        found = _texts(values, known)
    else:
        known = ~np.isnan(values)
        if column.kind == "class":
            found = {name: values == index for index, name in enumerate(classes) if (values == index).any()}
        else:
            found = _numbers(values, known, column.unit)
    if not known.all():
        found[_new("no majority" if column.name == "majority" else "unknown", found)] = ~known
    return found


def _texts(values: np.ndarray, known: np.ndarray) -> Groups:
    distinct, place, faces = np.unique(values[known].astype(str), return_inverse=True, return_counts=True)
    most = np.sort(np.argsort(-faces, kind="stable")[:MOST_GROUPS])
    group = np.full(len(values), -1)
    group[known] = place
    return {str(distinct[i]): group == i for i in most}


def _numbers(values: np.ndarray, known: np.ndarray, unit: str) -> Groups:
    distinct = np.unique(values[known])
    if len(distinct) <= MOST_GROUPS:
        return {f"{value:.10g} {unit}".strip(): values == value for value in distinct}
    steps = np.arange(1, RANGES) / RANGES
    edges = np.unique(np.quantile(values[known], steps, method="inverted_cdf"))  # ties stay in one range
    place = np.where(known, np.searchsorted(edges, values, side="left"), -1)
    found: Groups = {}
    for i in range(len(edges) + 1):
        inside = values[place == i]
        if len(inside):
            found[_new(f"{number(inside.min())} to {number(inside.max())} {unit}".strip(), found)] = place == i
    return found


def _new(name: str, taken: Groups) -> str:
    """A name that no group has yet."""
    while name in taken:
        name = f"{name} (other)"
    return name
