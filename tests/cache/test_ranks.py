"""Neighbours and spread against the reader's own pages, which are the definition of the order."""

import numpy as np
import pytest
from scipy.stats import rankdata

from cache.errors import BadQuery
from cache.filters import Filter, Sort
from cache.ranks import Place, contrasts, place, spread
from cache.reader import MAX_ROWS, Cache
from tests import synthetic

MODEL = "compact-ensemble"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(synthetic.write(tmp_path_factory.mktemp("caches") / "c", 90))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", ["u_aleatoric", "attr_tone", "majority", "split", "face_id"])  # ties, nulls, text
@pytest.mark.parametrize("where", [Filter(), Filter(splits=("test",), ranges=(("u_total", 0.4, 1.9),))])
def test_place_agrees_with_page(cache, where, column, descending):
    sort = Sort(column, descending)
    ids = cache.page(MODEL, where, sort, limit=MAX_ROWS, columns=[]).face_id.tolist()
    for position, face_id in enumerate(ids):
        before = ids[position - 1] if position else None
        after = ids[position + 1] if position + 1 < len(ids) else None
        assert place(cache, MODEL, face_id, where, sort) == Place(position, len(ids), before, after)


def test_place_of_a_face_that_the_filter_leaves_out(cache):
    assert place(cache, MODEL, 0, Filter(splits=("test",))) is None  # face 0 is in train
    assert place(cache, MODEL, 10**9) is None


def test_single_sample_ties_everywhere(cache):
    found = place(cache, "compact", 5, sort=Sort("u_epistemic", descending=True))
    assert found is not None and found.total == 90 and found.previous is not None


def test_spread_steps_from_lowest_to_highest(cache):
    faces = spread(cache, MODEL, "u_total", faces=10, columns=["u_total", "predicted"])
    everyone = cache.page(MODEL, sort=Sort("u_total"), limit=90, columns=["u_total"])
    assert faces.columns.tolist() == ["face_id", "u_total", "predicted"]
    assert faces.face_id.tolist() == everyone.face_id.iloc[[round(i * 89 / 9) for i in range(10)]].tolist()


@pytest.mark.parametrize("faces", [0, 1, 5, 500])
def test_spread_of_few_faces(cache, faces):
    where = Filter(ranges=(("face_id", 3, 7),))
    assert len(spread(cache, MODEL, "u_total", where, faces=faces)) == min(faces, 5)
    assert spread(cache, MODEL, "u_total", Filter(splits=("none",)), faces=faces).empty


def test_unknown_columns_are_refused(cache):
    for query in (
        lambda: place(cache, MODEL, 1, sort=Sort("nope")),
        lambda: spread(cache, MODEL, "nope"),
        lambda: spread(cache, MODEL, "u_total", columns=["samples"]),
        lambda: contrasts(cache, MODEL, "nope", "u_total"),
        lambda: contrasts(cache, MODEL, "u_total", "nope"),
        lambda: contrasts(cache, MODEL, "u_total", "disagreement", columns=["samples"]),
    ):
        with pytest.raises(BadQuery, match="has no"):
            query()


@pytest.mark.parametrize("where", [Filter(), Filter(splits=("test",), ranges=(("u_total", 0.4, 1.9),))])
@pytest.mark.parametrize("reverse", [False, True])
def test_contrasts_are_the_widest_gaps_of_percentiles(cache, where, reverse):
    one, other = "disagreement", "u_aleatoric"
    high, low = (other, one) if reverse else (one, other)
    faces = cache.page(MODEL, where, limit=MAX_ROWS, columns=[high, low])
    ranks = [100 * (rankdata(faces[name]) - 0.5) / len(faces) for name in (high, low)]
    halves = (ranks[0] > 50) & (ranks[1] < 50)
    order = np.lexsort((faces.face_id, ranks[1] - ranks[0]))
    expected = order[halves[order]][:5]
    found = contrasts(cache, MODEL, one, other, where, limit=5, columns=["predicted", "face_id", high])[reverse]
    assert found.columns.tolist() == ["face_id", "high_rank", "low_rank", "predicted", high]
    assert len(expected) and found.face_id.tolist() == faces.face_id.iloc[expected].tolist()
    np.testing.assert_allclose(found.high_rank, ranks[0][expected])
    np.testing.assert_allclose(found.low_rank, ranks[1][expected])


def test_contrasts_leave_out_unknown_values(cache, tmp_path):
    unvoted = Cache(synthetic.write(tmp_path / "c", 20, votes=False))
    for found in (
        contrasts(unvoted, MODEL, "disagreement", "u_aleatoric", columns=["predicted"]),
        contrasts(
            cache, MODEL, "disagreement", "u_aleatoric", Filter(ranges=(("face_id", 3, 3),)), columns=["predicted"]
        ),
        contrasts(cache, "compact", "disagreement", "u_epistemic", columns=["predicted"]),  # all tie at the middle
    ):
        assert all(listed.empty and "predicted" in listed for listed in found)
