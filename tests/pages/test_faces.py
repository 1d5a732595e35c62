"""The Faces page: extremes, filters, sorting, paging, the drawer, and URLs that nobody should have typed."""

import json
import shutil

import pytest

from cache.filters import Filter, Sort
from cache.reader import Cache
from tests import synthetic
from tests.pages.test_overview import words

MODEL = "compact-ensemble"


def grids(page) -> list[dict]:
    return [json.loads(element.proto.json) for element in page.get("bidi_component")]


def ids(page, grid: int = 0) -> list[int]:
    return [item["id"] for item in grids(page)[grid]["items"]]


@pytest.fixture
def cache(caches) -> Cache:
    return Cache(caches / "normal")


def test_opens_as_figure_1(open_page, cache):
    page = open_page("faces", cache="normal")
    assert not page.exception
    shown = grids(page)
    assert [g["label"] for g in shown] == [
        "Faces, Lowest U_a",
        "Faces, Highest U_a",
        "Faces, Lowest U_e",
        "Faces, Highest U_e",
    ]
    for at, (column, descending) in enumerate((c, d) for c in ("u_aleatoric", "u_epistemic") for d in (False, True)):
        expected = cache.page(MODEL, sort=Sort(column, descending), limit=12, columns=[]).face_id.tolist()
        assert ids(page, at) == expected
    assert shown[0]["colour"] == "#D55E00" and shown[2]["colour"] == "#0072B2"


def test_tiles_carry_score_state_and_alt(open_page, cache):
    item = grids(open_page("faces", cache="normal"))[1]["items"][0]
    row = cache.page(MODEL, sort=Sort("u_aleatoric", True), limit=1).iloc[0]
    assert item["score"] == f"{row.u_aleatoric:.2f}"
    assert item["alt"].startswith(f"face {row.face_id}, predicted {cache.classes[row.predicted]} {row.confidence:.2f}")
    assert item["state"] in ("correct", "wrong", "unknown") and 0 <= item["fill"] <= 1


def test_one_sample_shows_no_epistemic_gallery(open_page):
    page = open_page("faces", cache="single")
    assert not page.exception and len(grids(page)) == 2
    assert "U_e is 0 for every face" in words(page)
    assert "U_e" not in open_page("faces", cache="single", view="Browse").selectbox(key="sort").options


def test_browse_sorts_filters_and_counts(open_page, cache):
    page = open_page(
        "faces",
        cache="normal",
        view="Browse",
        sort="JSD",
        order="lowest first",
        split=["test", "train"],
        predicted=["fear", "anger"],
        verdict="wrong",
        u_total="0.4..1.9",
        attr_tone="2..",
        attr_light="side",
    )
    where = Filter(
        splits=("test", "train"),
        predicted=(6, 4),
        correct=False,
        ranges=(("u_total", 0.4, 1.9), ("attr_tone", 2, 99)),
        values=(("attr_light", ("side",)),),
    )
    expected = cache.page(MODEL, where, Sort("jsd"), limit=48, columns=[]).face_id.tolist()
    assert not page.exception and 0 < len(expected) < 48
    assert ids(page) == expected
    assert f"**{len(expected)} of 180 faces**" in words(page)


def test_filters_hold_for_the_extremes_too(open_page, cache):
    page = open_page("faces", cache="normal", split="test")
    expected = cache.page(MODEL, Filter(splits=("test",)), Sort("u_aleatoric"), limit=12, columns=[]).face_id.tolist()
    assert ids(page) == expected and "60 of 180 faces" in words(page)


def test_pages(open_page, cache):
    page = open_page("faces", cache="normal", view="Browse", sort="U_t", page="2")
    expected = cache.page(MODEL, sort=Sort("u_total", True), limit=48, offset=48, columns=[]).face_id.tolist()
    assert not page.exception and ids(page) == expected
    assert len(ids(open_page("faces", cache="normal", view="Browse", size="96"))) == 96


def test_a_new_filter_returns_to_the_first_page(open_page):
    page = open_page("faces", cache="normal", view="Browse", page="3")
    page.multiselect(key="split").set_value(["train", "test"]).run()
    assert not page.exception and "page" not in page.query_params
    page.button[0].click().run()
    assert page.multiselect(key="split").value == [] and "**180 faces**" in words(page)


def test_of_two_quick_changes_both_are_kept(open_page):
    """The browser sends the second with the address it had before it heard of the first."""
    page = open_page("faces", cache="normal", view="Browse", u_total="..9", page="2")
    page.text_input(key="u_total").set_value("0..8").run()
    assert page.query_params["u_total"] == "0..8" and "page" not in page.query_params
    page.query_params["u_total"] = "..9"
    page.segmented_control(key="verdict").set_value("wrong").run()
    assert page.query_params["u_total"] == "0..8" and page.query_params["verdict"] == "wrong"
    assert page.text_input(key="u_total").value == "0..8"


def test_what_was_ignored_leaves_the_address_with_the_next_change(open_page):
    page = open_page("faces", cache="normal", view="Browse", sort="nothing", size="17", picked="x", split=["test", "?"])
    assert words(page).count("Ignored") == 4 and page.query_params["sort"] == "nothing"
    page.segmented_control(key="order").set_value("lowest first").run()
    assert page.query_params["order"] == "lowest first" and words(page).count("Ignored") == 1
    assert {"sort", "size", "picked"}.isdisjoint(page.query_params)
    page.multiselect(key="split").set_value([]).run()
    assert "Ignored" not in words(page)


def test_nothing_matches(open_page):
    for view in ("Browse", "Extremes"):
        page = open_page("faces", cache="normal", view=view, u_total="90..91")
        assert not page.exception and "No face matches" in words(page)


def test_without_votes_the_filters_explain_themselves(open_page):
    page = open_page(
        "faces", cache="no-votes", view="Browse", annotators="fear", verdict="wrong", sort="JSD", jsd="0..1"
    )
    assert not page.exception
    text = words(page)
    assert "No annotators' votes in this cache" in text and "Ignored **verdict=wrong**" in text
    assert {"JSD", "disagreement d"}.isdisjoint(page.selectbox(key="sort").options)
    assert all(item["state"] == "unknown" for item in grids(page)[0]["items"])


def test_without_models_only_browse(open_page):
    page = open_page("faces", cache="no-models", model=MODEL, view="Extremes", predicted="fear")
    assert not page.exception and len(ids(page)) == 40
    assert page.segmented_control(key="view").value == "Browse"


@pytest.mark.parametrize("view", ["Browse", "Extremes"])
@pytest.mark.parametrize("cache_name", ["empty", "other-version"])
def test_caches_that_cannot_be_shown(open_page, cache_name, view):
    page = open_page("faces", cache=cache_name, view=view)
    assert not page.exception and not grids(page)
    assert "engine build" in words(page) or page.code


def test_no_cache(open_page, tmp_path):
    page = open_page("faces", data=tmp_path)
    assert not page.exception and page.code[0].value == "make demo"


@pytest.mark.parametrize("view", ["Browse", "Extremes"])
def test_deleted_while_open(open_page, tmp_path, view):
    synthetic.write(tmp_path / "other", 20)
    folder = synthetic.write(tmp_path / "a", 30)
    page = open_page("faces", data=tmp_path, view=view, cache="a")
    assert not page.error and grids(page)
    shutil.rmtree(folder / "faces")  # the manifest is still there: the query finds out
    page.query_params["face"] = "3"  # its votes have not been read yet
    assert not page.run().exception
    assert "moved, deleted or rebuilt" in page.error[0].value and "engine build" in page.error[0].value


HOSTILE = [
    {"model": "compact' OR 1=1 --"},
    {"view": "<script>"},
    {"sort": "face_id; DROP VIEW faces", "view": "Browse"},
    {"order": "sideways", "view": "Browse"},
    {"page": "-1", "view": "Browse"},
    {"page": "99999999999999999999", "view": "Browse"},
    {"page": "two", "view": "Browse"},
    {"size": "100000", "view": "Browse"},
    {"split": "test' --"},
    {"predicted": ["fear", "nobody"]},
    {"annotators": "\x00"},
    {"verdict": "maybe"},
    {"u_total": "abc"},
    {"u_total": "9..1"},
    {"u_aleatoric": "nan..nan"},
    {"attr_tone": "1e999..x"},
    {"attr_light": "$(rm -rf)"},
    {"width": "1..2"},
    {"face": "abc"},
    {"face": "-4"},
    {"face": "9" * 30},
    {"face": "٣"},
]


@pytest.mark.parametrize("parameters", HOSTILE, ids=str)
def test_hostile_urls(open_page, parameters):
    page = open_page("faces", **{"cache": "normal", **parameters})
    assert not page.exception and not page.error
    assert len(grids(page)) >= 1 and "Ignored" in words(page)


@pytest.mark.parametrize(
    "parameters", [{"face": "123456"}, {"face": "3~<b>"}, {"face": ""}, {"nobody": "knows"}, {"u_total": ""}]
)
def test_odd_urls_that_need_no_notice(open_page, parameters):
    page = open_page("faces", cache="normal", **parameters)
    assert not page.exception and not page.error and len(grids(page)) == 4


def test_drawer(open_page, cache):
    page = open_page("faces", cache="normal", view="Browse", face="41", sort="U_t")
    text = words(page)
    face = cache.face(41, MODEL)
    assert not page.exception and "**Face 41**" in text and "of 180 in this list" in text
    assert f":green[Model] **{cache.classes[face.row['predicted']]}**" in text
    table = page.table[0].value
    assert "higher than" in table.iloc[1, 2] and "60 test faces" in table.iloc[1, 2]
    assert "face000041" in str(page.table[1].value)


def test_drawer_steps_through_the_list(open_page, cache):
    order = cache.page(MODEL, sort=Sort("u_aleatoric", True), limit=180, columns=[]).face_id.tolist()
    page = open_page("faces", cache="normal", view="Browse", face=str(order[48]))
    page.button(key="previous-face").click().run()
    assert page.query_params["face"] == str(order[47])
    page.button(key="next-face").click().run()
    assert page.query_params["face"] == str(order[48])
    first = open_page("faces", cache="normal", view="Browse", face=str(order[0]))
    assert first.button(key="previous-face").disabled and not first.button(key="next-face").disabled


def test_drawer_of_a_gallery_steps_within_it(open_page, cache):
    gallery = cache.page(MODEL, sort=Sort("u_epistemic", True), limit=12, columns=[]).face_id.tolist()
    page = open_page("faces", cache="normal", face=f"{gallery[11]}~highest-epistemic")
    assert "12 of 12 in this list" in words(page) and page.button(key="next-face").disabled
    page.button(key="previous-face").click().run()
    assert page.query_params["face"] == f"{gallery[10]}~highest-epistemic"


@pytest.mark.parametrize("cache_name", ["no-votes", "no-models", "single"])
def test_drawer_on_caches_that_lack_something(open_page, cache_name):
    page = open_page("faces", cache=cache_name, view="Browse", face="5")
    assert not page.exception and not page.error and "**Face 5**" in words(page)


def test_drawer_of_a_face_that_does_not_exist(open_page):
    assert "no face 123456" in words(open_page("faces", cache="normal", face="123456"))


def test_opening_a_face_writes_the_url(open_page):
    page = open_page("faces", cache="normal", view="Browse")
    assert "face" not in page.query_params
    page.query_params["face"] = str(ids(page)[3])
    assert f"**Face {ids(page)[3]}**" in words(page.run())


def test_strings_of_the_data_are_never_markup(open_page, tmp_path, monkeypatch):
    """A hostile class name, note and file name reach the page as plain text."""
    evil = "<img src=x onerror=alert(1)>![p](http://evil/p.png)"
    monkeypatch.setattr(synthetic, "CLASSES", (evil, *synthetic.CLASSES[1:]))
    synthetic.write(tmp_path / "evil", 20)
    for view in ("Browse", "Extremes"):
        page = open_page("faces", data=tmp_path, view=view, face="3")
        assert not page.exception
        assert "![p](" not in words(page)
