"""Scoring what was given, once: what a session has scored it keeps until the photo is taken away."""

import hashlib
from collections.abc import Sequence
from typing import TypeGuard

import streamlit as st

from engine.scores import PhotoScore, clean_name
from pages.widgets.address import write
from pages.widgets.caches import View
from pages.widgets.score_input import SHOWN, Photo
from pages.widgets.scorer import CannotScore, NoPhoto, score_photo
from pages.widgets.wording import count, plain

SCORED, WHOLE = "scored photos", "photos taken as faces"  # in session state: by key, and a set of digests
Key = tuple[str, str, str, bool]  # cache, model, photo, taken whole


def score_all(view: View, model: str, given: Sequence[Photo]) -> list[PhotoScore]:
    """The given photos that hold a face or were taken as one; says what became of the others."""
    kept: dict[Key, PhotoScore | NoPhoto] = st.session_state.get(SCORED, {})
    whole: set[str] = st.session_state.setdefault(WHOLE, set())
    keys = {key_of(view, model, photo, whole): photo for photo in given}
    digests = {key[2] for key in keys}
    kept = {key: one for key, one in kept.items() if key[2] in digests}  # of other models too; else it is forgotten
    todo = {key: photo for key, photo in keys.items() if key not in kept}
    bar = st.progress(0.0, f"Scoring {count(len(todo), 'photo')}") if len(todo) > 1 else None
    st.session_state[SCORED] = kept  # filled one by one: a run that is cut short has lost nothing
    later: CannotScore | None = None
    for done, (key, photo) in enumerate(todo.items(), start=1):
        try:
            kept[key] = _scored(view, model, photo, key[-1])
        except CannotScore as problem:
            later = problem
            break
        if bar is not None:
            bar.progress(done / len(todo), f"Scored {done} of {count(len(todo), 'photo')}")
    if bar is not None:
        bar.empty()
    if later is not None:
        st.warning(plain(later))
        st.button("Try again", key="score-again")
    return [one for key in keys if key in kept and _usable(key, one := kept[key])]


def key_of(view: View, model: str, photo: Photo, whole: set[str]) -> Key:
    digest = hashlib.sha256(photo.name.encode("utf-8", "replace") + b"\0" + photo.data).hexdigest()
    return f"{view.stamp}", model, digest, digest in whole


def _scored(view: View, model: str, photo: Photo, whole: bool) -> PhotoScore | NoPhoto:
    """Or what is wrong with the file. Raises CannotScore where the file is not the reason."""
    name = clean_name(photo.name)
    try:
        with st.spinner(f"Looking at {plain(name)}", show_time=True):
            return score_photo(view, model, photo.data, name, whole)
    except NoPhoto as problem:
        return problem


def _usable(key: Key, one: PhotoScore | NoPhoto) -> TypeGuard[PhotoScore]:
    if isinstance(one, NoPhoto):
        st.warning(plain(one))
        return False
    if one.left_out:
        st.caption(f"Of {plain(one.name)}, {one.left_out:,} smaller faces were left out.")
    if one.faces and not key[-1]:
        return True
    said = f"**{plain(one.name)}** is taken whole as a face." if key[-1] else f"No face found in **{plain(one.name)}**."
    label = "Look for faces instead" if key[-1] else "Score the whole image as a face"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(said, width="content")
        st.button(label, key=f"whole-{key[2][:16]}", on_click=_take_whole, args=[key[2], not key[-1]])
    return bool(one.faces)


def _take_whole(digest: str, wanted: bool) -> None:
    taken: set[str] = st.session_state.setdefault(WHOLE, set())
    (taken.add if wanted else taken.discard)(digest)
    write({SHOWN: None})  # faces are counted anew
