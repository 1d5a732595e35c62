"""What a cache holds and how it was made."""

from datetime import datetime

import pandas as pd
import streamlit as st

from cache.manifest import ModelInfo
from pages.widgets.caches import View
from pages.widgets.filters import number_range, text_values
from pages.widgets.wording import count, duration, plain


def facts(view: View) -> None:
    """A row of figures, and the rest one click away."""
    manifest = view.cache.manifest
    splits = text_values(view, "split")
    least, most = number_range(view, "n_votes")
    votes = "none" if most == 0 else f"{most:.0f}" if least == most else f"{least:.0f} to {most:.0f}"
    with st.container(horizontal=True, gap="medium", key="facts"):
        st.metric("Faces", f"{manifest.faces:,}", width="content")
        st.metric("Votes per face", votes, width="content")
        st.metric("Classes", len(manifest.classes), width="content")
        st.metric("Models", len(view.cache.models), width="content")
        st.metric("Last change", when(manifest.updated), width="content")
    if splits:
        st.caption(" · ".join(f"{plain(name)} {faces:,}" for name, faces in splits.items()))
    built(view)
    left_out(view)


def built(view: View) -> None:
    manifest = view.cache.manifest
    hardware = ", ".join(f"{plain(k)} {plain(v)}" for k, v in manifest.hardware.items())
    rows = [
        ("Classes", plain(", ".join(manifest.classes))),
        ("Source", plain(manifest.source.spec)),
        *(
            (f"Model {plain(name)}", plain(made(info, manifest.faces)))
            for name, info in manifest.models.items()
            if name in view.cache.models
        ),
        ("Begun", when(manifest.created)),
        ("Last change", f"{when(manifest.updated)}, after {duration(manifest.seconds)} of work"),
        ("Hardware", hardware or "not recorded"),
        ("Packages", plain(", ".join(f"{name} {version}" for name, version in manifest.packages.items()))),
        ("Folder", plain(view.cache.folder)),
    ]
    with st.expander("How this cache was built"):
        if manifest.command:
            st.code(manifest.command, language="bash", wrap_lines=True)
        st.table(pd.DataFrame(rows, columns=["what", "value"]), border="horizontal", hide_index=True, hide_header=True)


def made(info: ModelInfo, faces: int) -> str:
    """How a model's predictions came to be."""
    said = f"{info.title}, S = {info.samples}"
    said += f", seed {info.seed}, {info.precision} on {info.device}" if info.backbones else ", predicted elsewhere"
    return said + ("" if info.faces is None else f", {info.faces:,} of {count(faces, 'face')}")


def left_out(view: View) -> None:
    """Inputs that did not become faces: nothing is dropped in silence."""
    n = view.cache.n_rejects
    if n == 0:
        st.caption("Every input became a face.")
        return
    with st.expander(
        f"{count(n, 'input')} did not become a face" if n == 1 else f"{count(n, 'input')} did not become faces"
    ):
        rejects = view.cache.rejects()
        st.dataframe(rejects, hide_index=True, alt="Inputs that did not become faces: source, stage, reason")
        if n > len(rejects):
            st.caption(f"The first {len(rejects)} of {n:,}.")


def when(moment: str) -> str:
    """'2026-11-22 17:05 UTC', or a dash."""
    try:
        return datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return "—"
