"""The face under the pointer: looked up among all faces of the map, whichever of them are drawn."""

import streamlit as st

from cache.filters import Filter
from cache.maps import nearest
from pages.widgets.caches import View
from pages.widgets.face_address import open_face
from pages.widgets.face_grid.component import data_uri
from pages.widgets.face_hover.component import Card, Spot, face_hover
from pages.widgets.layouts import Layout
from pages.widgets.problems import guard
from pages.widgets.tiles import alt_text, columns_for, state
from pages.widgets.wording import number

FROM_MAP = "map"  # in the URL: closing the drawer leaves the gallery, and the keyboard, where they are
RESTED, PRESSED = "map spot rested on", "map spot pressed"


@st.fragment
def hover(view: View, where: Filter, layout: Layout, *, figure_key: str) -> None:
    """A fragment of its own: resting on a face asks for that face alone. A click opens its drawer."""
    with guard():
        pressed: Spot | None = st.session_state.pop(PRESSED, None)
        if pressed is not None and (face_id := at(view, where, layout, pressed)) is not None:
            open_face(face_id, FROM_MAP)
            st.rerun()  # the whole page: the drawer belongs to the gallery
        rested: Spot | None = st.session_state.pop(RESTED, None)
        found = None if rested is None else at(view, where, layout, rested)
        face_hover(
            key="hover",
            figure=figure_key,
            card=None if found is None else card(view, found),
            answers=None if rested is None else rested.question,
            shows=f"{view.stamp} {view.model} {layout.name} {where}",
            on_rest=lambda spot: st.session_state.update({RESTED: spot}),
            on_press=lambda spot: st.session_state.update({PRESSED: spot}),
        )


def at(view: View, where: Filter, layout: Layout, spot: Spot) -> int | None:
    return nearest(view.cache, view.model, layout.name, spot.x, spot.y, (spot.reach_x, spot.reach_y), where)


def card(view: View, face_id: int) -> Card:
    """Image, number, the model's class and the annotators', the two uncertainties."""
    columns = columns_for(view.model, *(["u_epistemic"] if view.model else []))
    row = view.cache.page(view.model, Filter(faces=(face_id,)), limit=1, columns=columns).to_dict("records")[0]
    lines = alt_text(row, view.cache.classes).split(", ")
    if view.samples > 1:
        lines.append(f"U_e {number(row['u_epistemic'], 'nats')}")
    image = data_uri(view.cache.thumbnails([face_id]).get(face_id))
    return Card(face_id, image, tuple(lines), state(row))
