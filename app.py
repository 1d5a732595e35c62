"""The Doubtscope app: `streamlit run app.py`. Shows the caches under data/ (DOUBTSCOPE_DATA, DOUBTSCOPE_CACHE)."""

import streamlit as st

st.set_page_config(page_title="Doubtscope", layout="wide")
st.navigation(
    [
        st.Page("pages/overview.py", title="Overview", default=True),
        st.Page("pages/faces.py", title="Faces"),
    ],
    position="hidden",  # the sidebar's own links carry the cache and the model to the next page
).run()
