"""The Embedding page in a real browser: lassos drawn by hand, the face under the pointer, and every view in its URL."""

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from cache.filters import Filter, Region
from cache.reader import Cache
from pages.widgets.map_address import parse_polygon
from tests import synthetic
from tests.browser.conftest import serving
from tests.browser.page import Page, console_errors

pytestmark = pytest.mark.browser

MODEL, LAYOUT = "compact-ensemble", "umap-compact-0"
# What Plotly shows: the panel on the screen, its axes, and what is drawn on it.
PANEL = """
const graph = document.querySelector('.st-key-figure-map .js-plotly-plot');
const layout = graph?._fullLayout;
if (!layout?.xaxis?._length) return null;
const {left, top} = graph.getBoundingClientRect();
const {xaxis, yaxis} = layout;
return {
  left: left + xaxis._offset, top: top + yaxis._offset, width: xaxis._length, height: yaxis._length,
  x: xaxis.range, y: yaxis.range, outlines: (layout.shapes ?? []).map(s => s.path),
  drawn: (layout.selections ?? []).length, images: (layout.images ?? []).length, tool: layout.dragmode,
};
"""
CARD = """
const card = [...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.card')).find(Boolean);
if (!card?.matches(':popover-open')) return null;
const image = card.querySelector('img');
return {lines: [...card.querySelectorAll('.lines > div')].map(line => line.textContent),
        pixels: image.complete ? image.naturalWidth : 0, blocks: getComputedStyle(card).pointerEvents};
"""
MIDDLE = "const b = arguments[0].getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]"
FIRST_CLOUD = ((-2.0, -3.0), (2.5, -3.0), (3.0, 1.0), (0.5, 3.0), (-2.5, 2.0))


@pytest.fixture(scope="module")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One that is drawn as points, and one with a face too many for that."""
    data = tmp_path_factory.mktemp("maps")
    synthetic.write(data / "points", 180, layouts=(LAYOUT, "pca-compact-0"))
    synthetic.write(data / "raster", 30_001, models=(MODEL,), parts=1, layouts=(LAYOUT,))
    return data


@pytest.fixture(scope="module")
def server(caches) -> Iterator[str]:
    with serving(caches) as address:
        yield address


@pytest.fixture
def page(browser: Any, server: str) -> Page:
    browser.get_log("browser")
    return Page(browser, server)


def panel(page: Page) -> dict | None:
    return page.browser.execute_script(PANEL)


def visit(page: Page, query: str) -> dict:
    page.visit(f"/embedding?{query}", lambda: panel(page) and page.tiles())
    return page.until(lambda: panel(page))


def on_screen(page: Page, x: float, y: float) -> tuple[int, int]:
    """Where a place on the map is in the browser's window."""
    at = page.until(lambda: panel(page))
    (left, right), (bottom, top) = at["x"], at["y"]
    across = at["left"] + (x - left) / (right - left) * at["width"]
    return round(across), round(at["top"] + (top - y) / (top - bottom) * at["height"])


def drag(page: Page, corners: tuple[tuple[float, float], ...]) -> None:
    """Press at the first place of the map, move along the others, let go, and see that it has selected something."""
    from selenium.webdriver.common.action_chains import ActionChains

    before = page.query().get("lasso")
    page.until(lambda: not page.running())
    actions = ActionChains(page.browser, duration=30)
    for at, corner in enumerate(corners):
        actions.w3c_actions.pointer_action.move_to_location(*on_screen(page, *corner))
        if at == 0:
            actions.w3c_actions.pointer_action.pointer_down()
    actions.w3c_actions.pointer_action.pointer_up()
    actions.perform()
    page.until(lambda: page.query().get("lasso") not in (None, before))


def move(page: Page, x: float, y: float, *, click: bool = False) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    actions = ActionChains(page.browser, duration=30)
    across, down = on_screen(page, x, y)
    actions.w3c_actions.pointer_action.move_to_location(across + 40, down + 40)
    actions.w3c_actions.pointer_action.move_to_location(across, down)
    if click:
        actions.w3c_actions.pointer_action.click()
    actions.perform()


def expected(caches: Any, name: str, text: str) -> int:
    """Faces inside the polygon of an address."""
    region = Region(LAYOUT, parse_polygon(text))
    return Cache(caches / name).count(MODEL, Filter(regions=(region,)))


def selected(page: Page) -> str:
    return page.until(lambda: not page.running() and panel(page)["outlines"] and page.query().get("lasso"))


@pytest.mark.parametrize(("name", "faces"), [("points", 180), ("raster", 30_001)])
def test_a_lasso_selects_and_its_url_reproduces_it_in_a_fresh_session(page, caches, name, faces):
    first = visit(page, f"cache={name}")
    assert first["images"] == (name == "raster") and first["outlines"] == [] and first["tool"] == "lasso"
    before = page.ids()
    drag(page, FIRST_CLOUD)
    text = selected(page)
    n = expected(caches, name, text)
    assert faces / 4 < n < faces / 2.5
    page.until(lambda: f"{n:,} of {faces:,} faces" in page.text() and page.ids() != before and not page.running())
    after, ids, address = panel(page), page.ids(), page.browser.current_url
    assert (
        after["drawn"] == 0 and len(after["outlines"]) == 1
    )  # the outline of the address alone, not the drawn one too
    assert page.query()["layout"] == "UMAP of compact-0" and "the rest" in page.text()
    page.visit(address, lambda: panel(page) and page.ids() == ids)
    page.until(lambda: panel(page)["outlines"] == after["outlines"])
    assert page.browser.current_url == address and f"{n:,} of {faces:,} faces" in page.text()
    assert console_errors(page) == []


def test_one_lasso_is_one_step_back_and_forward(page):
    visit(page, "cache=points")
    drag(page, FIRST_CLOUD)
    first = selected(page)
    drag(page, ((8.0, -2.5), (12.0, -2.5), (12.0, 2.5), (8.0, 2.5)))
    page.until(lambda: page.query().get("lasso") not in (None, first) and not page.running())
    second = page.query()["lasso"]
    for step, lasso in (("back", first), ("back", None), ("forward", first), ("forward", second)):
        getattr(page.browser, step)()
        page.until(lambda lasso=lasso: page.query().get("lasso") == lasso and not page.running())
        page.until(lambda lasso=lasso: len(panel(page)["outlines"]) == (lasso is not None))
        assert panel(page)["drawn"] == 0
    assert console_errors(page) == []


def test_a_selection_comes_to_rest(page):
    """What the browser reports of a drawn selection must not set off another run, and so on."""
    visit(page, "cache=points")
    drag(page, FIRST_CLOUD)
    text = selected(page)
    runs = page.browser.execute_async_script(
        """
        const [done] = arguments, app = document.querySelector('[data-testid=stApp]');
        let runs = 0;
        const watch = new MutationObserver(() => { runs += app.dataset.testScriptState === 'running'; });
        watch.observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
        setTimeout(() => { watch.disconnect(); done(runs); }, 1500);
        """
    )
    assert runs == 0 and page.query()["lasso"] == text


def test_a_box_is_drawn_with_the_toolbar_and_stays_chosen(page):
    visit(page, "cache=points")
    page.browser.find_element("css selector", ".st-key-figure-map .modebar-btn[data-val=select]").click()
    page.until(lambda: panel(page)["tool"] == "select")
    drag(page, ((-3.0, -2.5), (0.0, 0.0), (3.0, 3.5)))
    left, bottom = parse_polygon(selected(page))[0]
    assert (left, bottom) == (pytest.approx(-3, abs=0.2), pytest.approx(-2.5, abs=0.2))
    page.until(lambda: panel(page)["tool"] == "select")
    buttons = page.browser.find_elements("css selector", ".st-key-figure-map .modebar-btn")
    assert len(buttons) == 3 and all(button.get_property("tabIndex") == 0 for button in buttons)


def test_a_lasso_around_nothing_says_so_and_is_cleared(page):
    visit(page, "cache=points")
    drag(page, ((4.0, 2.0), (6.0, 2.0), (6.0, 3.0), (4.0, 3.0)))
    page.until(lambda: "No face lies in there" in page.text() and panel(page)["outlines"])
    page.click("Clear selection")
    page.until(lambda: "lasso" not in page.query() and panel(page)["outlines"] == [] and page.tiles())


def test_zooming_in_and_out(page):
    whole = visit(page, "cache=raster&lasso=-2,-2;2,-2;2,2;-2,2")
    page.click("Zoom to selection")
    page.until(lambda: "window" in page.query() and not page.running() and panel(page)["images"] == 0)
    assert panel(page)["x"] == pytest.approx([-2.6, 2.6]) and "in this stretch of the map" in page.text()
    page.click("Whole map")
    page.until(lambda: "window" not in page.query() and panel(page)["images"] == whole["images"] == 1)


def displayed(page, selector):
    """The first element of that selector that takes keys; None while it is still unfolding."""
    return next((e for e in page.browser.find_elements("css selector", selector) if e.is_displayed()), None)


def test_a_box_by_the_keyboard(page, keys):
    visit(page, "cache=points")
    page.browser.find_element("css selector", "[data-testid=stMain] [data-testid=stExpander] summary").send_keys(
        keys.ENTER
    )
    for name, value in (("Left", "-4"), ("Right", "3.5"), ("Bottom", "-4"), ("Top", "4")):
        field = page.until(lambda name=name: displayed(page, f"input[aria-label={name}]"))
        field.send_keys(keys.CONTROL, "a")
        field.send_keys(value)
    field.send_keys(keys.ENTER)
    assert parse_polygon(selected(page)) == ((-4, -4), (3.5, -4), (3.5, 4), (-4, 4))


@pytest.mark.parametrize("name", ["points", "raster"])
def test_resting_on_a_face_shows_it_and_a_click_opens_it(page, caches, name):
    cache = Cache(caches / name)
    visit(page, f"cache={name}")
    # The lowest face of the map: nothing is as near to it.
    x, y, face = cache.rows(f"SELECT x, y, face_id FROM {cache.points(LAYOUT)} ORDER BY y LIMIT 1", [])[0]
    move(page, x, y)
    shown = page.until(lambda: (card := page.browser.execute_script(CARD)) and card["pixels"] and card)
    assert shown["lines"][0] == f"face {face}" and any(line.startswith("U_e ") for line in shown["lines"])
    assert shown["pixels"] == 48 and shown["blocks"] == "none"
    move(page, 5.0, 3.0)  # between the clouds
    page.until(lambda: page.browser.execute_script(CARD) is None)
    move(page, x, y, click=True)
    page.until(lambda: page.shows_face(str(face)))
    assert page.query()["face"] == f"{face}~map" and "lasso" not in page.query()
    assert console_errors(page) == []


def test_another_page_forgets_the_pointer(page):
    visit(page, "cache=points")
    page.browser.find_element("link text", "Faces").click()
    page.until(lambda: "/faces" in page.browser.current_url and len(page.tiles(1)) == 12 and not page.running())
    page.browser.back()
    page.until(lambda: "/embedding" in page.browser.current_url and panel(page) and not page.running())
    assert console_errors(page) == []


def touch(page: Page, *path: tuple[float, float]) -> None:
    """One finger put down, moved along the path and lifted."""

    def send(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x, "y": y} for x, y in points]
        page.browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    send("touchStart", path[0])
    for (x0, y0), (x1, y1) in pairwise(path):
        for step in range(1, 9):
            send("touchMove", (x0 + (x1 - x0) * step / 8, y0 + (y1 - y0) * step / 8))
    send("touchEnd")


def at_rest(page: Page) -> bool:
    """Whether the page has stopped scrolling."""
    before = panel(page)
    time.sleep(0.2)
    return panel(page) == before


def test_a_finger_scrolls_past_until_the_lasso_is_asked_for(page):
    telephone = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", telephone)
    page.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        before = visit(page, "cache=points")
        middle = before["left"] + before["width"] / 2
        touch(page, (middle, before["top"] + 300), (middle, before["top"] + 60))
        page.until(lambda: panel(page)["top"] < before["top"] - 100 and at_rest(page))
        assert "lasso" not in page.query() and panel(page)["drawn"] == 0
        button = page.browser.find_element("css selector", ".st-key-figure-map .modebar-btn[data-val=lasso]")
        page.browser.execute_script("arguments[0].closest('.js-plotly-plot').scrollIntoView({block: 'center'})", button)
        page.until(lambda: at_rest(page))
        touch(page, tuple(page.browser.execute_script(MIDDLE, button)))
        touch(page, *(on_screen(page, *corner) for corner in FIRST_CLOUD))
        selected(page)
    finally:
        page.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
