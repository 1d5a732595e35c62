"""A card with the face under the pointer, beside a figure that another element draws."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "doubtscope_face_hover",
    html=(_HERE / "hover.html").read_text(encoding="utf-8"),
    css=(_HERE / "hover.css").read_text(encoding="utf-8"),
    js=(_HERE / "hover.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Spot:
    """A place on the figure, in the units of its axes."""

    x: float
    y: float
    reach_x: float  # how far from it the pointer still means a face
    reach_y: float
    question: int  # number of the question, so that its answer is not taken for another's


@dataclass(frozen=True)
class Card:
    """All text is shown as text, whatever it holds."""

    id: int
    image: str  # data: URI, empty when the cache has no thumbnail
    lines: tuple[str, ...]
    state: Literal["correct", "wrong", "unknown"]


def face_hover(
    *,
    key: str,
    figure: str,
    card: Card | None,
    answers: int | None,
    shows: str,
    on_rest: Callable[[Spot], None],
    on_press: Callable[[Spot], None],
) -> None:
    """Watch the pointer over the figure that `pages.widgets.figure` draws under the key `figure`.

    card: the answer to question number `answers`; None: no face is there. shows: what the figure is of; when it
    changes, earlier answers are forgotten. `on_rest` gets the spot that the pointer rests on, `on_press` one that was
    clicked or tapped.
    """

    def asked(event: str, then: Callable[[Spot], None]) -> None:
        spot = spot_of(st.session_state[key].get(event))
        if spot is not None:
            then(spot)

    _component(
        key=key,
        data={"figure": figure, "card": asdict(card) if card else None, "answers": answers, "shows": shows},
        on_rest_change=lambda: asked("rest", on_rest),
        on_press_change=lambda: asked("press", on_press),
    )


def spot_of(sent: object) -> Spot | None:
    """What the browser sent, if it is five finite numbers and the reach is one."""
    if not isinstance(sent, dict):
        return None
    values = [sent.get(name) for name in ("x", "y", "reach_x", "reach_y")]
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in values):
        return None
    x, y, reach_x, reach_y = map(float, values)
    if min(reach_x, reach_y) <= 0:
        return None
    question = sent.get("question")
    return Spot(x, y, reach_x, reach_y, question if isinstance(question, int) else 0)
