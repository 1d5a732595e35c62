"""Slices on the pages: saved and opened again, compared, exported, deleted, and addresses typed by hand.

Each test has a cache of its own: the caches that tests share hold no slice.
"""

import json
import math
from dataclasses import replace

import pytest

from cache.filters import Filter, Region
from cache.numbers import numbers
from cache.slices import EVERY_FACE, file_name
from pages.widgets.site import TITLES as LINKS
from tests.pages.slices import MODEL, PAGES, SIDE, SURE, TRIANGLE, WRONG, contrast_table, keep, name_it, press, saved
from tests.pages.test_faces import grids, ids
from tests.pages.test_overview import words


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
