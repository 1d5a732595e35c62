"""The filmstrip: one scene's faces in the order of the factor, the same head with that alone changed."""

import random
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from cache.filters import Filter
from engine.metrics.star import Sweep
from pages.charts.audit_quantities import colour_of
from pages.findings.probe import level_name
from pages.widgets import drawer
from pages.widgets.address import write
from pages.widgets.bound import select
from pages.widgets.caches import View
from pages.widgets.extremes import place
from pages.widgets.face_address import open_face
from pages.widgets.face_grid.component import Tile, data_uri, face_grid
from pages.widgets.figure import theme
from pages.widgets.tiles import alt_text, number_scale, state
from pages.widgets.wording import SYMBOLS, number

SCENE, LISTING = "scene", "strip"
COLUMNS = ("predicted", "confidence", "majority", "u_total", "u_aleatoric", "u_epistemic", "jsd", "nll")
EXPRESSION = "attr_expression"
CHANGED = {"tone": "skin tone", "yaw": "turn of the head", "light": "light"}


@dataclass(frozen=True, eq=False)
class Strip:
    """One row of an arm. scene: which; face_id: (N,) of every face that the arm's rows point to."""

    arm: Sweep
    scene: int
    quantity: str
    face_id: np.ndarray

    @property
    def faces(self) -> dict[int, str]:
        """face -> its level, in the order of the factor."""
        rows = self.arm.rows[self.scene]
        return {
            int(self.face_id[row]): level_name(level)
            for row, level in zip(rows, self.arm.levels, strict=True)
            if row >= 0
        }


def choose_scene(arm: Sweep) -> int:
    """The row of the arm that the URL names; at first the first. Two buttons go to the next one and to any."""
    names = [f"{scene:.0f}" for scene in arm.scene]
    about = dict(zip(names, map(_person, arm.identity), strict=True))
    name = select(
        "Scene shown", names, key=SCENE, default=names[0], width=180, format_func=lambda n: f"{n}: {about[n]}"
    )
    at = names.index(name)
    following = names[(at + 1) % len(names)]
    st.button("Next scene", key="next-scene", on_click=_go, args=[following, names[0]], icon=":material/skip_next:")
    st.button("Random scene", key="random-scene", on_click=_any, args=[names, at], icon=":material/shuffle:")
    return at


def _person(identity: object) -> str:
    return f"person {identity:.0f}" if isinstance(identity, float) else f"person {identity}"


def _go(name: str, default: str) -> None:
    write({SCENE: None if name == default else name})


def _any(names: list[str], at: int) -> None:
    """Another scene than the one on view, where there is one."""
    others = names[:at] + names[at + 1 :]
    _go(random.choice(others or names), names[0])


def filmstrip(view: View, strip: Strip) -> None:
    """The faces in a row; a click opens the drawer, which steps along the row."""
    faces = strip.faces
    frame = _rows(view, list(faces))
    tiles = [_tile(view, strip, row, faces[int(row["face_id"])], image) for row, image in frame]
    what = _expression(view, strip)
    st.markdown(f"**The same head, only the {CHANGED[strip.arm.factor.name]} changed**{what}")
    face_grid(
        tiles,
        key=f"strip-{strip.arm.factor.name}",
        label=f"Faces of scene {strip.arm.scene[strip.scene]:.0f} in the order of {strip.arm.factor.name}",
        colour=colour_of(strip.quantity, theme()),
        on_open=lambda face_id: open_face(face_id, LISTING),
        layout="row",
        tile=76,
        last=drawer.last_shown(LISTING),
    )
    drawer.legend(f"Under each face: its {CHANGED[strip.arm.factor.name]}, the predicted class, U_a and U_e in nats.")
    drawer.show(view, lambda face_id: place({LISTING: tiles}, face_id))


def _rows(view: View, ids: list[int]) -> list[tuple[dict, bytes | None]]:
    """What the model says of each face, and its image, in the order asked for."""
    low, high = float(min(ids)), float(max(ids))
    frame = view.cache.page(view.model, Filter(ranges=(("face_id", low, high),)), limit=5_000, columns=COLUMNS)
    images = view.cache.thumbnails(ids)
    by_id = {int(row["face_id"]): row for row in frame.to_dict("records")}
    return [(by_id[face_id], images.get(face_id)) for face_id in ids if face_id in by_id]


def _tile(view: View, strip: Strip, row: dict, level: str, image: bytes | None) -> Tile:
    unit = f" {strip.arm.factor.unit}".rstrip()
    column = strip.quantity if strip.quantity in row else ""
    scale = number_scale(view, column) if column else None
    score = [level, view.cache.classes[int(row["predicted"])]]
    score += [f"{SYMBOLS[part]} {number(row[part])}" for part in ("u_aleatoric", "u_epistemic")]
    said = f"{alt_text(row, view.cache.classes)}, U_e {number(row['u_epistemic'])} nats"
    alt = f"{strip.arm.factor.name} {level}{unit}: {said}"
    fill = None if scale is None or pd.isna(row[column]) else min(1.0, max(0.0, float(row[column]) / scale))
    return Tile(int(row["face_id"]), data_uri(image), alt, "\n".join(score), fill, state(row))


def _expression(view: View, strip: Strip) -> str:
    """', rendered as anger': what the scene shows, where the cache says."""
    if EXPRESSION not in view.cache.attributes or not strip.faces:
        return ""
    first = float(next(iter(strip.faces)))
    found = view.cache.page(None, Filter(ranges=(("face_id", first, first),)), limit=1, columns=[EXPRESSION])
    return f", rendered as {found[EXPRESSION].iloc[0]}" if len(found) else ""
