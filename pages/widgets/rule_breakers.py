"""Faces on which the model and the annotators part: high d with low U_a, and the reverse."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from cache.filters import Filter
from cache.ranks import contrasts
from pages.charts.colours import OUTLINE, TRIPLE
from pages.widgets import drawer
from pages.widgets.caches import View
from pages.widgets.extremes import place
from pages.widgets.face_address import open_face
from pages.widgets.face_grid.component import Tile, face_grid
from pages.widgets.problems import guard
from pages.widgets.tiles import columns_for, number_scale, tiles
from pages.widgets.wording import DASH

FACES = 12  # fills rows of 6, 4 and 3
D, U = "disagreement", "u_aleatoric"
NAMES = {D: "d", U: "U_a in nats"}


@dataclass(frozen=True)
class Breach:
    """One way to break the rule that U_a follows d."""

    name: str  # in the URL
    title: str
    meaning: str
    high: str  # column
    low: str


BREACHES = (  # in the order in which `contrasts` returns them
    Breach("missed", "High d, low U_a", "people disagree, and the model sees one expression", D, U),
    Breach("doubted", "Low d, high U_a", "people agree, and the model sees several expressions", U, D),
)


@st.fragment
def rule_breakers(view: View, where: Filter) -> None:
    """Two galleries with their tables; a fragment, so that opening a face leaves the figures alone."""
    with guard():
        st.subheader("Which faces break the rule?", anchor=False)
        shown: dict[str, list[Tile]] = {}
        for breach in BREACHES:
            st.markdown(f"**{breach.title}**: {breach.meaning}. Below each face: {NAMES[breach.high]}.")
            shown[breach.name] = gallery(view, where, breach)
        drawer.legend(
            "Faces above the median by one and below it by the other, widest difference of percentiles first; faces of "
            "equal value share a percentile."
        )
        drawer.show(view, lambda face_id: place(shown, face_id))


def gallery(view: View, where: Filter, breach: Breach) -> list[Tile]:
    faces, found = _found(view.stamp, view.model, where, view)[breach.name]
    if not found:
        st.caption("No face shown does that.")
        return found
    left, right = st.columns([2, 3], gap="medium")
    with left:
        face_grid(
            found,
            key=f"breach-{breach.name}",
            label=f"Faces, {breach.title}",
            colour=TRIPLE[U] if breach.high == U else OUTLINE,
            on_open=lambda face_id: open_face(face_id, breach.name),
            layout="gallery",
            tile=80,
            last=drawer.last_shown(breach.name),
        )
    with right:
        listed(view, faces, breach)
    return found


def listed(view: View, faces: pd.DataFrame, breach: Breach) -> None:
    """The same faces as a table, narrow enough for a telephone; the button of each row opens its drawer."""
    key = f"open-{breach.name}"

    def opened() -> None:
        open_face(int(faces.face_id.iloc[st.session_state[key].row]), breach.name)

    ranks = {breach.high: faces.high_rank, breach.low: faces.low_rank}
    shown = pd.DataFrame(
        {
            "face": faces.face_id.astype(str),
            "d": faces[D],
            "d rank": ranks[D],
            "U_a": faces[U],
            "U_a rank": ranks[U],
            "annotators": named(faces.majority, view.cache.classes),
            "model": named(faces.predicted, view.cache.classes),
        }
    )
    percentile = st.column_config.NumberColumn(
        "rank", format="%.0f", width=41, help="percentile among the faces that match the filter, from 0 to 100"
    )
    st.dataframe(
        shown,
        hide_index=True,
        height="content",
        key=f"table-{breach.name}",
        column_config={
            "face": st.column_config.ButtonColumn("face", width=49, type="tertiary", on_click=opened, key=key),
            "d": st.column_config.NumberColumn(format="%.2f", width=38, help="the annotators' disagreement"),
            "U_a": st.column_config.NumberColumn(format="%.2f", width=38, help="in nats"),
            "annotators": st.column_config.TextColumn(width=70, help="the annotators' most frequent class"),
            "model": st.column_config.TextColumn(width=70, help="the model's class"),
            "d rank": percentile,
            "U_a rank": percentile,
        },
        alt=f"{breach.title}: {len(shown)} faces with their disagreement, uncertainty, percentiles and classes",
    )


def named(classes: pd.Series, names: tuple[str, ...]) -> list[str]:
    return [DASH if pd.isna(index) else names[int(index)] for index in classes]


@st.cache_data(max_entries=32, show_spinner=False)
def _found(
    stamp: tuple[str, int], model: str, where: Filter, _view: View
) -> dict[str, tuple[pd.DataFrame, list[Tile]]]:
    """By the names of BREACHES."""
    cache = _view.cache
    lists = contrasts(cache, model, D, U, where, limit=FACES, columns=columns_for(model, D, U))
    images = cache.thumbnails([int(face) for faces in lists for face in faces.face_id])
    units = [cache.columns(model)[breach.high].unit for breach in BREACHES]
    return {
        breach.name: (faces, tiles(cache, faces, breach.high, unit, number_scale(_view, breach.high), images))
        for breach, faces, unit in zip(BREACHES, lists, units, strict=True)
    }
