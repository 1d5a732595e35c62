"""Which caches there are, and the first one on its way into memory before there is a page to show it.

Knows neither Streamlit nor pandas: DuckDB reads on one core while Python imports both on the other.
"""

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from cache import manifest as manifests
from cache.errors import CacheError
from cache.store import Store

Stamp = tuple[str, int]  # folder of a cache and time of its manifest: another time, another cache

shown = threading.Event()  # the first page has been sent to a browser
_begun: dict[Stamp, Future[Store]] = {}


def data_folder() -> Path:
    return Path(os.environ.get("DOUBTSCOPE_DATA", "data"))


def find_caches() -> dict[str, Path]:
    """Name -> folder of every cache in the data folder, and of DOUBTSCOPE_CACHE. Only these are ever opened."""
    root = data_folder()
    found = {path.parent.name: path.parent for path in sorted(root.glob(f"*/{manifests.FILE}"))}
    if chosen := os.environ.get("DOUBTSCOPE_CACHE"):
        folder = Path(chosen)
        name = folder.name or str(folder)
        if name in found and found[name] != folder and found[name].resolve() != folder.resolve():
            name = str(folder)  # two caches of one name: this one goes by its path
        found[name] = folder
    return found


def default_cache(found: dict[str, Path]) -> str:
    """DOUBTSCOPE_CACHE, else the demo, else the first by name."""
    if chosen := os.environ.get("DOUBTSCOPE_CACHE"):
        return next(name for name, folder in found.items() if folder == Path(chosen))
    return "demo" if "demo" in found else next(iter(found))


def stamp_of(folder: Path) -> Stamp:
    try:
        return str(folder), (folder / manifests.FILE).stat().st_mtime_ns
    except OSError:
        return str(folder), 0


def begin() -> None:
    """Start to read what the first page asks of the cache that it will open."""
    if found := find_caches():
        stamp = stamp_of(found[default_cache(found)])
        reader = ThreadPoolExecutor(1, thread_name_prefix="open")
        _begun[stamp] = reader.submit(_open, stamp[0])
        reader.shutdown(wait=False)


def opened(folder: str, modified: int) -> Store | None:
    """What `begin` has opened, once; None for any other cache. Raises what opening it raised."""
    begun = _begun.pop((folder, modified), None)
    return begun.result() if begun else None


def _open(folder: str) -> Store:
    manifest = manifests.load(Path(folder))
    store = Store(Path(folder), manifest)
    if manifest.faces:
        with suppress(CacheError):  # a page that needs what cannot be read says so
            store.faces() if manifest.first_model is None else store.scored(manifest.first_model)
    return store
