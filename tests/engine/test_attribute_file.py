"""A user's file of attributes: what it means, and one sentence on each way in which it can be wrong."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from cache import manifest as manifests
from cache import schema
from cache.errors import AttributeClash, CacheNotFound
from cache.filters import Filter
from cache.manifest import Chunk
from cache.reader import Cache
from cache.writer import CacheWriter
from engine.cli import app
from engine.imports.attribute_file import read_attributes
from engine.imports.attributes import import_attributes, report
from engine.imports.rows import ImportProblem
from engine.sources.rows import SourceProblem
from tests import synthetic

ROOT = Path(__file__).parents[2]
FACES = 12


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def source(index: int) -> str:
    return f"face{index:06d}.png"


@pytest.fixture
def folder(tmp_path) -> Path:
    return synthetic.write(tmp_path / "c", FACES)


def read(tmp_path: Path, text: str | bytes, name: str = "labels.csv") -> pa.Table:
    return read_attributes(write(tmp_path / name, text)).columns


# ---- types


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2.5", ".5", "1e3", "+7", "", " 4 "], [1.0, -2.5, 0.5, 1000.0, 7.0, None, 4.0]),
        (["1", "NA"], ["1", "NA"]),
        (["1_000", "2"], ["1_000", "2"]),
        (["\u0661", "2"], ["\u0661", "2"]),  # a digit, but not one that everybody reads
        (["true", "false"], ["true", "false"]),
        (["", " "], [None, None]),
        (["9007199254740991", "1e300"], [2.0**53 - 1, 1e300]),
        (["=1+1", "'; DROP TABLE faces; --"], ["=1+1", "'; DROP TABLE faces; --"]),
        (["<script>alert(1)</script>", "nan"], ["<script>alert(1)</script>", "nan"]),
    ],
)
def test_a_column_is_numbers_or_text(cells, expected, tmp_path):
    lines = [f'{i}.png,"{cell}"' for i, cell in enumerate(cells)]
    column = read(tmp_path, "source,x\n" + "\n".join(lines) + "\n")["attr_x"]
    assert column.to_pylist() == expected
    assert pa.types.is_float64(column.type) == (not any(isinstance(v, str) for v in expected) and any(expected))


def test_units_stand_in_brackets(tmp_path):
    table = read(tmp_path, "source,age [years], tone  [ L* ] ,hair colour\na,1,2,red\n")
    assert table.column_names == ["attr_age", "attr_tone", "attr_hair colour"]
    units = [(field.metadata or {}).get(b"unit", b"").decode() for field in table.schema]
    assert units == ["years", "L*", ""]


def test_a_stray_word_among_numbers_is_remarked(tmp_path):
    given = read_attributes(write(tmp_path / "a.csv", "source,age\na,1\nb,NA\nc,3\n"))
    assert pa.types.is_string(given.columns["attr_age"].type)
    assert len(given.remarks) == 1 and "row 1 (from 0) says 'NA'" in given.remarks[0]
    assert read_attributes(write(tmp_path / "b.csv", "source,tone\na,dark\nb,light\nc,3\n")).remarks == ()


def test_text_with_a_bom_and_other_lines_ends(tmp_path):
    table = read(tmp_path, b'\xef\xbb\xbfSource,light\r\na,"one\r\ntwo"\r\n\r\nb,\xc3\xa9\r\n')
    assert table["attr_light"].to_pylist() == ["one\r\ntwo", "é"]


def test_parquet_says_the_same(tmp_path):
    columns = {
        "source": ["a", "b", "c"],
        "age": pa.array([1, None, 3]),
        "ratio": pa.array([0.5, float("nan"), None]),
        "seen": pa.array([True, False, None]),
        "tone": pa.array(["dark", "", None]).dictionary_encode(),
        "__index_level_0__": [5, 6, 7],
    }
    table = pa.table(columns)
    table = table.cast(table.schema.set(1, pa.field("age", pa.int64(), metadata={"unit": "years"})))
    pq.write_table(table, tmp_path / "a.parquet")
    found = read_attributes(tmp_path / "a.parquet")
    assert found.columns.to_pydict() == {
        "attr_age": [1.0, None, 3.0],
        "attr_ratio": [0.5, None, None],
        "attr_seen": [1.0, 0.0, None],
        "attr_tone": ["dark", None, None],
    }
    assert found.columns.schema.field("attr_age").metadata == {b"unit": b"years"}


# ---- files that cannot be used


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("source,age\n", "no rows"),
        ("name,age\na,1\n", "no column 'source' \\(it has: 'name', 'age'\\)"),
        ("source;age\na;1\n", "Separate the columns with commas"),
        ("source\tage\na\t1\n", "Separate the columns with commas"),
        ("source\na\n", "no column beside 'source'"),
        ("source,face_id\na,1\n", "no column beside 'source', 'face_id'"),
        ("source,age,Age [years]\na,1,2\n", "more than one column 'age'"),
        ("source,Source,age\na,b,1\n", "more than one column 'source'"),
        ("source,,age\na,1,2\n", "'' cannot name an attribute"),
        ("source,=cmd()\na,1\n", "cannot name an attribute"),
        ("source,<b>x</b>\na,1\n", "cannot name an attribute"),
        ("source,a [<i>]\na,1\n", "cannot name an attribute"),
        (f"source,{'x' * 61}\na,1\n", "cannot name an attribute"),
        ("source,age\na,1\nb\n", "line 3: 1 columns where the first line has 2"),
        ("source,age\na,1,2\n", "line 2: 3 columns"),
        ('source,age\na,"1\nb,2\n', "no readable CSV"),
        ("source,age\na,1\na,2\n", "row 1: 'a' stands on row 0 already"),
        ("source,age\n,1\nb,2\n", "row 0: has no source"),
        ("source,age\na,nan\nb,1\n", "row 0 \\('a'\\): its age \\('nan'\\) is no finite number"),
        ("source,age\na,1\nb,-Infinity\n", "row 1 \\('b'\\): its age \\('-Infinity'\\)"),
        ("source,age\na,1e999\n", "'1e999'"),
        ("source,id\na,12345678901234567890\n", "kept to its last digit"),
        ("source,id\na,9007199254740993\n", "nothing was imported"),
        (f"source,note\na,{'x' * 1001}\n", "more than 1,000 characters"),
        (b"source,light\na,caf\xe9\n", "not text in UTF-8"),
        ("source,age\na,1\n".encode("utf-16"), "not text in UTF-8"),
        ("face_id,age\nx,1\n", "must hold whole numbers"),
        ("face_id,age\n1.5,1\n", "no whole number"),
        ("face_id,age\n,1\n2,1\n", "row 0: has no face_id"),
        ("source," + ",".join(f"a{i}" for i in range(101)) + "\n", "101 attributes"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(text, message, tmp_path):
    with pytest.raises((ImportProblem, SourceProblem), match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_the_first_ten_offenders_are_named(tmp_path):
    lines = "".join(f"{i % 20}.png,{i}\n" for i in range(40))
    with pytest.raises(ImportProblem, match="20 of 40 rows") as caught:
        read(tmp_path, "source,age\n" + lines)
    assert str(caught.value).count("stands on row") == 10 and "and 10 more" in str(caught.value)
    lines = "".join(f"{i}.png,inf,{i if i % 2 else 'nan'}\n" for i in range(12)) + "z.png,1,2\n"
    with pytest.raises(ImportProblem, match="rows cannot be used") as caught:
        read(tmp_path, "source,a,b\n" + lines)
    assert str(caught.value).count("finite") == 10


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xlsx", b"x", "none of .csv, .parquet"),
        ("a.parquet", b"PAR1 nothing", "no readable Parquet"),
        ("a.parquet", b"", "no readable Parquet"),
        ("measured.csv", b"source,x\na,1\n", "`build --measure` makes"),
    ],
)
def test_bad_kinds_of_file(name, content, message, tmp_path):
    with pytest.raises((ImportProblem, SourceProblem), match=message):
        read(tmp_path, content, name)
    with pytest.raises(ImportProblem, match="no file at"):
        read_attributes(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([[1], [2]]), "holds list<"),
        (pa.array([b"x", b"y"]), "holds binary"),
        (pa.array([1.0, float("inf")]), "no finite number"),
        (pa.array([1, 2**60]), "last digit"),
    ],
)
def test_bad_columns_of_parquet(column, message, tmp_path):
    pq.write_table(pa.table({"source": ["a", "b"], "x": column}), tmp_path / "a.parquet")
    with pytest.raises(ImportProblem, match=message):
        read_attributes(tmp_path / "a.parquet")


# ---- into a cache


def test_rows_are_joined_on_source(folder, tmp_path):
    text = f"source,age [years],lit by\n{source(7)},31,lamp\nstranger.png,1,sun\n.\\{source(2)},,sun\n"
    manifest, name = import_attributes(write(tmp_path / "labels.csv", text), folder)
    cache = Cache(folder)
    page = cache.page("compact", limit=FACES).set_index("face_id")
    assert page.attr_age.dropna().to_dict() == {7: 31.0}
    assert {i: v for i, v in page["attr_lit by"].items() if isinstance(v, str)} == {2: "sun", 7: "lamp"}
    info = cache.manifest.attributes["labels"]
    assert (name, info.matched, info.unmatched, info.several, info.file) == ("labels", 2, 1, 0, "labels.csv")
    assert info.first_unmatched == ("stranger.png",) and info.first_without[:2] == (source(0), source(1))
    told = " ".join(report(folder, manifest, name))
    assert "2 of 12 faces: age (number, years), lit by (text)" in told
    assert "Faces without a row in labels.csv: 10 (" in told and "that are about no face: 1 ('stranger.png')." in told


def test_rows_may_name_faces_by_number(folder, tmp_path):
    import_attributes(write(tmp_path / "labels.csv", "face_id,age\n3,30\n0,10\n"), folder)
    assert Cache(folder).page(None, columns=["attr_age"]).attr_age.dropna().to_dict() == {0: 10.0, 3: 30.0}
    with pytest.raises(ImportProblem, match="no face of the cache has this face_id"):
        import_attributes(write(tmp_path / "b.csv", "face_id,height\n99,1\n0,2\n"), folder)
    with pytest.raises(ImportProblem, match="that face's is"):
        import_attributes(write(tmp_path / "b.csv", f"face_id,source,height\n0,{source(1)},1\n"), folder)


def test_nothing_that_matches_is_refused(folder, tmp_path):
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(ImportProblem, match=r"None of the 2 rows.*'a.png', 'b.png'.*face000000.png.*engine export"):
        import_attributes(write(tmp_path / "labels.csv", "source,age\na.png,1\nb.png,2\n"), folder)
    assert (folder / "manifest.json").read_bytes() == before and not (folder / "attributes").exists()


def crowd(folder: Path) -> Path:
    """A cache whose photos held two faces, one and none."""
    names = ["crowd.jpg#0", "crowd.jpg#1", "one.jpg", "twin.jpg", "twin.jpg"]
    n = len(names)
    faces = {
        "face_id": range(n), "source": names, "content_id": names, "split": [None] * n, "width": [48] * n,
        "height": [48] * n, "votes": [None] * n, "n_votes": [0] * n, "disagreement": [None] * n, "majority": [None] * n,
    }  # fmt: skip
    with CacheWriter(folder) as writer:
        writer.start(synthetic.manifest(models=()))
        table = pa.table({k: list(v) for k, v in faces.items()}, schema=schema.faces(8))
        writer.commit({"faces": table}, "part-00000", chunk=Chunk(n, n, names[-1]))
        writer.finish()
    return folder


def test_a_photo_does_not_speak_for_all_its_faces(tmp_path):
    folder = crowd(tmp_path / "c")
    text = "source,age\ncrowd.jpg,1\ncrowd.jpg#1,2\none.jpg,3\ntwin.jpg,4\n"
    manifest, name = import_attributes(write(tmp_path / "labels.csv", text), folder)
    assert Cache(folder).page(None).attr_age.dropna().to_dict() == {1: 2.0, 2: 3.0}
    info = manifest.attributes[name]
    assert (info.matched, info.unmatched, info.several) == (2, 2, 1)
    assert any("name a photo with several faces: 1" in line for line in report(folder, manifest, name))


def test_two_spellings_of_one_face_do_not_overwrite(folder, tmp_path):
    text = f"source,age\n./{source(1)},1\n{source(1)},2\n.\\{source(1)},3\n"
    manifest, _ = import_attributes(write(tmp_path / "labels.csv", text), folder)
    assert Cache(folder).page(None).attr_age.dropna().to_dict() == {1: 2.0}
    assert manifest.attributes["labels"].unmatched == 2


def test_the_same_again_and_another_in_its_place(folder, tmp_path):
    path = write(tmp_path / "labels.csv", f"source,age\n{source(1)},1\n")
    first, _ = import_attributes(path, folder)
    assert import_attributes(path, folder)[0].parts == first.parts
    write(path, f"source,height\n{source(2)},5\n")
    with pytest.raises(ImportProblem, match="--replace"):
        import_attributes(path, folder)
    opened = Cache(folder)
    import_attributes(path, folder, again=True)
    assert list(Cache(folder).attributes) == ["attr_tone", "attr_light", "attr_height"]
    assert opened.page(None, columns=["attr_age"]).attr_age.dropna().to_dict() == {1: 1.0}  # as it was opened
    with CacheWriter(folder):
        pass  # sweeps
    assert len(list((folder / "attributes").rglob("*.parquet"))) == 1
    with pytest.raises(ImportProblem, match=r"'labels' already\. Rename"):
        import_attributes(write(tmp_path / "Labels.csv", path.read_text()), folder)


def test_names_that_clash_are_refused(folder, tmp_path):
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(AttributeClash, match="attribute 'TONE', and the dataset has one"):
        import_attributes(write(tmp_path / "labels.csv", f"source,TONE\n{source(1)},1\n"), folder)
    assert (folder / "manifest.json").read_bytes() == before


def test_interrupted_it_begins_anew(folder, tmp_path, monkeypatch):
    path = write(tmp_path / "labels.csv", f"source,age\n{source(1)},1\n")
    real = CacheWriter._replace_manifest
    calls = []

    def fail(self, manifest):
        calls.append(manifest)
        if len(calls) == 2:  # the part is on disk, and nothing names it
            raise KeyboardInterrupt
        real(self, manifest)

    monkeypatch.setattr(CacheWriter, "_replace_manifest", fail)
    with pytest.raises(KeyboardInterrupt):
        import_attributes(path, folder)
    assert Cache(folder).manifest.ready_attributes == () and Cache(folder).count("compact") == FACES
    import_attributes(path, folder)
    assert Cache(folder).count(None, Filter(ranges=(("attr_age", 1, 1),))) == 1


def test_only_into_a_finished_cache(tmp_path):
    path = write(tmp_path / "labels.csv", f"source,age\n{source(1)},1\n")
    with pytest.raises(CacheNotFound):
        import_attributes(path, tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    with CacheWriter(tmp_path / "c") as writer:
        writer.start(synthetic.manifest())
    with pytest.raises(ImportProblem, match="not built to its end"):
        import_attributes(path, tmp_path / "c")


def test_500_strings_and_hostile_ones_are_values(folder, tmp_path):
    evil = ["'); DROP TABLE x; --", "=HYPERLINK(1)", "<img src=x onerror=alert(1)>", "\x1b[31mred"]
    lines = [f'{source(i)},"{value}"' for i, value in enumerate(evil)]
    lines += [f"other{i}.png,v{i}" for i in range(500)]
    import_attributes(write(tmp_path / "labels.csv", "source,who\n" + "\n".join(lines)), folder)
    cache = Cache(folder)
    for i, value in enumerate(evil):
        assert cache.page(None, Filter(values=(("attr_who", (value,)),))).face_id.tolist() == [i]


def test_many_rows(folder, tmp_path):
    lines = [f"{source(i)},{i % 90},{'dark' if i % 2 else 'light'}" for i in range(200_000)]
    path = write(tmp_path / "labels.csv", "source,age,skin\n" + "\n".join(lines))
    started = time.process_time()
    manifest, name = import_attributes(path, folder)
    assert time.process_time() - started < 20
    assert (manifest.attributes[name].matched, manifest.attributes[name].unmatched) == (FACES, 200_000 - FACES)
    assert Cache(folder).page(None, limit=FACES).attr_age.tolist() == list(range(FACES))


# ---- the command


def test_the_command_says_what_it_did(folder, tmp_path):
    path = write(tmp_path / "my labels.csv", f"source,age [years]\n{source(1)},31\nx.png,4\n")
    result = invoke("attributes", path, "--cache", folder)
    assert result.exit_code == 0, result.output
    assert "'my-labels' describes 1 of 12 faces: age (number, years)." in result.output
    assert f"make app CACHE={folder}" in result.output and "'x.png'" in result.output
    assert np.isclose(Cache(folder).face(1, None).row["attr_age"], 31)
    assert invoke("attributes", path, "--cache", folder, "--replace").exit_code == 0
    bad = invoke("attributes", write(tmp_path / "my labels.csv", "source,age\na,1\na,1\n"), "--cache", folder)
    assert bad.exit_code == 1 and bad.output.startswith("Error: ") and bad.output.count("\n") == 1
    assert manifests.load(folder).ready_attributes == ("my-labels",)


def test_the_command_needs_no_torch(folder, tmp_path):
    path = write(tmp_path / "labels.csv", f"source,age\n{source(1)},31\n")
    code = (
        "import sys; from pathlib import Path; from engine.imports.attributes import import_attributes as run\n"
        f"run(Path({str(path)!r}), Path({str(folder)!r})); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ), check=False).returncode == 0
