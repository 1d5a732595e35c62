"""The Disagreement page on caches of every kind, its statistics against scipy's, and URLs that nobody should type."""

import base64
import doctest
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, spearmanr

from cache import numbers
from cache.filters import Filter
from cache.ranks import contrasts
from cache.reader import Cache
from engine.metrics.bootstrap import Estimate, Resamples
from engine.metrics.ceiling import noise_ceiling
from pages.widgets import along_d, correlation_table
from pages.widgets.agreement import correlate
from pages.widgets.along_d import level_means
from pages.widgets.correlation_table import p_value
from pages.widgets.density_of_d import spread
from tests import synthetic
from tests.pages.test_faces import grids
from tests.pages.test_overview import words

MODEL = "compact-ensemble"
PARTS = ("u_aleatoric", "u_epistemic", "u_total")
TEST = Filter(splits=("test",))


@pytest.fixture
def cache(caches) -> Cache:
    return Cache(caches / "normal")


def figures(page) -> list[dict]:
    return [json.loads(element.proto.spec) for element in page.get("plotly_chart")]


def cell(text: str) -> float:
    return float(re.match(r"\*\*([^*]+)\*\*", text).group(1))


def subheaders(page) -> str:
    return " ".join(element.value for element in page.subheader)


def rows_of(page) -> pd.DataFrame:
    return page.table[0].value.set_index("")


def test_the_ceiling_comes_first_and_then_every_correlation_below_it(open_page, cache):
    page = open_page("disagreement", cache="normal")
    assert not page.exception and not page.error
    assert "**Noise ceiling 0." in words(page) and "n = 60 faces" in words(page)  # the test faces, unless asked
    faces = cache.page(MODEL, TEST, limit=100, columns=["disagreement", *PARTS])
    rows = page.table[0].value
    assert rows[""].tolist() == ["Pearson r", "% of its ceiling", "p of r = 0", "Spearman ρ", "% of its ceiling"]
    top = cell(rows["Noise ceiling"][0])
    for at, part in enumerate(PARTS, start=1):
        r, p = pearsonr(faces[part], faces.disagreement)
        column = rows.iloc[:, at]
        assert cell(column[0]) == pytest.approx(r, abs=6e-4)
        assert cell(column[1]) == pytest.approx(100 * r / top, abs=0.2)
        assert column[2] == p_value(p)
        assert cell(column[3]) == pytest.approx(spearmanr(faces[part], faces.disagreement)[0], abs=6e-4)
        low, high = map(float, re.findall(r"-?\d\.\d{3}", column[0])[1:])
        assert low < cell(column[0]) < high


def test_six_figures_with_their_data(open_page):
    page = open_page("disagreement", cache="normal")
    assert len(figures(page)) == 6  # correlations, a panel per part, groups, density
    assert [b.label for b in page.get("download_button")] == ["Data (CSV)"] * 6


def test_d_is_defined_before_the_ceiling_that_limits_it(open_page):
    said = words(open_page("disagreement", cache="normal"))
    assert -1 < said.index("is the chance that two votes") < said.index("**Noise ceiling") < said.index("reliability")


def test_any_split_on_request(open_page):
    page = open_page("disagreement", cache="normal", split="")
    assert not page.exception and "n = 180 faces" in words(page)
    bars = figures(page)[5]["data"]
    assert sorted(bar["name"] for bar in bars) == ["test", "train", "validation"]
    assert words(page).count("of 60 faces of split") == 3


def test_one_sample_has_no_epistemic_part_to_correlate(open_page):
    page = open_page("disagreement", cache="single", split="")
    assert not page.exception and "No U_e: compact draws one sample" in words(page)
    assert len(rows_of(page).columns) == 3 and not any("U_e" in name for name in rows_of(page).columns)


def test_without_votes_the_page_says_how_to_get_some(open_page):
    page = open_page("disagreement", cache="no-votes")
    assert not page.exception and "no annotators' votes" in words(page)
    assert "--labels" in page.code[0].value and not page.table
    assert len(figures(page)) == 1 and "How unsure compact-ensemble is, 13 faces" in subheaders(page)
    assert not open_page("disagreement", cache="no-votes", face_id="900..901").get("plotly_chart")


def test_without_a_model_the_annotators_are_still_shown(open_page):
    page = open_page("disagreement", cache="no-models", split="")
    assert not page.exception and "**Noise ceiling 0." in words(page)
    assert len(figures(page)) == 1 and "n = 40 faces" in words(page)
    assert "--model compact-ensemble" in page.code[0].value


def test_one_class_leaves_nothing_to_disagree_about(open_page):
    page = open_page("disagreement", cache="one-class", split="")
    assert not page.exception and "**Noise ceiling —**" in words(page)
    assert set(rows_of(page).iloc[0]) == {"—"}
    assert "No face shown does that." in words(page)
    assert words(page).count("**100.0** [83.9,\N{NO-BREAK SPACE}100.0] % of 20 faces") == 3  # Wilson's for 20 of 20
    assert not re.search(r"\bnan\b", words(page) + page.table[0].value.to_string(), re.IGNORECASE)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"cache": "one-face"}, "Only one face matches"),
        ({"cache": "normal", "u_total": "90..91"}, "No face matches"),
        ({"cache": "normal", "face_id": "2..2"}, "Only one face matches"),
        ({"cache": "several", "face_id": "5..5", "split": ""}, "No face with votes matches"),
    ],
)
def test_too_few_faces_for_anything(open_page, parameters, sentence):
    page = open_page("disagreement", **parameters)
    assert not page.exception and sentence in words(page)
    assert not page.get("plotly_chart") and not page.table


@pytest.mark.parametrize("ids", ["2..5", "2..8", "2..40"])
def test_few_faces_come_with_a_warning(open_page, ids):
    page = open_page("disagreement", cache="normal", face_id=ids)
    assert not page.exception and "too few to trust" in words(page)
    assert "**Noise ceiling —**: only " in words(page) and "from fewer than 30" in words(page)
    table = rows_of(page)
    assert set(table["Noise ceiling"]) <= {"—", ""} and set(table.loc["p of r = 0"]) <= {"—", ""}
    assert (table.loc["% of its ceiling"].drop(columns="Noise ceiling") == "—").all(axis=None)
    assert not any("[" in cell for cell in table.to_numpy().flat)
    assert (table.loc["Pearson r"].iloc[0] == "—") == (ids == "2..5")  # r alone, of 3 faces at least
    dots = figures(page)[0]
    assert not dots["layout"].get("shapes") and all(row[0] == "" for dot in dots["data"] for row in dot["customdata"])
    assert not re.search(r"\bnan\b", words(page) + page.table[0].value.to_string(), re.IGNORECASE)


def test_faces_without_votes_are_left_out(open_page):
    page = open_page("disagreement", cache="several", split="")
    assert not page.exception and "over n = 288 faces" in words(page)  # every fifth of 360 has none


@pytest.mark.parametrize(
    ("group", "labels"),
    [
        ("split", ["test", "train", "validation"]),
        ("light", ["front", "side", "unknown"]),
        ("tone", [*(f"{tone} Monk" for tone in range(1, 11)), "unknown"]),
    ],
)
def test_groups_and_their_unknown(open_page, group, labels):
    page = open_page("disagreement", cache="several", split="", group=group)
    assert not page.exception
    figure = figures(page)[4]
    assert [label.split("<br>")[0] for label in figure["layout"]["yaxis"]["ticktext"]] == labels
    assert figure["layout"]["xaxis"]["title"]["text"] == "Spearman ρ with d"


def test_a_group_is_correlated_by_itself(open_page, cache):
    page = open_page("disagreement", cache="normal", split="", group="light", coefficient="Pearson r")
    faces = cache.page(MODEL, limit=180, columns=["disagreement", "u_aleatoric", "attr_light"])
    expected = [pearsonr(f.u_aleatoric, f.disagreement)[0] for _, f in faces.groupby("attr_light")]
    dots = figures(page)[4]["data"][0]
    assert dots["name"] == "aleatoric U_a" and plain_list(dots["x"]) == pytest.approx(expected)


def plain_list(values: list | dict) -> list[float]:
    """Plotly writes arrays as base64 where that is shorter."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()
    return values


def test_many_faces_are_drawn_as_a_density(open_page, monkeypatch):
    panels = figures(open_page("disagreement", cache="normal"))[1:4]
    assert [[trace["type"] for trace in panel["data"]] for panel in panels] == [["scatter", "scatter"]] * 3
    monkeypatch.setattr(along_d, "MOST_POINTS", 59)
    page = open_page("disagreement", cache="normal")
    drawn = [[trace["type"] for trace in panel["data"]] for panel in figures(page)[1:4]]
    assert not page.exception and drawn == [["heatmap", "scatter"]] * 3
    assert "the more faces" in words(page)


def test_a_sample_of_a_large_cache_says_so(open_page, tmp_path, monkeypatch):
    monkeypatch.setattr(numbers, "MOST_FACES", 100)
    synthetic.write(tmp_path / "large", 150)
    page = open_page("disagreement", data=tmp_path, split="", group="light", coefficient="Pearson r")
    assert not page.exception and "From a random sample of 100 of 150 faces" in words(page)
    assert "over n = 100 faces" in words(page)
    sample = numbers.numbers(Cache(tmp_path / "large"), MODEL, columns=["disagreement", "u_aleatoric", "attr_light"])
    front = sample.columns["attr_light"] == "front"
    expected = pearsonr(sample.columns["u_aleatoric"][front], sample.columns["disagreement"][front])[0]
    assert plain_list(figures(page)[4]["data"][0]["x"])[0] == pytest.approx(expected)  # groups of the same faces


def test_the_faces_that_break_the_rule(open_page, cache):
    page = open_page("disagreement", cache="normal")
    high_d, high_u = contrasts(cache, MODEL, "disagreement", "u_aleatoric", TEST, columns=["disagreement"])
    assert [[item["id"] for item in grid["items"]] for grid in grids(page)] == [
        high_d.face_id.tolist(),
        high_u.face_id.tolist(),
    ]
    table = page.dataframe[0].value
    assert table.face.tolist() == high_d.face_id.astype(str).tolist()
    assert table["d rank"].tolist() == pytest.approx(high_d.high_rank.tolist())
    assert table["U_a rank"].tolist() == pytest.approx(high_d.low_rank.tolist())
    assert table.d.tolist() == pytest.approx(high_d.disagreement.tolist())
    assert set(table.model) <= set(cache.classes) and set(table.annotators) <= {*cache.classes, "—"}


def test_each_opens_in_the_drawer_and_steps_within_its_list(open_page, cache):
    listed = contrasts(cache, MODEL, "u_aleatoric", "disagreement", TEST)[0].face_id.tolist()
    page = open_page("disagreement", cache="normal", face=f"{listed[1]}~doubted")
    assert f"**Face {listed[1]}**, 2 of {len(listed)} in this list" in words(page)
    page.button(key="previous-face").click().run()
    assert page.query_params["face"] == f"{listed[0]}~doubted" and page.button(key="previous-face").disabled


HOSTILE = [
    {"group": "face_id; DROP VIEW faces"},
    {"group": "samples"},
    {"coefficient": "kendall"},
    {"split": "nowhere"},
    {"disagreement": "2..1"},
    {"attr_tone": "nan..nan"},
    {"face": "-1"},
]


@pytest.mark.parametrize("parameters", HOSTILE, ids=str)
def test_hostile_urls(open_page, parameters):
    page = open_page("disagreement", **{"cache": "normal", **parameters})
    assert not page.exception and not page.error
    assert len(figures(page)) == 6 and "Ignored" in words(page)


@pytest.mark.parametrize("name", ["empty", "other-version"])
def test_caches_that_cannot_be_shown(open_page, name):
    page = open_page("disagreement", cache=name)
    assert not page.exception and not page.get("plotly_chart")
    assert "engine build" in words(page) or page.code


def test_deleted_while_open(open_page, tmp_path):
    synthetic.write(tmp_path / "other", 20)
    folder = synthetic.write(tmp_path / "a", 60)
    page = open_page("disagreement", data=tmp_path, cache="a")
    assert not page.error and page.get("plotly_chart")
    shutil.rmtree(folder / "faces")
    page.query_params["face"] = "3"  # its votes have not been read yet
    assert not page.run().exception
    assert "moved, deleted or rebuilt" in page.error[0].value


def test_text_of_the_data_is_never_markup(open_page, tmp_path, monkeypatch):
    evil = "<img src=x onerror=alert(1)>"
    monkeypatch.setattr(synthetic, "SPLITS", (evil, "test", f"{evil}2"))
    synthetic.write(tmp_path / "evil", 90, splits=synthetic.SPLITS, classes=(evil, *synthetic.CLASSES[1:]))
    page = open_page("disagreement", data=tmp_path, split="", group="split")
    assert not page.exception and len(figures(page)) == 6
    assert evil not in words(page)
    shown = json.dumps([figure["layout"] for figure in figures(page)])
    assert "<img" not in shown and "&lt;img" in shown


# ---- the statistics themselves


def test_examples_in_docstrings():
    assert doctest.testmod(correlation_table).failed == 0


def test_a_share_is_the_coefficient_over_the_ceiling():
    rng = np.random.default_rng(0)
    d = rng.random(200)
    columns = {"disagreement": d, "u_total": d + rng.normal(0, 0.3, 200), "u_aleatoric": np.ones(200)}
    constant, noisy = correlate(columns, {"pearson": Estimate(0.8, 0.75, 0.85, 200)})
    assert noisy.r == pytest.approx(pearsonr(columns["u_total"], d)[0])
    assert (noisy.share, noisy.share_low) == pytest.approx((100 * noisy.r / 0.8, 100 * noisy.low / 0.8))
    assert np.isnan(constant.r) and np.isnan(constant.share) and constant.n == 200
    no_ceiling = noise_ceiling([[4, 0]], methods=("spearman",))
    (unknown,) = correlate({k: columns[k] for k in ("disagreement", "u_total")}, no_ceiling)
    assert unknown.r > 0 and np.isnan(unknown.share)


def test_means_along_d_and_their_intervals():
    rng = np.random.default_rng(1)
    d = np.repeat([0.0, 0.18, 0.42, 0.8], [400, 300, 299, 1])
    u = d + rng.normal(0, 0.2, 1000)
    means = level_means(d, {"u_total": u}, Resamples(1000))
    assert means.d.tolist() == pytest.approx([0.0, 0.18, 0.42, 0.8]) and means.faces.tolist() == [400, 300, 299, 1]
    assert means["mean"].tolist() == pytest.approx([u[d == level].mean() for level in (0.0, 0.18, 0.42, 0.8)])
    width = (means.high - means.low).to_numpy()
    standard = [u[d == level].std() / np.sqrt((d == level).sum()) for level in (0.0, 0.18, 0.42)]
    np.testing.assert_allclose(width[:3], 2 * 1.96 * np.array(standard), rtol=0.15)
    assert np.isnan(width[3])  # one face has no interval
    assert level_means(d[:0], {"u_total": u[:0]}, Resamples(0)).empty


def test_density_of_d_has_area_one_in_each_split():
    d = np.array([0.0, 0.0, 0.18, 0.5, 0.5, 0.0])
    split = np.array(["a", "a", "a", "a", "b", "b"], dtype=object)
    bins, agreed = spread(d, split)
    assert bins.split.unique().tolist() == ["a", "b"]
    areas = bins.assign(area=bins.density * (bins.high - bins.low)).groupby("split").area.sum()
    assert areas.tolist() == pytest.approx([1, 1])
    assert (agreed["a"].value, agreed["a"].n, agreed["b"].value) == (0.5, 4, 0.5)
    assert bins[bins.split == "b"].faces.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("split", [[None] * 6, ["a"] * 6, list("abcdef"), ["a", "b", None, "a", "b", "a"]])
def test_one_density_where_splits_say_nothing(split):
    bins, agreed = spread(np.array([0.0, 0.0, 0.18, 0.5, 0.5, 0.0]), np.array(split, dtype=object))
    assert bins.split.unique().tolist() == ["all"] and agreed["all"].n == 6
