"""`python -m pages --server.port 8501`: the app as `streamlit run app.py` starts it, half a second sooner.

While the browser fetches the front end, threads load what the pages import and the cache that they will open first,
instead of when the first reader is already waiting.
"""

import ctypes
import gc
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

MMAP_THRESHOLD, LARGE = -3, 4 << 20  # of glibc's mallopt
APP = Path(__file__).parent.parent / "app.py"


def main() -> None:
    with suppress(OSError, AttributeError):  # another C library than glibc
        # Arrays of 4 MB and more go back to the system when they are done with: 20 MB less on a million faces.
        ctypes.CDLL(None).mallopt(MMAP_THRESHOLD, LARGE)
    gc.disable()  # until all is loaded: modules leave next to no garbage, and looking for it takes a tenth of the start
    from streamlit import delta_generator
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.web import cli

    # Whether to warn of a start without `streamlit run` takes an eighth of a second to find out, at the first element.
    delta_generator._use_warning_has_been_displayed = True
    PagesManager.uses_pages_directory = False  # else, until app.py has run, this file is offered as a page
    threading.Thread(target=load, name="load", daemon=True).start()
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    cli.main()


def load() -> None:
    """As soon as there is a server, which must not wait for this. What fails here says so on the page."""
    from streamlit import runtime
    from streamlit.runtime import RuntimeState

    while not (runtime.exists() and runtime.get_instance().state != RuntimeState.INITIAL):
        time.sleep(0.02)
    opening = threading.Thread(target=load_cache, name="load-cache", daemon=True)
    try:
        import pages.widgets.caches

        opening.start()  # DuckDB reads while Python goes on with its modules
        import plotly.graph_objects  # noqa: F401

        import pages.widgets.agreement
        import pages.widgets.audit
        import pages.widgets.browse
        import pages.widgets.calibration
        import pages.widgets.embedding
        import pages.widgets.extremes
        import pages.widgets.rejection
        import pages.widgets.slice_list
        import pages.widgets.spectrum  # noqa: F401
    finally:
        opening.join()
        gc.freeze()  # what is loaded by now stays: no need to look through it ever again
        gc.enable()


def load_cache() -> None:
    """What the first page asks of the cache that it will open."""
    from cache.errors import CacheError
    from pages.widgets.caches import default_cache, find_caches, first_model, open_cache

    with suppress(CacheError):
        if found := find_caches():
            cache, _ = open_cache(found[default_cache(found)])
            if cache.manifest.faces:
                cache.joined(first_model(cache))


if __name__ == "__main__":
    main()
