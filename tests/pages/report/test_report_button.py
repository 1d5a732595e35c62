"""The button that makes a report, and what it makes."""

import pytest

from cache.reader import Cache
from pages.report.report import report
from pages.report.subject import subject_of
from pages.widgets.report_button import made


def buttons(page) -> list:
    return [button for button in page.get("download_button") if button.label == "Report (HTML)"]


def test_it_makes_what_the_command_makes(caches):
    cache = Cache(caches / "normal")
    assert made(cache, "compact", "train") == report(subject_of(cache, "compact", "train")).encode()


@pytest.mark.parametrize("kind", ["normal", "no-votes", "single", "one-class", "one-face"])
def test_the_overview_offers_it(open_page, kind):
    page = open_page("overview", cache=kind)
    assert not page.exception and len(buttons(page)) == 1
    assert "holds no image of a face" in buttons(page)[0].help


def test_it_is_about_the_chosen_split(open_page, monkeypatch):
    asked = []
    monkeypatch.setattr("pages.widgets.report_button.partial", lambda *arguments: asked.append(arguments) or b"")
    open_page("overview", cache="normal", of="train", model="compact")
    open_page("overview", cache="normal", of="all")
    assert [(model, split) for _, _, model, split in asked] == [("compact", "train"), ("compact-ensemble", "all")]


@pytest.mark.parametrize("kind", ["no-models", "empty"])
def test_it_is_not_offered_without_anything_to_report(open_page, kind):
    assert not buttons(open_page("overview", cache=kind))
