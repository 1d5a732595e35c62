"""The Calibration page on caches of every kind."""

import base64
import json
import re

import numpy as np
import pytest

from cache.filters import Filter
from cache.numbers import numbers
from cache.reader import Cache
from engine.metrics.calibration import by_percentile, calibration_errors, reliability, top_label
from engine.metrics.temperature import fit_temperature, rescale
from pages.widgets.caches import View
from pages.widgets.calibration import faces_of
from pages.widgets.estimates import cell
from tests.pages.test_overview import words

MODEL = "compact-ensemble"
TEST = Filter(splits=("test",))
NAN = re.compile(r"\b(nan|inf|None)\b")


@pytest.fixture
def cache(caches) -> Cache:
    return Cache(caches / "normal")


def figures(page) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def lines(figure: dict) -> dict[str, dict]:
    return {trace["name"]: trace for trace in figure["data"] if trace.get("mode") == "lines+markers"}


def decoded(column: dict) -> np.ndarray:
    """An array as Plotly sends it."""
    shape = [int(length) for length in column["shape"].split(",")]
    return np.frombuffer(base64.b64decode(column["bdata"]), column["dtype"]).reshape(shape)


def errors(page) -> dict[str, dict[str, str]]:
    """Column of the table of errors -> row -> cell."""
    return page.table[0].value.set_index("").to_dict()


def everything(page) -> str:
    return "\n".join([words(page), *(str(table.value.to_dict()) for table in page.table)])


def test_errors_are_those_of_the_test_faces(open_page, cache):
    page = open_page("calibration", cache="normal")
    assert not page.exception and not page.error
    faces = numbers(cache, MODEL, TEST, probs=True, votes=True)
    expected = calibration_errors(faces.probs, faces.votes)
    found = errors(page)
    assert list(found) == [MODEL, "compact"]
    assert found[MODEL]["ECE, %"] == cell(expected["ece"], 2, 100.0) != found["compact"]["ECE, %"]
    assert found[MODEL]["Brier score"] == cell(expected["brier"]) and found[MODEL]["n"] == "60"
    assert "n = 60 faces of split test" in words(page)


def test_diagram_and_three_panels_of_the_brier_score(open_page):
    page = open_page("calibration", cache="normal")
    diagram, *panels = figures(page)
    assert list(lines(diagram)) == [MODEL, "compact"]
    assert [p["layout"]["xaxis"]["title"]["text"] for p in panels] == [
        f"percentile of {part}" for part in ("aleatoric U_a", "epistemic U_e", "total U_t")
    ]
    assert len({p["layout"]["yaxis"]["range"][1] for p in panels}) == 1
    charts = page.get("plotly_chart")
    assert all(json.loads(chart.proto.config)["modeBarButtons"] == [["toImage"]] for chart in charts)
    assert len(page.get("download_button")) == len(charts) + 1  # the table too
    assert "paper_bgcolor" not in diagram["layout"]  # the page's own, opaque


def test_split_of_the_url(open_page):
    assert errors(open_page("calibration", cache="normal", split=""))[MODEL]["n"] == "180"
    assert errors(open_page("calibration", cache="normal", split="train"))[MODEL]["n"] == "60"
    assert open_page("calibration", cache="normal").multiselect(key="split").value == ["test"]


def test_clearing_returns_to_the_test_faces(open_page):
    page = open_page("calibration", cache="normal", split="train", predicted="fear")
    page.button[0].click().run()
    assert page.multiselect(key="split").value == ["test"] and page.multiselect(key="predicted").value == []


def test_models_beside_each_other(open_page):
    assert list(errors(open_page("calibration", cache="normal", **{"with": ""}))) == [MODEL]
    page = open_page("calibration", cache="several", **{"with": ["compact-dropout", "compact"]})
    assert list(errors(page)) == [MODEL, "compact-dropout", "compact"]
    assert list(errors(open_page("calibration", cache="several", model="compact"))) == ["compact"]


def test_other_models_are_judged_on_the_same_faces(caches):
    cache = Cache(caches / "several")
    where = Filter(predicted=(1, 2), ranges=(("u_aleatoric", 0.0, 1.7),))
    view = View(cache, MODEL, ("x", 1))
    own, other = faces_of(view, where, MODEL), faces_of(view, where, "compact")
    assert 0 < len(own) < cache.manifest.faces and own.face_id.tolist() == other.face_id.tolist()
    assert (own.probs != other.probs).any()


def test_against_the_majority_ties_are_left_out(open_page, cache):
    majority = numbers(cache, MODEL, TEST, ["majority"]).columns["majority"]
    page = open_page("calibration", cache="normal", against="majority")
    assert errors(page)[MODEL]["n"] == str(int((~np.isnan(majority)).sum())) != "60"
    assert figures(page)[0]["layout"]["yaxis"]["title"]["text"] == "share of faces right"


def test_one_class(open_page):
    diagram = figures(open_page("calibration", cache="normal", **{"class": "fear"}))[0]
    assert diagram["layout"]["xaxis2"]["title"]["text"] == "probability of fear"
    assert diagram["layout"]["yaxis"]["title"]["text"] == "share of votes of class fear"


def test_bins_and_their_edges_reach_diagram_and_errors(open_page, cache):
    page = open_page("calibration", cache="normal", split="", bins="7", edges="mass")
    faces = numbers(cache, MODEL, probs=True, votes=True)
    expected = calibration_errors(faces.probs, faces.votes, bins=7, ranges=7)
    assert errors(page)[MODEL]["MCE, %"] == cell(expected["mce"], 2, 100.0)
    bins = reliability(top_label(faces.probs, faces.votes), 7, "mass")
    assert len(lines(figures(page)[0])[MODEL]["customdata"]) == 7 == (bins["faces"] > 4).sum()


def test_temperature_is_fitted_to_validation_faces_alone(open_page, cache):
    page = open_page("calibration", cache="normal", temperature="both", **{"with": ""})
    fit = numbers(cache, MODEL, Filter(splits=("validation",)), probs=True, votes=True)
    temperature = fit_temperature(fit.probs, fit.votes)
    found = errors(page)
    assert list(found) == [MODEL, f"{MODEL}, T = {temperature:.2f}"]
    faces = numbers(cache, MODEL, TEST, probs=True, votes=True)
    scaled = calibration_errors(rescale(faces.probs, temperature), faces.votes)
    assert found[f"{MODEL}, T = {temperature:.2f}"]["ECE, %"] == cell(scaled["ece"], 2, 100.0)
    assert "fitted to 60 validation faces" in words(page) and "flatters" not in words(page)
    only = errors(open_page("calibration", cache="normal", temperature="scaled", predicted="fear"))
    assert next(iter(only)) == f"{MODEL}, T = {temperature:.2f}"


def test_validation_faces_flatter_their_own_temperature(open_page):
    for split in ("", "validation"):
        assert "flatters" in words(open_page("calibration", cache="normal", split=split, temperature="scaled"))


@pytest.mark.parametrize("cache_name", ["no-validation"])
def test_without_validation_faces_models_stay_as_built(open_page, cache_name):
    page = open_page("calibration", cache=cache_name, temperature="both")
    assert not page.exception and "No temperature scaling" in words(page)
    assert "Ignored **temperature=both**" in words(page) and list(errors(page)) == [MODEL, "compact"]


def test_brier_panels_are_those_of_the_faces_with_votes(open_page, caches):
    cache = Cache(caches / "several")
    columns = numbers(cache, MODEL, TEST, ["u_total", "brier", "disagreement"]).columns
    known = ~np.isnan(columns["brier"])
    expected = by_percentile(columns["u_total"][known], {"brier": columns["brier"][known]})
    panel = figures(open_page("calibration", cache="several"))[-1]
    custom = decoded(lines(panel)["model"]["customdata"])
    np.testing.assert_array_equal(custom[:, 2], expected["faces"])
    np.testing.assert_allclose(custom[:, 3], expected["order"])


def test_without_votes_only_confidence_is_shown(open_page):
    page = open_page("calibration", cache="no-votes")
    assert not page.exception and "no annotators' votes" in words(page)
    assert [f["layout"]["xaxis"]["title"]["text"] for f in figures(page)] == ["confidence"] and not page.table


def test_one_sample_has_no_panel_of_u_e(open_page):
    page = open_page("calibration", cache="single")
    assert not page.exception and "its U_e is 0 for every face" in words(page) and len(figures(page)) == 3


@pytest.mark.parametrize("page_name", ["calibration", "rejection"])
@pytest.mark.parametrize("parameters", [{}, {"face_id": "7..7"}, {"face_id": "900..901"}, {"temperature": "both"}])
def test_one_class_leaves_nothing_to_be_right_or_wrong_about(open_page, page_name, parameters):
    page = open_page(page_name, cache="one-class", **parameters)
    assert not page.exception and "One class, face: nothing to be right or wrong about" in words(page)
    assert not page.table and not figures(page) and not page.get("bidi_component")


@pytest.mark.parametrize("page_name", ["calibration", "rejection"])
@pytest.mark.parametrize(("verdict", "kept"), [("correct", "right"), ("wrong", "wrong")])
def test_a_filter_on_the_outcome_is_called_meaningless(open_page, page_name, verdict, kept):
    page = open_page(page_name, cache="normal", split="", verdict=verdict)
    assert not page.exception and f"only faces that the model gets {kept}. It selects on the outcome" in words(page)
    assert "selects on the outcome" not in words(open_page(page_name, cache="normal", split=""))


def test_the_table_says_what_its_errors_count(open_page):
    said = words(open_page("calibration", cache="normal"))
    assert "always of equal width" in said and "MCE's hangs on one bin" in said
    assert "n = 60 faces of split test, a tenth of them at each point" in said
    few = words(open_page("calibration", cache="normal", split="", face_id="2..8"))
    assert "n = 7 faces." in few and "a tenth of them" not in few


@pytest.mark.parametrize(("cache_name", "command"), [("no-models", "--model compact-ensemble"), ("empty", "synthetic")])
def test_empty_states_name_the_command(open_page, cache_name, command):
    page = open_page("calibration", cache=cache_name)
    assert not page.exception and any(command in code.value for code in page.code) and not figures(page)


@pytest.mark.parametrize("page_name", ["calibration", "rejection"])
@pytest.mark.parametrize("ids", ["900..901", "7..7", "7..9", "7..20"])
@pytest.mark.parametrize("cache_name", ["several", "no-votes", "single"])
def test_few_faces_are_said_to_be_few(open_page, page_name, cache_name, ids):
    page = open_page(page_name, cache=cache_name, split="", face_id=ids, temperature="both")
    assert not page.exception and not page.error
    text = everything(page)
    assert not NAN.search(text), text
    few = "No face" if ids == "900..901" else "Only one face" if ids == "7..7" else "too few to trust"
    assert few in text
    if few != "too few to trust":
        assert not page.table and not page.get("plotly_chart")


@pytest.mark.parametrize("page_name", ["calibration", "rejection"])
@pytest.mark.parametrize(
    "cache_name", ["normal", "several", "no-votes", "single", "one-class", "one-face", "no-validation"]
)
def test_nothing_unknown_is_printed_as_a_number(open_page, page_name, cache_name):
    page = open_page(page_name, cache=cache_name)
    assert not page.exception and not page.error
    assert not NAN.search(everything(page)), everything(page)


def test_faces_without_votes_among_others(open_page):
    page = open_page("calibration", cache="several", split="", n_votes="0..0")
    assert not page.exception and "No face with votes matches" in words(page) and not figures(page)


def test_urls_that_nobody_should_have_typed(open_page):
    page = open_page(
        "calibration",
        cache="normal",
        against="me",
        bins="1e9",
        edges="<b>",
        temperature="hot",
        split="\x00",
        **{"class": "../x", "with": "no-such"},
    )
    assert not page.exception and words(page).count("Ignored") == 7
    assert list(errors(page)) == [MODEL, "compact"]
