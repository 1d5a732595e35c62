"""How the annotators' disagreement d is spread over the faces, by split: the first paper's Figure 4."""

import numpy as np
import pandas as pd
import streamlit as st

from cache.filters import Filter
from engine.metrics.bootstrap import Estimate, share
from pages.charts.against import LEVEL, levels
from pages.charts.densities import SHADES, density_of_d, describe_density
from pages.widgets.agreement import faces_of, voted
from pages.widgets.caches import View
from pages.widgets.estimates import cell
from pages.widgets.figure import figure, theme
from pages.widgets.wording import count, plain

ALL = "all"


def density(view: View, where: Filter) -> None:
    """The histogram of area 1, and on how many faces everybody agrees."""
    bins, agreed = _spread(view.stamp, view.model, where, view)
    st.subheader("How much do people disagree?", anchor=False)
    figure(
        density_of_d(bins, theme=theme()),
        bins,
        key="density",
        name="density-of-disagreement",
        alt=describe_density(bins),
    )
    shares = "; ".join(
        f"{cell(e, 1, 100)} % of {count(e.n, 'face')}{'' if split == ALL else f' of split {plain(split)}'}"
        for split, e in agreed.items()
    )
    st.caption(f"All votes agree (d = 0) on {shares} [Wilson's 95 % interval].")


def spread(d: np.ndarray, split: np.ndarray) -> tuple[pd.DataFrame, dict[str, Estimate]]:
    """Bins of d per split (columns split, low, high, faces, density), and the share of faces with d = 0.

    d: (n,), no NaN. split: (n,) text or None. One group, 'all', unless every face has a split and there are 2 to 4.
    """
    names = sorted({name for name in split if name is not None})
    whole = all(name is not None for name in split)
    groups = {name: d[split == name] for name in names} if whole and 1 < len(names) <= len(SHADES) else {ALL: d}
    bins = int(levels(d).max()) + 1 if len(d) else 1
    low = np.arange(bins) * LEVEL
    tables, agreed = [], {}
    for name, inside in groups.items():
        faces = np.bincount(levels(inside), minlength=bins)
        shares = faces / max(1, len(inside)) / LEVEL
        tables.append(pd.DataFrame({"split": name, "low": low, "high": low + LEVEL, "faces": faces, "density": shares}))
        agreed[name] = share(inside == 0)
    return pd.concat(tables, ignore_index=True), agreed


@st.cache_data(max_entries=32, show_spinner=False)
def _spread(
    stamp: tuple[str, int], model: str | None, where: Filter, _view: View
) -> tuple[pd.DataFrame, dict[str, Estimate]]:
    faces = faces_of(_view, where)
    known = voted(faces)
    return spread(faces.columns["disagreement"][known], faces.columns["split"][known])
