"""Two groups of faces beside each other: galleries first, then how far they differ."""

import streamlit as st

from cache.filters import Filter
from cache.reader import EVERYTHING
from cache.slices import EVERY_FACE, THE_REST, Slice
from pages.charts.colours import MODEL, TRIPLE
from pages.widgets import drawer
from pages.widgets.bound import select
from pages.widgets.browse import choose_sort
from pages.widgets.caches import View
from pages.widgets.contrast import Group, contrast
from pages.widgets.extremes import place
from pages.widgets.face_address import open_face
from pages.widgets.face_grid.component import Tile, face_grid
from pages.widgets.filters import describe, matching_faces
from pages.widgets.problems import guard
from pages.widgets.tiles import page_of_tiles
from pages.widgets.wording import plain

FACES = 12  # fills rows of 6, 4 and 3


@st.fragment
def compare(view: View, here: Filter, found: dict[str, Slice]) -> None:
    """Two of the slices found, among the faces that the sidebar's filters let through.

    A fragment: other groups, or another sort, leave the sidebar alone.
    """
    with guard():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            groups = choose_groups(view, here, found)
            sort = choose_sort(view)
        shown: dict[str, list[Tile]] = {}
        for column, (listing, group) in zip(st.columns(2, gap="medium"), groups.items(), strict=True):
            with column:
                matching = matching_faces(view, group.where)
                st.subheader(plain(group.name), anchor=False)
                st.caption(describe(matching, view.cache.manifest.faces))
                shown[listing] = page_of_tiles(view, group.where, sort, limit=FACES)
                if matching:
                    gallery(shown[listing], listing, group, TRIPLE.get(sort.column, MODEL))
        drawer.legend()
        drawer.show(view, lambda face_id: place(shown, face_id))
        contrast(view, *groups.values(), key="contrast", everyone=here if groups["b"].name == THE_REST else None)


def gallery(tiles: list[Tile], listing: str, group: Group, colour: str) -> None:
    face_grid(
        tiles,
        key=f"gallery-{listing}",
        label=f"Faces of {group.name}",
        colour=colour,
        on_open=lambda face_id: open_face(face_id, listing),
        layout="gallery",
        tile=54,
        last=drawer.last_shown(listing),
    )


def choose_groups(view: View, here: Filter, found: dict[str, Slice]) -> dict[str, Group]:
    """A and B of the address; at first the slice that the sidebar has chosen against the rest."""
    names = list(found)
    start = view.slice.name if view.slice and view.slice.name in found else names[0]
    first = select("First group", [*names, EVERY_FACE], key="a", default=start, width=190)
    second = select("Second group", [THE_REST, EVERY_FACE, *names], key="b", default=THE_REST, width=190)
    one, other = found.get(first), found.get(second)
    where = outside(view, here, one) if second == THE_REST else inside(view, here, other)
    return {"a": Group(first, inside(view, here, one)), "b": Group(second, where)}


def inside(view: View, here: Filter, one: Slice | None) -> Filter:
    """The faces of a slice, or without one every face, that the sidebar lets through."""
    return one.narrowed(view.model, here) if one else here


def outside(view: View, here: Filter, one: Slice | None) -> Filter:
    model, where = (one.model, one.where) if one else (view.model, EVERYTHING)
    return here.within(model, where, inside=False)
