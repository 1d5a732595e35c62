"""The faces of each group that the model knows least about, side by side."""

from functools import partial

import numpy as np
import streamlit as st

from cache.filters import Filter, Sort
from pages.charts.colours import TRIPLE
from pages.widgets import drawer
from pages.widgets.audit_data import Choice, called, faces_of, grouped
from pages.widgets.caches import View
from pages.widgets.extremes import place
from pages.widgets.face_address import open_face
from pages.widgets.face_grid.component import Tile, face_grid
from pages.widgets.problems import guard
from pages.widgets.tiles import page_of_tiles
from pages.widgets.wording import PALETTE, SYMBOLS, plain

FACES = 4  # of each group
ACROSS = 6  # groups beside each other
MOST, MOST_CROSSED = 12, 6  # galleries, of two attributes fewer; of more groups, those with the highest mean


@st.fragment
def galleries(view: View, where: Filter, choice: Choice) -> None:
    """A fragment: opening a face redraws the faces alone."""
    with guard():
        part = "u_epistemic" if view.samples > 1 else "u_total"
        groups = grouped(view, where, choice).groups
        faces = faces_of(view, where)
        doubt = faces.columns[part]
        by = " · ".join(called(view, name) for name in choice.columns)
        st.subheader(f"The highest :{PALETTE[part]}[**{SYMBOLS[part]}**] by {plain(by)}", anchor=False)
        most = MOST if len(choice.columns) == 1 else MOST_CROSSED
        chosen = shown_groups(groups.index, doubt, len(groups.names), most, choice.least)
        across = min(ACROSS, len(chosen))
        ids = {at: highest(faces.face_id[groups.index == at], doubt[groups.index == at]) for at in chosen}
        every = tuple(sorted(face for group in ids.values() for face in group))  # asked for at once
        found = page_of_tiles(view, Filter(faces=every), Sort(part, descending=True), limit=max(1, len(every)))
        tiles = {tile.id: tile for tile in found}
        shown: dict[str, list[Tile]] = {}
        for start in range(0, len(chosen), across):
            columns = st.columns(across, gap="small")
            for column, at in zip(columns, chosen[start : start + across], strict=False):
                listing = f"group-{at + 1}"
                shown[listing] = [tiles[face] for face in ids[at] if face in tiles]
                with column:
                    n = f"n = {groups.sizes[at]:,}"
                    n = n if groups.sizes[at] >= choice.least else f":gray[{n}]"
                    st.markdown(f":small[**{plain((groups.brief or groups.names)[at])}** {n}]")
                    face_grid(
                        shown[listing],
                        key=f"gallery-{listing}",
                        label=f"Faces of group {groups.names[at]} with the highest {SYMBOLS[part]}",
                        colour=TRIPLE[part],
                        on_open=partial(open_face, listing=listing),
                        layout="gallery",
                        tile=54,
                        last=drawer.last_shown(listing),
                    )
        drawer.legend(legend(view, part, len(chosen), len(groups.names)))
        drawer.show(view, partial(place, shown))


def shown_groups(index: np.ndarray, doubt: np.ndarray, groups: int, most: int, least: int = 1) -> list[int]:
    """Groups to show faces of: all of them, or of many those with the highest mean doubt, in their order.

    Groups of at least `least` faces come before smaller ones.

    >>> index, doubt = np.array([0, 0, 1, 2, -1]), np.array([0.1, 0.2, 0.9, 0.5, 5.0])
    >>> shown_groups(index, doubt, 3, most=2), shown_groups(index, doubt, 3, most=1, least=2)
    ([1, 2], [0])
    """
    if groups <= most:
        return list(range(groups))
    inside = index >= 0
    sums = np.bincount(index[inside], doubt[inside], groups)
    sizes = np.bincount(index[inside], minlength=groups)
    return sorted(np.lexsort((-sums / np.maximum(1, sizes), sizes < least))[:most].tolist())


def highest(face_id: np.ndarray, doubt: np.ndarray) -> tuple[int, ...]:
    """The faces with the highest doubt, of equal ones the first."""
    return tuple(int(i) for i in face_id[np.argsort(-doubt, kind="stable")[:FACES]])


def legend(view: View, part: str, shown: int, groups: int) -> str:
    said = f"Below each face: {SYMBOLS[part]} in nats."
    if view.samples == 1:
        said += f" U_t, because {plain(view.model)} draws one sample per face and has no U_e."
    if shown < groups:
        said += f" {shown} of {groups} groups: of those of enough faces the ones with the highest mean."
    return said
