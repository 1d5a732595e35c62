"""The Slices page: two groups compared, files to take away, deleting, and filters in words."""

import doctest
import io
import json
import math
import zipfile
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from cache import numbers as numbers_module
from cache import slices
from cache.filters import Filter
from cache.numbers import numbers
from cache.reader import Cache
from cache.slices import EVERY_FACE, MOST_SLICES, THE_REST, file_name, load
from engine.metrics.bootstrap import bootstrap_means
from pages.widgets import contrast
from pages.widgets.caches import View
from pages.widgets.contrast import measured
from pages.widgets.export import FILES, command, made
from pages.widgets.in_words import in_words
from pages.widgets.measured import columns_in
from tests import synthetic
from tests.pages.slices import (
    MODEL,
    SIDE,
    SURE,
    TRIANGLE,
    WRONG,
    contrast_table,
    keep,
    name_it,
    press,
    saved,
)
from tests.pages.test_faces import grids, ids
from tests.pages.test_overview import words


@pytest.mark.parametrize("cache_name", ["no-votes", "no-models", "single", "one-class", "one-face", "empty"])
def test_caches_that_lack_something_explain_what_a_slice_is(open_page, cache_name):
    page = open_page("slices", cache=cache_name)
    assert not page.exception and not page.error
    assert ("A slice is a filter with a name" in words(page)) == (cache_name != "empty")


# ---- comparing


def test_two_groups_side_by_side(open_page, data, cache):
    keep(cache, "side", SIDE)
    keep(cache, "sure", SURE)
    page = open_page("slices", data=data, a="side", b="sure", split="", sort="U_e", order="highest first")
    page.multiselect(key="split").set_value([]).run()
    assert not page.exception and not page.error
    assert [grid["label"] for grid in grids(page)] == ["Faces of side", "Faces of sure"]
    for at, where in enumerate((SIDE, SURE)):
        found = numbers(cache, MODEL, where, ["u_epistemic"])
        order = found.face_id[np.argsort(-found.columns["u_epistemic"], kind="stable")]
        assert ids(page, at) == order[:12].tolist()
    table = contrast_table(page)
    both = cache.count(MODEL, replace(SIDE, ranges=SURE.ranges))
    assert table.loc["Faces"].tolist() == ["90", str(cache.count(MODEL, SURE)), f"{both} in both", ""]
    assert len(table) == 8 and table.columns.tolist() == ["side", "sure", "difference", "n"]
    assert "90 / " in table.loc["JSD, nats", "n"]


def test_at_first_the_chosen_slice_against_the_rest(open_page, data, cache):
    keep(cache, "a first one", SIDE)
    keep(cache, "sure", SURE)
    page = open_page("slices", data=data, slice="sure")
    assert (page.selectbox(key="a").value, page.selectbox(key="b").value) == ("sure", THE_REST)
    assert page.multiselect(key="split").value == ["test"]
    n = cache.count(MODEL, replace(SURE, splits=("test",)))
    assert contrast_table(page).loc["Faces"].tolist() == [str(n), str(60 - n), "0 in both", ""]
    page.selectbox(key="a").set_value("a first one").run()
    assert page.query_params["a"] == "a first one" and contrast_table(page).iloc[0, 0] == "30"


def test_a_group_and_itself(open_page, data, cache):
    keep(cache, "side", SIDE)
    page = open_page("slices", data=data, a="side", b="side")
    table = contrast_table(page.multiselect(key="split").set_value([]).run())
    assert table.columns.tolist() == ["side (first)", "side (second)", "difference", "n"]
    assert table.loc["Faces"].tolist() == ["90", "90", "90 in both", ""]
    assert set(table["difference"].iloc[1:]) == {"**0.000** [0.000,\N{NO-BREAK SPACE}0.000]"}


@pytest.mark.parametrize("name", ["difference", "n", "x" * 60, "*a* [b](http://c) $d$"])
def test_any_name_can_head_a_column(open_page, data, cache, name):
    keep(cache, name, SIDE)
    keep(cache, name[:59] + "y", SURE)
    page = open_page("slices", data=data, a=name, b=name[:59] + "y")
    assert not page.exception and len(set(contrast_table(page).columns)) == 4


def test_nobody_to_compare_with(open_page, data, cache):
    keep(cache, "nobody", Filter(splits=("nowhere",)))
    for parameters, empty in (
        ({}, "nobody"),
        ({"a": EVERY_FACE}, "the rest"),
        ({"a": EVERY_FACE, "b": "nobody"}, "nobody"),
    ):
        page = open_page("slices", data=data, **parameters)
        assert not page.exception and not page.error and f"No face is in {empty}" in words(page)


def test_every_face_has_statistics_also_where_there_is_no_rest(open_page, data, cache):
    keep(cache, "some", Filter(splits=("test",)))
    page = open_page("slices", data=data, a=EVERY_FACE, split="")
    table = contrast_table(page)
    assert not page.exception and table[EVERY_FACE].loc["Accuracy"].startswith("**0.")
    assert table["the rest"].loc["Accuracy"] == table["difference"].loc["Accuracy"] == "—"


def test_a_filter_that_asks_no_model_is_saved_without_one(open_page, data, cache):
    name_it(open_page("faces", data=data, split="test"), "plain")
    name_it(open_page("faces", data=data, verdict="wrong"), "judged")
    found, problems = load(cache.folder)
    assert not problems and (found["plain"].model, found["judged"].model) == (None, MODEL)


def test_accuracy_was_chosen_only_by_who_is_right(open_page, data, cache):
    keep(cache, "fear", Filter(majority=(6,)))
    assert "chosen by accuracy" not in words(open_page("slices", data=data))


def test_few_faces_have_no_interval(open_page, data, cache):
    keep(cache, "three", Filter(faces=(2, 5, 8)))
    page = open_page("slices", data=data)
    table = contrast_table(page)
    assert "[" not in table["three"].str.cat() + table["difference"].str.cat() and "[" in table["the rest"].str.cat()
    assert "From fewer than 30 faces" in words(page)


@pytest.mark.parametrize(
    ("options", "rows", "said"),
    [
        ({"votes": False}, ["Faces", "Mean U_t", "Mean U_a", "Mean U_e"], "this cache has none"),
        ({"models": ("compact",)}, ["Faces", "Accuracy", "JSD", "NLL", "Mean U_t", "Mean U_a", "Annotators"], "No U_e"),
        ({"models": ()}, ["Faces", "Annotators"], ""),
    ],
)  # fmt: skip
def test_caches_that_lack_something(open_page, tmp_path, options, rows, said):
    cache = Cache(synthetic.write(tmp_path / "c", 90, **options))
    keep(cache, "side", SIDE, None)
    page = open_page("slices", data=tmp_path)
    assert not page.exception and not page.error and said in words(page)
    labels = [label.replace("**", "").replace("[", "").replace("]", "") for label in contrast_table(page).index]
    assert len(labels) == len(rows)
    for label, row in zip(labels, rows, strict=True):
        assert row.split()[-1] in label
    overview = open_page("overview", data=tmp_path, slice="side")
    assert not overview.exception and not overview.error


def test_without_votes_and_models_there_is_nothing_to_compare(open_page, tmp_path):
    cache = Cache(synthetic.write(tmp_path / "c", 90, votes=False, models=()))
    keep(cache, "side", SIDE, None)
    page = open_page("slices", data=tmp_path)
    assert not page.exception and not page.error and "there is nothing to compare" in words(page)
    assert len(grids(page)) == 2


def test_the_drawer_steps_within_its_group(open_page, data, cache):
    keep(cache, "side", SIDE)
    shown = ids(open_page("slices", data=data), 1)
    page = open_page("slices", data=data, face=f"{shown[3]}~b")
    assert "4 of 12 in this list" in words(page)
    page.button(key="next-face").click().run()
    assert page.query_params["face"] == f"{shown[4]}~b"


def test_the_table_is_computed_from_the_right_faces(cache):
    view = View(cache, MODEL, ("slices right", 1))
    found = measured(view, SIDE, SURE)
    for where, part in ((SIDE, "first"), (SURE, "second")):
        columns = numbers(cache, MODEL, where, ["jsd", "u_aleatoric", "disagreement", "predicted", "majority"]).columns
        known = ~np.isnan(columns["majority"])
        columns["accuracy"] = np.where(known, columns["predicted"] == columns["majority"], np.nan)
        expected = bootstrap_means({name: columns[name] for name in ("accuracy", "jsd", "u_aleatoric", "disagreement")})
        for name, estimate in expected.items():
            assert getattr(found[name], part).value == pytest.approx(estimate.value)
            assert getattr(found[name], part).n == estimate.n
    assert found["jsd"].difference.n == cache.count(MODEL, SIDE) + cache.count(MODEL, SURE) - cache.count(
        MODEL, replace(SIDE, ranges=SURE.ranges)
    )


def test_samples_of_large_groups_keep_their_faces_in_common(cache, monkeypatch):
    """The same faces twice are the same sample twice, and of a group within the other as many are shared as can be."""
    monkeypatch.setattr(numbers_module, "MOST_FACES", 40)
    view = View(cache, MODEL, ("slices sampled", 1))
    every = Filter()
    same = measured(view, every, Filter(ranges=(("width", 0.0, math.inf),)))
    assert all((row.difference.value, row.difference.low, row.difference.high) == (0, 0, 0) for row in same.values())
    assert all(row.first.n == row.second.n for row in same.values()) and same["u_total"].first.n == 40
    part = measured(view, SIDE, every)["u_total"]  # half of the faces: of each 40 drawn, about 20 are in both samples
    ids = [set(numbers(cache, MODEL, where).face_id.tolist()) for where in (SIDE, every)]
    assert part.difference.n == len(ids[0] | ids[1]) == 80 - len(ids[0] & ids[1]) and len(ids[0] & ids[1]) > 10


# ---- exporting and deleting


def more(page, name: str) -> str:
    """Open the popover of a slice; the part of the keys in it that is the slice's own."""
    own = file_name(name).removesuffix(".json")
    page.session_state[f"more-{own}"] = True
    page.run()
    return own


def test_every_slice_has_files_to_take_away(open_page, data, cache):
    keep(cache, "side", SIDE)
    page = open_page("slices", data=data)
    own = more(page, "side")
    assert not page.exception
    keys = {button.proto.id.split("-", 2)[-1] for button in page.get("download_button")}
    assert {f"export-{own}-{file.label}" for file in FILES} <= keys


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.label)
def test_files_are_made_when_asked_for(cache, file):
    content = made(View(cache, MODEL, ("x", 1)), SIDE, file, "side", "a=side")
    if file.label == "Parquet":
        table = pq.read_table(io.BytesIO(content))
        query = json.loads(table.schema.metadata[b"doubtscope"])
        assert table.num_rows == 90
    else:
        archive = zipfile.ZipFile(io.BytesIO(content))
        query = json.loads(archive.read("query.json"))
        assert archive.read("faces.csv").count(b"\n") == 91
        assert len(archive.namelist()) == (92 if file.label == "Thumbnails" else 2)
    assert query["name"] == "side" and query["address"] == "a=side" and query["faces"]["written"] == 90


def test_a_page_makes_no_file_of_a_million_faces(open_page, data, cache, monkeypatch):
    monkeypatch.setattr("pages.widgets.export.MOST_IMAGES", 50)
    keep(cache, "it's `mine`", SIDE)
    page = open_page("slices", data=data)
    more(page, "it's `mine`")
    text = words(page)
    assert not page.exception and "From here the first 50 thumbnails in dataset order" in text
    assert "python -m engine export" in text and "--slice" in text
    limited = replace(FILES[2], most=50)
    content = made(View(cache, MODEL, ("x", 1)), SIDE, limited, "side", "")
    assert len(zipfile.ZipFile(io.BytesIO(content)).namelist()) == 52


def test_the_command_can_be_pasted(cache):
    view = View(cache, MODEL, ("x", 1))
    assert command(view, "a b; rm -rf ~").endswith("--slice 'a b; rm -rf ~' --out FILE.zip")


def test_deleting_is_asked_twice(open_page, data, cache):
    keep(cache, "side", SIDE)
    keep(cache, "sure", SURE)
    page = open_page("slices", data=data, slice="sure", a="sure")
    own = more(page, "sure")
    press(page, "Delete").run()
    assert list(saved(cache)) == ["side", "sure"] and "Delete the slice **sure**" in words(page)
    press(page, "Keep it").run()
    assert "Delete the slice" not in words(page)
    press(page, "Delete").run()
    page.button(key=f"delete-{own}!").click().run()
    assert not page.exception and list(saved(cache)) == ["side"]
    assert "sure" not in page.selectbox(key="slice").options and "slice" not in page.query_params
    assert "Ignored" not in words(page) and cache.count(None) == 180


def test_deleting_what_is_gone_already(open_page, data, cache):
    keep(cache, "side", SIDE)
    page = open_page("slices", data=data)
    own = more(page, "side")
    press(page, "Delete").run()
    (cache.folder / "slices" / file_name("side")).unlink()
    page.button(key=f"delete-{own}!").click().run()
    assert not page.exception and "no slice named 'side'" in words(page)


def test_as_many_slices_as_there_can_be(open_page, data, cache):
    keep(cache, "0", SIDE)
    place = cache.folder / "slices"
    fields = json.loads((place / file_name("0")).read_text())
    for i in range(1, MOST_SLICES):
        (place / f"{i}.json").write_text(json.dumps(fields | {"name": str(i)}))
    page = open_page("slices", data=data)
    assert not page.exception and len(page.selectbox(key="slice").options) == MOST_SLICES + 1
    page = name_it(open_page("faces", data=data, attr_light="side"), "one more")
    assert not page.exception and "Delete one first" in words(page)


# ---- in words


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (Filter(), "every face"),
        (Filter(splits=("test", "train")), "split test or train"),
        (Filter(predicted=(6, 4, 0)), "predicted fear, anger or neutral"),
        (Filter(majority=(99,)), "annotators' class number 99"),
        (Filter(correct=True), "the model is right"),
        (SURE, "confidence at least 0.30"),
        (Filter(ranges=(("u_total", -math.inf, 1.25),)), "U_t at most 1.25 nats"),
        (Filter(ranges=(("attr_tone", 2.0, 3.0),)), "tone from 2 to 3 Monk"),
        (Filter(values=(("attr_light", tuple("abcdefgh")),)), "light a, b, c, d, e, f or 2 more"),
        (Filter(faces=(1,)), "1 face picked by hand"),
        (TRIANGLE, "inside an outline on the map pca-compact-0"),
        (SIDE.within(MODEL, WRONG), "light side; (the model is wrong)"),
        (SIDE.within("compact", WRONG, inside=False), "light side; not (the model is wrong, as compact judges)"),
        (Filter(ranges=(("attr_<b>*x*", 0.0, 1.0),), splits=("$5$",)), r"split \$5\$; attr\_\<b\>\*x\* from 0 to 1"),
    ],
    ids=str,
)  # fmt: skip
def test_filters_in_words(cache, where, said):
    assert in_words(cache, MODEL, where) == said


def test_words_never_fail(cache):
    deep = Filter()
    for _ in range(12):
        deep = Filter(ranges=(("gone", 0.0, math.inf),)).within("gone", deep)
    assert "other filters" in in_words(cache, "gone", deep) and len(in_words(cache, "gone", deep)) < 400


def test_what_a_filter_selects_by():
    where = Filter(predicted=(1,), ranges=(("u_total", 0, 1),)).within(
        "x", Filter(correct=True, values=(("split", ("a",)),))
    )
    assert columns_in(where) == {"predicted", "u_total", "correct", "split"} and columns_in(Filter()) == set()


@pytest.mark.parametrize("module", [slices, contrast])
def test_examples_in_docstrings(module):
    found = doctest.testmod(module)
    assert found.attempted and not found.failed
