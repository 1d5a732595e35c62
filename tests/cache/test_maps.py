"""What a map shows against the same computed from the reader's own pages."""

import math

import numpy as np
import pandas as pd
import pytest

from cache import maps
from cache.errors import BadQuery
from cache.filters import Filter, Region
from cache.maps import CORRECTNESS, Shade, Window, cells, count_within, extent, nearest, points, spread
from cache.reader import MAX_ROWS, Cache
from cache.store import PLANE
from tests import synthetic

MODEL, LAYOUT = "compact-ensemble", "umap-compact-0"
EVERYWHERE = Window(-100, 100, -100, 100)
TEST = Filter(splits=("test",))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    folder = tmp_path_factory.mktemp("caches") / "c"
    return Cache(synthetic.write(folder, 300, layouts=(LAYOUT,), unknown=True))


@pytest.fixture(scope="module")
def everyone(cache: Cache) -> pd.DataFrame:
    """All that is known of every face, and its place, from the reader and from the table on disk."""
    faces = cache.page(MODEL, limit=MAX_ROWS).set_index("face_id")
    return faces.join(cache.frame(f'SELECT * FROM "embeddings/layout={LAYOUT}"', []).set_index("face_id"))


def groups(values) -> list:
    return [None if math.isnan(value) else int(value) for value in values]


def test_extent_holds_every_face(cache, everyone):
    found = extent(cache, LAYOUT)
    assert found == Window(everyone.x.min(), everyone.x.max(), everyone.y.min(), everyone.y.max())
    plane = extent(cache, f"{PLANE}{MODEL}")
    assert plane.right == pytest.approx(everyone.u_aleatoric.max()) and plane.bottom >= 0


def test_every_point_with_its_value(cache, everyone):
    found = points(cache, MODEL, LAYOUT, EVERYWHERE, Shade("u_total")).set_index("face_id").sort_index()
    assert found.index.tolist() == everyone.index.tolist()
    for name, column in (("x", "x"), ("y", "y"), ("value", "u_total")):
        np.testing.assert_allclose(found[name], everyone[column])


def test_points_come_in_no_order_that_means_anything(cache):
    ids = points(cache, MODEL, LAYOUT, EVERYWHERE, Shade("u_total")).face_id
    assert abs(np.corrcoef(ids, np.arange(len(ids)))[0, 1]) < 0.2
    again = points(cache, MODEL, LAYOUT, EVERYWHERE, Shade("split", ("test",)))
    assert ids.tolist() == again.face_id.tolist()


@pytest.mark.parametrize("where", [Filter(), TEST, Filter(ranges=(("u_total", 0.4, 1.7),))])
def test_a_window_and_a_filter_leave_out_the_same_faces_everywhere(cache, everyone, where):
    window = Window(-1, 11, -1, 8.5)
    shown = everyone[everyone.x.between(-1, 11) & everyone.y.between(-1, 8.5)]
    allowed = set(cache.page(MODEL, where, limit=MAX_ROWS, columns=[]).face_id)
    expected = [i for i in shown.index if i in allowed]
    assert 0 < len(expected) < 300
    assert sorted(points(cache, MODEL, LAYOUT, window, Shade("u_total"), where).face_id) == expected
    assert count_within(cache, MODEL, LAYOUT, window, where) == len(expected)
    assert cells(cache, MODEL, LAYOUT, window, Shade("u_total"), where, grid=(7, 5)).faces.sum() == len(expected)


def test_never_more_points_than_can_be_drawn(cache, monkeypatch):
    monkeypatch.setattr(maps, "MOST_POINTS", 40)
    assert len(points(cache, MODEL, LAYOUT, EVERYWHERE, Shade("u_total"))) == 40


def test_groups_have_numbers(cache, everyone):
    def value_of(shade: Shade) -> list:
        return groups(points(cache, MODEL, LAYOUT, EVERYWHERE, shade).sort_values("face_id").value)

    assert value_of(Shade("predicted")) == everyone.predicted.tolist()
    assert value_of(Shade("predicted", (3, 1))) == [{3: 0, 1: 1}.get(p, 2) for p in everyone.predicted]
    assert value_of(Shade("majority")) == [None if pd.isna(m) else int(m) for m in everyone.majority]
    wrong = [None if pd.isna(m) else int(m != p) for m, p in zip(everyone.majority, everyone.predicted, strict=True)]
    assert value_of(Shade(CORRECTNESS)) == wrong and {None, 0, 1} <= set(wrong)
    places = {"test": 0, "train": 1, "validation": 2}  # the last is none of those asked for
    assert value_of(Shade("split", ("test", "train"))) == [places[split] for split in everyone.split]
    assert None in value_of(Shade("attr_light", ("front", "nowhere")))
    assert value_of(Shade("attr_light", ("' OR 1=1 --",))) == [None if pd.isna(v) else 1 for v in everyone.attr_light]


def test_a_number_that_is_unknown_or_infinite_has_no_value(cache, everyone):
    found = points(cache, MODEL, LAYOUT, EVERYWHERE, Shade("attr_tone")).sort_values("face_id").value
    np.testing.assert_array_equal(found, everyone.attr_tone)
    assert found.isna().sum() == 75


def test_cells_of_a_number_hold_its_mean(cache, everyone):
    window, (across, up) = extent(cache, LAYOUT), (9, 6)
    found = cells(cache, MODEL, LAYOUT, window, Shade("attr_tone"), grid=(across, up))
    assert not found.duplicated(["across", "up"]).any() and found.faces.sum() == 300
    x = np.minimum((everyone.x - window.left) / (window.right - window.left) * across // 1, across - 1)
    y = np.minimum((everyone.y - window.bottom) / (window.top - window.bottom) * up // 1, up - 1)
    expected = everyone.groupby([x, y]).attr_tone.agg(["size", "mean"])
    for row in found.itertuples():
        size, mean = expected.loc[(row.across, row.up)]
        assert row.faces == size and row.value == pytest.approx(mean, nan_ok=True)
    assert len(found) == len(expected)


def test_cells_of_groups_count_each(cache):
    found = cells(cache, MODEL, LAYOUT, extent(cache, LAYOUT), Shade("majority"), grid=(2, 2))
    counted = cache.values(None, "majority")
    assert not found.duplicated(["across", "up", "value"]).any()
    totals = found.groupby("value", dropna=False).faces.sum()
    assert {None if pd.isna(v) else int(v): int(n) for v, n in totals.items()} == {
        None if pd.isna(row.value) else int(row.value): int(row.faces) for row in counted.itertuples()
    }


@pytest.mark.parametrize("grid", [(0, 5), (5, -1), (501, 5), (5, 10**9)])
def test_a_grid_has_a_limit(cache, grid):
    with pytest.raises(BadQuery, match="1 to 500 cells"):
        cells(cache, MODEL, LAYOUT, EVERYWHERE, Shade("u_total"), grid=grid)


@pytest.mark.parametrize("where", [Filter(), TEST])
def test_nearest_is_the_nearest_of_all_that_match(cache, everyone, where):
    allowed = everyone if where == Filter() else everyone[everyone.split == "test"]
    rng = np.random.default_rng(0)
    for x, y in rng.uniform(-3, 11, (60, 2)):
        far = ((allowed.x - x) / 0.8) ** 2 + ((allowed.y - y) / 1.6) ** 2
        expected = int(far.idxmin()) if far.min() <= 1 else None
        assert nearest(cache, MODEL, LAYOUT, x, y, (0.8, 1.6), where) == expected


def test_nearest_within_a_region(cache, everyone):
    region = Filter(regions=(Region(LAYOUT, ((-9, -9), (0, -9), (0, 9), (-9, 9))),))
    right = everyone[everyone.x > 0.5].iloc[0]
    assert nearest(cache, MODEL, LAYOUT, right.x, right.y, (0.1, 0.1), region) is None


def test_spread_leaves_out_the_odd_ends(cache, everyone):
    low, high = spread(cache, MODEL, "u_total")
    assert everyone.u_total.min() < low < everyone.u_total.median() < high < everyone.u_total.max()
    assert spread(cache, MODEL, "attr_tone") == (1.0, 10.0)  # without its NaN


def test_of_many_faces_the_spread_is_that_of_a_sample(tmp_path, monkeypatch):
    many = Cache(synthetic.write(tmp_path / "c", 3000))
    whole = spread(many, MODEL, "u_total")
    monkeypatch.setattr("cache.maps.MOST_SCALED", 1500)
    some = spread(many, MODEL, "u_total")
    assert some == spread(many, MODEL, "u_total") != whole
    assert some == pytest.approx(whole, abs=0.1)


def test_a_column_that_nothing_is_known_of_has_no_spread(tmp_path):
    unvoted = Cache(synthetic.write(tmp_path / "c", 20, votes=False))
    assert all(map(math.isnan, spread(unvoted, MODEL, "disagreement")))


def test_the_plane_of_another_model(cache, everyone):
    """One model's map coloured by what another says."""
    found = points(cache, "compact", f"{PLANE}{MODEL}", EVERYWHERE, Shade("u_total")).set_index("face_id").sort_index()
    np.testing.assert_allclose(found.x, everyone.u_aleatoric)
    other = cache.page("compact", limit=MAX_ROWS, columns=["u_total"])
    np.testing.assert_allclose(found.value, other.u_total)


def test_without_a_model(cache):
    assert len(points(cache, None, LAYOUT, EVERYWHERE, Shade("disagreement"))) == 300
    with pytest.raises(BadQuery, match="no column 'predicted'"):
        points(cache, None, LAYOUT, EVERYWHERE, Shade(CORRECTNESS))


def test_a_map_whose_rows_are_in_another_order(tmp_path, monkeypatch):
    """Rows side by side only where they are of the same faces."""
    written = synthetic._points

    def turned_round(ids, name):
        table = written(ids, name)
        return table.take(list(range(len(ids)))[::-1])

    monkeypatch.setattr(synthetic, "_points", turned_round)
    turned = Cache(synthetic.write(tmp_path / "c", 40, layouts=(LAYOUT,)))
    found = points(turned, MODEL, LAYOUT, EVERYWHERE, Shade("u_total")).set_index("face_id").sort_index()
    ids = np.array_split(np.arange(40), 2)
    expected = pd.concat([written(part, LAYOUT).to_pandas() for part in ids]).set_index("face_id").sort_index()
    np.testing.assert_array_equal(found[["x", "y"]], expected[["x", "y"]])
    assert nearest(turned, MODEL, LAYOUT, found.x[7], found.y[7], (1, 1)) == 7


@pytest.mark.parametrize("layout", ["nowhere", f"{PLANE}nobody", '"; DROP TABLE faces; --'])
def test_maps_that_the_cache_lacks(cache, layout):
    for query in (
        lambda: extent(cache, layout),
        lambda: points(cache, MODEL, layout, EVERYWHERE, Shade("u_total")),
        lambda: cells(cache, MODEL, layout, EVERYWHERE, Shade("u_total"), grid=(5, 5)),
        lambda: nearest(cache, MODEL, layout, 0, 0, (1, 1)),
    ):
        with pytest.raises(BadQuery, match="has no m"):
            query()


@pytest.mark.parametrize("column", ["nope", "samples", 'u_total" --'])
def test_columns_that_the_cache_lacks(cache, column):
    for query in (
        lambda: points(cache, MODEL, LAYOUT, EVERYWHERE, Shade(column)),
        lambda: cells(cache, MODEL, LAYOUT, EVERYWHERE, Shade(column), grid=(5, 5)),
        lambda: spread(cache, MODEL, column),
    ):
        with pytest.raises(BadQuery, match="has no column"):
            query()
