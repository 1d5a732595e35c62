"""The parts of the pages that need no running app: words, numbers, ranges, tiles."""

import doctest
import math

import pandas as pd
import pytest

from cache.filters import Column
from pages.widgets import filters, headline, wording
from pages.widgets.face_grid.component import data_uri
from pages.widgets.filters import parse_range
from pages.widgets.reading import reading
from pages.widgets.tiles import alt_text, state
from pages.widgets.wording import names, plain

CLASSES = ("neutral", "fear")
ROW = {"face_id": 1234, "predicted": 1, "confidence": 0.54, "majority": 1, "u_aleatoric": 1.214, "attr_tone": 3.0}


@pytest.mark.parametrize("module", [wording, filters, headline])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("text", ["", "..", "1", "a..b", "1..x", "nan..1", "2..1", "1,5..2", "0x1..2", "1 .. 2 .. 3"])
def test_not_a_range(text):
    assert parse_range(text) is None


@pytest.mark.parametrize(
    ("text", "ends"),
    [("0.5..1", (0.5, 1)), (" 1 .. 2 ", (1, 2)), (".5...7", (0.5, 0.7)), ("3..", (3, math.inf)), ("5..5", (5, 5))],
)
def test_range(text, ends):
    assert parse_range(text) == ends


def test_alt_text_says_everything():
    assert alt_text(ROW, CLASSES, "u_aleatoric") == "face 1234, predicted fear 0.54, annotators fear, U_a 1.21 nats"
    assert alt_text(ROW, CLASSES, "attr_tone", "Monk").endswith("U_a 1.21 nats, tone 3 Monk")
    assert alt_text({"face_id": 7, "majority": None}, CLASSES, "face_id") == "face 7"


def test_state_of_a_tile():
    assert state(ROW) == "correct"
    assert state({**ROW, "majority": 0}) == "wrong"
    assert state({**ROW, "majority": float("nan")}) == state({"majority": 1}) == "unknown"
    assert state({**ROW, "majority": pd.NA}) == "unknown"


def test_only_jpeg_and_png_become_images():
    assert data_uri(b"\xff\xd8\xff").startswith("data:image/jpeg;base64,")
    assert data_uri(b"\x89PNG").startswith("data:image/png;base64,")
    assert data_uri(b"<svg onload=alert(1)>") == data_uri(None) == data_uri(b"") == ""


def test_names_are_short_and_never_shared():
    columns = {n: Column(n, "number") for n in ("confidence", "u_total", "attr_confidence", "attr_skin_tone", "attr_")}
    found = names(columns)
    assert found["u_total"] == "U_t" and found["attr_skin_tone"] == "skin tone"
    assert found["attr_confidence"] == "attr_confidence" and len(set(found.values())) == len(columns)


@pytest.mark.parametrize(
    "text", ["![x](http://a/b.png)", "<img src=x>", "$x$", "**b**", "a\nb", ":material/home:", "`c`"]
)
def test_plain_leaves_no_markdown(text):
    for mark in "!<$*:`":
        assert mark not in plain(text).replace(f"\\{mark}", "")
    assert "\n" not in plain(text)


@pytest.mark.parametrize(
    ("aleatoric", "epistemic", "samples", "word"),
    [
        (90, 90, 50, "both senses"),
        (90, 10, 50, "people would probably disagree"),
        (10, 90, 50, "few faces like this"),
        (10, 10, 50, "Sure in both senses"),
        (50, 50, 50, "Neither stands out"),
        (90, 50, 1, "One sample cannot tell"),
    ],
)
def test_reading(aleatoric, epistemic, samples, word):
    assert word in reading({"u_aleatoric": aleatoric, "u_epistemic": epistemic}, samples)


def test_reading_by_another_threshold():
    unsure = {"u_aleatoric": 80.0, "u_epistemic": 10.0}
    assert "would probably disagree" in reading(unsure, 50) and "Neither" in reading(unsure, 50, high=85)


def test_a_page_that_ran_without_app_py_runs_again_once(monkeypatch):
    from pages.widgets import caches

    reruns: list[str] = []
    monkeypatch.setattr(caches.PagesManager, "uses_pages_directory", True)
    monkeypatch.setattr(caches.st, "rerun", lambda: reruns.append("again"))
    caches.through_app()
    caches.through_app()
    assert reruns == ["again"]
