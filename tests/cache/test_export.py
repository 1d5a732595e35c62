"""Exports against the cache they come from: every value, no formula, the query beside them, nothing half-written."""

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cache import export
from cache.export import METADATA, select, write_csv, write_csv_zip, write_file, write_parquet, write_thumbnails
from cache.filter_json import from_json
from cache.filters import Filter
from cache.reader import Cache
from tests import synthetic

MODEL = "compact-ensemble"
TEST = Filter(splits=("test",))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(synthetic.write(tmp_path_factory.mktemp("caches") / "c", 60, unknown=True, models=("compact", MODEL)))


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def csv_of(chosen) -> list[dict[str, str]]:
    out = io.BytesIO()
    write_csv(chosen, out)
    return rows(out.getvalue())


def number(cell: str) -> float:
    return float(cell) if cell else float("nan")


def test_a_csv_has_every_value_of_the_cache(cache):
    found = csv_of(select(cache, MODEL, TEST))
    assert [int(row["face_id"]) for row in found] == list(range(2, 60, 3))
    for row in found:
        face = cache.face(int(row["face_id"]), MODEL)
        assert row["source"] == face.row["source"] and row["content_id"] == face.row["content_id"]
        assert row["split"] == "test" and row["attr_light"] == (face.row["attr_light"] or "")
        assert row["predicted"] == cache.classes[face.row["predicted"]]
        assert row["majority"] == ("" if face.row["majority"] is None else cache.classes[face.row["majority"]])
        for name in ("confidence", "u_total", "u_aleatoric", "u_epistemic", "jsd", "brier", "disagreement", "width"):
            value = np.nan if face.row[name] is None else face.row[name]
            np.testing.assert_allclose(number(row[name]), value, rtol=1e-6)
        for index, label in enumerate(cache.classes):
            np.testing.assert_allclose(number(row[f"probs_{label}"]), face.probs[index], rtol=1e-6)
            votes = np.nan if face.votes is None else face.votes[index]
            np.testing.assert_equal(number(row[f"votes_{label}"]), votes)
    assert any(row["votes_fear"] == "" for row in found) and any(row["majority"] == "" for row in found)


def test_a_parquet_file_is_the_cache_with_its_types_and_units(cache):
    out = io.BytesIO()
    write_parquet(select(cache, MODEL, TEST, name="test faces", address="split=test"), out)
    table = pq.read_table(out)
    part = pq.read_table(cache.folder / "predictions" / f"model={MODEL}" / "part-00000.parquet")
    faces = pq.read_table(cache.folder / "faces" / "part-00000.parquet")
    assert set(table.column_names) == {*faces.column_names, *part.column_names} - {"samples"}
    for source in (faces, part):
        kept = source.filter([face % 3 == 2 for face in source["face_id"].to_pylist()])
        for field in source.schema:
            if field.name == "samples":
                continue
            assert table.schema.field(field.name).type == field.type, field.name
            unit = (field.metadata or {}).get(b"unit")
            assert (table.schema.field(field.name).metadata or {}).get(b"unit") == unit, field.name
            np.testing.assert_equal(table[field.name].to_pylist()[: len(kept)], kept[field.name].to_pylist())
    query = json.loads(table.schema.metadata[METADATA])
    assert query["name"] == "test faces" and query["address"] == "split=test"


def test_the_query_says_where_the_faces_come_from(cache):
    where = Filter(splits=("test",), ranges=(("u_total", 0.5, float("inf")),)).within("compact", Filter(correct=True))
    query = select(cache, MODEL, where, most=3).query
    assert json.loads(json.dumps(query, allow_nan=False)) == query
    assert from_json(query["filter"]) == where and query["model"] == MODEL and query["name"] is None
    assert query["faces"] == {"matching": cache.count(MODEL, where), "written": 3} and query["faces"]["matching"] > 3
    manifest = (cache.folder / "manifest.json").read_bytes()
    assert query["cache"]["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
    assert query["cache"]["source"] == "synthetic:" and query["cache"]["title"] == "Synthetic"
    assert query["schema_version"] == 1 and query["exported"].endswith("+00:00")
    assert query["classes"] == list(cache.classes) and query["units"]["u_total"] == "nats"
    assert select(cache, MODEL, TEST).query["faces"] == {"matching": 20, "written": 20}


def test_csv_and_query_travel_together(cache):
    out = io.BytesIO()
    write_csv_zip(select(cache, None, TEST), out)
    archive = zipfile.ZipFile(out)
    assert archive.namelist() == ["faces.csv", "query.json"] and archive.testzip() is None
    found = rows(archive.read("faces.csv"))
    assert len(found) == 20 and "u_total" not in found[0] and found[0]["votes_fear"].isdigit()
    assert json.loads(archive.read("query.json"))["faces"]["written"] == 20


def test_thumbnails_are_named_by_their_faces(cache):
    out = io.BytesIO()
    write_thumbnails(select(cache, MODEL, TEST, most=4), out)
    archive = zipfile.ZipFile(out)
    names = [f"thumbnails/{face}.png" for face in (2, 5, 8, 11)]
    assert archive.namelist() == ["faces.csv", *names, "query.json"]
    assert {name: archive.read(name) for name in names} == {
        f"thumbnails/{face}.png": image for face, image in cache.thumbnails([2, 5, 8, 11]).items()
    }
    query = json.loads(archive.read("query.json"))
    assert query["faces"] == {"matching": 20, "written": 4, "thumbnails": 4} and "apostrophe" in query["note"]


def test_no_faces_are_a_table_without_rows(cache):
    nobody = select(cache, MODEL, Filter(splits=("nowhere",)))
    for write in (write_csv_zip, write_thumbnails):
        out = io.BytesIO()
        write(nobody, out)
        content = zipfile.ZipFile(out).read("faces.csv").decode()
        assert content.startswith('"face_id","source"') and content.count("\n") == 1
    out = io.BytesIO()
    write_parquet(nobody, out)
    assert pq.read_table(out).num_rows == 0 and "u_total" in pq.read_schema(out).names


@pytest.mark.parametrize("chunk", [1, 7, 20, 1000])
def test_chunks_change_nothing(cache, monkeypatch, chunk):
    whole = csv_of(select(cache, MODEL, TEST))
    monkeypatch.setattr(export, "CHUNK", chunk)
    done: list[int] = []
    out = io.BytesIO()
    write_csv(select(cache, MODEL, TEST), out, done.append)
    assert rows(out.getvalue()) == whole and sum(done) == 20 and max(done) <= chunk


# ---- texts that a spreadsheet would run

TEXTS = {
    "=1+1": "'=1+1",
    "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0",
    "-2": "'-2",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t=1",
    "\r=1": "'\r=1",
    "  =1": "'  =1",
    "＝1": "'＝1",
    "'=1": "''=1",
    "plain": "plain",
    "a=b-c": "a=b-c",
    'say "hi", twice\nplease': 'say "hi", twice\nplease',
    "日本語": "日本語",
    "": "",
}


def test_no_text_becomes_a_formula(tmp_path, monkeypatch):
    """Names of files, classes and values come from strangers; a Parquet file keeps them as they are."""
    texts = list(TEXTS)
    monkeypatch.setattr(synthetic, "SPLITS", texts)
    classes = ("=cmd()", *synthetic.CLASSES[1:])
    folder = synthetic.write(tmp_path / "c", len(texts), splits=tuple(texts), classes=classes)
    chosen = select(Cache(folder), "compact", Filter())
    found = csv_of(chosen)
    assert [row["split"] for row in found] == list(TEXTS.values())
    assert all(row["predicted"] in ("'=cmd()", *classes[1:]) for row in found)
    assert "votes_=cmd()" in found[0]  # no column's name begins with it
    for row, text in zip(found, texts, strict=True):  # the way back
        assert row["split"].removeprefix("'") == text
    out = io.BytesIO()
    write_parquet(chosen, out)
    assert pq.read_table(out)["split"].to_pylist() == texts


def test_negative_numbers_stay_numbers(tmp_path):
    cache = Cache(synthetic.write(tmp_path / "c", 6))
    part = cache.folder / "faces" / "part-00000.parquet"
    table = pq.read_table(part)
    index = table.schema.get_field_index("attr_tone")
    table = table.set_column(index, table.schema.field(index), [[-1.5, -2.0, 3.0]])
    pq.write_table(table, part)
    found = csv_of(select(Cache(cache.folder), None, Filter()))
    assert [row["attr_tone"] for row in found[:3]] == ["-1.5", "-2", "3"]


# ---- files


@pytest.mark.parametrize(
    ("name", "files"),
    [("x.csv", ["x.csv", "x.query.json"]), ("x.parquet", ["x.parquet"]), ("x.zip", ["x.zip"])],
)
def test_files_by_their_ending(cache, tmp_path, name, files):
    assert write_file(select(cache, MODEL, TEST), tmp_path / name) == [tmp_path / file for file in files]
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    if name == "x.csv":
        assert len(rows((tmp_path / name).read_bytes())) == 20
        assert json.loads((tmp_path / "x.query.json").read_text())["faces"]["written"] == 20


def test_a_failed_export_leaves_the_old_file(cache, tmp_path, monkeypatch):
    path = tmp_path / "x.parquet"
    path.write_text("old")
    chosen = select(cache, MODEL, TEST)
    monkeypatch.setattr(export, "CHUNK", 5)

    def full(done: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_file(chosen, path, full)
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["x.parquet"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("x.xlsx", r"end in \.csv, \.parquet or \.zip"), ("x", "end in"), ("no/x.csv", "There is no folder")],
)
def test_files_that_cannot_be(cache, tmp_path, name, said):
    with pytest.raises(ValueError, match=said):
        write_file(select(cache, MODEL, TEST), tmp_path / name)
    (tmp_path / "folder.zip").mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        write_file(select(cache, MODEL, TEST), Path(tmp_path / "folder.zip"))
