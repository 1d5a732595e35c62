"""All that is known of one face: image, votes beside probabilities, the triple in words, attributes, source."""

import math

import numpy as np
import pandas as pd
import streamlit as st

from cache.reader import UNCERTAINTIES, Face
from pages.charts.votes import describe_votes, votes_and_probabilities
from pages.widgets.caches import View
from pages.widgets.face_grid.component import data_uri
from pages.widgets.figure import theme
from pages.widgets.nearest_faces import nearest_faces
from pages.widgets.reading import reading
from pages.widgets.wording import KINDS, PALETTE, SYMBOLS, count, names, number, plain

# Not st.image: stepping fast through faces, its file would be gone before the browser asked for it. 48 pixels are drawn
# as squares, because blur would invent what the model never saw. The alt text and the address hold no text of the data.
PORTRAIT = '<img alt="face {face_id}" src="{uri}" style="width:100%;border-radius:4px;image-rendering:pixelated">'


def detail(view: View, face: Face) -> None:
    """Draw the inside of the drawer."""
    row = st.container(horizontal=True, wrap=False, vertical_alignment="center")
    with row.container(width=168):
        uri = data_uri(view.cache.thumbnails([face.face_id]).get(face.face_id))
        if uri:
            st.html(PORTRAIT.format(face_id=face.face_id, uri=uri))
        else:
            st.caption("No image in this cache.")
    with row.container(gap="xsmall"):
        verdict(view, face)
    if face.probs is not None or face.votes is not None:
        chart(view, face)
    if face.probs is not None:
        triple(face, view.samples)
    nearest_faces(view, face)
    facts(view, face)


def verdict(view: View, face: Face) -> None:
    """What the model says, what the annotators said, and how to read the two together."""
    classes = view.cache.classes
    if face.probs is not None:
        predicted = int(face.row["predicted"])
        st.markdown(f":green[Model] **{plain(classes[predicted])}**, probability {number(face.probs[predicted])}")
    if face.votes is not None and face.votes.sum() > 0:
        top = np.flatnonzero(face.votes == face.votes.max())
        said = " and ".join(plain(classes[i]) for i in top)
        each = " each" if len(top) > 1 else ""
        st.markdown(f"Annotators **{said}**, {face.votes.max():.0f}{each} of {count(int(face.votes.sum()), 'vote')}")
    else:
        st.markdown("Annotators: no votes")
    if face.probs is not None:
        st.markdown(reading(face.percentiles, view.samples))


def chart(view: View, face: Face) -> None:
    classes = view.cache.classes
    st.plotly_chart(
        votes_and_probabilities(classes, face.votes, face.probs, face.samples, theme=theme()),
        key="votes",
        config={"displayModeBar": False},
        alt=describe_votes(classes, face.votes, face.probs),
    )
    if face.samples is not None and len(face.samples) > 1:
        st.caption(f"Whiskers: the middle 95 % of the model's {len(face.samples)} samples.")


def triple(face: Face, samples: int) -> None:
    """Total, aleatoric and epistemic uncertainty, each against the other faces of the split."""
    split = f"{face.row['split']} " if face.row["split"] else ""
    rows = []
    for part in UNCERTAINTIES:
        share = face.percentiles.get(part)
        rank = "—" if share is None else standing(share, face.peers, plain(split))
        if part == "u_epistemic" and samples == 1:
            rank = "always 0: this model draws one sample"
        rows.append((f":{PALETTE[part]}[**{SYMBOLS[part]}**] {KINDS[part]}", number(face.row[part], "nats"), rank))
    st.table(
        pd.DataFrame(rows, columns=["part", "value", "rank"]),
        border="horizontal",
        hide_index=True,
        hide_header=True,
        alt="Total, aleatoric and epistemic uncertainty of this face and their rank in its split",
    )


def standing(share: float, peers: int, of: str) -> str:
    """share: mid-rank percentile among `peers` faces, the face among them.

    >>> standing(71.2, 3571, "test "), standing(99.986, 3571, ""), standing(50.0, 1, "test ")
    ('higher than 71 % of 3,571 test faces', 'higher than 99.9 % of 3,571 faces', 'the only one of the test faces')
    """
    if peers == 1:
        return f"the only one of the {of}faces"
    rounded = f"{share:.0f}" if share < 99 else f"{math.floor(10 * share) / 10:g}"  # nothing is higher than itself
    return f"higher than {rounded} % of {peers:,} {of}faces"


def facts(view: View, face: Face) -> None:
    """Attributes, other scores and where the face comes from."""
    columns = view.cache.columns(view.model)
    called = names(columns)
    scores = [n for n in ("disagreement", "jsd", "nll", "brier") if n in columns and present(face.row[n])]
    shown = [*view.cache.attributes, *scores]
    rows = [(plain(called[n]), value(face.row[n], columns[n].unit)) for n in shown]
    rows += [
        ("split", plain(face.row["split"] or "none")),
        ("size", f"{face.row['width']} × {face.row['height']} px"),
        ("source", plain(face.row["source"])),
        ("content id", plain(face.row["content_id"])),
    ]
    st.table(pd.DataFrame(rows, columns=["what", "value"]), border="horizontal", hide_index=True, hide_header=True)


def present(cell: object) -> bool:
    return cell is not None and not (isinstance(cell, float) and np.isnan(cell))


def value(cell: object, unit: str) -> str:
    if not present(cell):
        return "—"
    return number(float(cell), plain(unit)) if isinstance(cell, (int, float)) else plain(cell)
