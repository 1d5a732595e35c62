"""Buttons that download the faces of a filter, each file with the query that made it."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import IO

import streamlit as st

from cache.export import Selection, select, write_csv_zip, write_parquet, write_thumbnails
from cache.filters import Filter
from pages.widgets.address import query
from pages.widgets.caches import View
from pages.widgets.figure import safe
from pages.widgets.filters import matching_faces

MOST_ROWS, MOST_IMAGES = 100_000, 5_000  # what a page makes in memory
Write = Callable[[Selection, IO[bytes]], None]


@dataclass(frozen=True)
class File:
    """One of the files on offer."""

    label: str
    ending: str
    holds: str
    most: int  # faces
    write: Write


FILES = (
    File("CSV", ".csv.zip", "A zip of faces.csv and query.json", MOST_ROWS, write_csv_zip),
    File("Parquet", ".parquet", "The same columns, with the query in its metadata", MOST_ROWS, write_parquet),
    File("Thumbnails", ".zip", "A zip of images, faces.csv and query.json", MOST_IMAGES, write_thumbnails),
)


def export(view: View, where: Filter, *, name: str, key: str) -> None:
    """Three buttons; a file is made when somebody asks for it.

    where: as the view's model judges. name: of the slice, or of what is on view; of the files.
    """
    matching = matching_faces(view, where)
    with st.container(horizontal=True, gap="small", key=key):
        for file in FILES:
            st.download_button(
                file.label,
                partial(made, view, where, file, name, query()),
                file_name=f"{safe(name)}{file.ending}",
                key=f"{key}-{file.label}",
                on_click="ignore",
                type="tertiary",
                icon=":material/download:",
                disabled=matching == 0,
                help=f"{file.holds}; at most {file.most:,} faces",
            )
    if matching > MOST_IMAGES:
        rows = f" and {MOST_ROWS:,} rows" if matching > MOST_ROWS else ""
        st.caption(
            f"From here the first {MOST_IMAGES:,} thumbnails{rows} in dataset order. All of them, once it is a slice: "
            f"`{command(view, name)}`"
        )


def made(view: View, where: Filter, file: File, name: str, address: str) -> bytes:
    """Its content. Runs in a thread of its own: nothing in here may speak to the page."""
    chosen = select(view.cache, view.model, where, most=file.most, name=name, address=address)
    out = BytesIO()
    file.write(chosen, out)
    return out.getvalue()


def command(view: View, name: str) -> str:
    """What writes every face of a slice, of any number."""
    words = ["python", "-m", "engine", "export", str(view.cache.folder), "--slice", name, "--out", "FILE.zip"]
    return shlex.join(words).replace("`", "")
