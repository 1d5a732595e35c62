"""Columns as arrays, against the reader's own pages."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cache import numbers as module
from cache.errors import BadQuery
from cache.filters import Filter
from cache.numbers import numbers
from cache.reader import MAX_ROWS, Cache
from tests import synthetic

MODEL = "compact-ensemble"
FILTERS = (
    Filter(),
    Filter(splits=("test",), ranges=(("u_total", 0.4, 1.9),), values=(("attr_light", ("side",)),)),
    Filter(predicted=(1, 2), correct=True),
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(synthetic.write(tmp_path_factory.mktemp("caches") / "c", 120, unknown=True))


@pytest.mark.parametrize("where", FILTERS)
def test_columns_agree_with_page(cache, where):
    names = list(cache.columns(MODEL))
    page = cache.page(MODEL, where, limit=MAX_ROWS)
    found = numbers(cache, MODEL, where, names)
    assert 0 < len(found) == found.matching == len(page) and not found.sampled
    assert found.face_id.tolist() == page.face_id.tolist()
    for name in names:
        if cache.columns(MODEL)[name].kind == "text":
            assert found.columns[name].tolist() == page[name].astype(object).where(page[name].notna(), None).tolist()
        else:
            np.testing.assert_array_equal(found.columns[name], page[name].to_numpy(float))


def test_probs_and_votes_of_each_face(cache):
    found = numbers(cache, MODEL, Filter(splits=("test",)), probs=True, votes=True)
    assert found.probs.shape == found.votes.shape == (len(found), 8) and not found.columns
    for at in (0, 1, len(found) - 1):
        face = cache.face(int(found.face_id[at]), MODEL)
        np.testing.assert_array_equal(found.probs[at], face.probs)
        np.testing.assert_array_equal(found.votes[at], np.full(8, np.nan) if face.votes is None else face.votes)
    assert np.isnan(found.votes).any() and not np.isnan(found.probs).any()
    assert numbers(cache, MODEL, columns=["u_total"]).probs is None


def test_unknown_is_nan_and_none(cache):
    found = numbers(cache, None, columns=["attr_tone", "attr_light", "disagreement", "majority"])
    unknown = {name: found.face_id[[v is None or v != v for v in found.columns[name]]] for name in found.columns}
    assert unknown["attr_tone"].tolist() == list(range(0, 120, 4))  # NaN in the file
    assert unknown["attr_light"].tolist() == list(range(0, 120, 3))  # null in the file
    assert unknown["disagreement"].tolist() == list(range(0, 120, 5))
    assert set(unknown["majority"]) > set(range(0, 120, 5))  # ties too


def test_infinite_is_unknown(tmp_path):
    folder = synthetic.write(tmp_path / "c", 10, parts=1)
    part = next((folder / "faces").glob("*.parquet"))
    table = pq.read_table(part)
    at = table.schema.get_field_index("attr_tone")
    values = pa.array([np.inf, -np.inf, *table["attr_tone"].to_pylist()[2:]])
    pq.write_table(table.set_column(at, table.schema.field(at), values), part)
    tone = numbers(Cache(folder), None, columns=["attr_tone"]).columns["attr_tone"]
    assert np.isnan(tone[:2]).all() and np.isfinite(tone[2:]).all()


def test_many_faces_are_sampled_the_same_way_each_time(cache, monkeypatch):
    monkeypatch.setattr(module, "MOST_FACES", 20)
    where = Filter(ranges=(("face_id", 10, 99),))
    first, again = (numbers(cache, MODEL, where, ["u_total"], probs=True) for _ in range(2))
    assert len(first) == 20 and first.matching == 90 and first.sampled
    assert first.face_id.tolist() == sorted(first.face_id) == again.face_id.tolist()
    assert first.face_id.tolist() != list(range(10, 30)) and {*first.face_id} <= {*range(10, 100)}
    np.testing.assert_allclose(first.probs.sum(axis=1), 1, atol=1e-6)
    assert numbers(cache, "compact", where, ["u_total"]).face_id.tolist() == first.face_id.tolist()


def test_two_models_on_the_faces_that_one_of_them_chose(cache):
    where = Filter(predicted=(1, 2, 3), ranges=(("u_aleatoric", 0.0, 1.7),))
    chosen = numbers(cache, MODEL, where, ["u_aleatoric"])
    other = numbers(cache, "compact", where, ["u_aleatoric"], filtered_by=MODEL)
    assert len(chosen) > 2 and other.face_id.tolist() == chosen.face_id.tolist()
    assert other.face_id.tolist() != numbers(cache, "compact", where).face_id.tolist()
    assert (other.columns["u_aleatoric"] != chosen.columns["u_aleatoric"]).any()


def test_nobody_can_write_to_what_all_share(cache):
    found = numbers(cache, MODEL, columns=["u_total", "attr_light"], probs=True, votes=True)
    for array in (found.face_id, *found.columns.values(), found.probs, found.votes):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]


def test_no_face_and_no_votes(cache, tmp_path):
    none = numbers(cache, MODEL, Filter(splits=("nowhere",)), ["u_total", "split"], probs=True, votes=True)
    assert len(none) == none.matching == 0 and none.probs.shape == none.votes.shape == (0, 8)
    silent = Cache(synthetic.write(tmp_path / "c", 10, votes=False))
    assert np.isnan(numbers(silent, MODEL, votes=True).votes).all()


def test_one_class(tmp_path):
    found = numbers(Cache(synthetic.write(tmp_path / "c", 6, classes=("face",))), MODEL, probs=True, votes=True)
    assert found.probs.tolist() == [[1.0]] * 6 and found.votes.tolist() == [[10.0]] * 6


def test_unknown_columns_and_models_are_refused(cache):
    for query in (
        lambda: numbers(cache, MODEL, columns=["samples"]),
        lambda: numbers(cache, MODEL, columns=["u_total; DROP VIEW faces"]),
        lambda: numbers(cache, None, columns=["u_total"]),
        lambda: numbers(cache, None, Filter(predicted=(1,))),
        lambda: numbers(cache, "nope", columns=["split"]),
    ):
        with pytest.raises(BadQuery, match="has no"):
            query()
    with pytest.raises(BadQuery, match="belong to a model"):
        numbers(cache, None, probs=True)
