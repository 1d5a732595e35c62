"""The app on a cache: server start to faces drawn, server time of an interaction, and memory."""

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Figure, median

ROOT = Path(__file__).parent.parent
TILES = """
return [...document.querySelectorAll('*')].flatMap(e => [...(e.shadowRoot?.querySelectorAll('.grid button img') ?? [])])
    .filter(image => image.complete && image.naturalWidth).length;
"""
STARTS = 3


def figures(cache: Path) -> Iterator[Figure]:
    yield from interactions(cache)
    yield from first_view(cache)


def interactions(cache: Path) -> Iterator[Figure]:
    """Seconds that the page's script takes for a new sort, order, filter or page, Streamlit's own share included."""
    from streamlit.testing.v1 import AppTest

    os.environ |= {"DOUBTSCOPE_CACHE": str(cache)}
    os.chdir(ROOT)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run().switch_page("pages/faces.py")
    app.query_params["view"] = "Browse"
    app.run()
    assert not app.exception, app.exception
    seconds, orders = [], itertools.cycle(("lowest first", "highest first"))
    for name in app.selectbox(key="sort").options[1:11]:  # every step shows faces that were not shown before
        seconds.append(_timed(lambda n=name: app.selectbox(key="sort").set_value(n).run()))
        order = next(orders)
        seconds.append(_timed(lambda o=order: app.get("button_group")[-1].set_value(o).run()))
    for size in (96, 200, 48):
        seconds.append(_timed(lambda s=size: app.selectbox(key="size").set_value(s).run()))
    assert not app.exception, app.exception
    yield Figure("Faces: server time of an interaction, median", median(seconds), "s", at_most=0.15)
    yield Figure("Faces: server time of an interaction, 95th percentile", float(np.quantile(seconds, 0.95)), "s")
    yield Figure("Faces: interactions measured", len(seconds), "")


def first_view(cache: Path) -> Iterator[Figure]:
    """Real server, real browser: from starting the server to the first faces drawn, and its memory then."""
    browser = _browser()
    if browser is None:
        return
    drawn, memory = [], []
    try:
        for _ in range(STARTS):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            start = time.monotonic()
            server = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
                cwd=ROOT, env={**os.environ, "DOUBTSCOPE_CACHE": str(cache)}, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                _open(browser, f"http://127.0.0.1:{port}/faces")
                drawn.append(time.monotonic() - start)
                memory.append(_resident(server.pid))
            finally:
                server.terminate()
                server.wait(timeout=10)
    finally:
        browser.quit()
    yield Figure("Faces: server start to faces drawn, median", median(drawn), "s", at_most=2.0)
    yield Figure("Faces: resident memory of the server then", median(memory), "MB", at_most=250)


def _open(browser: Any, url: str, seconds: float = 60) -> None:
    from selenium.common.exceptions import WebDriverException

    deadline = time.monotonic() + seconds
    opened = False
    while time.monotonic() < deadline:
        try:
            if not opened:
                browser.get(url)
                opened = True
            if browser.execute_script(TILES):
                return
        except WebDriverException:
            opened = False  # the server does not listen yet
        time.sleep(0.02)
    raise TimeoutError(f"No faces were drawn at {url} within {seconds:.0f} s.")


def _browser() -> Any | None:
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


def _resident(pid: int) -> float:
    """MB of memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _timed(call: Any) -> float:
    start = time.monotonic()
    call()
    return time.monotonic() - start
