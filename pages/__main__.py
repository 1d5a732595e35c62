"""`python -m pages --server.port 8501`: the app as `streamlit run app.py` starts it, with its first page sooner.

DuckDB reads the first cache while Python imports Streamlit; what the first pages import is loaded while the browser
fetches the front end; and what the other pages import, once the first page is there.
"""

import ctypes
import gc
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from pages import opening

MMAP_THRESHOLD, LARGE = -3, 4 << 20  # of glibc's mallopt
APP = Path(__file__).parent.parent / "app.py"
DRAWN = 0.5  # s that a browser takes to draw a page


def main() -> None:
    with suppress(OSError, AttributeError):  # another C library than glibc
        # Arrays of 4 MB and more go back to the system when they are done with: 20 MB less on a million faces.
        ctypes.CDLL(None).mallopt(MMAP_THRESHOLD, LARGE)
    gc.disable()  # until all is loaded: modules leave next to no garbage, and looking for it takes a tenth of the start
    opening.begin()
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
    try:
        import pages.widgets.browse
        import pages.widgets.extremes
        import pages.widgets.facts
        import pages.widgets.headline
        import pages.widgets.report_button
        import pages.widgets.slice_overview
        import pages.widgets.spectrum

        opening.shown.wait()
        time.sleep(DRAWN)
        import pages.widgets.agreement
        import pages.widgets.audit
        import pages.widgets.calibration
        import pages.widgets.embedding
        import pages.widgets.probe
        import pages.widgets.rejection
        import pages.widgets.slice_list  # noqa: F401
    finally:
        gc.freeze()  # what is loaded by now stays: no need to look through it ever again
        gc.enable()


if __name__ == "__main__":
    main()
