"""Cutting faces into groups by one column."""

import numpy as np
import pytest

from cache.filters import Column
from pages.findings.groups import MOST_GROUPS, RANGES, groups_of

NUMBER, TEXT, CLASS = Column("attr_x", "number", "px"), Column("attr_x", "text"), Column("majority", "class")


def sizes(values: object, column: Column, classes: tuple[str, ...] = ("fear", "anger", "joy")) -> dict[str, int]:
    found = groups_of(np.asarray(values), column, classes)
    return {name: int(inside.sum()) for name, inside in found.items()}


def test_a_group_per_class_that_occurs_in_the_order_of_the_classes():
    values = [2.0, 0.0, 0.0, np.nan]
    assert sizes(values, CLASS) == {"fear": 2, "joy": 1, "no majority": 1}
    assert sizes(values[:3], Column("predicted", "class")) == {"fear": 2, "joy": 1}


def test_a_group_per_text_and_one_for_the_unknown():
    values = np.array(["side", "front", None, "side"], dtype=object)
    assert sizes(values, TEXT) == {"front": 1, "side": 2, "unknown": 1}


def test_a_text_that_reads_like_the_unknown_stays_apart():
    assert sizes(np.array(["unknown", None], dtype=object), TEXT) == {"unknown": 1, "unknown (other)": 1}


def test_the_most_frequent_texts_only():
    values = np.array([f"v{i:02d}" for i in range(20) for _ in range(i + 1)], dtype=object)
    assert list(sizes(values, TEXT)) == [f"v{i:02d}" for i in range(20 - MOST_GROUPS, 20)]


def test_few_values_of_a_number_are_groups_themselves():
    assert sizes([10.0, 1.0, 10.0, np.nan, 2.5], NUMBER) == {"1 px": 1, "2.5 px": 1, "10 px": 2, "unknown": 1}


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_many_values_are_cut_into_ranges_of_equal_size(offset):
    values = np.random.default_rng(0).permutation(1000) + offset
    found = groups_of(values, NUMBER, ())
    assert [inside.sum() for inside in found.values()] == [200] * RANGES
    highest = [values[inside].max() for inside in found.values()]
    assert highest == sorted(highest)


def test_equal_values_are_never_parted():
    values = np.concatenate([np.zeros(900), np.arange(1, 101)])
    found = groups_of(values, NUMBER, ())
    assert sum(int(inside[:900].any()) for inside in found.values()) == 1
    assert sum(inside.sum() for inside in found.values()) == 1000


def test_nothing_known():
    assert sizes([np.nan, np.nan], NUMBER) == {"unknown": 2}
    assert sizes(np.array([None, None], dtype=object), TEXT) == {"unknown": 2}
    assert sizes([], NUMBER) == {}
