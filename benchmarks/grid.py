"""A thousand faces on one page in a real browser: until they are there, and how evenly they scroll."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.first_view import TILES, browser
from benchmarks.report import Figure, median
from benchmarks.server import serving

FACES = 1000
DRAWN = TILES.replace("image.complete && image.naturalWidth", "image.src")  # lazy ones load as they come up
SCROLL = """
const done = arguments[arguments.length - 1];
const page = document.querySelector('[data-testid=stMain]');
const way = page.scrollHeight - page.clientHeight, began = performance.now(), frames = [];
let last = began;
function step(now) {
  frames.push(now - last);
  last = now;
  const share = Math.min(1, (now - began) / 3000);
  page.scrollTop = way * share;
  if (share < 1) requestAnimationFrame(step); else done(frames.slice(2));
}
requestAnimationFrame(step);
"""
SMOOTH = 100  # ms; a longer frame is seen as a jerk


def figures(cache: Path) -> Iterator[Figure]:
    driver = browser()
    if driver is None:
        return
    try:
        with serving([cache]) as server:
            driver.get(f"{server.url}/faces?view=Browse&size=48")
            _until(driver, 48)
            start = time.monotonic()
            driver.get(f"{server.url}/faces?view=Browse&size={FACES}")
            _until(driver, FACES)
            shown = time.monotonic() - start
            time.sleep(1)  # what follows is about scrolling alone
            driver.set_script_timeout(30)
            frames = sorted(driver.execute_async_script(SCROLL))
    finally:
        driver.quit()
    yield Figure(f"Grid, {FACES:,} faces: from the address to all of them in the page", shown, "s")
    yield Figure(f"Grid, {FACES:,} faces: a frame while scrolling, median", median(frames), "ms")
    slow = frames[int(0.95 * len(frames))]
    yield Figure(f"Grid, {FACES:,} faces: the same, 95th percentile", slow, "ms", at_most=SMOOTH)


def _until(driver: Any, faces: int, seconds: float = 60) -> None:
    from selenium.common.exceptions import WebDriverException

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if driver.execute_script(DRAWN) == faces:
                return
        except WebDriverException:  # the page is being replaced
            pass
        time.sleep(0.02)
    raise TimeoutError(f"{faces:,} faces did not appear within {seconds:.0f} s.")
