"""Slices: names that are no paths, files that anybody may have edited, filters that come back as they were."""

import json
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache import slices
from cache.errors import BadQuery, BadSlice, CacheError, SliceExists
from cache.filter_json import DEEPEST, MOST_FACES, MOST_SUBSETS, from_json, to_json
from cache.filters import Filter, Region, Subset
from cache.reader import Cache
from cache.slices import MOST_BYTES, MOST_SLICES, Slice, check, checked_name, file_name, find, load, remove, save
from cache.writer import CacheWriter
from tests import synthetic

WHEN = "2026-11-24T12:00:00+00:00"
EVERYTHING_AT_ONCE = Filter(
    splits=("test", "it's"),
    predicted=(1, 2),
    majority=(0,),
    correct=False,
    ranges=(("u_total", 0.5, math.inf), ("attr_tone", -math.inf, 3.0)),
    values=(("attr_light", ("side", "日本")),),
    faces=(0, 2**63 - 1),
    regions=(Region("pca-compact-0", ((0.0, 0.0), (1.5, 0.25), (0.5, 2.0))),),
    subsets=(Subset("compact", Filter(correct=True, subsets=(Subset(None, Filter(splits=("train",)), False),)), True),),
)


def one(name: str = "mine", where: Filter = EVERYTHING_AT_ONCE, model: str | None = "compact") -> Slice:
    return Slice(name, model, where, "view=Browse&split=test", WHEN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that stands for a cache: slices ask for no more."""
    return tmp_path


def written(folder: Path, **changes: object) -> Path:
    """The file of a slice whose fields somebody has changed by hand; None takes a field away."""
    save(folder, one(), replace=True)
    path = folder / "slices" / file_name("mine")
    fields = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in fields.items() if value != "gone"}))
    return path


# ---- saving and loading


def test_a_slice_comes_back_as_it_was(folder):
    assert load(folder) == ({}, [])
    assert save(folder, one()) == one()
    found, problems = load(folder)
    assert found == {"mine": one()} and not problems
    fields = json.loads((folder / "slices" / file_name("mine")).read_text(encoding="utf-8"))
    assert fields["version"] == 1 and fields["name"] == "mine" and fields["query"] == "view=Browse&split=test"
    assert find(folder, "MINE") == one()


def test_in_the_order_of_their_names(folder):
    for name in ("b", "A", "Ä", "c"):
        save(folder, one(name))
    assert list(load(folder)[0]) == ["A", "b", "c", "Ä"]


@pytest.mark.parametrize("again", ["mine", "MINE", "  mine "])
def test_a_taken_name_is_replaced_only_when_asked(folder, again):
    save(folder, one())
    with pytest.raises(SliceExists, match="already"):
        save(folder, one(again, Filter()))
    assert load(folder)[0]["mine"].where == EVERYTHING_AT_ONCE
    save(folder, one(again, Filter()), replace=True)
    found, problems = load(folder)
    assert [s.where for s in found.values()] == [Filter()] and not problems and len(slices.files_of(folder)) == 1


def test_removing(folder):
    save(folder, one())
    save(folder, one("other"))
    remove(folder, "Mine")
    assert list(load(folder)[0]) == ["other"]
    with pytest.raises(BadSlice, match="no slice named 'mine'"):
        remove(folder, "mine")
    with pytest.raises(BadSlice, match="It has: other"):
        find(folder, "mine")


def test_files_of_notices_every_change(folder):
    stamps = [slices.files_of(folder)]
    save(folder, one())
    stamps.append(slices.files_of(folder))
    path = folder / "slices" / file_name("mine")
    path.write_text(path.read_text() + " ")  # in place: the folder's own time stays
    stamps.append(slices.files_of(folder))
    remove(folder, "mine")
    assert len(set(stamps)) == 3 and slices.files_of(folder) == stamps[0] == ()


# ---- names


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "/etc/passwd",
        "..",
        "a/b\\c",
        "CON",
        "x.json",
        "😀",
        "日本語",
        "<b>bold</b>",
        "it's; DROP",
        "a" * 60,
        "-",
    ],
)
def test_any_printable_name_makes_one_file_in_the_folder(folder, name):
    save(folder, one(name))
    assert list(load(folder)[0]) == [name]
    (path,) = (folder / "slices").glob("*.json")
    assert path.name == file_name(name) and path.name.isascii() and len(path.name) < 64 and "/" not in path.name
    assert [p.name for p in folder.iterdir()] == ["slices"]


@pytest.mark.parametrize(
    "name",
    ["", "   ", "\x00", "a\x00b", "\u202eevil", "two\nlines", "a" * 61, "x" * 300, "\ud800", "every face", "The Rest"],
)
def test_unusable_names_are_refused(folder, name):
    with pytest.raises(BadSlice):
        save(folder, one(name))
    assert load(folder) == ({}, []) and not list(folder.glob("slices/*.json"))


def test_names_that_look_alike_are_one():
    assert checked_name("e\u0301") == "é" and file_name("É") == file_name("e\u0301")
    assert file_name("a-b") != file_name("a b")  # the same letters, and another hash


# ---- files that somebody has edited


def test_two_files_of_one_name(folder):
    save(folder, one())
    path = folder / "slices" / file_name("mine")
    copy = json.loads(path.read_text()) | {"name": "Mine", "where": {}}
    (folder / "slices" / "z-copy.json").write_text(json.dumps(copy))
    found, problems = load(folder)
    assert found == {"mine": one()}
    assert len(problems) == 1 and "z-copy.json" in problems[0] and "another slice named 'mine'" in problems[0]
    save(folder, one(), replace=True)  # one slice, one file
    assert load(folder) == ({"mine": one()}, [])


BROKEN = {
    "no JSON": "{",
    "nothing": "",
    "a list": "[]",
    "null": "null",
    "not UTF-8": b"\xff\xfe\x00",
    "deep": "[" * 100_000,
    "a huge number": '{"version": ' + "9" * 5000 + "}",
    "a constant": '{"version": NaN}',
    "10 MB": " " * 10_000_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_no_slice_leaves_the_others_alone(folder, content):
    save(folder, one())
    (folder / "slices" / "a.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    found, problems = load(folder)
    assert found == {"mine": one()}
    assert len(problems) == 1 and "a.json is left out (" in problems[0] and problems[0].count("\n") == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "version"),
        ({"version": True}, "version"),
        ({"version": "gone"}, "lacks the field 'version'"),
        ({"extra": 1}, "unknown field 'extra'"),
        ({"name": 5}, "'name' must be a text"),
        ({"name": ""}, "from 1 to 60"),
        ({"name": "../" + "\u202e"}, "printable"),
        ({"name": "every face"}, "meaning of its own"),
        ({"model": 5}, "a model must be a text"),
        ({"query": ["x"]}, "'query' must be a text"),
        ({"created": "yesterday"}, "'created' must be a time"),
        ({"where": None}, "a filter must be an object"),
        ({"where": {"sql": "1=1"}}, "unknown field 'sql'"),
        ({"where": {"splits": "test"}}, "'splits' must be a list"),
        ({"where": {"splits": [1]}}, "a split must be a text"),
        ({"where": {"splits": ["\ud800"]}}, "half a character"),
        ({"where": {"predicted": [1.5]}}, "a class must be a whole number"),
        ({"where": {"predicted": [True]}}, "a class must be a whole number"),
        ({"where": {"predicted": [-1]}}, "a class must be a whole number"),
        ({"where": {"correct": "yes"}}, "'correct' must be true, false or null"),
        ({"where": {"ranges": [["u_total", 0]]}}, "a range must be a list"),
        ({"where": {"ranges": [["u_total", "0", 1]]}}, "a finite number"),
        ({"where": {"ranges": [["u_total", 1e301, None]]}}, "a finite number"),
        ({"where": {"values": [["attr_light", "side"]]}}, "values must be a list"),
        ({"where": {"faces": [2**63]}}, "a face must be a whole number"),
        ({"where": {"regions": [{"layout": "m", "polygon": [[0, 0], [1, 1]]}]}}, "from 3 to"),
        ({"where": {"regions": [{"layout": "m", "polygon": [[0, 0], [1, 1], [1, None]]}]}}, "a finite number"),
        ({"where": {"regions": [{"layout": "m", "polygon": [[0, 0]] * 1001}]}}, "from 3 to"),
        ({"where": {"subsets": [{"model": None, "where": {}}]}}, "lacks the field 'inside'"),
        ({"where": {"subsets": [{"model": None, "where": {}, "inside": 1}]}}, "'inside' must be true or false"),
    ],
    ids=str,
)
def test_every_field_is_checked(folder, changes, said):
    written(folder, **changes)
    found, (problem,) = load(folder)
    assert not found and said in problem


def test_links_pipes_and_folders_are_no_slices(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    save(elsewhere, one("secret"))
    save(folder, one())
    place = folder / "slices"
    (place / "a.json").symlink_to(elsewhere / "slices" / file_name("secret"))
    (place / "b.json").symlink_to("b.json")
    (place / "c.json").mkdir()
    os.mkfifo(place / "d.json")
    found, problems = load(folder)
    assert list(found) == ["mine"] and len(problems) == 4


def test_a_folder_that_leads_elsewhere_is_neither_read_nor_written(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    save(elsewhere, one("secret"))
    (folder / "slices").symlink_to(elsewhere / "slices")
    found, (problem,) = load(folder)
    assert not found and "the folder is a link" in problem
    with pytest.raises(BadSlice, match="the folder is a link"):
        save(folder, one())
    assert list(load(elsewhere)[0]) == ["secret"]


def test_at_most_so_many(folder):
    save(folder, one("0"))
    place = folder / "slices"
    fields = json.loads((place / file_name("0")).read_text())
    for i in range(1, MOST_SLICES):
        (place / f"x{i:03d}.json").write_text(json.dumps(fields | {"name": str(i)}))
    found, problems = load(folder)
    assert len(found) == MOST_SLICES and not problems
    with pytest.raises(BadSlice, match="Delete one first"):
        save(folder, one("one more"))
    save(folder, one("7"), replace=True)
    (place / "z.json").write_text(json.dumps(fields | {"name": "one more"}))
    found, (problem,) = load(folder)
    assert len(found) == MOST_SLICES and "only the first 200" in problem


# ---- what the disk refuses


def test_a_folder_that_cannot_be_written_to(folder):
    (folder / "slices").write_text("no folder")
    with pytest.raises(BadSlice, match=r"cannot be changed \(File exists\)\. Allow writing there, or copy"):
        save(folder, one())
    found, (problem,) = load(folder)
    assert not found and "cannot be read (Not a directory)" in problem


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(folder, monkeypatch):
    save(folder, one())

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("cache.files.os.replace", refuse)
    with pytest.raises(CacheError, match="Read-only file system"):
        save(folder, one("mine", Filter()), replace=True)
    assert load(folder) == ({"mine": one()}, [])
    assert not list((folder / "slices").glob(".*.tmp"))


def test_what_could_not_be_read_again_is_not_saved(folder):
    deep = Filter()
    for _ in range(DEEPEST + 1):
        deep = Filter().within("compact", deep)
    wide = Filter(subsets=(Subset(None, Filter()),) * (MOST_SUBSETS + 1))
    large = Filter(values=(("attr_light", tuple(f"{i:0>90}" for i in range(MOST_BYTES // 80))),))
    for where, said in ((deep, "nests more than"), (wide, "at most"), (large, "would take more than")):
        with pytest.raises(BadSlice, match=said):
            save(folder, one(where=where))
    with pytest.raises(BadSlice, match="finite"):
        save(folder, one(where=Filter(ranges=(("u_total", math.nan, 1.0),))))
    assert load(folder) == ({}, [])


# ---- filters as JSON

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
END = st.floats(-1e299, 1e299)


def filters(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    corner = st.tuples(END, END)
    return st.builds(
        Filter,
        splits=st.tuples(TEXT),
        predicted=st.lists(st.integers(0, 40)).map(tuple),
        correct=st.none() | st.booleans(),
        ranges=st.lists(st.tuples(TEXT, END | st.just(-math.inf), END | st.just(math.inf)), max_size=2).map(tuple),
        values=st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=2).map(tuple)), max_size=2).map(tuple),
        faces=st.lists(st.integers(0, 2**63 - 1), max_size=3).map(tuple),
        regions=st.lists(st.builds(Region, TEXT, st.tuples(corner, corner, corner)), max_size=1).map(tuple),
        subsets=st.lists(st.builds(Subset, st.none() | TEXT, inner, st.booleans()), max_size=2).map(tuple),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(filters(filters(st.just(Filter()))))
def test_any_filter_comes_back_from_json(where):
    assert from_json(json.loads(json.dumps(to_json(where), allow_nan=False))) == where


def test_an_empty_filter_is_an_empty_object():
    assert to_json(Filter()) == {} and from_json({}) == Filter()
    assert from_json({"correct": None, "ranges": [["u_total", None, 1]]}) == Filter(
        ranges=(("u_total", -math.inf, 1.0),)
    )


# ---- beside a cache


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(synthetic.write(tmp_path / "c", 60, layouts=("pca-compact-0",)))


def test_opened_it_holds_the_faces_of_its_filter(cache):
    where = Filter(("test", "train"), correct=False, ranges=(("u_total", 0.5, math.inf),))
    saved = find(cache.folder, save(cache.folder, one(where=where)).name)
    assert 0 < cache.count("compact", where) < 60
    assert cache.count("compact", saved.narrowed("compact")) == cache.count("compact", where)
    other = saved.narrowed("compact-ensemble", Filter(splits=("test",)))
    assert cache.count("compact-ensemble", other) == cache.count("compact", replace(where, splits=("test",)))


@pytest.mark.parametrize(
    ("model", "where"),
    [
        ("gone", Filter()),
        (None, Filter(correct=True)),
        (None, Filter(predicted=(1,))),
        ("compact", Filter(ranges=(("attr_gone", 0.0, 1.0),))),
        ("compact", Filter(ranges=(('u_total" > 0 OR 1=1 --', 0.0, 1.0),))),
        ("compact", Filter(values=(("attr_tone", ("8",)),))),
        ("compact", Filter(regions=(Region("umap-gone", ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))),))),
        ("compact", Filter().within("gone", Filter())),
    ],
    ids=str,
)
def test_a_cache_says_what_is_gone(cache, model, where):
    saved = save(cache.folder, one(where=where, model=model))
    with pytest.raises(BadQuery):
        check(cache, saved)


def test_values_that_no_face_has_match_none(cache):
    for where in (Filter(splits=("nowhere",)), Filter(predicted=(99,)), Filter(values=(("attr_light", ("\x00",)),))):
        assert cache.count("compact", find(cache.folder, save(cache.folder, one(where=where), True).name).where) == 0


def test_a_build_leaves_slices_alone(tmp_path):
    folder = synthetic.write(tmp_path / "c", 20)
    save(folder, one())
    with CacheWriter(folder) as writer:
        writer.finish()
    assert load(folder) == ({"mine": one()}, [])
    shutil.rmtree(folder / "slices")
    assert Cache(folder).count(None) == 20


def test_a_slice_names_only_so_many_faces():
    assert from_json({"faces": list(range(MOST_FACES))}).faces[-1] == MOST_FACES - 1
    many = {"faces": list(range(MOST_FACES + 1))}
    for found in (many, {"subsets": [{"model": None, "where": many, "inside": True}]}):
        with pytest.raises(BadSlice, match="5,001 faces one by one"):
            from_json(found)
