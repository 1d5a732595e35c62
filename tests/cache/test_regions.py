"""Points in polygons, polygons made shorter, and filters that speak of a region of a map."""

import doctest
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache import regions
from cache.errors import BadQuery
from cache.filters import Filter, Region, Sort
from cache.numbers import numbers
from cache.ranks import place
from cache.reader import MAX_ROWS, Cache
from cache.regions import inside, simplify
from cache.store import PLANE
from tests import synthetic

MODEL, LAYOUT = "compact-ensemble", "pca-compact-0"
SQUARE = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))
STAR = tuple((math.sin(0.8 * math.pi * k), math.cos(0.8 * math.pi * k)) for k in range(5))  # crosses itself
numbers_on_map = st.floats(-50, 50, allow_nan=False)


def one(x: float, y: float, polygon) -> bool:
    return bool(inside(np.array([x]), np.array([y]), polygon)[0])


def test_examples_in_docstrings():
    found = doctest.testmod(regions)
    assert found.attempted and not found.failed


def test_the_middle_of_a_star_that_crosses_itself_is_outside():
    assert not one(0, 0, STAR)  # encircled twice
    assert all(one(0.8 * x, 0.8 * y, STAR) for x, y in STAR)  # its points are inside
    assert not one(0, -0.9, STAR)


def test_edges_belong_to_one_of_two_neighbours():
    right = tuple((x + 2, y) for x, y in SQUARE)
    above = tuple((x, y + 2) for x, y in SQUARE)
    assert one(2, 1, SQUARE) + one(2, 1, right) == 1
    assert one(1, 2, SQUARE) + one(1, 2, above) == 1
    assert one(2, 2, SQUARE) + one(2, 2, right) + one(2, 2, above) + one(2, 2, ((2, 2), (4, 2), (4, 4), (2, 4))) == 1


def test_a_corner_at_the_height_of_the_point_counts_once():
    diamond = ((0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0))
    assert one(0, 0, diamond) and not one(-2, 0, diamond) and not one(2, 0, diamond)
    assert one(0, 0, diamond[::-1])


def test_nothing_is_inside_a_line():
    x, y = np.random.default_rng(0).uniform(0, 2, (2, 200))
    assert not inside(x, y, ((0, 0), (1, 1), (2, 2))).any()
    assert not inside(x, np.ones(200), ((0, 1), (1, 1), (2, 1))).any()
    assert inside(np.array([]), np.array([]), SQUARE).tolist() == []


@given(st.lists(st.tuples(numbers_on_map, numbers_on_map), min_size=3, max_size=12), st.randoms(use_true_random=False))
def test_moving_turning_round_and_starting_elsewhere_change_nothing(polygon, random):
    rng = np.random.default_rng(random.randrange(2**32))
    x, y = rng.uniform(-50, 50, (2, 200))
    found = inside(x, y, tuple(polygon))
    at = random.randrange(len(polygon))
    assert (inside(x, y, tuple(polygon[at:] + polygon[:at])) == found).all()
    assert (inside(x, y, tuple(polygon[::-1])) == found).mean() > 0.99  # rounding may move a point on an edge


@given(st.lists(st.tuples(numbers_on_map, numbers_on_map), min_size=3, max_size=9), st.integers(0, 2**32 - 1))
def test_a_convex_polygon_is_where_all_its_half_planes_meet(corners, seed):
    corners = np.array(corners)
    angles = np.unique(np.arctan2(corners[:, 1], corners[:, 0]).round(3).clip(-3.14, 3.14))  # -pi and pi are one place
    polygon = tuple((60 * math.cos(a), 60 * math.sin(a)) for a in angles)  # on a circle
    if len(polygon) < 3:
        return
    x, y = np.random.default_rng(seed).uniform(-70, 70, (2, 300))
    expected, near = np.ones(300, bool), np.zeros(300, bool)
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        side = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        expected &= side > 0
        near |= np.abs(side) < 1e-6
    found = inside(x, y, polygon)
    assert (found == expected)[~near].all()


def test_simplify_keeps_what_matters():
    assert simplify(SQUARE) is SQUARE
    angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    circle = tuple((float(np.cos(a)), float(np.sin(a))) for a in angles)
    short = simplify(circle)
    assert len(short) == 64 and set(short) <= set(circle)
    x, y = np.random.default_rng(0).uniform(-1.2, 1.2, (2, 20_000))
    assert (inside(x, y, circle) == inside(x, y, short)).mean() > 0.997


def test_simplify_leaves_at_least_a_triangle():
    assert len(simplify(STAR, most=1)) == 3
    assert len(simplify(((0, 0), (0, 0), (0, 0), (0, 0)), most=3)) == 3


# ---- in filters


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    folder = tmp_path_factory.mktemp("caches") / "c"
    return Cache(synthetic.write(folder, 90, layouts=(LAYOUT, "umap-compact-0"), unknown=True))


def on_map(cache: Cache, layout: str = LAYOUT):
    return cache.frame(f"SELECT * FROM {cache.points(layout)} ORDER BY face_id", [])


def first_cloud(layout: str = LAYOUT) -> Region:
    return Region(layout, ((-3.0, -3.5), (3.5, -3.0), (3.0, 4.0), (-3.5, 3.0)))


def expected_ids(cache: Cache, region: Region) -> list[int]:
    points = on_map(cache, region.layout)
    return points.face_id[inside(points.x.to_numpy(), points.y.to_numpy(), region.polygon)].tolist()


def ids(cache: Cache, where: Filter, model: str | None = MODEL) -> list[int]:
    return cache.page(model, where, limit=MAX_ROWS, columns=[]).face_id.tolist()


def test_a_region_is_the_faces_inside_it_in_every_query(cache):
    where = Filter(regions=(first_cloud(),))
    expected = expected_ids(cache, first_cloud())
    assert 20 < len(expected) < 60
    assert ids(cache, where) == ids(cache, where, None) == expected
    assert cache.count(MODEL, where) == len(expected)
    assert numbers(cache, MODEL, where, ["u_total"]).face_id.tolist() == expected
    order = cache.page(MODEL, where, Sort("u_total"), limit=90, columns=[]).face_id.tolist()
    found = place(cache, MODEL, order[3], where, Sort("u_total"))
    assert found is not None and (found.position, found.total, found.previous) == (3, len(expected), order[2])
    assert place(cache, MODEL, next(i for i in range(90) if i not in expected), where) is None


def test_regions_meet_each_other_and_the_other_conditions(cache):
    left = Region(LAYOUT, ((-9.0, -9.0), (0.0, -9.0), (0.0, 20.0), (-9.0, 20.0)))
    both = Filter(regions=(first_cloud(), left), ranges=(("u_total", 0.4, 1.9),))
    expected = set(expected_ids(cache, first_cloud())) & set(expected_ids(cache, left))
    assert ids(cache, both) == sorted(expected & set(ids(cache, Filter(ranges=(("u_total", 0.4, 1.9),)))))


def test_the_rest_is_every_other_face_once(cache):
    region = Filter(regions=(first_cloud(),), splits=("train",))
    for where in (Filter(), Filter(values=(("attr_light", ("side",)),))):  # a null light is neither inside nor outside
        inner, outer = (ids(cache, where.within(MODEL, region, inside=side)) for side in (True, False))
        assert sorted(inner + outer) == ids(cache, where) and not set(inner) & set(outer)


@pytest.mark.parametrize("judge", [MODEL, "compact", None])
def test_a_subset_holds_whoever_judges_it(cache, judge):
    """Where the same model judges, the condition stands for itself; where another does, it is looked up."""
    inner = Filter(majority=(0, 1, 2), values=(("attr_light", ("front",)),), regions=(first_cloud(),))
    if judge:
        inner = Filter(**{**vars(inner), "correct": True})
    within, without = (Filter().within(judge, inner, inside=side) for side in (True, False))
    assert ids(cache, within) == ids(cache, inner, judge)
    assert sorted(ids(cache, within) + ids(cache, without)) == list(range(90))


def test_a_subset_within_a_subset(cache):
    region = Filter(regions=(first_cloud(),))
    twice = Filter().within("compact", Filter().within(MODEL, region, inside=False), inside=False)
    assert ids(cache, twice) == expected_ids(cache, first_cloud())


def test_a_region_on_the_plane_of_two_uncertainties(cache):
    faces = cache.page(MODEL, limit=90, columns=["u_aleatoric", "u_epistemic"])
    a, e = faces.u_aleatoric.median(), faces.u_epistemic.median()
    corner = Region(f"{PLANE}{MODEL}", ((a, e), (9, e), (9, 9), (a, 9)))
    expected = faces.face_id[(faces.u_aleatoric >= a) & (faces.u_epistemic >= e)].tolist()
    assert expected and ids(cache, Filter(regions=(corner,))) == expected
    assert ids(cache, Filter(regions=(corner,)), "compact") == expected  # another model may judge the rest


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (Region("nowhere", SQUARE), "no map 'nowhere'"),
        (Region(f"{PLANE}nobody", SQUARE), "no model 'nobody'"),
        (Region(LAYOUT, SQUARE[:2]), "three corners"),
        (Region(LAYOUT, ((0, 0), (1, math.nan), (1, 1))), "finite numbers"),
        (Region('x"; DROP TABLE faces; --', SQUARE), "no map"),
    ],
)
def test_regions_that_are_none(cache, region, said):
    with pytest.raises(BadQuery, match=said):
        cache.count(MODEL, Filter(regions=(region,)))
    assert cache.count(MODEL) == 90


def test_a_region_around_nothing(cache):
    nothing = Filter(regions=(Region(LAYOUT, tuple((x + 500, y) for x, y in SQUARE)),))
    assert cache.count(MODEL, nothing) == 0 and ids(cache, nothing) == []
    assert cache.count(MODEL, Filter().within(MODEL, nothing, inside=False)) == 90


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(numbers_on_map, numbers_on_map), min_size=3, max_size=8))
def test_any_polygon_agrees_with_numpy(cache, polygon):
    region = Region("umap-compact-0", tuple(polygon))
    assert ids(cache, Filter(regions=(region,))) == expected_ids(cache, region)


def test_regions_are_forgotten_and_made_again(cache, monkeypatch):
    monkeypatch.setattr("cache.store.MOST_ENCLOSED", 1)
    wide = Filter(regions=(first_cloud(),))
    narrow = Filter(regions=(Region(LAYOUT, ((-1.0, -1.0), (1.0, -1.0), (0.0, 1.0))),))
    first = [ids(cache, wide), ids(cache, narrow)]
    assert [ids(cache, wide), ids(cache, narrow)] == first
