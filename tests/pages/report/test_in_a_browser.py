"""A report opened from the disk in a real browser: it draws, asks for nothing, and suits screens and paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import browser  # noqa: F401 - a fixture
from tests.browser.page import Page, console_errors

DRAWN = (
    "return [...document.querySelectorAll('.plot')].every(p => p.querySelector('.main-svg .xy, .main-svg .subplot'))"
)
INK = "return getComputedStyle(document.querySelector('.plot .xtick text')).fill"
ASKED = "return performance.getEntriesByType('resource').map(entry => entry.name)"
WATCH = """
window.refused = [];
addEventListener('securitypolicyviolation', event => refused.push(event.effectiveDirective));
"""
pytestmark = pytest.mark.browser


@pytest.fixture
def opened(report_on, browser, tmp_path: Path) -> Iterator[Page]:  # noqa: F811
    file = tmp_path / "report.html"
    file.write_text(report_on("normal").html, encoding="utf-8")
    browser.get_log("browser")
    page = Page(browser, "")
    browser.get(file.as_uri())
    page.until(lambda: browser.execute_script("return document.documentElement.dataset.drawn"))
    yield page
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_draws_every_figure_and_asks_for_nothing(opened):
    assert opened.browser.execute_script(DRAWN)
    assert opened.browser.execute_script(ASKED) == []
    assert console_errors(opened) == []
    assert len(opened.browser.find_elements("css selector", ".plot .modebar-btn")) == 8


def test_it_may_neither_fetch_nor_run_what_is_not_its_own(opened):
    run = opened.browser.execute_script
    run(WATCH)
    run("new Image().src = 'http://127.0.0.1:9/x.png'")
    run("fetch('http://127.0.0.1:9/').catch(() => 0)")
    run("document.body.insertAdjacentHTML('beforeend', '<p onclick=\"window.ran = 1\" id=bad>x</p>')")
    run("document.getElementById('bad').click()")
    run("const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)")
    opened.until(lambda: len(run("return window.refused")) >= 4)
    kinds = set(run("return window.refused"))
    assert {"img-src", "connect-src", "script-src-attr", "script-src-elem"} <= kinds
    assert run("return window.ran") is None


def test_a_dark_page_has_light_ink_and_paper_has_not(opened):
    run, cdp = opened.browser.execute_script, opened.browser.execute_cdp_cmd
    cdp("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    opened.until(lambda: run(INK) == "rgb(201, 206, 212)")
    run("dispatchEvent(new Event('beforeprint'))")
    assert run(INK) == "rgb(58, 66, 75)" and run("return document.querySelector('.plot .main-svg').clientWidth") == 660
    run("dispatchEvent(new Event('afterprint'))")
    assert run(INK) == "rgb(201, 206, 212)"
    assert run("return document.querySelector('.plot .main-svg').clientWidth") > 660


def test_a_narrow_screen_scrolls_tables_and_not_the_page(opened):
    metrics = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    opened.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    run = opened.browser.execute_script
    opened.until(lambda: run("return innerWidth") == 400)
    assert run("return document.documentElement.scrollWidth") <= 400
    assert run("return [...document.querySelectorAll('.scroll')].some(box => box.scrollWidth > box.clientWidth)")


def test_the_ink_inside_coloured_cells_stays(opened):
    given = "{font: {color: '#000000'}, cells: [{textfont: {color: '#000000'}}], marker: {color: ['#000000', 1]}}"
    assert opened.browser.execute_script(f"return darkened({given})") == {
        "font": {"color": "#E6E8EB"},
        "cells": [{"textfont": {"color": "#000000"}}],
        "marker": {"color": ["#000000", 1]},
    }
