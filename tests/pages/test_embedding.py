"""The Embedding page: maps, colours, a lasso from the URL, a box by its edges, URLs that nobody should have typed."""

import doctest
import html
import json
import shutil
from itertools import pairwise

import numpy as np
import pytest

from cache.filters import Filter, Region, Sort
from cache.maps import Window
from cache.reader import Cache
from cache.regions import inside
from cache.store import PLANE
from pages.charts.map import OPACITY
from pages.widgets import hover, map_address, map_data
from pages.widgets.face_hover.component import Spot, spot_of
from pages.widgets.map_address import MOST_CORNERS, parse_polygon
from tests import synthetic
from tests.pages.test_faces import grids, ids
from tests.pages.test_overview import words

MODEL, UMAP, PCA = "compact-ensemble", "umap-compact-0", "pca-compact-0"
CLOUD = ((-4.0, -4.0), (3.5, -4.0), (3.5, 4.0), (-4.0, 4.0))  # around the training faces
LASSO = ";".join(f"{x},{y}" for x, y in CLOUD)
NOWHERE = "90,90;91,90;91,91"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory):
    """A data folder with maps: of every kind, of one kind, and of a cache that lacks much."""
    root = tmp_path_factory.mktemp("maps")
    synthetic.write(root / "a", 180, layouts=(UMAP, PCA, "umap-compact-ensemble"))
    synthetic.write(root / "pca", 60, layouts=(PCA,))
    synthetic.write(root / "no-votes", 40, votes=False, layouts=(UMAP,))
    synthetic.write(root / "no-models", 40, models=(), layouts=(UMAP,))
    synthetic.write(root / "single", 40, models=("compact",), layouts=(UMAP,))
    synthetic.write(root / "unknown", 120, unknown=True, layouts=(UMAP,))
    synthetic.write(root / "one-class", 40, classes=("face",), layouts=(UMAP,))
    synthetic.write(root / "one-face", 1, parts=1, layouts=(UMAP,))
    return root


@pytest.fixture
def embedding(open_page, data):
    return lambda **parameters: open_page("embedding", data=data, **parameters)


@pytest.fixture
def cache(data) -> Cache:
    return Cache(data / "a")


def chart(page):
    (found,) = page.get("plotly_chart")
    return found.proto


def spec(page) -> dict:
    return json.loads(chart(page).spec)


def numbers(packed) -> np.ndarray:
    """An array of a figure, which travels as bytes."""
    import base64

    return np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"]) if isinstance(packed, dict) else packed


def gallery(page) -> list[int]:
    at = next(i for i, grid in enumerate(grids(page)) if "items" in grid)
    return ids(page, at)


def card(page) -> dict | None:
    return next(grid["card"] for grid in grids(page) if "card" in grid)


def selected(layout: str = UMAP, polygon=CLOUD, **more) -> Filter:
    return Filter(regions=(Region(layout, polygon),), **more)


def test_examples_in_docstrings():
    found = doctest.testmod(map_address)
    assert found.attempted and not found.failed


# ---- the map


def test_opens_with_the_map_of_what_the_model_sees(embedding):
    page = embedding()
    assert not page.exception and not page.error
    assert page.selectbox(key="layout").value == "UMAP of compact-0"
    assert page.selectbox(key="colour").value == "U_e"
    text = words(page)
    assert "180 faces, a point each" in text and "fitted on 180 of 180 faces" in text and "mean little" in text
    assert "Drag a lasso or a box" in text and len(gallery(page)) == 48
    drawn = spec(page)["data"][-1]
    assert drawn["type"] == "scattergl" and len(numbers(drawn["x"])) == 180
    alt = chart(page).alt
    assert alt.startswith("Map of 180 faces, UMAP of compact-0, coloured by U_e (nats) from ")
    config = json.loads(chart(page).config)
    assert config["modeBarButtons"] == [["lasso2d", "select2d"], ["toImage"]]
    assert any(b.proto.label == "Data (CSV)" for b in page.get("download_button"))


def test_every_map_is_offered_and_the_plane_of_the_two_uncertainties(embedding):
    page = embedding()
    assert page.selectbox(key="layout").options == [
        "UMAP of compact-0",
        "PCA of compact-0",
        "UMAP of compact-ensemble",
        "U_a and U_e",
    ]
    pca = embedding(layout="PCA of compact-0")
    assert "48% of their variance" in words(pca) and "PCA 1 (no unit)" in str(spec(pca)["layout"]["xaxis"]["title"])
    assert "the class probabilities of compact-ensemble" in words(embedding(layout="UMAP of compact-ensemble"))
    plane = embedding(layout="U_a and U_e")
    assert spec(plane)["layout"]["yaxis"]["title"]["text"] == "epistemic U_e (nats)"
    assert "a place is a value" in words(plane)


def test_without_a_umap_the_pca(embedding):
    assert embedding(cache="pca").selectbox(key="layout").value == "PCA of compact-0"


def test_without_any_map_the_plane_and_the_command_that_makes_one(open_page):
    page = open_page("embedding", cache="normal")
    assert not page.exception and page.selectbox(key="layout").value == "U_a and U_e"
    assert any("python -m engine embed" in code.value and code.value.endswith("normal") for code in page.code)


@pytest.mark.parametrize("cache_name", ["single", "no-models"])
def test_without_a_map_and_without_uncertainties_only_the_command(open_page, cache_name):
    page = open_page("embedding", cache=cache_name)
    assert not page.exception and not page.get("plotly_chart")
    assert page.code[-1].value.startswith("python -m engine embed") and "holds no map" in words(page)


@pytest.mark.parametrize("cache_name", ["no-votes", "no-models", "single", "unknown", "one-class", "one-face"])
def test_caches_that_lack_something(embedding, cache_name):
    for parameters in ({}, {"lasso": LASSO}, {"lasso": NOWHERE}):
        page = embedding(cache=cache_name, **parameters)
        assert not page.exception and not page.error and chart(page).alt


@pytest.mark.parametrize("cache_name", ["a", "unknown", "no-votes", "no-models", "single"])
def test_every_colour(embedding, cache_name):
    page = embedding(cache=cache_name)
    names = page.selectbox(key="colour").options
    assert ("U_e" in names) == (cache_name in ("a", "unknown", "no-votes"))
    assert ("correctness" in names) == (cache_name in ("a", "unknown", "single"))
    assert {"split", "tone", "light"} <= set(names)
    for name in names:
        page.query_params["colour"] = name
        page.run()
        assert not page.exception and f"coloured by {name}" in chart(page).alt


def test_correctness_is_drawn_as_it_is(embedding, cache):
    page = embedding(colour="correctness")
    faces = cache.page(MODEL, limit=180, columns=["predicted", "majority"])
    wrong = int((faces.majority.notna() & (faces.predicted != faces.majority)).sum())
    marker = spec(page)["data"][-1]["marker"]
    assert (numbers(marker["color"]) == 1).sum() == (np.array(numbers(marker["symbol"])) == 4).sum() == wrong > 0


def test_the_sidebar_decides_what_is_drawn(embedding):
    page = embedding(split="test", colour="split")
    assert "60 faces, a point each" in words(page) and len(numbers(spec(page)["data"][-1]["x"])) == 60
    none = embedding(u_total="90..91")
    assert not none.exception and "0 faces" in words(none) and chart(none).alt.startswith("Map of 0 faces")


# ---- the selection


def test_a_lasso_in_the_url_selects_and_is_drawn(embedding, cache):
    page = embedding(lasso=LASSO)
    assert not page.exception
    expected = cache.page(MODEL, selected(), Sort("u_aleatoric", True), limit=48, columns=[]).face_id.tolist()
    n = cache.count(MODEL, selected())
    assert 48 < n < 70 and gallery(page) == expected and f"**{n} of 180 faces**" in words(page)
    (outline,) = spec(page)["layout"]["shapes"]
    assert outline["path"] == "M-4.0,-4.0L3.5,-4.0L3.5,4.0L-4.0,4.0Z"
    marker = spec(page)["data"][-1]["marker"]
    assert (numbers(marker["opacity"]) > 0.5).sum() == n and OPACITY["in"] > 0.5 > OPACITY["out"]
    assert chart(page).alt.endswith(f"The selection holds {n} of them.")


def test_the_selection_is_compared_with_the_rest(embedding, cache):
    page = embedding(lasso=LASSO)
    n = cache.count(MODEL, selected())
    table = page.table[0].value
    assert {"the selection", "the rest", "difference"} <= set(table.columns)
    row = table[table.iloc[:, 0].astype(str).str.contains("Accuracy")].iloc[0]
    faces = cache.page(MODEL, limit=180, columns=["predicted", "majority"])
    voted = faces[faces.majority.notna()]
    inner = set(cache.page(MODEL, selected(), limit=180, columns=[]).face_id)
    accuracy = (voted.predicted == voted.majority)[voted.face_id.isin(inner)].mean()
    assert f"{accuracy:.3f}" in row["the selection"]
    assert f"{n}" in str(table.values)


def test_the_selection_is_sorted_paged_and_stepped_through(embedding, cache):
    order = cache.page(MODEL, selected(), Sort("u_epistemic"), limit=180, columns=[]).face_id.tolist()
    page = embedding(lasso=LASSO, sort="U_e", order="lowest first", page="2")
    assert gallery(page) == order[48:]
    page = embedding(lasso=LASSO, sort="U_e", order="lowest first", face=str(order[3]))
    assert f"4 of {len(order)} in this list" in words(page)
    page.button(key="next-face").click().run()
    assert page.query_params["face"] == str(order[4])


def test_a_filter_and_a_lasso_hold_together(embedding, cache):
    page = embedding(lasso=LASSO, predicted=["fear", "anger"])
    where = selected(predicted=(6, 4))
    assert 0 < cache.count(MODEL, where) < 48
    assert gallery(page) == cache.page(MODEL, where, Sort("u_aleatoric", True), limit=48, columns=[]).face_id.tolist()


def test_a_lasso_on_the_plane(embedding, cache):
    faces = cache.page(MODEL, limit=180, columns=["u_aleatoric", "u_epistemic"])
    a, e = float(faces.u_aleatoric.median()), float(faces.u_epistemic.median())
    page = embedding(layout="U_a and U_e", lasso=f"{a},{e};9,{e};9,9;{a},9")
    expected = cache.count(MODEL, selected(f"{PLANE}{MODEL}", ((a, e), (9, e), (9, 9), (a, 9))))
    assert expected and f"**{expected} of 180 faces**" in words(page)
    chosen_by = "The faces were chosen by U_a and U_e"
    assert chosen_by in words(page) and chosen_by not in words(embedding(lasso=LASSO))


def test_a_lasso_around_nothing(embedding):
    page = embedding(lasso=NOWHERE)
    assert not page.exception and "No face lies in there" in words(page) and spec(page)["layout"]["shapes"]
    clear = next(button for button in page.button if button.label == "Clear selection")
    clear.click().run()
    assert "lasso" not in page.query_params and "Drag a lasso" in words(page) and len(gallery(page)) == 48


def test_everything_selected_leaves_no_rest(embedding):
    page = embedding(lasso="-99,-99;99,-99;99,99;-99,99")
    assert not page.exception and len(gallery(page)) == 48 and "the rest" in words(page)


def test_zooming_to_the_selection_and_back(embedding):
    page = embedding(lasso=LASSO)
    next(button for button in page.button if button.label == "Zoom to selection").click().run()
    left, right, bottom, top = map(float, page.query_params["window"].split(","))
    assert left < -4 and right > 3.5 and bottom < -4 and top > 4
    axis = spec(page)["layout"]["xaxis"]
    assert axis["range"] == [left, right] and axis["constrain"] == "range"  # all faces are drawn
    assert page.query_params["layout"] == "UMAP of compact-0"
    next(button for button in page.button if button.label == "Whole map").click().run()
    assert "window" not in page.query_params and spec(page)["layout"]["xaxis"]["range"][1] > 10


def test_another_map_forgets_the_lasso(embedding):
    page = embedding(lasso=LASSO, window="-5,5,-5,5")
    page.selectbox(key="layout").select("PCA of compact-0").run()
    assert not page.exception and set(page.query_params) == {"layout"}
    assert "shapes" not in spec(page)["layout"]


def test_a_box_by_its_edges(embedding, cache):
    page = embedding()
    edges = {field.label: field for field in page.number_input}
    for name, value in zip(("Left", "Right", "Bottom", "Top"), (-4.0, 3.5, -4.0, 4.0), strict=True):
        edges[name].set_value(value)
    next(button for button in page.button if button.label == "Select").click().run()
    assert not page.exception
    assert parse_polygon(page.query_params["lasso"]) == CLOUD
    assert gallery(page) == gallery(embedding(lasso=LASSO))
    assert [field.value for field in page.number_input] == [-4.0, 3.5, -4.0, 4.0]


def test_a_box_the_wrong_way_round(embedding):
    page = embedding()
    edges = {field.label: field for field in page.number_input}
    edges["Left"].set_value(3.0)
    edges["Right"].set_value(-3.0)
    next(button for button in page.button if button.label == "Select").click().run()
    assert not page.exception and "left edge left of" in page.warning[0].value
    assert "lasso" not in page.query_params and not page.run().warning


# ---- many faces


def test_too_many_faces_become_an_image_and_the_lasso_still_selects_all(embedding, monkeypatch):
    few = embedding(lasso=LASSO)
    monkeypatch.setattr(map_data, "MOST_POINTS", 100)
    many = embedding(lasso=LASSO, colour="predicted class")
    assert not many.exception and "180 faces, too many for a point each: every pixel mixes" in words(many)
    (image,) = spec(many)["layout"]["images"]
    assert image["source"].startswith("data:image/png;base64,")
    assert gallery(many) == gallery(few)
    assert sum(len(numbers(trace["x"])) for trace in spec(many)["data"] if trace["x"] != [None]) == 2


def test_a_stretch_of_few_faces_is_drawn_as_points(embedding, monkeypatch, cache):
    monkeypatch.setattr(map_data, "MOST_POINTS", 100)
    page = embedding(window="-4,3.5,-4,4")
    n = cache.count(MODEL, selected())
    assert f"{n} faces in this stretch of the map, a point each" in words(page)
    assert spec(page)["layout"]["yaxis"]["constrain"] == "domain"  # the panel ends where the points do
    other = embedding(window="-20,20,-20,20")
    assert "180 faces in this stretch of the map, too many" in words(other)


@pytest.mark.parametrize(("faces", "longest"), [(30_001, 208), (1_000, 200), (1_000_000, 400)])
def test_cells_grow_smaller_with_the_faces(faces, longest):
    assert map_data.grid_for(Window(0, 10, 0, 5), faces, square=True) == (longest, longest // 2)
    assert map_data.grid_for(Window(0, 1, 0, 90), faces, square=True)[1] == longest
    assert map_data.grid_for(Window(0, 1, 0, 90), faces, square=False)[0] == longest


# ---- the face under the pointer


def test_the_nearest_face_answers_the_pointer(embedding, cache):
    page = embedding()
    assert card(page) is None
    places = cache.frame(f"SELECT * FROM {cache.points(UMAP)} WHERE face_id = 42", [])
    page.session_state[hover.RESTED] = Spot(float(places.x[0]), float(places.y[0]), 0.01, 0.01, question=7)
    page.run()
    shown = card(page)
    row = cache.page(MODEL, Filter(faces=(42,)), columns=["predicted", "confidence", "u_epistemic"]).iloc[0]
    assert shown["id"] == 42 and shown["image"].startswith("data:image/png;base64,")
    assert shown["lines"][:2] == ["face 42", f"predicted {cache.classes[int(row.predicted)]} {row.confidence:.2f}"]
    assert shown["lines"][-1] == f"U_e {row.u_epistemic:.2f} nats" or row.u_epistemic < 0.1
    assert next(g["answers"] for g in grids(page) if "card" in g) == 7
    page.session_state[hover.RESTED] = Spot(500.0, 500.0, 0.01, 0.01, question=8)
    assert card(page.run()) is None


def test_a_press_opens_the_nearest_face_of_those_that_match(embedding, cache):
    page = embedding(split="test")
    places = cache.frame(f"SELECT * FROM {cache.points(UMAP)} WHERE face_id = 2", [])
    page.session_state[hover.PRESSED] = Spot(float(places.x[0]), float(places.y[0]), 0.5, 0.5, question=1)
    page.run()
    assert not page.exception and page.query_params["face"] == "2~map" and "**Face 2**" in words(page)


def test_a_face_without_a_model_has_a_card_too(embedding, data):
    page = embedding(cache="no-models")
    places = Cache(data / "no-models").frame(f'SELECT * FROM "embeddings/layout={UMAP}" WHERE face_id = 5', [])
    page.session_state[hover.RESTED] = Spot(float(places.x[0]), float(places.y[0]), 0.01, 0.01, question=1)
    assert card(page.run())["lines"][0] == "face 5" and not page.exception


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "x",
        [],
        {},
        {"x": 1, "y": 2, "reach_x": 0, "reach_y": 1},
        {"x": 1, "y": 2, "reach_x": 1, "reach_y": -1},
        {"x": float("nan"), "y": 2, "reach_x": 1, "reach_y": 1},
        {"x": "1; DROP TABLE faces", "y": 2, "reach_x": 1, "reach_y": 1},
        {"x": None, "y": 2, "reach_x": 1, "reach_y": 1},
    ],
    ids=str,
)
def test_spots_that_are_none(sent):
    assert spot_of(sent) is None


def test_a_spot():
    assert spot_of({"x": 1, "y": -2.5, "reach_x": 0.1, "reach_y": 0.2, "question": 3}) == Spot(1.0, -2.5, 0.1, 0.2, 3)
    assert spot_of({"x": 1, "y": 2, "reach_x": 1, "reach_y": 1, "question": "<b>"}).question == 0


# ---- URLs and data that nobody should trust


HOSTILE = [
    {"layout": "umap'; DROP TABLE faces; --"},
    {"layout": f"{PLANE}{MODEL}"},
    {"layout": "../../etc"},
    {"colour": 'u_total" FROM faces --'},
    {"colour": "samples"},
    {"lasso": "1,1;2,2"},
    {"lasso": "1,1;2,2;x,3"},
    {"lasso": "1,1;2,2;3"},
    {"lasso": "nan,0;1,1;1,0"},
    {"lasso": "inf,0;1,1;1,0"},
    {"lasso": "1e300,0;1,1;1,0"},
    {"lasso": "0,0;1,1;1,0) OR (1=1"},
    {"lasso": ";".join(["0,0"] * (MOST_CORNERS + 1))},
    {"lasso": "," * 5000},
    {"lasso": "\x00"},
    {"window": "0,1,0"},
    {"window": "1,0,0,1"},
    {"window": "0,1,1,1"},
    {"window": "0,nan,0,1"},
    {"window": "-1e99,1e99,0,1"},
    {"window": "(SELECT 1)"},
]


@pytest.mark.parametrize("parameters", HOSTILE, ids=lambda p: str(p)[:60])
def test_hostile_urls(embedding, parameters):
    page = embedding(**parameters)
    assert not page.exception and not page.error
    assert "Ignored" in words(page) and len(gallery(page)) == 48 and "shapes" not in spec(page)["layout"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"lasso": ""},
        {"window": ""},
        {"lasso": "0,0;0,0;0,0"},
        {"lasso": "0,0;1,1;2,2"},
        {"lasso": " 0 , 0 ; 1 , 1 ; 1 , 0 "},
        {"lasso": "1e9,1e9;-1e9,1e9;0,-1e9"},
        {"window": "5,5.0000000001,5,5.0000000001"},
        {"window": "1e8,1e9,1e8,1e9"},
    ],
    ids=str,
)
def test_odd_urls_that_need_no_notice(embedding, parameters, monkeypatch):
    for most in (map_data.MOST_POINTS, 50):
        monkeypatch.setattr(map_data, "MOST_POINTS", most)
        page = embedding(**parameters)
        assert not page.exception and not page.error and "Ignored" not in words(page) and chart(page).alt


def test_strings_of_the_data_are_never_markup(open_page, tmp_path, monkeypatch):
    evil = "<img src=x onerror=alert(1)>![p](http://evil/p.png)"
    monkeypatch.setattr(synthetic, "CLASSES", (evil, *synthetic.CLASSES[1:]))
    synthetic.write(tmp_path / "evil", 60, classes=synthetic.CLASSES, layouts=(UMAP,))
    page = open_page("embedding", data=tmp_path, colour="predicted class", lasso=LASSO)
    assert not page.exception and "![p](" not in words(page)
    assert {trace.get("name") for trace in spec(page)["data"]} >= {html.escape(evil)}


def test_deleted_while_open(open_page, tmp_path):
    synthetic.write(tmp_path / "b", 20, layouts=(UMAP,))
    folder = synthetic.write(tmp_path / "a", 60, layouts=(UMAP, PCA))
    page = open_page("embedding", data=tmp_path, cache="a")
    assert not page.error
    for part in ("embeddings", "predictions", "faces", "thumbnails"):
        shutil.rmtree(folder / part)
    page.query_params["layout"] = "PCA of compact-0"  # a map that nobody has asked for yet
    assert not page.run().exception
    assert "moved, deleted or rebuilt" in page.error[0].value


def test_the_page_and_the_figure_agree_on_who_is_inside(embedding, cache):
    """What is drawn bright is what the gallery and the statistics count, also of a polygon that crosses itself."""
    star = tuple((5 * np.sin(0.8 * np.pi * k), 5 * np.cos(0.8 * np.pi * k)) for k in range(5))
    text = ";".join(f"{x:.3f},{y:.3f}" for x, y in star)
    page = embedding(lasso=text)
    points = cache.frame(f"SELECT x, y FROM {cache.points(UMAP)}", [])
    expected = int(inside(points.x.to_numpy(), points.y.to_numpy(), parse_polygon(text)).sum())
    bright = (numbers(spec(page)["data"][-1]["marker"]["opacity"]) > 0.5).sum()
    assert bright == expected and f"**{expected} of 180 faces**" in words(page)


def test_a_drawn_lasso_becomes_short_and_stays_true(monkeypatch):
    """Five hundred corners of a hand-drawn circle: an address of about a kilobyte, and no face changes sides."""
    written: dict[str, str] = {}
    monkeypatch.setattr(map_address, "write", written.update)
    angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    wobble = 1 + 0.003 * np.sin(9 * angles)
    circle = [(3 * w * np.cos(a), 3 * w * np.sin(a)) for a, w in zip(angles, wobble, strict=True)]
    map_address.select(circle, "UMAP of compact-0", Window(-10, 20, -5, 15))
    found = parse_polygon(written["lasso"])
    assert found is not None and 3 < len(found) <= MOST_CORNERS and len(written["lasso"]) < 1000
    assert all(one != other for one, other in pairwise(found)) and written["layout"] == "UMAP of compact-0"
    x, y = np.random.default_rng(0).uniform(-4, 4, (2, 20_000))
    assert (inside(x, y, tuple(circle)) == inside(x, y, found)).mean() > 0.995
    map_address.select([(0, 0), (1e-7, 0), (0, 1e-7)], "x", Window(-10, 20, -5, 15))  # a click that trembled
    assert parse_polygon(written["lasso"]) == found


def test_of_many_classes_the_most_frequent_have_colours(open_page, tmp_path):
    names = tuple(f"class {number}" for number in range(20))
    synthetic.write(tmp_path / "many", 400, classes=names, layouts=(UMAP,))
    page = open_page("embedding", data=tmp_path, colour="predicted class")
    assert not page.exception
    cache = Cache(tmp_path / "many")
    frequent = cache.values(MODEL, "predicted").value.head(11).astype(int)
    chart = json.loads(page.get("plotly_chart")[0].proto.spec)
    legend = [trace["name"] for trace in chart["data"] if trace.get("showlegend", True) and trace.get("name")]
    assert {*legend} == {*(names[index] for index in frequent), "other"}


def test_a_lasso_stays_on_the_map_it_was_drawn_on(open_page, tmp_path):
    """The plane of U_a and U_e belongs to a model: of another one, or where there is none, the lasso means nothing."""
    synthetic.write(tmp_path / "c", 120, models=("compact", MODEL, "compact-dropout"), layouts=(UMAP,))
    around = {"layout": "U_a and U_e", "lasso": "-1,-1;9,-1;9,9;-1,9"}
    gone = open_page("embedding", data=tmp_path, model="compact", **around)
    assert not gone.exception and "belongs to a map that is not here" in words(gone)
    assert "the selection" not in words(gone)
    page = open_page("embedding", data=tmp_path, **around)
    assert not page.exception and "lasso" in page.query_params
    page.selectbox(key="model").select("compact-dropout").run()
    assert not page.exception and "lasso" not in page.query_params and page.query_params["layout"] == "U_a and U_e"
