"""A button that makes the report of the model on view, when somebody presses it."""

from functools import partial

import streamlit as st

from cache.reader import Cache
from pages.findings.overview import EVERY_FACE, split_filter
from pages.widgets.caches import View
from pages.widgets.figure import safe
from pages.widgets.filters import matching_faces, scored_in

HELP = (
    "Overview, bias audit, calibration, rejection and manifest in one HTML file of about 5 MB that opens offline. It "
    "is about every face of the split, whatever filter or slice is on view, and holds no image of a face. Takes a few "
    "seconds."
)


def report_button(view: View, split: str | None = None) -> None:
    """Of the view's model. split: 'all' is every face; None: the test faces, where the model has scored some."""
    if not view.model or not view.cache.manifest.complete:
        return
    split = split or ("test" if scored_in(view, "test") else EVERY_FACE)
    if matching_faces(view, split_filter(split)) == 0:
        return
    name = safe(f"report-{view.cache.folder.name}-{view.model}-{split}")
    st.download_button(
        "Report (HTML)",
        partial(made, view.cache, view.model, split),
        file_name=f"{name}.html",
        mime="text/html",
        key="report",
        on_click="ignore",
        icon=":material/description:",
        help=HELP,
    )


def made(cache: Cache, model: str, split: str) -> bytes:
    """Its content. Runs in a thread of its own: nothing in here may speak to the page."""
    from pages.report.report import report  # needed by nobody who does not press the button
    from pages.report.subject import Subject

    return report(Subject(cache, model, split)).encode()
