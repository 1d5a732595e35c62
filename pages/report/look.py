"""The colours of the report's figures. They are drawn for a light page; a dark one exchanges some of them."""

from pages.charts.colours import ANNOTATORS, OUTLINE, TOTAL

PAPER, INK, GRID, AXIS = "#FFFFFF", "#3A424B", "#E3E6EA", "#B9C0C8"
DARK = {  # light -> dark
    PAPER: "#15181C",
    INK: "#C9CED4",
    GRID: "#2B3138",
    AXIS: "#4A535D",
    TOTAL: OUTLINE,
    ANNOTATORS["light"]: ANNOTATORS["dark"],
}
_AXIS = {
    "automargin": True,
    "gridcolor": GRID,
    "zerolinecolor": AXIS,
    "linecolor": AXIS,
    "tickcolor": AXIS,
    "title": {"standoff": 16},
}
TEMPLATE = {
    "layout": {
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": AXIS, "font": {"color": INK}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": OUTLINE, "activecolor": INK},
    }
}
