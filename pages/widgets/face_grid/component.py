"""The face grid: one component for a whole page of faces, far cheaper than an image element each."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import streamlit as st
from PIL import Image

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "doubtscope_face_grid",
    html=(_HERE / "grid.html").read_text(encoding="utf-8"),
    css=(_HERE / "grid.css").read_text(encoding="utf-8"),
    js=(_HERE / "grid.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Tile:
    """One face as the grid shows it. All text is shown as text, whatever it holds."""

    id: int
    image: str  # data: URI, empty when the cache has no thumbnail
    alt: str
    score: str  # printed under the face
    fill: float | None  # 0..1, length of the bar under the face; None: no bar
    state: Literal["correct", "wrong", "unknown"]


def face_grid(
    tiles: Sequence[Tile],
    *,
    key: str,
    label: str,
    colour: str,
    on_open: Callable[[int], None],
    layout: Literal["grid", "gallery", "row"] = "grid",
    tile: int = 72,
    last: int | None = None,
    picked: Sequence[int] | None = None,
    on_pick: Callable[[list[int]], None] | None = None,
) -> None:
    """Draw the tiles; `on_open` gets the id of a face that is clicked, or opened by Enter.

    layout: 'grid' wraps, 'gallery' keeps its rows full, 'row' scrolls sideways. tile: least width in px.
    last: the face to give the keyboard focus to, after its drawer was closed. picked: faces that are marked, those of
    other pages included; None where none can be. `on_pick` gets all of them after Space, Escape or a click with Ctrl or
    Shift has changed which they are.
    """

    def opened() -> None:
        face_id = st.session_state[key].get("open")
        if isinstance(face_id, (int, float)):
            on_open(int(face_id))

    def marked() -> None:
        ids = st.session_state[key].get("pick")
        if on_pick is not None and isinstance(ids, list):
            on_pick([int(i) for i in ids if isinstance(i, (int, float))])

    _component(
        key=key,
        data={
            "items": [asdict(t) for t in tiles],
            "label": label,
            "colour": colour,
            "layout": layout,
            "tile": tile,
            "last": last,
            "picked": None if picked is None else list(picked),
        },
        on_open_change=opened,
        on_pick_change=marked,
    )


def picture_uri(image: Image.Image) -> str:
    """An L or RGB picture as a data: URI, so that no file of it is kept anywhere."""
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return data_uri(buffer.getvalue())


def data_uri(image: bytes | None) -> str:
    """Thumbnail bytes as a data: URI of their own type; anything but JPEG and PNG is left out."""
    if image is None:
        return ""
    kind = {b"\xff\xd8": "jpeg", b"\x89P": "png"}.get(image[:2])
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}" if kind else ""
