"""What the Disagreement page can show when nobody has said what the faces show."""

import streamlit as st

from cache.filters import Filter
from pages.widgets.agreement import parts_of
from pages.widgets.caches import View
from pages.widgets.measured import enough, numbers_of, sampled_note, votes_command
from pages.widgets.spectrum import triple
from pages.widgets.wording import LEGEND


def uncertainty_only(view: View, where: Filter) -> None:
    """Why nothing can be compared, the command that adds votes, and how unsure the model is by itself."""
    left = " What is left is how unsure the model is." if view.model else ""
    st.info(
        f"This cache has no annotators' votes, so nobody's disagreement is known.{left} To add votes, build the cache "
        "anew with a table of labels:"
    )
    st.code(votes_command(view), language="bash")
    if not view.model:
        return
    faces = numbers_of(view, view.model, where, tuple(parts_of(view)))
    if enough(len(faces)):
        triple(view, where, {part: float(u.mean()) for part, u in faces.columns.items()}, name="shown")
        sampled_note(faces)
        st.caption(LEGEND)
