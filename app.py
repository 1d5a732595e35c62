"""The Doubtscope app: `make app`. Shows the caches under data/ (DOUBTSCOPE_DATA, DOUBTSCOPE_CACHE)."""

from copy import copy

import streamlit as st
from starlette.formparsers import MultiPartParser

from pages import opening
from pages.widgets.site import site

# A photo of more than a megabyte would otherwise pass through a temporary file on its way to memory.
MultiPartParser.spool_max_size = 2 * int(st.get_option("server.maxUploadSize")) * 2**20

st.set_page_config(page_title="Doubtscope", layout="wide")
# Copies, for Streamlit notes on a page that it is the one on view. Hidden, since the sidebar's own links carry the
# cache and the model to the next page.
page = st.navigation([copy(page) for page in site().values()], position="hidden")
try:
    page.run()
finally:
    opening.shown.set()
