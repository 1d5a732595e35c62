"""Attributes that stand in tables of their own are seen like columns of the faces; a cache without any is as before."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from cache import manifest as manifests
from cache import narrow, schema, slices
from cache.attributes import expect_distinct
from cache.errors import AttributeClash, SchemaMismatch
from cache.export import select, write_csv, write_parquet
from cache.filters import Filter, Sort
from cache.manifest import AttributeInfo
from cache.maps import Shade, extent, points
from cache.numbers import numbers
from cache.ranks import contrasts, place
from cache.reader import Cache
from cache.writer import CacheWriter
from tests import synthetic

MODEL = "compact-ensemble"
FACES = 90
AGE = [None if i % 7 == 3 else float(i % 50) for i in range(FACES)]
LAMP = [("lamp", "=1+1", "<b>sun</b>", None)[i % 4] for i in range(FACES)]
NOTE = [f"note {i}" for i in range(FACES)]


def add(
    folder: Path, name: str, columns: dict[str, list], *, rows: slice = slice(None), split: int | None = None
) -> None:
    """A table of attributes, in one part or in two."""
    fields = [
        schema.attribute_field(n, text=isinstance(v[0], str), unit={"age": "years"}.get(n, ""))
        for n, v in columns.items()
    ]
    table = pa.table([list(range(FACES)), *columns.values()], schema=schema.attributes(fields)).slice(0)
    table = table.take(pa.array(range(FACES)[rows]))
    info = AttributeInfo(f"From {name}.csv", "file", tuple(f.name for f in fields))
    with CacheWriter(folder) as writer:
        writer.start(writer.manifest.with_attributes(name, info))
        for part, piece in enumerate([table] if split is None else [table.slice(0, split), table.slice(split)]):
            writer.commit({f"attributes/of={name}": piece}, f"part-{part:05d}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = synthetic.write(tmp_path_factory.mktemp("caches") / "c", FACES, layouts=("pca-compact-0",))
    add(folder, "labels", {"age": AGE, "lamp": LAMP})
    add(folder, "notes", {"note": NOTE}, split=45)
    return folder


@pytest.fixture(params=[narrow.FACES, 7])
def cache(folder, request, monkeypatch) -> Cache:
    monkeypatch.setattr(narrow, "FACES", request.param)  # also when the tables are joined in many steps
    return Cache(folder)


def test_they_are_columns_with_units_beside_the_datasets_own(cache):
    assert list(cache.attributes) == ["attr_tone", "attr_light", "attr_age", "attr_lamp", "attr_note"]
    assert (cache.attributes["attr_age"].kind, cache.attributes["attr_age"].unit) == ("number", "years")
    assert cache.attributes["attr_lamp"].kind == "text"
    assert cache.attribute_tables == {
        "faces": ("attr_tone", "attr_light"),
        "attributes/of=labels": ("attr_age", "attr_lamp"),
        "attributes/of=notes": ("attr_note",),
    }
    assert cache.columns(MODEL)["attr_age"].unit == "years"


@pytest.mark.parametrize("model", [None, MODEL])
def test_pages_filters_and_sorts_use_them(cache, model):
    page = cache.page(model, limit=FACES)
    assert [None if np.isnan(v) else v for v in page.attr_age] == AGE
    assert [v if isinstance(v, str) else None for v in page.attr_lamp] == LAMP and page.attr_note.tolist() == NOTE
    where = Filter(ranges=(("attr_age", 10, 20),), values=(("attr_lamp", ("=1+1", "<b>sun</b>")),))
    expected = [i for i in range(FACES) if AGE[i] is not None and 10 <= AGE[i] <= 20 and i % 4 in (1, 2)]
    assert expected and cache.page(model, where).face_id.tolist() == expected
    assert cache.count(model, where) == len(expected)
    first = cache.page(model, sort=Sort("attr_age", descending=True), limit=1, columns=["attr_age"])
    assert first.attr_age.tolist() == [49.0]
    assert place(cache, model, 49, where=Filter(), sort=Sort("attr_age", descending=True)).position == 0


def test_statistics_see_them(cache):
    found = numbers(cache, MODEL, columns=["attr_age", "attr_lamp", "u_total"])
    np.testing.assert_array_equal(found.columns["attr_age"], np.array(AGE, float))
    assert found.columns["attr_lamp"].tolist() == LAMP
    values = cache.values(None, "attr_lamp").set_index("value").faces
    assert values["lamp"] == LAMP.count("lamp") and len(values) == 4
    bins = cache.histogram(MODEL, "attr_age", bins=5)
    assert bins.faces.sum() == FACES - AGE.count(None) and cache.extent(None, "attr_age") == (0.0, 49.0)
    assert all(len(found) > 0 for found in contrasts(cache, MODEL, "attr_age", "u_total"))


def test_a_face_and_a_map_have_them(cache):
    row = cache.face(2, MODEL).row
    assert (row["attr_age"], row["attr_lamp"], row["attr_note"]) == (2.0, "<b>sun</b>", "note 2")
    assert cache.face(3, None).row["attr_age"] is None
    window = extent(cache, "pca-compact-0")
    shown = points(cache, MODEL, "pca-compact-0", window, Shade("attr_age")).set_index("face_id").value
    assert shown[2] == 2.0 and np.isnan(shown[3])


def test_slices_filter_by_them(folder, tmp_path):
    where = Filter(values=(("attr_lamp", ("lamp",)),))
    slices.save(folder, slices.Slice("by lamp", MODEL, where, "", "2026-01-01T00:00:00+00:00"))
    one = slices.find(folder, "by lamp")
    slices.check(Cache(folder), one)
    assert Cache(folder).count(MODEL, one.narrowed(MODEL)) == LAMP.count("lamp")


@pytest.mark.parametrize("model", [None, MODEL])
def test_exports_have_them(cache, model):
    chosen = select(cache, model, Filter(ranges=(("attr_age", 5, 9),)))
    assert len(chosen.ids) > 0 and chosen.query["units"]["attr_age"] == "years"
    out = io.BytesIO()
    write_parquet(chosen, out)
    table = pq.read_table(io.BytesIO(out.getvalue()))
    assert table["attr_age"].to_pylist() == [AGE[i] for i in chosen.ids]
    assert table["attr_lamp"].to_pylist() == [LAMP[i] for i in chosen.ids]
    assert table.schema.field("attr_age").metadata == {b"unit": b"years"}
    assert ("u_total" in table.column_names) == (model is not None) and len(
        set(table.column_names)
    ) == table.num_columns
    out = io.BytesIO()
    write_csv(chosen, out)
    texts = pyarrow.csv.read_csv(io.BytesIO(out.getvalue()))["attr_lamp"].to_pylist()
    assert "'=1+1" in texts and "=1+1" not in texts  # a spreadsheet would run it


def test_a_cache_of_before_opens_and_has_none(tmp_path):
    folder = synthetic.write(tmp_path / "c", 8)
    raw = json.loads((folder / "manifest.json").read_text())
    assert raw["schema_version"] == 1 and raw.pop("attributes") == {}
    (folder / "manifest.json").write_text(json.dumps(raw))
    cache = Cache(folder)
    assert cache.manifest.attributes == {} and cache.manifest.ready_attributes == ()
    assert list(cache.attributes) == ["attr_tone", "attr_light"] and len(cache.page(MODEL)) == 8


def test_without_attributes_no_statement_more_is_run(tmp_path, monkeypatch):
    cache = Cache(synthetic.write(tmp_path / "c", 8))
    statements = []
    rows = cache._store.rows
    monkeypatch.setattr(cache._store, "rows", lambda sql, bound: statements.append(sql) or rows(sql, bound))
    cache.count(None)
    assert not any("POSITIONAL" in sql or "INSERT" in sql for sql in statements)
    assert sum(sql.startswith("CREATE TABLE") for sql in statements) == 1


def test_manifests_remember_how_they_were_made(tmp_path):
    folder = synthetic.write(tmp_path / "c", FACES)
    info = AttributeInfo(
        "From a.csv", "file", ("attr_age",), {"k": [1]}, "a.csv", "0" * 64, 80, 3, 1, ("x",), ("y", "z")
    )
    with CacheWriter(folder) as writer:
        writer.start(writer.manifest.with_attributes("a", info))
    assert manifests.load(folder).attributes == {"a": info}
    assert manifests.load(folder).ready_attributes == ()


def test_half_a_table_is_not_there(tmp_path):
    folder = synthetic.write(tmp_path / "c", FACES)
    add(folder, "labels", {"age": AGE}, rows=slice(0, 40))
    cache = Cache(folder)
    assert cache.manifest.ready_attributes == () and "attr_age" not in cache.columns(None)
    assert len(cache.page(None, limit=FACES)) == FACES


def test_rows_in_another_order_are_refused(tmp_path):
    folder = synthetic.write(tmp_path / "c", FACES)
    add(folder, "labels", {"age": AGE}, rows=slice(None, None, -1))
    for _ in range(2):  # the same sentence each time
        with pytest.raises(SchemaMismatch, match="order of its faces"):
            Cache(folder).count(None)


def test_two_of_one_name_are_refused_at_writing(tmp_path):
    folder = synthetic.write(tmp_path / "c", FACES)
    with pytest.raises(AttributeClash, match="'labels' would have an attribute 'Tone', and the dataset has one"):
        add(folder, "labels", {"Tone": AGE})
    add(folder, "labels", {"age": AGE})
    with pytest.raises(AttributeClash, match="'more' would have an attribute 'age', and 'labels' has one"):
        add(folder, "more", {"age": AGE})
    with pytest.raises(AttributeClash, match="Leave --measure out"):
        expect_distinct(["attr_ita"], {"measured": ["attr_ita"]})
    add(folder, "labels", {"age": AGE, "lamp": LAMP})  # in its own place
    assert list(Cache(folder).attributes) == ["attr_tone", "attr_light", "attr_age", "attr_lamp"]
    assert manifests.load(folder).ready_attributes == ("labels",)


def test_a_hand_made_clash_is_one_sentence(tmp_path):
    folder = synthetic.write(tmp_path / "c", FACES)
    add(folder, "labels", {"age": AGE})
    manifest = manifests.load(folder)
    twin = replace(
        manifest,
        attributes={**manifest.attributes, "twin": manifest.attributes["labels"]},
        parts={**manifest.parts, "attributes/of=twin": manifest.parts["attributes/of=labels"]},
    )
    (folder / "manifest.json").write_text(manifests.dump(twin))
    with pytest.raises(AttributeClash):
        Cache(folder).count(None)


def test_what_an_interrupted_writer_left_is_swept(tmp_path):
    folder = synthetic.write(tmp_path / "c", FACES)
    add(folder, "labels", {"age": AGE})
    (folder / "attributes/of=labels/part-00009.parquet").write_bytes(b"left")
    (folder / "attributes/of=labels/.part.1.tmp").write_bytes(b"left")
    with CacheWriter(folder):
        pass
    assert [p.name for p in (folder / "attributes/of=labels").iterdir()] == ["part-00000.parquet"]
