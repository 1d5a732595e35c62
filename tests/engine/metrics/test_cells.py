"""Cells by width and by mass: their edges by hand, then what must hold for any values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.metrics.cells import ascending, mass_cells, rank_cells, width_cells


@pytest.mark.parametrize("bins", [1, 3, 7, 10, 15])
def test_bins_are_closed_on_the_right(bins):
    edges = np.arange(bins + 1) / bins
    np.testing.assert_array_equal(width_cells(edges, bins), [0, *range(bins)])
    np.testing.assert_array_equal(width_cells(np.nextafter(edges[:-1], 2), bins), range(bins))


def test_float32_and_float64_part_at_point_seven():
    assert width_cells(np.array([0.7]), 10)[0] == 6
    assert width_cells(np.array([0.8, np.float32(0.8)], dtype=np.float64), 10).tolist() == [7, 8]


def test_ranges_by_hand():
    values = np.array([0.5, 0.1, 0.1, np.nan, 0.9, 0.1, 0.2])
    np.testing.assert_array_equal(ascending(values), [1, 2, 5, 6, 0, 4])
    np.testing.assert_array_equal(mass_cells(values, 3), [2, 0, 0, -1, 2, 1, 1])
    np.testing.assert_array_equal(mass_cells(values[:2], 5), [2, 0])
    assert mass_cells(np.empty(0), 4).shape == (0,)
    np.testing.assert_array_equal(rank_cells(np.array([2, 0]), 3, 2), [1, -1, 0])


@given(st.lists(st.floats(0, 1), max_size=40), st.integers(1, 12))
def test_ranges_hold_equal_numbers_and_keep_order(values, cells):
    values = np.array(values)
    cell = mass_cells(values, cells)
    sizes = np.bincount(cell, minlength=cells)
    assert len(sizes) == cells and sizes.max() - sizes.min() <= 1
    order = np.argsort(values, kind="stable")
    assert (np.diff(cell[order]) >= 0).all()
