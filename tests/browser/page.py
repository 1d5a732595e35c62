"""What a test does with the browser, in the words of a user."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

TILES = """
const lists = [...document.querySelectorAll('*')].map(e => e.shadowRoot?.querySelector('.grid')).filter(Boolean);
return lists.map(list => [...list.querySelectorAll('button')]);
"""
IDS = TILES.replace("('button')]", "('button')].map(b => b.dataset.id)")
FOCUS = """
let at = document.activeElement;
while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
return at?.dataset?.id ?? null;
"""


class Page:
    """One tab."""

    def __init__(self, browser: Any, server: str) -> None:
        self.browser, self.server = browser, server

    def open(self, address: str) -> "Page":
        return self.visit(address, self.tiles)

    def visit(self, address: str, shows: Callable[[], Any]) -> "Page":
        self.browser.get("about:blank")  # a fresh session, also for the address already shown
        self.browser.get(address if address.startswith("http") else self.server + address)
        self.until(lambda: shows() and not self.running())
        return self

    def charts(self) -> list[Any]:
        return self.browser.find_elements("css selector", "[data-testid=stPlotlyChart] .main-svg:first-of-type")

    def text(self) -> str:
        return self.browser.find_element("css selector", "[data-testid=stApp]").text

    def tiles(self, grid: int = 0) -> list[Any]:
        grids = self.browser.execute_script(TILES)
        return grids[grid] if len(grids) > grid else []

    def ids(self, grid: int = 0) -> list[str]:
        grids = self.browser.execute_script(IDS)  # at one moment: the grid may be redrawn between two questions
        return grids[grid] if len(grids) > grid else []

    def open_face(self, face_id: str, grid: int = 0) -> None:
        def clicked() -> bool:
            tile = next(t for t in self.tiles(grid) if t.get_dom_attribute("data-id") == face_id)
            tile.click()
            return True

        self.until(clicked)
        self.until(lambda: self.shows_face(face_id))

    def drawer(self) -> str | None:
        found = self.browser.find_elements("css selector", "[role=dialog]")
        return found[0].text if found else None

    def shows_face(self, face_id: str) -> bool:
        return f"Face {face_id}," in (self.drawer() or "") and self.query().get("face", "").split("~")[0] == face_id

    def query(self) -> dict[str, str]:
        return {key: values[-1] for key, values in parse_qs(urlsplit(self.browser.current_url).query).items()}

    def press(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()

    def click(self, text: str, within: str = "body") -> None:
        def found() -> list[Any]:
            buttons = self.browser.find_elements("css selector", f"{within} button")
            return [b for b in buttons if b.text.split("\n")[-1] == text]  # an icon's name comes before it

        self.until(found)[0].click()

    def focus(self) -> str | None:
        return self.browser.execute_script(FOCUS)

    def running(self) -> bool:
        app = self.browser.find_elements("css selector", "[data-testid=stApp]")
        return not app or app[0].get_attribute("data-test-script-state") != "notRunning"

    def until(self, holds: Callable[[], Any], seconds: float = 40) -> Any:
        from selenium.common.exceptions import WebDriverException

        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if found := holds():
                    return found
            except WebDriverException:  # the page redrew between two looks
                pass
            time.sleep(0.05)
        raise AssertionError(f"Waited {seconds} s in vain at {self.browser.current_url}")


def console_errors(page: Page) -> list[str]:
    """Errors that the browser logged, less the two requests by which Streamlit finds out where it is mounted."""
    own = ("/_stcore/health", "/_stcore/host-config")
    logged = page.browser.get_log("browser")
    return [e["message"] for e in logged if e["level"] == "SEVERE" and not any(path in e["message"] for path in own)]
