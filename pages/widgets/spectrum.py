"""The faces of a cache from the most to the least certain, and the histograms of the triple."""

from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from cache.filters import Filter
from cache.ranks import Place, spread
from pages.charts.colours import TRIPLE
from pages.charts.histograms import axis_ceiling, describe_histograms, triple_histograms
from pages.findings.overview import mean_triple, split_filter, triple_bins, triple_table
from pages.widgets import drawer
from pages.widgets.caches import View
from pages.widgets.face_address import open_face
from pages.widgets.face_grid.component import Tile, face_grid
from pages.widgets.figure import figure, theme
from pages.widgets.problems import guard
from pages.widgets.tiles import columns_for, number_scale, tiles
from pages.widgets.wording import count, plain

FACES = 12


@st.fragment
def spectrum(view: View) -> None:
    """A strip of faces at equal steps of total uncertainty, of the slice if there is one; each opens its drawer."""
    with guard():
        found = _tiles(view.stamp, view.model, view.within(), view)
        if not found:
            st.info("No face is in this slice.")
            return
        face_grid(
            found,
            key="spectrum",
            label="Example faces from the lowest to the highest total uncertainty",
            colour=TRIPLE["u_total"],
            on_open=open_face,
            layout="row",
            tile=60,
            last=drawer.last_shown(),
        )
        st.caption(
            f"From the surest to the least sure: {count(len(found), 'face')} at equal steps of the total uncertainty "
            "U_t, in nats. A dashed border and × mark a class other than the annotators'."
        )
        drawer.show(view, partial(among, [tile.id for tile in found]))


@st.cache_data(max_entries=16, show_spinner=False)
def _tiles(stamp: tuple[str, int], model: str, where: Filter, _view: View) -> list[Tile]:
    faces = spread(_view.cache, model, "u_total", where, faces=FACES, columns=columns_for(model, "u_total"))
    return tiles(_view.cache, faces, "u_total", "nats", number_scale(_view, "u_total"))


def among(ids: list[int], face_id: int) -> Place | None:
    """Place of a face in a short list."""
    if face_id not in ids:
        return None
    at = ids.index(face_id)
    return Place(at, len(ids), ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None)


@st.cache_data(max_entries=16, show_spinner=False)
def _bins(stamp: tuple[str, int], model: str, where: Filter, _view: View) -> dict[str, pd.DataFrame]:
    return triple_bins(_view.cache, model, where)


def histograms(view: View, split: str) -> None:
    """How each part of the triple is spread over the faces of the split."""
    triple(view, split_filter(split), mean_triple(view.cache, str(view.model), split), name=split)


def triple(view: View, where: Filter, means: Mapping[str, float], *, name: str) -> None:
    """The histograms of the faces that the filter lets through. means: in nats. name: of the downloads."""
    bins = _bins(stamp=view.stamp, model=str(view.model), where=where, _view=view)
    means = {part: means[part] for part in bins if part in means}
    n = int(bins["u_total"].faces.sum())
    st.subheader(f"How unsure {plain(view.model)} is, {count(n, 'face')}", anchor=False)
    figure(
        triple_histograms(bins, means, theme=theme()),
        triple_table(bins),
        key="histograms",
        name=f"uncertainty-{view.model}-{name}",
        alt=describe_histograms(bins, means),
    )
    if any((counts.faces > axis_ceiling(bins)).any() for counts in bins.values()):
        st.caption("A bar that does not fit is cut at the top; its number of faces stands beside the arrow.")
    if view.samples == 1:
        st.caption("No histogram of U_e: this model draws one sample per face, so U_e is 0 for every face.")
