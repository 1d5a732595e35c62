"""The face grid in a real browser: faces picked by mouse and keyboard, a thousand of them, two readers at once."""

import pytest

from tests.browser.page import TILES, console_errors

pytestmark = pytest.mark.browser

PRESSED = TILES.replace("('button')]", "('button[aria-pressed=true]')].map(b => b.dataset.id)")


def picked(page) -> list[str]:
    """Faces of the first grid that are marked."""
    return page.browser.execute_script(PRESSED)[0]


def click(page, keys, at: int, *held: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    actions = ActionChains(page.browser)
    for key in held:
        actions.key_down(key)
    actions.click(page.tiles()[at])
    for key in held:
        actions.key_up(key)
    actions.perform()


def test_faces_are_picked_by_keyboard(page, keys):
    page.open("/faces?view=Browse")
    ids = page.ids()
    page.browser.execute_script("arguments[0].focus()", page.tiles()[0])
    page.press(keys.SPACE, keys.ARROW_RIGHT, keys.ARROW_RIGHT, keys.SPACE)
    page.until(lambda: page.query().get("picked") == f"{ids[0]},{ids[2]}" and "2 faces picked" in page.text())
    assert picked(page) == [ids[0], ids[2]] and page.drawer() is None
    address = page.browser.current_url
    page.open(address)  # a fresh session
    page.until(lambda: picked(page) == [ids[0], ids[2]])
    page.browser.execute_script("arguments[0].focus()", page.tiles()[2])
    page.press(keys.SPACE)  # lets it go again
    page.until(lambda: page.query().get("picked") == ids[0])
    page.until(lambda: not page.running())
    page.press(keys.ESCAPE)
    page.until(lambda: "picked" not in page.query() and picked(page) == [])
    assert console_errors(page) == []


def test_faces_are_picked_by_mouse_and_stay_picked_on_other_pages(page, keys):
    page.open("/faces?view=Browse")
    ids = page.ids()
    click(page, keys, 1, keys.CONTROL)
    page.until(lambda: page.query().get("picked") == ids[1] and not page.running())
    click(page, keys, 4, keys.SHIFT)
    page.until(lambda: picked(page) == ids[1:5] and not page.running())
    assert page.drawer() is None
    page.browser.get(page.browser.current_url + "&page=2")
    page.until(lambda: page.ids() and page.ids() != ids and "4 faces picked" in page.text())
    assert picked(page) == []
    click(page, keys, 0, keys.CONTROL)
    page.until(lambda: page.query()["picked"] == ",".join([*ids[1:5], page.ids()[0]]))
    page.click("Let go")
    page.until(lambda: "picked" not in page.query() and "picked" not in page.text().replace("picks", ""))
    assert console_errors(page) == []


@pytest.mark.parametrize("asked", ["1,2,x", "1;DROP TABLE faces", "-1", "9" * 40, ",".join(map(str, range(501)))])
def test_a_picked_list_that_is_none_is_left_out(page, asked):
    page.open(f"/faces?view=Browse&picked={asked}")
    page.until(lambda: "Ignored picked=" in page.text())
    assert "faces picked" not in page.text() and "Traceback" not in page.text()


def test_a_thousand_faces_on_one_page(page, keys):
    page.open("/faces?cache=thousand&view=Browse&size=1000")
    page.until(lambda: len(page.tiles()) == 1000)
    last = page.tiles()[-1]
    pictures = page.browser.execute_script(
        f"{TILES.replace('return', 'const found =')} return found.flat().map(b => b.querySelector('img').alt)"
    )
    assert len(set(pictures)) == 1000 and all(pictures)
    page.browser.execute_script("arguments[0].focus({preventScroll: true})", page.tiles()[0])
    page.press(keys.END)
    drawn = "const image = arguments[0].querySelector('img'); return image.complete && image.naturalWidth > 0"
    page.until(lambda: page.browser.execute_script(drawn, last))
    box = page.browser.execute_script("return arguments[0].getBoundingClientRect().toJSON()", last)
    assert box["top"] >= 0 and box["bottom"] <= page.browser.execute_script("return innerHeight")
    page.press(keys.ENTER)
    page.until(lambda: page.drawer() is not None and page.shows_face(page.ids()[-1]))
    assert console_errors(page) == []


def test_two_readers_never_see_each_others_choices(page):
    first = page.browser.current_window_handle
    page.open("/faces?view=Browse&split=test&verdict=wrong")
    mine, before = page.ids(), page.browser.current_url
    page.browser.switch_to.new_window("tab")
    try:
        page.open("/faces?cache=thousand&view=Browse&size=96")
        page.until(lambda: "1,050 faces" in page.text() and len(page.tiles()) == 96)
        page.click("lowest first")
        page.until(lambda: page.query().get("order") == "lowest first" and not page.running())
        other = page.ids()
        page.browser.switch_to.window(first)
        assert page.ids() == mine and page.browser.current_url == before
        page.open_face(mine[0])
        page.press("\ue00c")  # Escape
        page.until(lambda: page.drawer() is None)
        assert page.ids() == mine
        page.browser.switch_to.window(page.browser.window_handles[-1])
        assert page.ids() == other and page.drawer() is None
    finally:
        page.browser.switch_to.window(page.browser.window_handles[-1])
        page.browser.close()
        page.browser.switch_to.window(first)
