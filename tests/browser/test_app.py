"""The app in a real browser: faces drawn, opened and stepped by mouse and keyboard, and every view in its URL."""

import pytest

from tests.browser.page import TILES, Page, console_errors

pytestmark = pytest.mark.browser


def test_mouse_opens_keyboard_steps_and_closes(page, keys):
    page.open("/faces")
    ids = page.ids(1)
    assert len(ids) == 12
    page.open_face(ids[2], grid=1)
    page.press(keys.ARROW_RIGHT)
    page.until(lambda: page.shows_face(ids[3]))
    page.press(keys.ARROW_LEFT)
    page.until(lambda: page.shows_face(ids[2]))
    page.press(keys.ESCAPE)
    page.until(lambda: page.drawer() is None and "face" not in page.query())
    page.until(lambda: page.focus() == ids[2])
    page.press(keys.ENTER)  # the same face once more
    page.until(lambda: page.shows_face(ids[2]))
    page.press(keys.ESCAPE)
    page.until(lambda: page.drawer() is None and page.focus() == ids[2])
    assert console_errors(page) == []


def test_another_cache_forgets_the_lasso_and_the_picked_faces(page):
    page.open("/faces?view=Browse&picked=0,1&lasso=0,0;1,0;1,1")
    box = page.browser.find_element("css selector", ".st-key-cache input")
    box.send_keys("thousand\ue007")
    page.until(lambda: page.query().get("cache") == "thousand" and not page.running())
    assert not {"picked", "lasso"} & set(page.query()) and "faces picked" not in page.text()


def test_the_grid_by_keyboard_alone(page, keys):
    page.open("/faces?view=Browse")
    ids = page.ids()
    assert [tile.get_dom_attribute("tabindex") for tile in page.tiles()].count("0") == 1  # one tab stop
    page.browser.execute_script("arguments[0].focus()", page.tiles()[0])
    page.press(keys.ARROW_RIGHT)
    assert page.focus() == ids[1]
    page.press(keys.ARROW_DOWN)
    below = ids.index(page.focus())
    assert below > 2
    page.press(keys.ARROW_UP, keys.ARROW_LEFT, keys.ARROW_LEFT)
    assert page.focus() == ids[0]
    page.press(keys.END)
    assert page.focus() == ids[-1]
    page.press(keys.ENTER)
    page.until(lambda: page.shows_face(ids[-1]))
    page.press(keys.ARROW_RIGHT)  # past the end of the page
    page.until(lambda: not page.shows_face(ids[-1]) and page.drawer())
    page.press(keys.ESCAPE)
    page.until(lambda: page.query().get("page") == "2" and page.drawer() is None)
    page.until(lambda: page.focus() is not None and page.focus() == page.ids()[0])
    assert console_errors(page) == []


def test_a_url_reproduces_its_view_in_a_fresh_session(page):
    page.open("/faces?view=Browse")
    page.click("wrong")
    page.until(lambda: page.query().get("verdict") == "wrong" and not page.running())
    before = page.ids()
    page.click("lowest first")
    page.until(lambda: page.query().get("order") == "lowest first" and page.ids() != before and not page.running())
    ids = page.ids()
    page.open_face(ids[5])
    address = page.browser.current_url
    page.open(address)
    page.until(lambda: page.shows_face(ids[5]))
    assert page.ids() == ids and page.browser.current_url == address


def test_back_and_forward(page):
    page.open("/faces?view=Browse")
    first = page.ids()[0]
    page.open_face(first)
    page.browser.back()
    page.until(lambda: page.drawer() is None and "face" not in page.query())
    page.browser.forward()
    page.until(lambda: page.shows_face(first))


def test_each_choice_is_one_step_back(page):
    page.open("/faces?view=Browse")
    seen = [(page.query(), page.ids())]
    for text, parameter in (("lowest first", "order"), ("2", "page")):
        page.click(text)
        page.until(lambda p=parameter: p in page.query() and page.ids() != seen[-1][1] and not page.running())
        seen.append((page.query(), page.ids()))
    page.click("correct")  # another list, from its first page
    page.until(lambda: page.query() == {"view": "Browse", "verdict": "correct", "order": "lowest first"})
    page.until(lambda: page.ids() != seen[-1][1] and not page.running())
    last = page.ids()
    for query, ids in reversed(seen):
        page.browser.back()
        page.until(lambda q=query, i=ids: page.query() == q and page.ids() == i)
    for query, ids in seen[1:]:
        page.browser.forward()
        page.until(lambda q=query, i=ids: page.query() == q and page.ids() == i)
    page.browser.forward()
    page.until(lambda: page.ids() == last)


def test_a_link_after_filters_is_one_step_and_leaves_them_behind(page):
    page.open("/faces?view=Browse&verdict=wrong&page=2&model=compact-ensemble")
    page.click("lowest first")
    page.until(lambda: page.query().get("order") == "lowest first" and "page" not in page.query())
    page.until(lambda: not page.running())
    before = page.query()
    page.browser.find_element("link text", "Calibration").click()
    page.until(lambda: "/calibration" in page.browser.current_url and len(page.charts()) >= 4 and not page.running())
    assert page.query() == {"model": "compact-ensemble"}
    page.click("mass")
    page.until(lambda: page.query().get("edges") == "mass" and not page.running())
    page.browser.back()
    page.until(lambda: page.query() == {"model": "compact-ensemble"} and not page.running())
    page.browser.back()
    page.until(lambda: "/faces" in page.browser.current_url and page.query() == before and len(page.ids()) > 12)


def test_the_choice_of_model_survives_a_change_of_page(page):
    page.open("/?model=compact")
    page.browser.find_element("link text", "Faces").click()
    page.until(lambda: "/faces" in page.browser.current_url and len(page.tiles(1)) == 12)
    page.until(lambda: page.query() == {"model": "compact"})
    page.until(lambda: "draws one sample" in page.browser.find_element("css selector", "[data-testid=stMain]").text)


def test_every_face_has_alt_text_and_hostile_urls_no_traceback(page):
    page.open("/faces?cache=..%2F..&view=%3Cscript%3E&u_total=x&face=1e9&split=%00&page=-7")
    pictures = page.browser.execute_script(
        f"{TILES.replace('return', 'const found =')} return found.flat().map(b => b.querySelector('img').alt)"
    )
    assert len(pictures) == 48 and all(alt.startswith("face ") and "U_" in alt for alt in pictures)
    text = page.text()
    assert text.count("Ignored") == 5 and "Traceback" not in text
    assert console_errors(page) == []


@pytest.mark.parametrize(
    ("address", "figures"), [("/calibration", 4), ("/disagreement", 6), ("/rejection", 3), ("/", 1)]
)
def test_every_figure_is_drawn_named_and_opaque_and_downloads(page, address, figures):
    page.visit(address, lambda: len(page.charts()) >= figures)
    drawn = page.browser.find_elements("css selector", "[data-testid=stPlotlyChart]")
    buttons = page.browser.find_elements("css selector", "button[aria-label='Download plot as a PNG']")
    csv = [b for b in page.browser.find_elements("tag name", "button") if "Data (CSV)" in b.text]
    assert len(buttons) == len(drawn) <= len(csv)
    assert all(button.get_property("tabIndex") == 0 for button in buttons)  # by keyboard too
    backgrounds = {chart.value_of_css_property("background-color") for chart in page.charts()}
    assert backgrounds == {"rgba(255, 255, 255, 1)"}
    assert "Traceback" not in page.text() and "encountered an error" not in page.text()
    assert console_errors(page) == []


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    return page.browser.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map(e => e.getBoundingClientRect().toJSON())", selector
    )


def apart(one: dict[str, float], other: dict[str, float]) -> bool:
    beside = one["right"] <= other["left"] or other["right"] <= one["left"]
    return beside or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]


@pytest.mark.parametrize(("address", "figure"), [("/calibration", "figure-brier-"), ("/rejection", "figure-coverage-")])
def test_legends_of_narrow_panels_overlap_nothing(page, address, figure):
    resized = {"width": 1100, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", resized)
    try:
        page.visit(address, lambda: len(page.charts()) >= 3)
        within = f"[class*='st-key-{figure}']"
        shown = [*boxes(page, f"{within} .legendtext"), *boxes(page, f"{within} .modebar-btn")]
        assert len(shown) >= 12 and max(box["width"] for box in boxes(page, f"{within} .main-svg")) < 260
        assert all(apart(one, other) for i, one in enumerate(shown) for other in shown[:i])
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_panels_stack_on_a_telephone(page):
    resized = {"width": 400, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", resized)
    try:
        page.visit("/disagreement", lambda: len(page.charts()) >= 6)
        panels = boxes(page, "[class*='st-key-figure-along-d-']")
        assert len(panels) == 3 and all(panel["width"] > 300 for panel in panels)
        assert all(apart(one, other) for i, one in enumerate(panels) for other in panels[:i])
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_downloaded_table_is_the_data_of_its_figure(page, tmp_path):
    allowed = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.browser.execute_cdp_cmd("Browser.setDownloadBehavior", allowed)
    page.visit("/rejection", lambda: len(page.charts()) == 3)
    page.click("Data (CSV)", within=".st-key-figure-coverage-jsd")
    page.browser.find_element("css selector", ".st-key-figure-coverage-jsd .modebar-btn").send_keys("\ue007")  # Enter
    page.until(lambda: len([*tmp_path.glob("*.csv"), *tmp_path.glob("*.png")]) == 2)
    header = next(tmp_path.glob("coverage-compact-ensemble-jsd.csv")).read_text().splitlines()[0]
    assert header == "order,kept (%),kept (faces),jsd (nats),jsd_low (nats),jsd_high (nats),jsd_n (faces)"
    assert next(tmp_path.glob("coverage-compact-ensemble-jsd.png")).read_bytes().startswith(b"\x89PNG")


def test_pages_of_statistics_begin_with_the_test_faces_and_any_can_be_asked_for(page):
    page.visit("/calibration", lambda: "n = 50 faces of split test." in page.text())
    chip = ".st-key-split button[aria-label='Remove test']"
    page.until(lambda: page.browser.find_elements("css selector", chip))[0].click()
    page.until(lambda: "n = 150 faces." in page.text())
    address = page.browser.current_url
    assert address.endswith("?split=")
    page.visit(address, lambda: "n = 150 faces." in page.text())
    page.click("Clear filters")
    page.until(lambda: "n = 50 faces of split test." in page.text() and "split" not in page.query())
    page.visit(
        "/rejection?split=train&handed=10&by=U_t", lambda: "5 of 50 faces, those with the highest U_t" in page.text()
    )
    assert page.query() == {"split": "train", "handed": "10", "by": "U_t"}
    page.until(lambda: len(page.ids()) == 5)
