"""The Rejection page on caches of every kind."""

import json
import re

import numpy as np
import pytest

from cache.filters import Filter, Sort
from cache.numbers import numbers
from cache.reader import Cache
from engine.metrics.bootstrap import Estimate
from engine.metrics.rejection import areas, risk_coverage
from pages.widgets.caches import View
from pages.widgets.estimates import cell
from pages.widgets.handed_over import among
from tests import synthetic
from tests.pages.test_calibration import figures
from tests.pages.test_faces import ids
from tests.pages.test_overview import words

MODEL = "compact-ensemble"
TEST = Filter(splits=("test",))
ORDERS = {
    ":orange[**U_a**]": "u_aleatoric",
    ":blue[**U_e**]": "u_epistemic",
    ":gray[**U_t**]": "u_total",
    ":green[**1 − confidence**]": "confidence",
}


@pytest.fixture
def cache(caches) -> Cache:
    return Cache(caches / "normal")


@pytest.fixture
def columns(cache) -> dict[str, np.ndarray]:
    names = ["u_aleatoric", "u_epistemic", "u_total", "confidence", "predicted", "majority", "jsd", "nll"]
    found = dict(numbers(cache, MODEL, TEST, names).columns)
    found["accuracy"] = np.where(np.isnan(found["majority"]), np.nan, found["predicted"] == found["majority"])
    return found


def table(page) -> dict[str, dict[str, str]]:
    """Order -> row -> cell."""
    return page.table[0].value.set_index("").to_dict()


def test_the_75_percent_column_of_table_3(open_page, columns):
    page = open_page("rejection", cache="normal")
    assert not page.exception and not page.error
    found = table(page)
    assert list(found) == [*ORDERS, "n"]
    for title, order in ORDERS.items():
        by = 1 - columns[order] if order == "confidence" else columns[order]
        expected = risk_coverage(by, {"accuracy": columns["accuracy"], "jsd": columns["jsd"]}, [0.75, 1.0])
        for row, (score, at, scale, decimals) in {
            "accuracy (%), all faces": ("accuracy", 1, 100.0, 1),
            "accuracy (%), 75 % kept": ("accuracy", 0, 100.0, 1),
            "JSD (nats), 75 % kept": ("jsd", 0, 1.0, 3),
        }.items():
            value, low, high = (expected[f"{score}{end}"][at] for end in ("", "_low", "_high"))
            assert found[title][row] == cell(Estimate(value, low, high, 0), decimals, scale)
        area = areas({"by": by}, 1 - columns["accuracy"])["by"]
        assert found[title]["AURC of the errors"] == cell(area.aurc)
        assert found[title]["excess AURC"] == cell(area.excess)
    known = [
        int((~np.isnan(columns["accuracy"][np.argsort(by, kind="stable")[:45]])).sum())
        for by in (1 - columns[order] if order == "confidence" else columns[order] for order in ORDERS.values())
    ]
    assert found["n"]["accuracy (%), 75 % kept"] == f"{min(known)} to {max(known)}"  # ties are kept, and not scored
    assert found["n"]["JSD (nats), 75 % kept"] == "45" and found["n"]["NLL (nats), all faces"] == "60"
    assert "count a tie for the class listed first" in words(page)


def test_three_figures_with_both_marks(open_page):
    page = open_page("rejection", cache="normal", handed="40")
    drawn = figures(page)
    assert [f["layout"]["yaxis"]["title"]["text"] for f in drawn] == ["accuracy (%)", "JSD (nats)", "NLL (nats)"]
    assert all({s["x0"] for s in f["layout"]["shapes"]} == {75, 60} for f in drawn)
    assert len(page.get("download_button")) == 4
    assert "NLL (nats), 60 % kept" in table(page)["n"] and table(page)["n"]["NLL (nats), 60 % kept"] == "36"


@pytest.mark.parametrize(
    ("by", "sort"),
    [("U_a", Sort("u_aleatoric", True)), ("U_e", Sort("u_epistemic", True)), ("confidence", Sort("confidence"))],
)
def test_gallery_shows_who_is_handed_over_first(open_page, cache, by, sort):
    page = open_page("rejection", cache="normal", by=by, handed="50")
    assert ids(page) == cache.page(MODEL, TEST, sort, limit=24, columns=[]).face_id.tolist()
    assert "**30 of 60 faces**" in words(page) and "The first 24" in words(page)


def test_fewer_handed_over_than_fit_the_gallery(open_page, cache):
    page = open_page("rejection", cache="normal", handed="10")
    expected = cache.page(MODEL, TEST, Sort("u_aleatoric", True), limit=6, columns=[]).face_id.tolist()
    assert ids(page) == expected and "The first" not in words(page)


def test_errors_on_both_sides(open_page, columns):
    page = open_page("rejection", cache="normal")
    handed = np.argsort(columns["u_aleatoric"], kind="stable")[45:]
    kept = np.argsort(columns["u_aleatoric"], kind="stable")[:45]
    for side in (handed, kept):
        wrong = 100 * (1 - np.nanmean(columns["accuracy"][side]))
        n = int((~np.isnan(columns["accuracy"][side])).sum())
        assert f"**{wrong:.1f} %**" in words(page) and f"(n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{n})" in words(page)


def test_a_share_of_no_errors_leaves_room_for_doubt(open_page, tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "_predictions", lambda ids, samples, truth: sure(ids, samples, truth))
    synthetic.write(tmp_path / "c", 90)
    said = words(open_page("rejection", data=tmp_path, split=""))
    low, high = re.search(r"wrong on \*\*0\.0 %\*\* \[(.+?),\xa0(.+?)\]", said).groups()
    assert float(low) == 0 and float(high) > 5


def sure(ids, samples, truth, predictions=synthetic._predictions):
    """Predictions that always name the annotators' class, each with a doubt of its own."""
    blend = 0.9 * np.eye(truth.shape[1])[truth.argmax(1)][:, None] + 0.1 * samples
    return predictions(ids, blend, truth)


def test_the_slider_redraws_table_and_gallery(open_page):
    page = open_page("rejection", cache="normal")
    page.slider(key="handed").set_value(5).run()
    assert not page.exception and len(ids(page)) == 3
    page.slider(key="handed").set_value(0).run()
    assert not page.exception and "Nobody: the model keeps every face" in words(page)
    assert not page.get("bidi_component") and page.table


def test_drawer_steps_through_those_handed_over_and_no_further(cache):
    view, sort = View(cache, MODEL, ("x", 1)), Sort("u_aleatoric", True)
    first, second, third = cache.page(MODEL, TEST, sort, limit=3, columns=[]).face_id.tolist()
    assert among(view, TEST, sort, 2, first).next == second
    last = among(view, TEST, sort, 2, second)
    assert (last.position, last.total, last.previous, last.next) == (1, 2, first, None)
    assert among(view, TEST, sort, 2, third) is None


def test_a_face_of_the_url_opens_its_drawer(open_page, cache):
    first = cache.page(MODEL, TEST, Sort("u_aleatoric", True), limit=1, columns=[]).face_id[0]
    page = open_page("rejection", cache="normal", face=str(first))
    assert not page.exception and f"**Face {first}**, 1 of 15 in this list" in words(page)


def test_one_sample_offers_no_order_by_u_e(open_page):
    page = open_page("rejection", cache="single", by="U_e")
    assert not page.exception and not page.error and "Ignored **by=U_e**" in words(page)
    assert ":blue[**U_e**]" not in table(page) and "draws one sample" in words(page)


def test_without_votes_the_gallery_remains(open_page):
    page = open_page("rejection", cache="no-votes", split="")
    assert not page.exception and "annotators' votes" in words(page)
    assert not page.table and not figures(page) and len(ids(page)) == 10
    assert "The model is wrong" not in words(page)


def test_faces_without_votes_are_ranked_but_not_scored(open_page, caches):
    page = open_page("rejection", cache="several", split="")
    faces = numbers(Cache(caches / "several"), MODEL, columns=["majority"]).columns["majority"]
    found = table(page)["n"]
    decided = str(int((~np.isnan(faces)).sum()))
    assert found["accuracy (%), all faces"] == found["AURC of the errors"] == decided != "288"
    assert found["JSD (nats), all faces"] == found["NLL (nats), all faces"] == "288"  # every fifth has no votes
    assert "too few" not in words(open_page("rejection", cache="several", split="", n_votes="1.."))
    silent = open_page("rejection", cache="several", split="", n_votes="0..0")
    assert not silent.exception and "Too few of these faces have annotators' votes" in words(silent)


@pytest.mark.parametrize("cache_name", ["no-models", "empty"])
def test_empty_states_name_a_command(open_page, cache_name):
    page = open_page("rejection", cache=cache_name)
    assert not page.exception and page.code and not figures(page)


def test_urls_that_nobody_should_have_typed(open_page):
    page = open_page("rejection", cache="normal", handed="-5", by="<script>", split="moon", face="1e3")
    assert not page.exception and words(page).count("Ignored") == 4
    assert json.loads(page.get("plotly_chart")[0].proto.spec)["layout"]["shapes"][0]["x0"] == 75
