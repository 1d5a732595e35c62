"""One new face in full: what the model saw, its probabilities, the triple among known faces, and who looks like it."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from cache.errors import BadQuery
from cache.nearest import Near, nearest_to
from cache.reader import Face
from engine.scores import UNCERTAINTIES, FaceScore, PhotoScore
from pages.charts.votes import describe_votes, votes_and_probabilities
from pages.widgets.caches import View
from pages.widgets.face_detail import triple
from pages.widgets.figure import theme
from pages.widgets.nearest_faces import row
from pages.widgets.reading import reading
from pages.widgets.wording import number, plain

NEAREST = 10


@dataclass(frozen=True)
class Standing:
    """What a new face is compared with."""

    split: str | None  # None: every face of the cache
    high: int  # percentile from which a part of the triple counts as unsure


def face_in_full(view: View, model: str, photo: PhotoScore, face: FaceScore, standing: Standing) -> None:
    """Class, sentence, probabilities and triple."""
    known = as_known(view, model, face, standing)
    st.markdown(f":green[Model] **{plain(photo.classes[face.predicted])}**, probability {number(face.confidence)}")
    st.markdown(reading(known.percentiles, len(face.samples), standing.high))
    st.plotly_chart(
        votes_and_probabilities(photo.classes, None, face.probs, face.samples, theme=theme()),
        key="new-face",
        config={"displayModeBar": False},
        alt=describe_votes(photo.classes, None, face.probs),
    )
    if len(face.samples) > 1:
        st.caption(f"Whiskers: the middle 95 % of the model's {len(face.samples)} samples.")
    triple(known, len(face.samples))


def as_known(view: View, model: str, face: FaceScore, standing: Standing) -> Face:
    """The new face as the cache would tell of it, ranked among its faces."""
    values = {part: float(np.float32(getattr(face, part))) for part in UNCERTAINTIES}  # as the cache rounds them
    every = standing.split is None
    percentiles, peers = view.cache.percentiles(model, values, standing.split, every_split=every)
    row = {**values, "split": standing.split, "predicted": face.predicted, "confidence": face.confidence}
    return Face(-1, row, None, face.probs, face.samples, percentiles, peers)


def alike(view: View, model: str, face: FaceScore) -> None:
    """The faces of the cache that the network finds most similar."""
    backbone = view.cache.manifest.models[model].backbones[0]
    st.markdown("**Most similar faces of this cache**")
    if backbone not in view.cache.manifest.ready_features:
        st.caption(f"This cache does not keep the features {plain(backbone)}, by which they would be found.")
        return
    try:
        with st.spinner("Looking for similar faces"):
            near = _near(view.stamp, backbone, face.features[backbone].tobytes(), view)
    except BadQuery as problem:  # features of another network under the same name
        st.caption(plain(problem))
        return
    row(view, near, "new", "Most similar faces of this cache")
    st.caption(f"Cosine distance of the features {plain(backbone)}, among all faces.")


@st.cache_data(max_entries=64, show_spinner=False, scope="session")  # gone with the photo's own session
def _near(stamp: tuple[str, int], backbone: str, vector: bytes, _view: View) -> Near:
    return nearest_to(_view.cache, backbone, np.frombuffer(vector, np.float32), NEAREST)
