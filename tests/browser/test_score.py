"""The Score page in a real browser: files uploaded, a face opened by keyboard, samples kept in the address."""

from pathlib import Path

import pytest
from PIL import Image

from engine.samples import GROUP, TITLES, sample
from tests.browser.page import console_errors

pytestmark = pytest.mark.browser


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "six.png").write_bytes(sample(GROUP))
    (tmp_path / "fake.jpg").write_bytes(b"<html><script>document.title = 'owned'</script></html>")
    (tmp_path / "<b>wall<b>.png").write_bytes(b"")
    Image.new("RGB", (300, 200), (90, 120, 90)).save(tmp_path / "<b>wall<b>.png")
    return tmp_path


def pictures(page) -> list[str]:
    found = page.browser.find_elements("css selector", "[data-testid=stMain] img")
    return [picture.get_attribute("alt") for picture in found]


def test_files_faces_and_the_keyboard(page, folder, keys):
    page.visit("/score", lambda: page.browser.find_elements("css selector", "input[type=file]"))
    box = page.browser.find_element("css selector", "input[type=file]")
    box.send_keys("\n".join(str(path) for path in sorted(folder.iterdir())))
    page.until(lambda: len(page.ids()) == 6 and not page.running(), 90)
    assert "No face found in <b>wall<b>.png." in page.text() and "fake.jpg is not an image" in page.text()
    assert page.browser.title != "owned"
    assert any("numbered box around each of 6 faces" in alt for alt in pictures(page))
    page.browser.execute_script("arguments[0].focus()", page.tiles()[0])
    page.press(keys.END)
    page.press(keys.ENTER)
    page.until(lambda: page.query().get("shown") == "6" and "face 6 of 6" in page.text())
    page.browser.back()
    page.until(lambda: "shown" not in page.query() and "face 1 of 6" in page.text())
    page.click("Score the whole image as a face")
    page.until(lambda: len(page.ids()) == 7 and not page.running())
    assert console_errors(page) == []


def test_a_huge_file_is_refused_and_the_session_goes_on(page, folder):
    with (folder / "huge.jpg").open("wb") as huge:
        huge.truncate(200 * 2**20)
    page.visit("/score", lambda: page.browser.find_elements("css selector", "input[type=file]"))
    page.browser.find_element("css selector", "input[type=file]").send_keys(str(folder / "huge.jpg"))
    page.until(lambda: "File must be 15.0MB or smaller" in page.text())
    page.click("No photo at hand? Try a sample")
    page.until(lambda: len(page.ids()) == 6 and page.query() == {"from": "Sample"}, 90)


def test_a_sample_is_in_the_address(page):
    page.visit("/score?from=Sample", lambda: len(page.ids()) == 6)
    page.visit(f"/score?from=Sample&sample={TITLES[1].replace(' ', '+')}", lambda: "Model happiness" in page.text())
    assert "Traceback" not in page.text() and console_errors(page) == []
