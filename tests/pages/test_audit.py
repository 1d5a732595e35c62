"""The Bias audit page on caches of every kind."""

import doctest
import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cache import numbers as numbers_module
from cache.filters import Column, Filter
from cache.numbers import numbers
from cache.reader import Cache
from pages.charts.colours import EPISTEMIC, MODEL
from pages.findings.audit import COLUMNS, audit_faces
from pages.findings.bins import cross, group_by
from pages.widgets import audit, audit_galleries
from pages.widgets.audit_galleries import FACES
from pages.widgets.estimates import Interval, cell
from tests import synthetic
from tests.pages.test_calibration import figures
from tests.pages.test_faces import grids
from tests.pages.test_overview import words

ENSEMBLE, S = "compact-ensemble", 6
EVERY = {"split": ""}  # in the URL: faces of every split


def add(folder: Path, columns: Mapping[str, tuple[object, str, pa.DataType]]) -> Path:
    """The cache with more columns of its faces: name -> values by face_id, unit, type."""
    for file in sorted((folder / "faces").glob("*.parquet")):
        table = pq.read_table(file)
        for name, (values, unit, kind) in columns.items():
            here = [values[i] for i in table["face_id"].to_pylist()]
            table = table.append_column(pa.field(name, kind, metadata={"unit": unit}), pa.array(here, kind))
        pq.write_table(table, file)
    return folder


@pytest.fixture(scope="module")
def audited(tmp_path_factory) -> Path:
    """A data folder with caches of measured, grey, odd and no attributes."""
    root, n = tmp_path_factory.mktemp("audited"), 360
    rng = np.random.default_rng(0)
    number, text = pa.float64(), pa.string()
    ita = rng.uniform(-60, 80, n)
    unknown = rng.random(n) < 0.2
    measured = {
        "attr_ita": ([None if u else v for u, v in zip(unknown, ita, strict=True)], "degrees", number),
        "attr_tone_unknown": (["no landmarks" if u else None for u in unknown], "", text),
        "attr_head_yaw": (rng.normal(0, 25, n).tolist(), "degrees", number),
        "attr_brightness": ((50 + ita / 4 + rng.normal(0, 8, n)).tolist(), "L*", number),
        "attr_sharpness": (rng.gamma(3, 0.1, n).tolist(), "", number),
    }
    add(synthetic.write(root / "measured", n), measured)
    add(synthetic.write(root / "silent", n, votes=False), measured)
    add(synthetic.write(root / "single", n, models=("compact",)), measured)
    grey = {
        **measured,
        "attr_ita": ([None] * n, "degrees", number),
        "attr_tone_unknown": (["grey image"] * n, "", text),
    }
    add(synthetic.write(root / "grey", n), grey)
    odd = {
        "attr_constant": ([3.0] * n, "px", number),
        "attr_null": ([None] * n, "px", number),
        "attr_many": ([f"<b>v{i % 350}</b>" for i in range(n)], "", text),
        "attr_twin": ([float(i % 2) for i in range(n)], "", number),
    }
    add(synthetic.write(root / "odd", n), odd)
    bare(synthetic.write(root / "bare", 120, splits=("test",)))
    bare(synthetic.write(root / "bare-silent", 120, splits=("test",), votes=False))
    return root


def bare(folder: Path) -> None:
    """Take the attributes away."""
    for file in sorted((folder / "faces").glob("*.parquet")):
        table = pq.read_table(file)
        pq.write_table(table.drop_columns([name for name in table.column_names if name.startswith("attr_")]), file)


def opened(open_page, data: Path, cache: str, **asked: object):
    page = open_page("audit", data=data, cache=cache, **{**EVERY, **asked})
    assert not page.exception and not page.error, page.exception
    return page


def tables(page) -> list[pd.DataFrame]:
    return [table.value for table in page.table]


def table_of(page, column: str) -> pd.DataFrame:
    """The first table with such a column, by its groups."""
    return next(t.set_index(t.columns[0]) for t in tables(page) if any(column in name for name in t.columns))


def texts(figure: dict) -> list[str]:
    return [text for trace in figure["data"] for row in trace["text"] for text in row if text]


@pytest.mark.parametrize("module", [audit, audit_galleries])
def test_examples_in_docstrings(module):
    found = doctest.testmod(module)
    assert found.attempted and not found.failed


def test_skin_tone_comes_first_and_every_figure_has_its_interval(open_page, audited):
    page = opened(open_page, audited, "measured")
    faces = numbers(Cache(audited / "measured"), ENSEMBLE, columns=(*COLUMNS, "attr_ita"), probs=True, votes=True)
    groups = group_by(faces.columns["attr_ita"], Column("attr_ita", "number"))
    found = audit_faces(faces, groups, S)
    assert page.selectbox(key="attribute").value == "skin tone ITA" and len(groups.names) == 6
    shown = table_of(page, "accuracy")
    assert [name.removeprefix(":gray[").split(" (")[0] for name in shown.index] == [
        "dark",
        "brown",
        "tan",
        "intermediate",
        "light",
        "very light",
    ]
    sure = table_of(page, "U_e")
    for g, name in enumerate(shown.index):
        for table, column, quantity, decimals, scale in (
            (shown, "accuracy, %", "accuracy", 1, 100.0),
            (shown, "ECE, %", "ece", 1, 100.0),
            (sure, ":blue[**U_e**], nats", "u_epistemic", 3, 1.0),
        ):
            q = found.quantities.index(quantity)
            if found.n[g, q] >= 30:
                expected = Value(found.value[g, q], found.low[g, q], found.high[g, q])
                assert table.loc[name, column] == cell(expected, decimals, scale)
    assert [q in shown.columns for q in ("JSD, nats", "NLL, nats", "d")] == [True] * 3


class Value(Interval):
    def __init__(self, value: float, low: float, high: float) -> None:
        self.value, self.low, self.high = value, low, high


def test_the_widest_gap_opens_the_page(open_page, audited):
    said = words(opened(open_page, audited, "measured", quantity="U_e"))
    faces = numbers(Cache(audited / "measured"), ENSEMBLE, columns=(*COLUMNS, "attr_ita"), probs=True, votes=True)
    groups = group_by(faces.columns["attr_ita"], Column("attr_ita", "number"))
    found = audit_faces(faces, groups, S)
    largest = found.largest[found.quantities.index("u_epistemic")]
    assert f"U_e by skin tone ITA (degrees): highest in **{groups.names[largest.high]}**" in said
    assert f"lowest in **{groups.names[largest.low]}**" in said
    ends = f"**{largest.value:.3f} nats** [{largest.ci_low:.3f}, {largest.ci_high:.3f}]; p = {largest.p:.3f}"
    assert ends in said and f"over 10 quantities = {largest.p_holm:.3f}" in said
    assert "never inferred identity" in said and "**Cause.**" in said


def test_faces_in_no_group_are_counted_with_the_reason(open_page, audited):
    faces = numbers(Cache(audited / "measured"), None, columns=["attr_ita"]).columns["attr_ita"]
    unknown = int(np.isnan(faces).sum())
    said = words(opened(open_page, audited, "measured"))
    assert f"{unknown} faces in none of them: no landmarks {unknown}" in said
    assert f"{360 - unknown} faces in 6 groups" in said


def test_the_quantity_has_its_colour(open_page, audited):
    for quantity, colour in (("U_e", EPISTEMIC), ("accuracy", MODEL)):
        forest, gaps, _ = figures(opened(open_page, audited, "measured", quantity=quantity))
        assert forest["data"][0]["marker"]["color"] == gaps["data"][0]["marker"]["color"] == colour
        assert quantity in forest["layout"]["xaxis"]["title"]["text"]


def test_edges_of_the_url(open_page, audited):
    page = opened(open_page, audited, "measured", attribute="skin tone ITA", edges="0,40")
    assert table_of(page, "accuracy").index.tolist() == ["up to 0", "0 to 40", "above 40"]
    assert page.text_input(key="edges").value == "0,40"
    page.text_input(key="edges").set_value("20").run()
    assert not page.exception and table_of(page, "accuracy").index.tolist() == ["up to 20", "above 20"]


@pytest.mark.parametrize("edges", ["abc", "2,1", "nan", "1,1", "1,2,3,4,5,6,7,8,9,10,11,12", "9" * 60])
def test_edges_that_are_none_are_ignored_in_a_sentence(open_page, audited, edges):
    page = opened(open_page, audited, "measured", edges=edges)
    assert words(page).count("Ignored **edges=") == 1 and len(table_of(page, "accuracy")) == 6


def test_an_edge_beyond_every_face_leaves_one_group(open_page, audited):
    page = opened(open_page, audited, "measured", edges="1000")
    assert "nothing to compare it with. Choose other bins" in words(page) and not tables(page)


def test_two_attributes_make_a_map(open_page, audited):
    page = opened(open_page, audited, "measured", **{"and": "light"}, least="20", quantity="U_a")
    drawn = figures(page)[0]
    faces = numbers(Cache(audited / "measured"), ENSEMBLE, columns=("attr_ita", "attr_light"))
    crossing = cross(
        group_by(faces.columns["attr_ita"], Column("attr_ita", "number")),
        group_by(faces.columns["attr_light"], Column("attr_light", "text")),
    )
    sizes = sorted(int(text.split("n ")[1].replace(",", "")) for text in texts(drawn))
    assert sizes == sorted(crossing.groups.sizes.tolist()) and len(sizes) == 12
    titles = [drawn["layout"][axis]["title"]["text"] for axis in ("yaxis", "xaxis")]
    assert titles == ["skin tone ITA (degrees)", "light"]
    few = [text for row in drawn["data"][2]["text"] for text in row if text]
    assert len(few) == (crossing.groups.sizes < 20).sum() > 0
    assert "dark · front" in table_of(page, "accuracy").index.tolist()


def test_many_groups_are_one_click_away_and_the_widest_gaps_are_drawn(open_page, audited):
    page = opened(open_page, audited, "measured", **{"and": "tone"}, least="5")
    groups = len(table_of(page, "accuracy"))
    assert groups > 14 and f"Tables of {groups} groups" in [box.label for box in page.expander]
    assert f"Drawn: 14 of {groups} groups, those of enough faces first" in words(page)
    assert len(figures(page)[1]["layout"]["yaxis"]["tickvals"]) == 14
    assert len(grids(page)) == 6


def test_small_groups_are_grey_and_not_tested(open_page, audited):
    page = opened(open_page, audited, "measured", least="200")
    shown, gaps = table_of(page, "accuracy"), table_of(page, "raw gap")
    assert len(shown) == 6 and all(text.startswith(":gray[") for text in shown["accuracy, %"])
    assert all(name.startswith(":gray[") for name in shown.index) and set(gaps["p"]) == {"—"}
    assert "Fewer than two groups have 200 faces" in words(page)
    assert "Grey: fewer than 200 faces" in words(page)


def test_a_group_of_one(open_page, audited):
    ita = numbers(Cache(audited / "measured"), None, columns=["attr_ita"]).columns["attr_ita"]
    *_, second, highest = np.sort(ita[~np.isnan(ita)])
    page = opened(open_page, audited, "measured", attribute="skin tone ITA", edges=f"0,{(second + highest) / 2:.6f}")
    shown, gaps = table_of(page, "U_e"), table_of(page, "raw gap")
    assert shown["n"].tolist()[-1] == ":gray[1]" and " [" not in shown[":blue[**U_e**], nats"].iloc[-1]
    assert gaps["p"].iloc[-1] == "—" and gaps["adjusted gap, points"].iloc[-1] == "—"


def test_galleries_show_the_highest_of_each_group(open_page, audited):
    page = opened(open_page, audited, "measured", attribute="light")
    faces = numbers(Cache(audited / "measured"), ENSEMBLE, columns=("u_epistemic", "attr_light"))
    assert len(grids(page)) == 2
    for grid, light in zip(grids(page), ("front", "side"), strict=True):
        inside = faces.columns["attr_light"] == light
        order = np.argsort(-faces.columns["u_epistemic"][inside], kind="stable")[:FACES]
        assert [item["id"] for item in grid["items"]] == faces.face_id[inside][order].tolist()
        assert grid["colour"] == EPISTEMIC


def test_a_face_of_the_url_opens_its_drawer(open_page, audited):
    first = grids(opened(open_page, audited, "measured", attribute="light"))[1]["items"][0]["id"]
    page = opened(open_page, audited, "measured", attribute="light", face=f"{first}~group-2")
    assert f"**Face {first}**, 1 of {FACES} in this list" in words(page)


def test_adjusted_and_equalised_stand_beside_the_raw_gap(open_page, audited):
    page = opened(open_page, audited, "measured", attribute="light")
    gaps = table_of(page, "raw gap")
    assert gaps.columns.tolist() == [
        "n",
        "raw gap, points",
        "p",
        "Holm's p",
        "adjusted gap, points",
        "equalised gap, points",
    ]
    assert page.multiselect(key="adjust").value[:2] == ["skin tone ITA", "head yaw"]
    assert [trace["name"] for trace in figures(page)[1]["data"]] == ["raw", "adjusted", "equalised"]
    assert "Adjusted for skin tone ITA, head yaw" in words(page)
    assert "of which one of these attributes is unknown" in words(page)
    page = opened(open_page, audited, "measured", attribute="light", adjust="", equalise="")
    assert [trace["name"] for trace in figures(page)[1]["data"]] == ["raw"]


def test_equal_brightness_takes_away_a_part_of_tone(open_page, audited):
    assert "A darker skin makes a darker image" in words(opened(open_page, audited, "measured"))
    assert "A darker skin" not in words(opened(open_page, audited, "measured", attribute="light"))


def test_calibration_error_is_compared_with_chance_and_not_adjusted(open_page, audited):
    page = opened(open_page, audited, "measured", quantity="ECE")
    assert [trace["name"] for trace in figures(page)[1]["data"]] == ["raw", "by chance"]
    assert "gap by chance, points" in table_of(page, "raw gap").columns
    assert "cannot be adjusted" in words(page)


def test_a_covariate_that_says_the_same_is_left_out_with_the_reason(open_page, audited):
    page = opened(open_page, audited, "odd", attribute="light", adjust=["twin", "constant", "null", "many", "tone"])
    assert "Not adjusted for" in words(page) and "Adjusted for tone." in words(page)
    assert all(f"**{name}**" in words(page) for name in ("twin", "constant", "null", "many"))


def test_handed_over_is_a_share_of_all_faces(open_page, audited):
    page = opened(open_page, audited, "measured", attribute="light", handed="40", order="confidence")
    column = table_of(page, "handed over")["handed over, %"]
    shares = [float(text.split("**")[1]) for text in column]
    sizes = [int(n) for n in table_of(page, "handed over")["n"]]
    assert np.dot(shares, sizes) / sum(sizes) == pytest.approx(40, abs=0.1)
    assert "40 % of all faces with the lowest confidence" in words(page)


def test_answers_of_each_group(open_page, audited):
    page = opened(open_page, audited, "measured", attribute="light")
    drawn = figures(page)[2]
    assert drawn["layout"]["xaxis"]["title"]["text"] == "predicted class"
    assert sum(map(float, texts(drawn))) == pytest.approx(200, abs=1.0)


def test_without_votes_what_is_left_is_how_sure_the_model_is(open_page, audited):
    page = opened(open_page, audited, "silent")
    assert "they need annotators' votes" in words(page) and any("--labels" in code.value for code in page.code)
    assert page.selectbox(key="quantity").value == "U_e"
    assert not set(page.selectbox(key="quantity").options) & {"accuracy", "JSD", "NLL", "ECE", "d"}
    assert not any("accuracy" in name for table in tables(page) for name in table.columns)
    assert "confidence, %" in table_of(page, "U_e").columns and len(figures(page)) == 3


def test_one_sample_has_no_epistemic_figures(open_page, audited):
    page = opened(open_page, audited, "single", quantity="U_e", order="U_e")
    assert words(page).count("Ignored") == 2 and "draws one sample" in words(page)
    assert not any("U_e" in name for table in tables(page) for name in table.columns)
    assert "has no U_e" in words(page) and "highest U_a" in words(page)


def test_grey_images_have_no_tone_and_the_page_says_why(open_page, audited):
    page = opened(open_page, audited, "grey")
    assert page.selectbox(key="attribute").value == "tone"  # the synthetic faces' own, supplied with the data
    assert "Skin tone is unknown for all 360 faces shown: grey image 360" in words(page)
    assert "never guessed from grey ones" in words(page)
    page = opened(open_page, audited, "grey", attribute="skin tone ITA")
    assert "unknown for all 360 faces shown (grey image 360)" in words(page) and not tables(page)
    assert any("engine attributes FILE.csv" in code.value for code in page.code)


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("constant", "are in one group, '3', so there is nothing"),
        ("null", "unknown for all 360 faces shown (unknown 360)"),
    ],
)
def test_attributes_that_tell_nobody_apart(open_page, audited, attribute, said):
    page = opened(open_page, audited, "odd", attribute=attribute)
    assert said in words(page) and not tables(page)


def test_many_texts_leave_the_rare_ones_out_and_say_so(open_page, audited):
    page = opened(open_page, audited, "odd", attribute="many")
    assert "Only the 12 most frequent values make groups." in words(page)
    assert "a rarer value" in words(page) and len(table_of(page, "accuracy")) == 12
    assert all("\\<b\\>" in name for name in table_of(page, "accuracy").index)
    assert "&lt;b&gt;" in figures(page)[0]["layout"]["yaxis"]["ticktext"][0]


def test_an_attribute_crossed_with_its_twin(open_page, audited):
    page = opened(open_page, audited, "odd", attribute="twin", **{"and": "light"})
    assert len(table_of(page, "accuracy")) == 2


def test_without_attributes_the_commands_that_bring_them(open_page, audited):
    for name in ("bare", "bare-silent"):
        page = opened(open_page, audited, name)
        assert "This cache has no attributes of its faces" in words(page)
        commands = [code.value for code in page.code]
        folder = audited / name
        assert f"python -m engine build synthetic: --out {folder} --measure" in commands
        assert f"python -m engine attributes FILE.csv --cache {folder}" in commands
    assert not tables(page)  # neither classes nor splits tell silent faces apart
    assert tables(opened(open_page, audited, "bare"))  # the annotators' classes do


@pytest.mark.parametrize("cache", ["no-models", "empty"])
def test_empty_states_name_a_command(open_page, caches, cache):
    page = open_page("audit", cache=cache)
    assert not page.exception and page.code and not figures(page)


@pytest.mark.parametrize("cache", ["one-class", "one-face", "no-votes", "single", "several", "no-validation"])
def test_caches_of_every_kind(open_page, cache):
    page = open_page("audit", cache=cache)
    assert not page.exception and not page.error
    page = open_page("audit", cache=cache, split="", **{"and": "light"})
    assert not page.exception and not page.error


def test_urls_that_nobody_should_have_typed(open_page, audited):
    page = opened(
        open_page,
        audited,
        "measured",
        attribute="<script>",
        edges="1;drop",
        quantity="-1",
        least="1e9",
        handed="-5",
        order="U_x",
        adjust="moon",
        equalise="light",  # a text
        face="x",
        **{"and": "skin tone ITA", "and-edges": "1,2"},
    )
    assert words(page).count("Ignored") == 11
    assert len(table_of(page, "accuracy")) == 6


def test_a_filter_that_leaves_nobody(open_page, audited):
    page = opened(open_page, audited, "measured", confidence="2..3")
    assert "No face matches the filter" in words(page) and not tables(page)


def test_every_figure_downloads(open_page, audited):
    page = opened(open_page, audited, "measured")
    buttons = {button.proto.id.split("-", 2)[-1] for button in page.get("download_button")}
    assert {"forest-data", "gaps-data", "answers-data", "audit-data"} <= buttons
    for chart in page.get("plotly_chart"):
        assert chart.proto.alt.strip() and json.loads(chart.proto.config)["modeBarButtons"] == [["toImage"]]


def test_all_figures_in_one_file(audited, monkeypatch):
    from pages.widgets import audit_gaps
    from pages.widgets.audit_data import Choice
    from pages.widgets.caches import View

    view = View(Cache(audited / "measured"), ENSEMBLE, ("x", 1))
    choice = Choice(("attr_light",), (None,), "u_epistemic", 25, 30)
    found = pd.read_csv(io.StringIO(audit_gaps.all_figures(view, Filter(), choice, None, None)))
    assert set(found["group"]) == {"front", "side"} and {"accuracy", "ECE", "U_e", "handed over"} <= set(found.quantity)
    assert {"value", "low", "high", "gap", "p_holm", "n (faces)", "few"} <= set(found.columns)


def test_a_sample_of_many_faces_says_so(open_page, audited, tmp_path, monkeypatch):
    shutil.copytree(audited / "measured", tmp_path / "c")
    monkeypatch.setattr(numbers_module, "MOST_FACES", 200)
    page = open_page("audit", data=tmp_path, split="")
    assert not page.exception and "From a random sample of 200 of 360 faces." in words(page)


def test_a_slice_and_a_model_are_kept(open_page, audited, tmp_path):
    shutil.copytree(audited / "measured", tmp_path / "c")
    page = open_page("audit", data=tmp_path, model="compact", split="test")
    assert not page.exception and "faces of split test in" in words(page)
