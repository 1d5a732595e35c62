"""The Probe page on a small cache whose U_e follows the factors by a rule."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from cache.filters import Filter
from cache.numbers import numbers
from cache.reader import EVERYTHING, Cache
from engine.metrics.lacking import BALANCED, SKEWED
from pages.findings import probe as findings
from pages.findings.probe import NEEDED, SCORED
from tests import probe_cache
from tests.pages.test_calibration import figures
from tests.pages.test_faces import grids, ids
from tests.pages.test_overview import words

MODEL = "compact-ensemble"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("probe")
    probe_cache.write(root / "probe", (MODEL, "compact"))
    probe_cache.write(root / "skew", (MODEL, BALANCED, SKEWED))
    probe_cache.write(root / "silent", (MODEL,), votes=False)
    return root


@pytest.fixture
def cache(data) -> Cache:
    return Cache(data / "probe")


def table(page, key: int = 0):
    frame = page.table[key].value
    return frame.set_index(frame.columns[0])


def test_another_cache_is_told_what_to_run(open_page):
    page = open_page("probe", cache="normal")
    assert not page.exception and "python -m engine probe --model compact-ensemble" in page.code[0].value
    assert not page.get("plotly_chart")


def test_the_rule_comes_out_along_the_tone(open_page, data):
    page = open_page("probe", data=data, cache="probe")
    assert not page.exception and not page.error
    found = table(page)
    assert found.columns.tolist() == ["Mean", "Difference to 1", "n"]
    assert found.index.tolist() == [*map(str, range(1, 11)), "per step"]
    assert found["Difference to 1"]["1"] == "reference"
    assert found["Difference to 1"]["10"] == "**0.090** [0.090,\N{NO-BREAK SPACE}0.090]"  # the same in every scene
    assert found["Difference to 1"]["per step"].startswith("**0.0100**")
    assert set(found["n"]) == {"12"}
    assert "12 scenes of 4 people, from 192 faces of split test" in words(page)


def test_another_reference_and_factor(open_page, data):
    page = open_page("probe", data=data, cache="probe", factor="yaw", **{"from": "60"})
    found = table(page)
    assert found.index.tolist() == ["-60", "-30", "0", "30", "60"]
    assert found["Difference to 60"]["0"].startswith("**-0.050**") and found["Difference to 60"]["60"] == "reference"
    light = table(open_page("probe", data=data, cache="probe", factor="light"))
    assert light.index.tolist() == ["front", "side", "overhead"]
    assert light["Difference to front"]["overhead"].startswith("**0.000**")


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [("U_a", "U_a (nats)"), ("accuracy", "accuracy (%)"), ("JSD", "JSD (nats)"), ("NLL", "NLL (nats)")],
)
def test_quantities_have_their_units(open_page, data, quantity, unit):
    page = open_page("probe", data=data, cache="probe", of=quantity)
    assert not page.exception
    assert figures(page)[0]["layout"]["yaxis"]["title"]["text"] == unit


def test_means_are_those_of_the_cache(open_page, data, cache):
    found = numbers(cache, MODEL, Filter(splits=("test",)), ["attr_tone", "attr_scene", "u_aleatoric"]).columns
    page = open_page("probe", data=data, cache="probe", of="U_a", factor="tone")
    stars = findings.star(numbers(cache, None, columns=NEEDED))
    rows = stars.arms["tone"].rows
    everyone = numbers(cache, MODEL, columns=["u_aleatoric"]).columns["u_aleatoric"]
    test = np.isin(stars.arms["tone"].scene, found["attr_scene"])
    expected = everyone[rows[test][:, 2]].mean()
    assert table(page)["Mean"]["3"].startswith(f"**{expected:.3f}**")


def test_the_filmstrip_is_one_scene_in_order(open_page, data, cache):
    scene = 171.0
    page = open_page("probe", data=data, cache="probe", scene="171")
    stars = findings.star(numbers(cache, None, columns=NEEDED))
    arm = stars.arms["tone"]
    assert ids(page) == stars.face_id[arm.rows[arm.scene.tolist().index(scene)]].tolist()
    items = grids(page)[0]["items"]
    assert [item["score"].split("\n")[0] for item in items] == list(map(str, range(1, 11)))
    assert all(
        re.match(r"tone \d+ Monk: face \d+, predicted \w+ .*U_a .*nats, U_e .*nats", item["alt"]) for item in items
    )
    assert all(item["image"].startswith("data:image/png") for item in items)
    assert "rendered as" in words(page)


def test_the_drawer_steps_along_the_filmstrip(open_page, data):
    shown = ids(open_page("probe", data=data, cache="probe"))
    page = open_page("probe", data=data, cache="probe", face=f"{shown[1]}~strip")
    assert not page.exception and f"**Face {shown[1]}**, 2 of 10 in this list" in words(page)


def test_next_and_random_go_to_another_scene(open_page, data):
    page = open_page("probe", data=data, cache="probe")
    first = ids(page)
    page.button(key="next-scene").click().run()
    second = ids(page)
    assert page.query_params["scene"] == "161" and second != first
    page.button(key="random-scene").click().run()
    assert not page.exception and ids(page) != second


def test_a_scene_that_is_not_there_is_ignored(open_page, data):
    page = open_page("probe", data=data, cache="probe", scene="9999", factor="smile")
    assert not page.exception
    assert "there is no such choice" in words(page) and ids(page)


def test_two_models_beside_each_other(open_page, data):
    page = open_page("probe", data=data, cache="probe", of="U_t", beside="compact")
    assert not page.exception
    assert len(table(page).columns) == 5
    names = [trace["name"] for trace in figures(page)[0]["data"] if "name" in trace]
    assert names[:2] == [MODEL, "compact"]


def test_one_sample_has_no_u_e(open_page, data):
    page = open_page("probe", data=data, cache="probe", model="compact")
    assert not page.exception and figures(page)[0]["layout"]["yaxis"]["title"]["text"] == "U_a (nats)"


def test_a_filter_that_leaves_one_level(open_page, data):
    page = open_page("probe", data=data, cache="probe", attr_tone="3..3")
    assert not page.exception and "The filter leaves one level" in words(page)
    some = table(open_page("probe", data=data, cache="probe", attr_tone="2..4"))
    assert some.index.tolist() == ["2", "3", "4", "per step"]  # although no centre may be among them
    assert some["Difference to 2"]["4"].startswith("**0.020**")


def test_training_people_are_named(open_page, data):
    assert "learned from the people of split train" in words(open_page("probe", data=data, cache="probe", split=""))
    one = open_page("probe", data=data, cache="probe", split="train")
    assert not one.exception and "One person" in words(one)
    assert "learned from" not in words(open_page("probe", data=data, cache="probe"))


def test_without_votes(open_page, data):
    page = open_page("probe", data=data, cache="silent")
    assert not page.exception and "accuracy" not in page.segmented_control[1].options


def test_the_command_that_adds_the_skew_experiment(open_page, data):
    page = open_page("probe", data=data, cache="probe")
    assert f"--model {BALANCED} --model {SKEWED}" in page.code[-1].value


def test_the_skew_experiment_finds_its_rule(open_page, data):
    page = open_page("probe", data=data, cache="skew")
    assert not page.exception and not page.error
    found = table(page, 1)
    for name in ("U_e (nats), dark tones", "U_e (nats), profiles"):
        assert found["skewed minus balanced"][name].startswith("**0.200**")
    assert found[BALANCED]["U_e (nats), dark tones"].startswith("**0.050**")  # .01 per tone, five tones apart
    assert found[SKEWED]["AUROC of U_e"].startswith("**1.000**")
    assert found["n"]["AUROC of U_e"] == "192"
    assert (
        "Does U_e reveal the lack?" in words(page)
        and "for dark tones yes, **+0.200**".casefold() in words(page).casefold()
    )
    drawn = figures(page)[2]
    shaded = [shape for shape in drawn["layout"]["shapes"] if shape["type"] == "rect"]
    assert [(box["x0"], box["x1"]) for box in shaded] == [(4.5, 9.5)]
    assert "removed from training" in json.dumps(drawn["layout"]["annotations"])


def test_both_profiles_are_shaded(open_page, data):
    page = open_page("probe", data=data, cache="skew", lacking="yaw")
    shapes = figures(page)[2]["layout"]["shapes"]
    assert [(box["x0"], box["x1"]) for box in shapes if box["type"] == "rect"] == [(-0.5, 0.5), (3.5, 4.5)]


def test_findings_do_not_depend_on_where_the_model_was_filtered(cache):
    """Values of the faces that are shown are the same, whichever others are not."""
    stars = findings.star(numbers(cache, None, columns=NEEDED))
    every = findings.measures(stars, numbers(cache, MODEL, EVERYTHING, SCORED))
    some = findings.measures(stars, numbers(cache, MODEL, Filter(splits=("test",)), SCORED))
    known = ~np.isnan(some["u_total"])
    assert 0 < known.sum() < len(known)
    np.testing.assert_array_equal(every["u_total"][known], some["u_total"][known])
