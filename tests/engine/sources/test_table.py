"""Tables of images: Parquet and CSV, paths and bytes, votes in four forms, attributes."""

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from engine.sources import open_source
from engine.sources.rows import FER_CLASSES, Attribute, ImageProblem, Item, Reject, SourceProblem


@pytest.fixture
def png() -> bytes:
    buffer = BytesIO()
    Image.new("L", (16, 16), 7).save(buffer, "PNG")
    return buffer.getvalue()


def write(path, columns: dict, **metadata: str):
    table = pa.table(columns)
    pq.write_table(table.replace_schema_metadata(metadata or None), path, row_group_size=3)
    return path


def items(source) -> list[Item]:
    return [entry for entry in source.entries() if isinstance(entry, Item)]


def rejects(source) -> list[tuple[str, str]]:
    return [(entry.source, entry.stage) for entry in source.entries() if isinstance(entry, Reject)]


def test_csv_with_paths_votes_and_attributes(tmp_path, image_file):
    image_file(tmp_path / "faces" / "a.png")
    path = tmp_path / "faces.csv"
    path.write_text("path,split,Happy,sad,age,camera,weight\nfaces/a.png,test,3,1,30,phone,1.5\nb.png,train,,,,web,\n")
    source = open_source(f"table:{path}")
    first, second = items(source)
    assert source.classes == FER_CLASSES and source.count == 2 and source.title == "faces"
    assert first.split == "test" and first.votes == (0, 3, 0, 1, 0, 0, 0, 0)
    assert first.attributes == {"age": 30.0, "camera": "phone", "weight": 1.5}
    assert second.votes is None and second.attributes == {"age": None, "camera": "web", "weight": None}
    assert source.attributes == (
        Attribute("age", "number"),
        Attribute("camera", "text"),
        Attribute("weight", "number"),
    )
    assert first.load().size == (16, 16)
    with pytest.raises(ImageProblem, match=r"b\.png cannot be read"):
        second.load()


def test_parquet_with_bytes_and_a_votes_list(tmp_path, png):
    columns = {
        "image": [png, png, b"", None],
        "votes": [[1, 0], [0, 5], None, [1, 1]],
        "tone": pa.array([1, 2, None, 3], pa.int8()),
        "left": [True, False, None, True],
        "when": pa.array([0, 1, 2, 3], pa.timestamp("s")),
    }
    source = open_source(str(write(tmp_path / "t.parquet", columns, classes='["calm", "excited"]')))
    assert source.classes == ("calm", "excited") and source.count == 4
    assert [(i.source, i.votes) for i in items(source)] == [
        ("row 1", (1, 0)),
        ("row 2", (0, 5)),
        ("row 3", None),
    ]
    assert rejects(source) == [("row 4", "list")]
    assert items(source)[0].attributes == {
        "tone": 1.0,
        "left": 1.0,
    }  # a time stamp is neither number nor text
    assert items(source)[2].attributes == {"tone": None, "left": None}
    assert items(source)[0].load().getpixel((0, 0)) == 7
    with pytest.raises(ImageProblem, match="row 3 is empty"):
        items(source)[2].load()


def test_hugging_face_images_and_labels(tmp_path, png, image_file):
    image_file(tmp_path / "b.png")
    columns = {
        "image": [
            {"bytes": png, "path": "a.png"},
            {"bytes": None, "path": "b.png"},
            {"bytes": png, "path": None},
        ],
        "label": ["happy", None, "angry"],
    }
    source = open_source(str(write(tmp_path / "t.parquet", columns)))
    assert [(i.source, i.votes and i.votes.index(1)) for i in items(source)] == [
        ("a.png", 1),
        ("b.png", None),
        ("row 3", 4),
    ]
    assert all(i.load().mode == "L" for i in items(source))


def test_own_label_names_and_units(tmp_path, png):
    schema = pa.schema(
        [
            ("name", pa.string()),
            ("image", pa.binary()),
            ("label", pa.int64()),
            pa.field("yaw", pa.int16(), metadata={"unit": "degrees"}),
        ]
    )
    table = pa.table([["x", "y"], [png, png], [7, 3], [0, 30]], schema=schema)
    pq.write_table(table, tmp_path / "t.parquet")
    source = open_source(str(tmp_path / "t.parquet"))
    assert source.classes == ("7", "3") and [i.votes for i in items(source)] == [(1, 0), (0, 1)]
    assert source.attributes == (Attribute("yaw", "number", "degrees"),)
    assert [i.source for i in items(source)] == ["x", "y"]


def test_rows_that_cannot_be_used_are_rejects(tmp_path):
    columns = {
        "path": ["a.png", "b.png", "c.png", "d.png", None, "a.png", "e.png"],
        "happy": [1, -1, 0, 70_000, 1, 1, None],
        "sad": [1, 1, 0, 1, 1, 1, 1],
    }
    source = open_source(str(write(tmp_path / "t.parquet", columns)))
    assert [i.source for i in items(source)] == ["a.png"]
    assert rejects(source) == [
        ("b.png", "labels"),
        ("c.png", "labels"),
        ("d.png", "labels"),
        ("row 5", "list"),
        ("row 6", "list"),
        ("e.png", "labels"),
    ]


def test_a_single_expression_name_is_an_attribute(tmp_path):
    source = open_source(str(write(tmp_path / "t.parquet", {"path": ["a.png"], "fear": [3], "happiness": [0.5]})))
    assert source.classes is None and items(source)[0].attributes == {"fear": 3.0, "happiness": 0.5}


def test_labels_beside_a_table(tmp_path):
    path = write(tmp_path / "t.parquet", {"path": ["a.png", "b.png"]})
    labels = tmp_path / "labels.csv"
    labels.write_text("file,label,split\na.png,happy,test\n")
    source = open_source(str(path), labels)
    assert [(i.votes and i.votes[1], i.split) for i in items(source)] == [(1, "test"), (None, None)]
    assert source.note == "1 of 2 images have no votes in labels.csv"
    labels.write_text("file,label\nz.png,happy\n")
    with pytest.raises(SourceProblem, match=r"z\.png"):
        open_source(str(path), labels)
    with pytest.raises(SourceProblem, match="votes of its own"):
        open_source(str(write(tmp_path / "v.parquet", {"path": ["a"], "happy": [1], "sad": [1]})), labels)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"file": ["a"], "x": [1]}, "neither a text column 'path' nor a column 'image'"),
        ({"image": ["a.png"]}, "Name the column"),
        ({"path": ["a"], "votes": [[1, 2]]}, "no class names"),
    ],
)
def test_tables_without_the_columns_needed(tmp_path, columns, says):
    with pytest.raises(SourceProblem, match=says):
        open_source(str(write(tmp_path / "t.parquet", columns)))


def test_files_that_are_no_tables(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 not really PAR1")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "ragged.csv").write_text("path,x\na.png,1\nb.png\n")
    for name, says in [
        ("t.parquet", "no readable Parquet"),
        ("empty.csv", "no rows"),
        ("ragged.csv", "line 3: 1 col"),
    ]:
        with pytest.raises(SourceProblem, match=says):
            open_source(str(tmp_path / name))
    with pytest.raises(SourceProblem, match="no file at"):
        open_source(f"table:{tmp_path / 'none.csv'}")


def test_a_table_is_read_in_small_batches(tmp_path):
    """48 MB of image bytes in one row group, 1 MB per page: the peak of Arrow's memory stays far below."""
    big = [bytes([i]) * 2**18 for i in range(192)]
    path = tmp_path / "big.parquet"
    table = pa.table({"image": big})
    pq.write_table(table, path, compression="none", use_dictionary=False, write_batch_size=4)
    del big, table
    source = open_source(str(path))
    before, peak = pa.total_allocated_bytes(), 0
    for item in source.entries():
        assert isinstance(item, Item)
        peak = max(peak, pa.total_allocated_bytes() - before)
    assert peak < 24 * 2**20
