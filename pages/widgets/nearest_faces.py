"""The faces nearest to the one in the drawer: what the model has learned from, and what else the split holds."""

import pandas as pd
import streamlit as st

from cache.filters import Filter
from cache.nearest import Near, nearest
from cache.reader import Face
from pages.charts.colours import MODEL
from pages.widgets.caches import View
from pages.widgets.face_address import open_face
from pages.widgets.face_grid.component import Tile, face_grid
from pages.widgets.tiles import columns_for, tiles
from pages.widgets.wording import count, plain


def nearest_faces(view: View, face: Face) -> None:
    """A row of training faces, and one of the face's own split where that is another."""
    found = nearest(view.cache, view.model, face.face_id)
    if found is None:
        st.caption("No nearest faces in this cache yet. To find them:")
        st.code(f"python -m engine embed {view.cache.folder}", language="bash")
        return
    split = plain(face.row["split"] or "")
    rows = {"train": (found.train, "training faces"), "own": (found.own, f"{split} faces".strip())}
    if found.own == found.train:
        rows.pop("own")
    for key, (near, title) in rows.items():
        if near.face_ids:
            st.markdown(f"**Nearest {title}**")
            row(view, near, key, f"Nearest {title}")
    searched, training = found.info.searched, found.train.face_ids
    st.caption(
        f"Cosine distance of the features {plain(found.backbone)}"
        + (f", among {count(searched, 'training face')}." if training else ". This cache has no training faces.")
    )


def row(view: View, near: Near, key: str, label: str) -> None:
    face_grid(
        tiles_of(view, near),
        key=f"nearest-{key}",
        label=label,
        colour=MODEL,
        on_open=open_face,
        layout="row",
        tile=54,
    )


def tiles_of(view: View, near: Near) -> list[Tile]:
    """In order of distance, which stands under each; a model that has not scored all of them says nothing of any."""
    listed = Filter(faces=near.face_ids)
    wanted = len(set(near.face_ids))
    model = view.model if view.cache.count(view.model, listed) == wanted else None
    frame = view.cache.page(model, listed, limit=wanted, columns=columns_for(model))
    distances = pd.Series(near.distances, index=near.face_ids, name="distance")
    frame = frame.join(distances, on="face_id").sort_values(["distance", "face_id"])
    return tiles(view.cache, frame, "distance", "", None)
