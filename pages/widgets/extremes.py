"""Figure 1 of Ghandeharioun et al. 2019: the faces with the lowest and the highest U_a beside those of U_e."""

from dataclasses import dataclass
from functools import partial

import streamlit as st

from cache.filters import Filter, Sort
from cache.ranks import Place
from pages.charts.colours import TRIPLE
from pages.widgets import drawer
from pages.widgets.caches import View
from pages.widgets.face_address import open_face, opened_face
from pages.widgets.face_grid.component import Tile, face_grid
from pages.widgets.filters import describe, matching_faces
from pages.widgets.problems import guard
from pages.widgets.tiles import heads_of_lists
from pages.widgets.wording import KINDS, PALETTE, SYMBOLS, plain

FACES = 12  # fills rows of 6, 4 and 3


@dataclass(frozen=True)
class Gallery:
    """One end of one part of the triple."""

    column: str
    highest: bool

    @property
    def name(self) -> str:
        """As in the URL: highest-aleatoric."""
        return f"{'highest' if self.highest else 'lowest'}-{KINDS[self.column]}"

    @property
    def title(self) -> str:
        return f"{'Highest' if self.highest else 'Lowest'} {SYMBOLS[self.column]}"


MEANING = {
    "u_aleatoric": "people themselves would disagree about this face",
    "u_epistemic": "the model has not learned enough about faces like this",
}
GALLERIES = tuple(Gallery(column, highest) for column in MEANING for highest in (False, True))


@st.fragment
def extremes(view: View, where: Filter) -> None:
    """Two columns, U_a and U_e, each with its lowest faces above its highest."""
    with guard():
        matching = matching_faces(view, where)
        offered = [g for g in GALLERIES if g.column != "u_epistemic" or view.samples > 1]
        sorts = tuple(Sort(gallery.column, descending=gallery.highest) for gallery in offered)
        found = dict(zip(offered, heads_of_lists(view, where, sorts, limit=FACES), strict=True))
        shown: dict[str, list[Tile]] = {}
        for column, part in zip(st.columns(2, gap="medium"), MEANING, strict=True):
            with column:
                st.subheader(f":{PALETTE[part]}[**{KINDS[part].capitalize()}** {SYMBOLS[part]}]", anchor=False)
                st.caption(MEANING[part])
                if part == "u_epistemic" and view.samples == 1:
                    st.info(
                        f"{plain(view.model)} draws one sample per face, so its U_e is 0 for every face and there is "
                        "no lowest or highest. Choose a model with several samples, such as an ensemble or MC dropout."
                    )
                    continue
                for gallery in (g for g in GALLERIES if g.column == part):
                    shown[gallery.name] = draw(gallery, found[gallery])
        drawer.legend(f"From {describe(matching, view.cache.manifest.faces)}.")
        drawer.show(view, partial(place, shown))


def draw(gallery: Gallery, found: list[Tile]) -> list[Tile]:
    st.markdown(f"**{gallery.title}**, in nats")
    if not found:
        st.caption("No face matches the filter.")
        return found
    face_grid(
        found,
        key=f"gallery-{gallery.name}",
        label=f"Faces, {gallery.title}",
        colour=TRIPLE[gallery.column],
        on_open=lambda face_id: open_face(face_id, gallery.name),
        layout="gallery",
        tile=54,
        last=drawer.last_shown(gallery.name),
    )
    return found


def place(shown: dict[str, list[Tile]], face_id: int) -> Place | None:
    """Neighbours within the gallery that the URL names, or else the first that holds the face."""
    opened = opened_face()
    galleries = [shown.get(opened.listing, []) if opened else [], *shown.values()]
    for ids in ([tile.id for tile in gallery] for gallery in galleries):
        if face_id in ids:
            at = ids.index(face_id)
            return Place(at, len(ids), ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None)
    return None
