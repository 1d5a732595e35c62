"""From starting the server to the first faces in a real browser, beside an app of one line on the same machine."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, median
from benchmarks.server import serving, serving_one_line

TILES = """
return [...document.querySelectorAll('*')].flatMap(e => [...(e.shadowRoot?.querySelectorAll('.grid button img') ?? [])])
    .filter(image => image.complete && image.naturalWidth).length;
"""
READY = "return [...document.querySelectorAll('p')].some(paragraph => paragraph.innerText === 'ready');"
STARTS = 5
FIRST_VIEW = 2.5  # s: the bar


def first_view(cache: Path, title: str) -> Iterator[Figure]:
    """Real server, real browser: from starting the server to the first faces drawn, and its memory then."""
    driver = browser()
    if driver is None:
        return
    drawn, memory, least = [], [], []
    try:
        for _ in range(STARTS):  # in turn, since a shared machine is now quicker, now slower
            start = time.monotonic()
            with serving([cache], wait=False) as server:
                server.listening()
                _open(driver, f"{server.url}/faces", TILES)
                drawn.append(time.monotonic() - start)
                memory.append(server.resident)
            start = time.monotonic()
            with serving_one_line() as server:
                server.listening()
                _open(driver, server.url, READY)
                least.append(time.monotonic() - start)
    finally:
        driver.quit()
    yield Figure(f"{title}: server start to faces drawn, median", median(drawn), "s", at_most=FIRST_VIEW)
    yield Figure(f"{title}: the same of a Streamlit app of one line", median(least), "s")
    ratio = median([ours / alone for ours, alone in zip(drawn, least, strict=True)])
    yield Figure(f"{title}: as a multiple of that, median", ratio, "times")
    yield Figure(f"{title}: resident memory of the server then", median(memory), "MB")


def _open(browser: Any, url: str, shown: str, seconds: float = 60) -> None:
    browser.get(url)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if browser.execute_script(shown):
            return
        time.sleep(0.02)
    raise TimeoutError(f"Nothing was drawn at {url} within {seconds:.0f} s.")


def browser() -> Any | None:
    """Headless Chromium; without one, says so."""
    chrome, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chrome or not driver:
        print("No chromium here: the first view is not measured. Install it: apt-get install chromium chromium-driver")
        return None
    from selenium.webdriver import Chrome
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = chrome
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    return Chrome(options=options, service=Service(driver))
