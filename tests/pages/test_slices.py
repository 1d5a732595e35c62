"""Slices on the pages: saved and opened again, compared, exported, deleted, and addresses typed by hand.

Each test has a cache of its own: the caches that tests share hold no slice.
"""

import doctest
import io
import json
import math
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cache import numbers as numbers_module
from cache import slices
from cache.filters import Filter, Region
from cache.numbers import numbers
from cache.reader import Cache
from cache.slices import EVERY_FACE, MOST_SLICES, THE_REST, Slice, file_name, load, save
from engine.metrics.bootstrap import bootstrap_means
from pages.widgets import contrast
from pages.widgets.caches import PAGES as LINKS
from pages.widgets.caches import View
from pages.widgets.contrast import measured
from pages.widgets.export import FILES, command, made
from pages.widgets.in_words import in_words
from pages.widgets.measured import columns_in
from tests import synthetic
from tests.pages.test_faces import grids, ids
from tests.pages.test_overview import words

MODEL = "compact-ensemble"
WHEN = "2026-11-24T12:00:00+00:00"
PAGES = ("overview", "faces", "slices", "embedding", "calibration", "disagreement", "rejection")
SURE = Filter(ranges=(("confidence", 0.3, math.inf),))
WRONG = Filter(correct=False)
SIDE = Filter(values=(("attr_light", ("side",)),))
TRIANGLE = Filter(regions=(Region("pca-compact-0", ((-9.0, -9.0), (15.0, -9.0), (-9.0, 15.0))),))


@pytest.fixture
def data(tmp_path):
    synthetic.write(tmp_path / "c", 180, layouts=("pca-compact-0",))
    return tmp_path


@pytest.fixture
def cache(data) -> Cache:
    return Cache(data / "c")


def keep(cache: Cache, name: str, where: Filter, model: str | None = MODEL) -> Slice:
    return save(cache.folder, Slice(name, model, where, "view=Browse", WHEN))


def saved(cache: Cache) -> dict[str, Slice]:
    return load(cache.folder)[0]


def press(page, label: str):
    return next(button for button in page.button if button.label == label).click()


def name_it(page, name: str, key: str = "save-slice"):
    page.text_input(key=f"{key}-name").set_value(name)
    return page.button(key=f"FormSubmitter:{key}-form-Save").click().run()


# ---- saving


def test_a_filter_is_saved_and_offered(open_page, data, cache):
    page = open_page("faces", data=data, view="Browse", split=["test", "train"], verdict="wrong", u_total="0.4..")
    page = name_it(page, "  wrong, and unsure ")
    assert not page.exception and "Saved as **wrong, and unsure**" in words(page)
    assert page.selectbox(key="slice").options == [EVERY_FACE, "wrong, and unsure"]
    assert page.text_input(key="save-slice-name").value == ""
    one = saved(cache)["wrong, and unsure"]
    assert one.where == Filter(("test", "train"), correct=False, ranges=(("u_total", 0.4, math.inf),))
    assert one.model == MODEL and "verdict=wrong" in one.query and one.created.endswith("+00:00")


def test_without_a_filter_there_is_nothing_to_save(open_page, data):
    page = open_page("faces", data=data)
    assert not page.exception and not [b for b in page.button if b.label == "Save"]
    assert [p.proto.popover.disabled for p in page.get("popover")] == [True]


def test_a_taken_name_is_replaced_when_asked(open_page, data, cache):
    keep(cache, "mine", WRONG)
    page = name_it(open_page("faces", data=data, attr_light="side"), "MINE")
    assert "There is a slice named 'MINE' already" in words(page) and saved(cache)["mine"].where == WRONG
    page = press(page, "Replace it").run()
    assert not page.exception and "Saved as **MINE**" in words(page) and saved(cache)["MINE"].where == SIDE
    assert not [b for b in page.button if b.label == "Replace it"]


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "\u202eevil", EVERY_FACE])
def test_unusable_names(open_page, data, cache, name):
    page = name_it(open_page("faces", data=data, attr_light="side"), name)
    assert not page.exception and not saved(cache)
    assert "from 1 to 60" in words(page) or "meaning of its own" in words(page)


def test_a_folder_that_cannot_be_written_to(open_page, data, cache):
    (cache.folder / "slices").write_text("no folder")
    page = name_it(open_page("faces", data=data, attr_light="side"), "mine")
    assert not page.exception and "cannot be changed" in words(page)


def test_a_slice_and_more_filters_are_saved_as_one(open_page, data, cache):
    keep(cache, "wrong", WRONG)
    page = open_page("faces", data=data, view="Browse", slice="wrong", attr_light="side")
    shown = ids(page)
    name_it(page, "wrong in side light")
    where = saved(cache)["wrong in side light"].where
    assert where == SIDE.within(MODEL, WRONG)
    assert cache.count(MODEL, where) == cache.count(MODEL, replace(SIDE, correct=False)) == len(shown)
    again = open_page("faces", data=data, view="Browse", slice="wrong in side light")
    assert ids(again) == shown


def test_faces_picked_by_hand_are_saved(open_page, data, cache):
    page = open_page("faces", data=data, view="Browse", picked="3,5,8")
    name_it(page, "these three", "save-picked")
    assert saved(cache)["these three"].where == Filter(faces=(3, 5, 8))
    assert sorted(ids(open_page("faces", data=data, view="Browse", slice="these three"))) == [3, 5, 8]


def test_a_lasso_is_saved(open_page, data, cache):
    page = open_page("embedding", data=data, attr_light="side", lasso="-9,-9;15,-9;-9,15")
    page = name_it(page, "a corner of the map", "save-selection")
    assert not page.exception and "a corner of the map" in page.selectbox(key="slice").options
    where = saved(cache)["a corner of the map"].where
    assert where == replace(SIDE, regions=TRIANGLE.regions) and 0 < cache.count(MODEL, where) < 90
    assert f"**{cache.count(MODEL, where)} of 180 faces**" in words(
        open_page("faces", data=data, view="Browse", slice="a corner of the map")
    )


# ---- opening


SAID = {
    "faces": "**{n} of 180 faces**",
    "slices": "{n} of 180 faces",
    "embedding": "{n} faces, a point each",
    "calibration": "n = {n} faces",
    "disagreement": "n = {n} faces",
    "rejection": "over n of {n} faces",
}


def contrast_table(page) -> pd.DataFrame:
    return next(table.value for table in page.table if "difference" in table.value.columns).set_index("")


def test_every_page_opens_a_slice_with_the_same_faces(open_page, data, cache):
    keep(cache, "sure", SURE)
    n = cache.count(MODEL, SURE)
    assert 30 < n < 180
    for name, sentence in SAID.items():
        page = open_page(name, data=data, view="Browse", slice="sure")
        if name == "slices":  # whose groups, and not the slice, have a split at first
            page.multiselect(key="split").set_value([]).run()
        assert not page.exception and not page.error, name
        assert page.selectbox(key="slice").value == "sure"
        assert sentence.format(n=n) in words(page), name
    page = open_page("overview", data=data, slice="sure", of="all")
    assert not page.exception and contrast_table(page).iloc[0].tolist() == [str(n), str(180 - n), "0 in both", ""]


def test_another_model_looks_at_the_same_faces(open_page, data, cache):
    keep(cache, "sure", SURE)
    page = open_page("faces", data=data, view="Browse", slice="sure", model="compact", size="200")
    assert sorted(ids(page)) == sorted(numbers(cache, MODEL, SURE).face_id)
    assert len(ids(page)) != cache.count("compact", SURE)


def test_choosing_a_slice_begins_anew(open_page, data, cache):
    """Its faces are of any split, also where a page begins with the test faces; and the list begins at page 1."""
    keep(cache, "sure", SURE)
    page = open_page("calibration", data=data)
    assert page.multiselect(key="split").value == ["test"]
    page.selectbox(key="slice").set_value("sure").run()
    assert page.multiselect(key="split").value == [] and page.query_params["slice"] == "sure"
    assert f"n = {cache.count(MODEL, SURE)} faces" in words(page)
    page.selectbox(key="slice").set_value(EVERY_FACE).run()
    assert page.multiselect(key="split").value == ["test"] and "slice" not in page.query_params
    page = open_page("faces", data=data, view="Browse", page="3")
    page.selectbox(key="slice").set_value("sure").run()
    assert not page.exception and page.session_state.page == 1


def test_the_links_to_other_pages_keep_the_slice(open_page, data, cache):
    keep(cache, "sure", SURE)
    page = open_page("faces", data=data, slice="sure", split="test")
    queries = {link.proto.query_string for link in page.get("page_link")}
    assert queries == {"slice=sure"} and len(page.get("page_link")) == len(LINKS)


def test_no_question_where_no_slice_is_saved(open_page, data):
    page = open_page("faces", data=data)
    assert "slice" not in [box.key for box in page.selectbox]


def test_overview_of_a_slice(open_page, data, cache):
    keep(cache, "wrong", WRONG)
    page = open_page("overview", data=data, slice="wrong")
    assert not page.exception and not page.error
    text = words(page)
    assert "Slice **wrong**: the model is wrong" in text and "The table of every model is one of whole splits" in text
    tiles = [item["id"] for item in grids(page)[0]["items"]]
    assert set(tiles) <= set(numbers(cache, MODEL, WRONG).face_id)
    table = contrast_table(page)
    inside = cache.count(MODEL, replace(WRONG, splits=("test",)))
    assert table.loc["Faces"].tolist() == [str(inside), str(60 - inside), "0 in both", ""]
    assert table.loc["Accuracy"].iloc[0].startswith("**0.000**")
    assert "chosen by accuracy" in text  # a group of wrong answers has an accuracy of 0 by choice
    assert f"How unsure {MODEL} is, {inside} faces" in [s.value.replace("\\", "") for s in page.subheader]


def test_overview_without_a_slice_is_as_before(open_page, data, cache):
    keep(cache, "wrong", WRONG)
    page = open_page("overview", data=data)
    assert page.table[-1].value.iloc[0, 0] == "Accuracy" and page.selectbox(key="slice").value == EVERY_FACE


def test_overview_of_a_whole_split_compares_it_with_the_others(open_page, data, cache):
    keep(cache, "test faces", Filter(splits=("test",)))
    page = open_page("overview", data=data, slice="test faces")
    assert not page.exception and contrast_table(page).loc["Faces"].tolist() == ["60", "120", "0 in both", ""]
    page = open_page("overview", data=data, slice="test faces", of="train")
    assert not page.exception and "No face is in test faces" in words(page)


# ---- what is gone, and addresses typed by hand


HOSTILE = (
    "nobody",
    "../../etc/passwd",
    "' OR 1=1 --",
    "sure'; DROP TABLE faces; --",
    "<script>alert(1)</script>",
    "\x00",
)


@pytest.mark.parametrize("name", PAGES)
def test_a_slice_that_does_not_exist(open_page, data, cache, name):
    keep(cache, "sure", SURE)
    for asked in HOSTILE[: 2 if name != "faces" else None]:
        page = open_page(name, data=data, slice=asked, a=asked, b=asked)
        assert not page.exception and not page.error
        assert words(page).count("this cache has no slice of that name") == 1 and "<script>" not in words(page)
        assert page.selectbox(key="slice").value == EVERY_FACE
        if name == "slices":
            assert words(page).count("there is no such choice here") == 2


@pytest.mark.parametrize("name", PAGES)
def test_an_address_with_a_slice_where_none_is_saved(open_page, data, name):
    page = open_page(name, data=data, slice="gone")
    assert not page.exception and not page.error and "Ignored **slice=gone** in the address" in words(page)


GONE = {
    "column": (MODEL, Filter(ranges=(("attr_gone", 0.0, 1.0),)), "no column 'attr\\_gone'"),
    "model": ("gone", Filter(splits=("test",)), "no model 'gone'"),
    "other model": (MODEL, Filter().within("gone", Filter()), "no model 'gone'"),
    "map": (MODEL, Filter(regions=(Region("umap-gone", ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))),)), "no map 'umap-gone'"),
    "no model at all": (None, WRONG, "no column 'predicted'"),
}


@pytest.mark.parametrize("kind", GONE)
def test_a_slice_whose_column_model_or_map_is_gone(open_page, data, cache, kind):
    model, where, said = GONE[kind]
    keep(cache, "old", where, model)
    for name in PAGES:
        page = open_page(name, data=data, slice="old", view="Browse")
        assert not page.exception and not page.error, name
        assert words(page).replace("attr_gone", "attr\\_gone").count(said) == (1 if name != "slices" else 2), name
        assert page.selectbox(key="slice").value == EVERY_FACE
    assert "old** cannot be used" in words(page := open_page("slices", data=data))
    assert "No slice yet" in words(page)  # none that can be compared


def test_files_that_somebody_has_edited(open_page, data, cache):
    keep(cache, "sure", SURE)
    place = cache.folder / "slices"
    (place / "a.json").write_text("{")
    fields = json.loads((place / file_name("sure")).read_text())
    (place / "z.json").write_text(json.dumps(fields | {"name": "SURE"}))
    (place / "y.json").write_text(json.dumps(fields | {"name": "![x](http://a/b.png) $5$"}))
    page = open_page("slices", data=data)
    text = words(page)
    assert not page.exception and not page.error
    assert "a.json is left out (it is not valid JSON)" in text
    assert "z.json is left out (there is another slice named 'sure')" in text
    assert "![x](" not in text and page.selectbox(key="a").options[0].startswith("![x]")
    assert not open_page("faces", data=data).exception


def test_a_slice_deleted_by_hand_while_it_is_open(open_page, data, cache):
    keep(cache, "sure", SURE)
    page = open_page("faces", data=data, view="Browse", slice="sure")
    (cache.folder / "slices" / file_name("sure")).unlink()
    page.run()
    assert not page.exception and "no slice of that name" in words(page) and "**180 faces**" in words(page)


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
