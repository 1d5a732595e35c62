"""A real server on a free loopback port and a real headless browser; skipped, with the reason, where there is none."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import synthetic
from tests.browser.page import Page

ROOT = Path(__file__).parent.parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an app that shows two synthetic caches, the smaller one first; ended by its own process id."""
    data = tmp_path_factory.mktemp("data")
    synthetic.write(data / "synthetic", 150)
    synthetic.write(data / "thousand", 1050, models=("compact-ensemble",))
    with serving(data) as address:
        yield address


@contextmanager
def serving(data: Path) -> Iterator[str]:
    """The app on the caches of a folder, for the life of a `with` block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (data / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "pages", "--server.port", str(port)],
        cwd=ROOT,
        env={**os.environ, "DOUBTSCOPE_DATA": str(data), "DOUBTSCOPE_CACHE": ""},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:  # under load it may wait for a browser's connection to close
            process.kill()
            process.wait(timeout=10)
        log.close()


def wait_until_healthy(url: str, process: subprocess.Popen, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The app did not start at {url}")


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Headless Chromium, driven by the driver installed beside it: selenium must not download another."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="browser tests need selenium: pip install selenium")
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    chrome = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not chrome or not driver:
        pytest.skip("no browser here: install one with `apt-get install chromium chromium-driver`")
    options = Options()
    options.binary_location = chrome
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument("--window-size=1280,900")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(driver))
    yield found
    found.quit()


@pytest.fixture
def page(browser: object, server: str) -> Page:
    browser.get_log("browser")  # forget what earlier tests logged
    return Page(browser, server)


@pytest.fixture
def keys() -> object:
    return pytest.importorskip("selenium.webdriver.common.keys").Keys
