"""Groups of an audit: ranges of numbers, texts, and crossings of two attributes."""

import doctest

import numpy as np
import pandas as pd
import pytest

from cache.filters import Column
from pages.findings import bins
from pages.findings.bins import SKIN, cross, edges_text, group_by, parse_edges, quantile_edges

ITA, YAW = Column("attr_ita", "number", "degrees"), Column("attr_head_yaw", "number", "degrees")
NUMBER, TEXT, CLASS = Column("attr_x", "number", "px"), Column("attr_x", "text"), Column("majority", "class")


def texts(*values: str | None) -> np.ndarray:
    return np.array(values, dtype=object)


def test_examples_in_docstrings():
    found = doctest.testmod(bins)
    assert found.attempted and not found.failed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("abc", "numbers between commas"),
        ("", "numbers between commas"),
        ("1,,2", "numbers between commas"),
        ("1;2", "numbers between commas"),
        ("nan", "finite"),
        ("1,inf", "finite"),
        ("2,1", "lowest to the highest"),
        ("1,1", "lowest to the highest"),
        (",".join(map(str, range(12))), "at most 11"),
    ],
)
def test_edges_that_are_none_say_what_was_expected(text, said):
    with pytest.raises(ValueError, match=said):
        parse_edges(text)


def test_edges_as_text_are_read_back():
    for edges in ((1.0,), (-30.0, 10.0, 28.5), (0.001, 1e9)):
        assert parse_edges(edges_text(edges)) == edges


@pytest.mark.parametrize(
    ("ita", "skin"),
    [
        (55.1, "very light"),
        (55.0, "light"),
        (41.1, "light"),
        (41.0, "intermediate"),
        (28.0, "tan"),
        (10.0, "brown"),
        (-29.9, "brown"),
        (-30.0, "dark"),
        (-80.0, "dark"),
    ],
)
def test_skin_by_chardons_classes(ita, skin):
    found = group_by(np.array([ita]), ITA)
    assert len(found.names) == 1 and found.names[0].startswith(f"{skin} (") and found.brief == (skin,)
    assert len(found.empty) == len(SKIN) - 1


def test_skin_cut_elsewhere_has_no_class():
    found = group_by(np.array([0.0, 50.0]), ITA, edges=[20])
    assert found.names == ("up to 20", "above 20") and found.brief == ()


def test_yaw_is_cut_to_either_side():
    found = group_by(np.array([-60.0, -45.0, -20.0, 0.0, 15.0, 16.0, 80.0, np.nan]), YAW)
    assert found.names == ("up to -45", "-45 to -15", "-15 to 15", "15 to 45", "above 45")
    assert found.index.tolist() == [0, 0, 1, 2, 2, 3, 4, -1] and found.unknown.sum() == 1


def test_edges_of_the_reader_as_pandas_cuts():
    values = np.random.default_rng(0).normal(0, 10, 500).round(0)
    edges = [-12.0, -3.0, 0.0, 7.0]
    found = group_by(values, NUMBER, edges=edges)
    expected = pd.cut(values, [-np.inf, *edges, np.inf], labels=False, right=True)
    assert found.index.tolist() == expected.tolist() and found.edges == tuple(edges)


def test_ranges_without_a_face_are_named_and_hold_no_place():
    found = group_by(np.array([1.0, 9.0]), NUMBER, edges=[2, 4, 6])
    assert found.names == ("up to 2", "above 6") and found.index.tolist() == [0, 1]
    assert found.empty == ("2 to 4", "4 to 6")


def test_few_values_of_a_number_are_groups_themselves():
    found = group_by(np.array([10.0, 1.0, 10.0, np.nan]), NUMBER)
    assert found.names == ("1", "10") and found.index.tolist() == [1, 0, 1, -1] and found.edges == ()


@pytest.mark.parametrize(("offset", "scale"), [(0.0, 1.0), (1e9, 1.0), (0.0, 1e-6), (-5.0, 1e6)])
def test_many_values_make_four_groups_of_about_equal_size(offset, scale):
    values = scale * np.random.default_rng(1).normal(0, 1, 2000) + offset
    found = group_by(values, NUMBER)
    assert len(found.names) == 4 and abs(found.sizes - 500).max() <= 30
    assert all((values[found.index == i].max() <= values[found.index == i + 1].min()) for i in range(3))


def test_equal_values_are_never_parted():
    values = np.concatenate([np.zeros(900), np.arange(1, 101)])
    found = group_by(values, NUMBER)
    assert len(set(found.index[:900].tolist())) == 1 and found.sizes.sum() == 1000
    assert all(found.sizes)


def test_quantile_edges_of_nothing_and_of_one_value():
    assert quantile_edges(np.array([])) == () == quantile_edges(np.array([3.0, 3.0]))


def test_constant_and_unknown_make_one_group_and_none():
    assert group_by(np.full(5, 2.0), NUMBER).names == ("2",)
    nothing = group_by(np.full(5, np.nan), ITA)
    assert nothing.names == () and nothing.unknown.all() and (nothing.index == -1).all()
    assert group_by(texts(None, None), TEXT).names == ()


def test_many_texts_leave_the_rare_ones_in_no_group():
    values = texts(*(f"v{i:03d}" for i in range(500) for _ in range(1 + (i < 12))), None)
    found = group_by(values, TEXT)
    assert found.names == tuple(f"v{i:03d}" for i in range(12))
    assert found.rare == 488 and found.unknown.sum() == 1 and (found.index == -1).sum() == 489


def test_a_text_that_reads_like_the_unknown_is_a_group():
    found = group_by(texts("unknown", None, "side"), TEXT)
    assert found.names == ("side", "unknown") and found.index.tolist() == [1, -1, 0]


def test_classes_by_name():
    found = group_by(np.array([2.0, 0.0, np.nan]), CLASS, ("fear", "anger", "joy"))
    assert found.names == ("fear", "joy") and found.index.tolist() == [1, 0, -1]


def test_crossing_as_pandas_counts():
    rng = np.random.default_rng(2)
    tone, light = rng.integers(1, 4, 300).astype(float), rng.choice(["front", "side"], 300).astype(object)
    tone[:20], light[10:30] = np.nan, None
    found = cross(group_by(tone, NUMBER), group_by(light, TEXT))
    expected = pd.crosstab(tone, light)
    assert found.rows == ("1", "2", "3") and found.columns == ("front", "side")
    for name, size, (row, column) in zip(found.groups.names, found.groups.sizes, found.cell, strict=True):
        assert size == expected.iloc[row, column] and name == f"{found.rows[row]} · {found.columns[column]}"
    assert found.groups.unknown.sum() == 30 and (found.groups.index == -1).sum() == 30


def test_crossing_leaves_out_cells_without_a_face():
    found = cross(group_by(np.array([1.0, 2.0]), NUMBER), group_by(texts("a", "b"), TEXT))
    assert found.groups.names == ("1 · a", "2 · b") and found.cell.tolist() == [[0, 0], [1, 1]]


def test_crossing_with_nothing_known():
    found = cross(group_by(np.full(3, np.nan), NUMBER), group_by(texts("a", "b", "a"), TEXT))
    assert found.groups.names == () and (found.groups.index == -1).all() and found.cell.shape == (0, 2)


def test_crossing_counts_rare_values_apart_from_the_unknown():
    many = texts(*(f"v{i:02d}" for i in range(13)))
    found = cross(group_by(many, TEXT), group_by(np.array([1.0] * 12 + [np.nan]), NUMBER))
    assert found.groups.rare + found.groups.unknown.sum() == (found.groups.index == -1).sum() == 1
