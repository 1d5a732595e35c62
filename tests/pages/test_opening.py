"""The cache that is read before there is a page to show it."""

import subprocess
import sys

import pytest

from cache.errors import SchemaMismatch
from cache.reader import Cache
from pages import opening
from tests import synthetic
from tests.pages.conftest import ROOT


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """begin() with a data folder of one cache, 'c'; returns its stamp."""

    def begun():
        monkeypatch.setenv("DOUBTSCOPE_DATA", str(tmp_path))
        monkeypatch.delenv("DOUBTSCOPE_CACHE", raising=False)
        opening.begin()
        return opening.stamp_of(tmp_path / "c")

    return begun


def test_what_was_begun_is_opened_once(begin, tmp_path):
    synthetic.write(tmp_path / "c", 30, models=("compact", "compact-ensemble"))
    stamp = begin()
    store = opening.opened(*stamp)
    assert opening.opened(*stamp) is None
    assert store.rows("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'narrow compact-ensemble'", []) == [(1,)]
    found = Cache(tmp_path / "c", store).page("compact-ensemble", limit=30)
    assert found.equals(Cache(tmp_path / "c").page("compact-ensemble", limit=30))


@pytest.mark.parametrize("models", [(), ("compact",)])
def test_without_a_model_of_several_samples(begin, tmp_path, models):
    synthetic.write(tmp_path / "c", 10, models=models)
    store = opening.opened(*begin())
    assert store.manifest.first_model == next(iter(models), None)
    assert store.rows("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'narrow faces'", []) == [(1,)]


def test_a_cache_rebuilt_since_is_another(begin, tmp_path):
    synthetic.write(tmp_path / "c", 10)
    folder, modified = begin()
    assert opening.opened(folder, modified + 1) is None
    assert opening.opened(folder, modified) is not None


def test_no_cache_at_all(begin):
    assert opening.opened(*begin()) is None


def test_what_opening_raises_is_raised_where_it_is_asked_for(begin, tmp_path):
    manifest = synthetic.write(tmp_path / "c", 4) / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(SchemaMismatch, match="99"):
        opening.opened(*begin())


def test_a_damaged_part_is_left_to_the_page_that_needs_it(begin, tmp_path):
    part = next((synthetic.write(tmp_path / "c", 4) / "predictions").rglob("*.parquet"))
    part.write_bytes(b"x" * part.stat().st_size)
    assert opening.opened(*begin()).rows("SELECT count(*) FROM faces", []) == [(4,)]


def test_it_waits_for_neither_streamlit_nor_pandas():
    code = "import sys, pages.opening; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert "duckdb" in found and not found & {"streamlit", "pandas"}
