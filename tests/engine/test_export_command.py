"""`python -m engine export`: every face of a cache, or of a slice saved in the app."""

import json

import pyarrow.parquet as pq
import pytest

from cache.filters import Filter
from cache.reader import Cache
from cache.slices import Slice, save
from tests import synthetic
from tests.engine.test_cli import invoke


@pytest.fixture
def folder(tmp_path):
    folder = synthetic.write(tmp_path / "c", 60)
    save(folder, Slice("it's mine", "compact", Filter(correct=False), "view=Browse", "2026-11-24T12:00:00+00:00"))
    return folder


def test_everything(folder, tmp_path):
    result = invoke("export", folder, "--out", tmp_path / "all.parquet")
    assert result.exit_code == 0, result.output
    assert "60 faces" in result.output and pq.read_table(tmp_path / "all.parquet").num_rows == 60


@pytest.mark.parametrize("model", ["compact", "compact-ensemble"])
def test_a_slice_is_judged_by_its_own_model(folder, tmp_path, model):
    arguments = [] if model == "compact" else ["--model", model]
    result = invoke("export", folder, "--out", tmp_path / "x.parquet", "--slice", "It's mine", *arguments)
    assert result.exit_code == 0, result.output
    table = pq.read_table(tmp_path / "x.parquet")
    cache = Cache(folder)
    assert table.num_rows == cache.count("compact", Filter(correct=False)) > 0
    face = cache.face(table["face_id"][0].as_py(), model)
    assert table["u_total"][0].as_py() == pytest.approx(face.row["u_total"])
    query = json.loads(table.schema.metadata[b"doubtscope"])
    assert query["name"] == "it's mine" and query["address"] == "view=Browse" and query["model"] == model


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "x.txt"], "end in .csv, .parquet or .zip"),
        (["--out", "no/such/x.csv"], "There is no folder no/such"),
        (["--slice", "nobody's"], "no slice 'nobody's'. It has: it's mine"),
        (["--slice", ""], "no slice ''"),
        (["--model", "gone"], "no model 'gone'. It has: compact, compact-ensemble"),
    ],
)
def test_mistakes_get_one_sentence(folder, tmp_path, arguments, said):
    out = [] if "--out" in arguments else ["--out", tmp_path / "x.csv"]
    result = invoke("export", folder, *out, *arguments)
    assert result.exit_code == 1 and said in result.output
    assert result.output.startswith("Error: ") and result.output.count("\n") == 1
    assert not list(tmp_path.glob("x*"))


def test_a_column_that_is_gone(folder, tmp_path):
    save(folder, Slice("old", None, Filter(ranges=(("attr_gone", 0, 1),)), "", "2026-11-24T12:00:00+00:00"))
    result = invoke("export", folder, "--out", tmp_path / "x.csv", "--slice", "old")
    assert result.exit_code == 1 and "This cache has no column 'attr_gone'" in result.output


def test_a_cache_without_models(tmp_path):
    folder = synthetic.write(tmp_path / "c", 10, models=())
    result = invoke("export", folder, "--out", tmp_path / "x.zip")
    assert result.exit_code == 0 and (tmp_path / "x.zip").exists(), result.output
