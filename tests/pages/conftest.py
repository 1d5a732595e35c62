"""Small caches of every kind that a page must cope with, and a way to open a page on one of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cache.manifest import load
from cache.reader import Cache
from cache.writer import CacheWriter
from tests import synthetic

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one cache of each kind."""
    root = tmp_path_factory.mktemp("data")
    synthetic.write(root / "normal", 180)
    synthetic.write(root / "no-votes", 40, votes=False)
    synthetic.write(root / "no-models", 40, models=())
    synthetic.write(root / "single", 40, models=("compact",))
    synthetic.write(root / "several", 360, models=("compact", "compact-ensemble", "compact-dropout"), unknown=True)
    synthetic.write(root / "no-validation", 60, splits=("test", "train"))
    synthetic.write(root / "one-class", 60, classes=("face",))
    synthetic.write(root / "one-face", 1, parts=1)
    other = synthetic.write(root / "other-version", 4) / "manifest.json"
    other.write_text(other.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with CacheWriter(root / "empty") as writer:
        writer.start(synthetic.manifest())
    assert load(root / "empty").faces == 0
    return root


@pytest.fixture
def open_page(caches: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """open_page('faces', cache='normal', sort='U_t') runs a page with that URL."""

    def opened(page: str, /, *, data: Path = caches, chosen: Path | None = None, **parameters: object) -> AppTest:
        monkeypatch.chdir(ROOT)
        monkeypatch.setenv("DOUBTSCOPE_DATA", str(data))
        monkeypatch.delenv("DOUBTSCOPE_CACHE", raising=False)
        if chosen is not None:
            monkeypatch.setenv("DOUBTSCOPE_CACHE", str(chosen))
        test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        if page != "overview":
            test.switch_page(f"pages/{page}.py")
        for key, value in parameters.items():
            test.query_params[key] = value
        return test.run()

    return opened


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder for one test alone, which may save slices in it: a cache of 180 faces and a map of them."""
    synthetic.write(tmp_path / "c", 180, layouts=("pca-compact-0",))
    return tmp_path


@pytest.fixture
def cache(data: Path) -> Cache:
    """The cache in it."""
    return Cache(data / "c")
