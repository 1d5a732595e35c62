"""A figure as every page draws one: as wide as its place, downloadable as an image and as the data behind it."""

import re
from collections.abc import Callable
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.charts.colours import ANNOTATORS, CLEAR, OUTLINE

# Plotly's own button, a real one that Tab reaches, and nothing beside it: zooming is no help on figures this small.
CONFIG = {"displayModeBar": True, "modeBarButtons": [["toImage"]], "displaylogo": False}
DRAWN = {"lasso": "lasso2d", "box": "select2d"}  # ways to select by drawing, each with a button


def theme() -> Literal["light", "dark"]:
    """Which of the page's two looks the reader has, for the colours that a chart must change with it."""
    return "dark" if st.context.theme.type == "dark" else "light"


def figure(
    fig: go.Figure,
    data: pd.DataFrame | Callable[[], pd.DataFrame],
    *,
    key: str,
    name: str,
    alt: str,
    on_select: Literal["ignore", "rerun"] | Callable[[], None] = "ignore",
    selection_mode: Literal["points"] | tuple[Literal["box", "lasso"], ...] = "points",
) -> Any:
    """Draw `fig` with a PNG button above it and one for `data` as CSV below; returns what st.plotly_chart returns.

    name: of both files, without ending; may hold text of the data. data: units belong in the names of its columns; a
    function that makes it runs, as the turning into text does, only when somebody downloads it. The background becomes
    the page's own: on a transparent one, half the readers of the image would see dark text on dark.
    """
    buttons = {"color": OUTLINE, "activecolor": ANNOTATORS[theme()], "bgcolor": CLEAR}
    still = {"dragmode": False} if on_select == "ignore" else {}  # a finger that scrolls past must not zoom
    fig.update_layout(paper_bgcolor=None, plot_bgcolor=None, modebar=buttons, **still)
    drawn = [button for mode, button in DRAWN.items() if mode in selection_mode]
    config = {**CONFIG, "modeBarButtons": [drawn, ["toImage"]]} if drawn else CONFIG
    with st.container(key=f"figure-{key}", gap="xxsmall"):
        event = st.plotly_chart(
            fig,
            key=key,
            alt=alt,
            on_select=on_select,
            selection_mode=selection_mode,
            config={**config, "toImageButtonOptions": {"format": "png", "scale": 2, "filename": safe(name)}},
        )
        csv(data, key=f"{key}-data", name=name)
    return event


def csv(data: pd.DataFrame | Callable[[], pd.DataFrame], *, key: str, name: str) -> None:
    """A small button that downloads the table; it does not rerun the page."""
    with st.container(horizontal_alignment="right"):
        st.download_button(
            "Data (CSV)",
            lambda: (data() if callable(data) else data).to_csv(index=False),
            file_name=f"{safe(name)}.csv",
            mime="text/csv",
            key=key,
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )


def safe(name: str) -> str:
    """A file name of letters, digits, dots and dashes.

    >>> safe("coverage-../my model-U_a")
    'coverage-..-my-model-U_a'
    """
    return re.sub(r"[^\w.-]+", "-", name)
