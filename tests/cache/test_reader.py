"""The reader against a small cache whose contents are known through pandas."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cache.errors import BadQuery, CacheGone, CacheNotFound, SchemaMismatch
from cache.filters import Filter, Sort
from cache.reader import MAX_ROWS, Cache
from tests import synthetic

MODEL = "compact-ensemble"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic.write(tmp_path_factory.mktemp("caches") / 'small\'s "cache"', 90)  # quotes must not matter


@pytest.fixture
def cache(folder: Path) -> Cache:
    return Cache(folder)


@pytest.fixture(scope="module")
def everything(folder: Path):
    faces = pq.ParquetDataset(folder / "faces").read().to_pandas()
    predictions = pq.ParquetDataset(sorted((folder / f"predictions/model={MODEL}").glob("*"))).read().to_pandas()
    return faces.merge(predictions, on="face_id")


def test_page_sorts_and_limits(cache, everything):
    page = cache.page(MODEL, sort=Sort("u_aleatoric", descending=True), limit=7, columns=["u_aleatoric"])
    expected = everything.sort_values("u_aleatoric", ascending=False).face_id.head(7)
    assert page.face_id.tolist() == expected.tolist()
    rest = cache.page(MODEL, sort=Sort("u_aleatoric", descending=True), limit=500, offset=7, columns=[])
    assert len(rest) == 83 and not set(rest.face_id) & set(page.face_id)


def test_filter_matches_pandas(cache, everything):
    where = Filter(
        splits=("test", "train"),
        predicted=(0, 1, 2, 3, 4, 5),
        correct=True,
        ranges=(("u_total", 0.5, 1.9),),
        values=(("attr_light", ("side",)),),
    )
    e = everything
    expected = e[
        e.split.isin(["test", "train"])
        & e.predicted.isin(range(6))
        & e.majority.notna()
        & (e.predicted == e.majority)
        & e.u_total.between(0.5, 1.9)
        & (e.attr_light == "side")
    ]
    assert 0 < len(expected) < len(e)
    assert cache.count(MODEL, where) == len(expected)
    assert set(cache.page(MODEL, where).face_id) == set(expected.face_id)


def test_correct_and_wrong_leave_out_ties(cache, everything):
    correct, wrong = (cache.count(MODEL, Filter(correct=c)) for c in (True, False))
    assert correct + wrong == everything.majority.notna().sum() < len(everything)


def test_face_carries_everything(cache, everything):
    row = everything[everything.face_id == 41].iloc[0]
    face = cache.face(41, MODEL)
    np.testing.assert_array_equal(face.votes, row.votes)
    np.testing.assert_allclose(face.probs, row.probs)
    assert face.samples.shape == (6, 8)
    np.testing.assert_allclose(face.samples.mean(0), face.probs, atol=2e-3)  # stored in half precision
    same = everything[everything.split == row.split].u_epistemic
    midrank = 100 * ((same < row.u_epistemic).mean() + (same == row.u_epistemic).mean() / 2)
    assert face.percentiles["u_epistemic"] == pytest.approx(midrank)
    assert face.peers == len(same)
    assert cache.face(10**9, MODEL) is None


def test_thumbnails(cache):
    images = cache.thumbnails([3, 88, 10**9])
    assert set(images) == {3, 88} and images[3].startswith(b"\x89PNG")
    assert cache.thumbnails([]) == {}


def test_histogram_counts_every_face(cache, everything):
    bins = cache.histogram(MODEL, "u_epistemic", bins=11)
    expected, _ = np.histogram(everything.u_epistemic, bins=np.append(bins.low, bins.high.iloc[-1]))
    assert bins.faces.sum() == len(everything)
    assert np.abs(bins.faces - expected).sum() <= 2  # a value on an edge may round to either side


def test_values_and_extent(cache, everything):
    counts = cache.values(MODEL, "attr_light").set_index("value").faces.to_dict()
    assert counts == everything.attr_light.value_counts().to_dict()
    assert cache.extent(MODEL, "attr_tone") == (everything.attr_tone.min(), everything.attr_tone.max())


@pytest.mark.parametrize("name", ["nope", "face_id; DROP VIEW faces", '"', "samples"])
def test_unknown_columns_are_refused(cache, name):
    for query in (
        lambda: cache.page(MODEL, sort=Sort(name)),
        lambda: cache.page(MODEL, columns=[name]),
        lambda: cache.count(MODEL, Filter(ranges=((name, 0, 1),))),
        lambda: cache.extent(MODEL, name),
    ):
        with pytest.raises(BadQuery, match="has no"):
            query()


def test_hostile_values_are_only_values(cache):
    assert cache.count(MODEL, Filter(splits=("test' OR 1=1 --",))) == 0
    with pytest.raises(BadQuery):
        cache.count("compact' --")


def test_rows_are_bounded(tmp_path):
    cache = Cache(synthetic.write(tmp_path / "many", MAX_ROWS + 50, models=()))
    assert len(cache.page(None, limit=10**9, columns=[])) == MAX_ROWS


def test_without_votes_or_models(tmp_path):
    cache = Cache(synthetic.write(tmp_path / "c", 10, votes=False))
    assert cache.face(0, MODEL).votes is None
    assert np.isnan(cache.extent(MODEL, "jsd")[0])
    assert cache.histogram(MODEL, "jsd").empty
    faces_only = Cache(synthetic.write(tmp_path / "d", 10, models=()))
    assert faces_only.models == () and faces_only.count(None) == 10
    assert faces_only.face(3, None).probs is None


def test_one_cache_serves_many_threads(cache):
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.extend(cache.count(MODEL) for _ in range(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [90] * 160


def test_missing_cache(tmp_path):
    with pytest.raises(CacheNotFound, match="python -m engine build"):
        Cache(tmp_path / "nothing")


def test_other_schema_version(tmp_path):
    folder = synthetic.write(tmp_path / "c", 4)
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(SchemaMismatch, match=r"version 99.*reads version 1.*engine build"):
        Cache(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 1}', '{"schema_version": 1, "models": 3}'])
def test_broken_manifest(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(SchemaMismatch):
        Cache(tmp_path)


def test_manifest_cannot_point_outside(tmp_path):
    folder = synthetic.write(tmp_path / "c", 4)
    synthetic.write(tmp_path / "other", 4)
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("faces/part-00000.parquet", "../other/faces/part-00000.parquet"))
    with pytest.raises(SchemaMismatch, match="outside"):
        Cache(folder)


def test_deleted_while_open(tmp_path):
    folder = synthetic.write(tmp_path / "c", 40)
    cache = Cache(folder)
    assert cache.count(MODEL) == 40
    shutil.rmtree(folder)
    assert cache.count(MODEL, Filter(splits=("test",))) == 13  # its narrow columns are in memory
    with pytest.raises(CacheGone, match="Reload"):
        cache.thumbnails([1])
    with pytest.raises(CacheGone, match="Reload"):
        cache.face(1, MODEL)


def test_truncated_part(tmp_path):
    folder = synthetic.write(tmp_path / "c", 40)
    part = folder / "faces" / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(SchemaMismatch, match=r"cannot be read.*Build the cache again"):
        Cache(folder).count(MODEL)
