"""The pages of the app, in the order of the sidebar's links."""

from collections.abc import Mapping
from functools import cache

import streamlit as st

TITLES = {
    "pages/overview.py": "Overview",
    "pages/faces.py": "Faces",
    "pages/embedding.py": "Embedding",
    "pages/slices.py": "Slices",
    "pages/calibration.py": "Calibration",
    "pages/disagreement.py": "Disagreement",
    "pages/rejection.py": "Rejection",
    "pages/audit.py": "Bias audit",
    "pages/probe.py": "Probe",
    "pages/score.py": "Score",
}


@cache
def site() -> Mapping[str, st.Page]:
    """Made once: to make a page, or to link to one by its path, asks the disk where it is."""
    first = next(iter(TITLES))
    return {path: st.Page(path, title=title, default=path == first) for path, title in TITLES.items()}
