"""What the pages of statistics share: figures that download, notices about few or sampled faces, the first split."""

import doctest
import json

import pytest

from cache import numbers as numbers_module
from cache.filters import Filter
from pages.charts import colours
from pages.widgets import estimates, face_detail, figure, handed_over, measured
from pages.widgets.figure import safe
from pages.widgets.measured import described
from tests import synthetic
from tests.pages.test_overview import words

PAGES = ("calibration", "disagreement", "rejection", "audit")


@pytest.mark.parametrize("module", [colours, estimates, face_detail, figure, handed_over])
def test_examples_in_docstrings(module):
    found = doctest.testmod(module)
    assert found.attempted and not found.failed


@pytest.mark.parametrize("name", ["../../etc/passwd", "a b\x00c", 'x"; filename="y', "日本/<b>"])
def test_file_names_hold_no_path_and_no_quote(name):
    assert not set(safe(name)) & set('/\\"<>: \x00') and safe(name)


def test_faces_are_named_with_their_splits():
    assert described(1, Filter()) == "1 face"
    assert described(1280, Filter(splits=("test", "train"))) == "1,280 faces of split test and train"


@pytest.mark.parametrize(
    ("n", "what", "goes_on", "said"),
    [
        (0, "face", False, "No face matches"),
        (1, "face with votes", False, "Only one face with votes matches"),
        (2, "face with votes", True, "Only 2 faces with votes: too few"),
        (29, "face", True, "Only 29 faces: too few"),
        (30, "face", True, None),
    ],
)
def test_few_faces(monkeypatch, n, what, goes_on, said):
    heard: list[str] = []
    monkeypatch.setattr(measured.st, "info", heard.append)
    monkeypatch.setattr(measured.st, "caption", heard.append)
    assert measured.enough(n, what) == goes_on
    assert len(heard) == (said is not None) and all(said in text for text in heard)


@pytest.mark.parametrize("page_name", ["overview", *PAGES])
def test_every_figure_downloads_as_image_and_as_data(open_page, page_name):
    page = open_page(page_name, cache="normal")
    charts, buttons = page.get("plotly_chart"), {b.proto.id.split("-", 2)[-1] for b in page.get("download_button")}
    assert not page.exception and charts
    for chart in charts:
        key = chart.proto.id.split("-", 2)[-1]
        assert f"{key}-data" in buttons
        config = json.loads(chart.proto.config)
        assert config["displayModeBar"] and config["modeBarButtons"] == [["toImage"]]
        assert config["toImageButtonOptions"]["format"] == "png"
        assert chart.proto.alt.strip()


@pytest.mark.parametrize("page_name", PAGES)
def test_test_faces_come_first_where_there_are_some(open_page, tmp_path, page_name):
    assert open_page(page_name, cache="normal").multiselect(key="split").value == ["test"]
    synthetic.write(tmp_path / "c", 60, splits=("train", "validation"))
    page = open_page(page_name, data=tmp_path)
    assert not page.exception and page.multiselect(key="split").value == []
    assert open_page("faces", cache="normal", view="Browse").multiselect(key="split").value == []


@pytest.mark.parametrize("page_name", PAGES)
def test_a_sample_of_many_faces_says_so(open_page, tmp_path, monkeypatch, page_name):
    monkeypatch.setattr(numbers_module, "MOST_FACES", 50)
    synthetic.write(tmp_path / "c", 120)
    page = open_page(page_name, data=tmp_path, split="")
    assert not page.exception and "From a random sample of 50 of 120 faces." in words(page)
    if page_name == "rejection":
        assert "**30 of 120 faces**" in words(page)  # the gallery is of all faces
