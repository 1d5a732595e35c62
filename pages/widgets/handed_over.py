"""The faces that a model would hand to a person, the most doubtful first, and how often it is wrong about them."""

from functools import partial

import streamlit as st

from cache.filters import Filter, Sort
from cache.ranks import Place, place
from engine.metrics.bootstrap import Estimate
from engine.metrics.rejection import kept_faces
from pages.charts.coverage import ORDERS
from pages.widgets import drawer
from pages.widgets.caches import View
from pages.widgets.estimates import cell
from pages.widgets.face_address import open_face
from pages.widgets.face_grid.component import face_grid
from pages.widgets.filters import matching_faces
from pages.widgets.rejection_measures import errors_on_both_sides
from pages.widgets.tiles import page_of_tiles
from pages.widgets.wording import count

SHOWN = 24


def handed_over(view: View, where: Filter, order: str, handed: int, *, has_errors: bool) -> None:
    """order: a key of ORDERS. handed: percent. has_errors: whether anybody knows what is right."""
    matching = matching_faces(view, where)
    number = matching - kept_faces(1 - handed / 100, matching)
    name, colour, _ = ORDERS[order]
    st.subheader("Who would be handed over", anchor=False)
    if number == 0:
        st.caption("Nobody: the model keeps every face. Move the slider to hand some over.")
        return
    by = "the lowest confidence" if order == "doubt" else f"the highest {name}"
    said = f"**{number:,} of {count(matching, 'face')}**, those with {by}."
    if has_errors:
        wrong = errors_on_both_sides(view, where, order, 1 - handed / 100)
        said += (
            f" The model is wrong on {share(wrong['handed'])} of those and on {share(wrong['kept'])} of the faces kept."
        )
    st.markdown(said)
    sort = Sort("confidence") if order == "doubt" else Sort(order, descending=True)
    face_grid(
        page_of_tiles(view, where, sort, limit=min(SHOWN, number)),
        key="handed-over",
        label=f"Faces with {by}",
        colour=colour,
        on_open=open_face,
        last=drawer.last_shown(),
    )
    drawer.legend(f"The first {SHOWN}." if number > SHOWN else "")
    drawer.show(view, partial(among, view, where, sort, number))


def share(wrong: Estimate) -> str:
    """
    >>> share(Estimate(0.382, 0.35, 0.414, 850))
    '**38.2 %** [35.0,\\xa041.4] (n\\xa0=\\xa0850)'
    """
    return f"{cell(wrong, 1, 100.0, ' %')} (n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{wrong.n:,})"


def among(view: View, where: Filter, sort: Sort, number: int, face_id: int) -> Place | None:
    """Place of a face among the first `number` of the list."""
    found = place(view.cache, view.model, face_id, where, sort)
    if found is None or found.position >= number:
        return None
    return Place(found.position, number, found.previous, found.next if found.position + 1 < number else None)
