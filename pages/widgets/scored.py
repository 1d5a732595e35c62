"""Scoring what was given, once: what a session has scored it keeps until the photo is taken away."""

import hashlib
from collections.abc import Sequence

import streamlit as st

from engine.scores import PhotoScore, clean_name
from pages.widgets.caches import View
from pages.widgets.score_input import Photo
from pages.widgets.scorer import CannotScore, score_photo
from pages.widgets.wording import count, plain

SCORED, WHOLE = "scored photos", "photos taken as faces"  # in session state: by key, and a set of digests
Key = tuple[str, str, str, bool]  # cache, model, photo, taken whole


def score_all(view: View, model: str, given: Sequence[Photo]) -> list[PhotoScore]:
    """The given photos that hold a face or were taken as one; says what became of the others."""
    kept: dict[Key, PhotoScore | str] = st.session_state.get(SCORED, {})
    whole: set[str] = st.session_state.setdefault(WHOLE, set())
    keys = {key_of(view, model, photo, whole): photo for photo in given}
    todo = {key: photo for key, photo in keys.items() if key not in kept}
    bar = st.progress(0.0, f"Scoring {count(len(todo), 'photo')}") if len(todo) > 1 else None
    found = {key: kept[key] for key in keys if key in kept}
    for done, (key, photo) in enumerate(todo.items(), start=1):
        found[key] = _scored(view, model, photo, key[-1])
        st.session_state[SCORED] = dict(found)  # also where this run is cut short
        if bar is not None:
            bar.progress(done / len(todo), f"Scored {done} of {count(len(todo), 'photo')}")
    if bar is not None:
        bar.empty()
    st.session_state[SCORED] = found
    return [one for key, one in ((key, found[key]) for key in keys) if _usable(key, one)]


def key_of(view: View, model: str, photo: Photo, whole: set[str]) -> Key:
    digest = hashlib.sha256(photo.name.encode("utf-8", "replace") + b"\0" + photo.data).hexdigest()
    return f"{view.stamp}", model, digest, digest in whole


def _scored(view: View, model: str, photo: Photo, whole: bool) -> PhotoScore | str:
    """Or why not."""
    name = clean_name(photo.name)
    try:
        with st.spinner(f"Looking at {plain(name)}", show_time=True):
            return score_photo(view, model, photo.data, name, whole)
    except CannotScore as problem:
        return str(problem)


def _usable(key: Key, one: PhotoScore | str) -> bool:
    if isinstance(one, str):
        st.warning(plain(one))
        return False
    if one.faces:
        return True
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"No face found in **{plain(one.name)}**.", width="content")
        st.button("Score the whole image as a face", key=f"whole-{key[2][:16]}", on_click=_take_whole, args=[key[2]])
    return False


def _take_whole(digest: str) -> None:
    st.session_state.setdefault(WHOLE, set()).add(digest)
