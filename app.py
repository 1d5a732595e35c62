"""The Doubtscope app: `make app`. Shows the caches under data/ (DOUBTSCOPE_DATA, DOUBTSCOPE_CACHE)."""

import streamlit as st
from starlette.formparsers import MultiPartParser

# A photo of more than a megabyte would otherwise pass through a temporary file on its way to memory.
MultiPartParser.spool_max_size = 2 * int(st.get_option("server.maxUploadSize")) * 2**20

st.set_page_config(page_title="Doubtscope", layout="wide")
st.navigation(
    [
        st.Page("pages/overview.py", title="Overview", default=True),
        st.Page("pages/faces.py", title="Faces"),
        st.Page("pages/embedding.py", title="Embedding"),
        st.Page("pages/slices.py", title="Slices"),
        st.Page("pages/calibration.py", title="Calibration"),
        st.Page("pages/disagreement.py", title="Disagreement"),
        st.Page("pages/rejection.py", title="Rejection"),
        st.Page("pages/audit.py", title="Bias audit"),
        st.Page("pages/probe.py", title="Probe"),
        st.Page("pages/score.py", title="Score"),
    ],
    position="hidden",  # the sidebar's own links carry the cache and the model to the next page
).run()
