"""The app on a cache: server start to faces drawn, server time of interactions on every page, and memory after them."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Figure, median
from benchmarks.server import Server, serving
from benchmarks.visitor import Visitor
from benchmarks.visits import Visits
from cache.manifest import load

TILES = """
return [...document.querySelectorAll('*')].flatMap(e => [...(e.shadowRoot?.querySelectorAll('.grid button img') ?? [])])
    .filter(image => image.complete && image.naturalWidth).length;
"""
STARTS = 3
FIRST_VIEW, MEDIAN, SLOW, MEMORY = 2.5, 0.15, 0.5, 600  # s, s, s, MB: the bars
SLOWEST = 5  # interactions that are named


def figures(cache: Path) -> Iterator[Figure]:
    title = f"App, {load(cache).faces:,} faces"
    yield from interactions(cache, title)
    yield from first_view(cache, title)


def interactions(cache: Path, title: str) -> Iterator[Figure]:
    """Seconds from a request to the end of the page's script, one visitor; the server is warm, the answer is new."""
    with serving([cache]) as server, Visitor(server) as visitor:
        visits = Visits(visitor, load(cache))
        visits.every_page()
        began, cpu = server.resident, server.cpu
        found = list(visits.interactions())
        held, cpu = server.resident, server.cpu - cpu
    seconds = [step.seconds for step in found]
    yield Figure(f"{title}: server time of an interaction, median", median(seconds), "s", at_most=MEDIAN)
    yield Figure(f"{title}: the same, 95th percentile", float(np.quantile(seconds, 0.95)), "s", at_most=SLOW)
    yield Figure(f"{title}: interactions measured", len(found), "")
    yield Figure(f"{title}: processor time of the server for one, mean", cpu / len(found), "CPU s")
    for page in dict.fromkeys(step.page for step in found):
        part = [step.seconds for step in found if step.page == page]
        yield Figure(f"{title}: {page}, median of {len(part)}", median(part), "s")
    for step in sorted(found, key=lambda step: -step.seconds)[:SLOWEST]:
        yield Figure(f"{title}: among the slowest: {step.page}, {step.name}", step.seconds, "s")
    yield Figure(f"{title}: resident memory after a visit of every page", began, "MB")
    yield Figure(f"{title}: resident memory after all interactions", held, "MB", at_most=MEMORY)


def first_view(cache: Path, title: str) -> Iterator[Figure]:
    """Real server, real browser: from starting the server to the first faces drawn, and its memory then."""
    driver = browser()
    if driver is None:
        return
    drawn, memory = [], []
    try:
        for _ in range(STARTS):
            start = time.monotonic()
            with serving([cache], wait=False) as server:
                _open(driver, server)
                drawn.append(time.monotonic() - start)
                memory.append(server.resident)
    finally:
        driver.quit()
    yield Figure(f"{title}: server start to faces drawn, median", median(drawn), "s", at_most=FIRST_VIEW)
    yield Figure(f"{title}: resident memory of the server then", median(memory), "MB")


def _open(browser: Any, server: Server, seconds: float = 60) -> None:
    from selenium.common.exceptions import WebDriverException

    deadline = time.monotonic() + seconds
    opened = False
    while time.monotonic() < deadline:
        try:
            if not opened:
                browser.get(f"{server.url}/faces")
                opened = True
            if browser.execute_script(TILES):
                return
        except WebDriverException:
            opened = False  # the server does not listen yet
        time.sleep(0.02)
    raise TimeoutError(f"No faces were drawn at {server.url}/faces within {seconds:.0f} s.")


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
