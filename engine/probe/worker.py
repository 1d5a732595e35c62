"""What each rendering process does. Not in __main__: processes that are spawned cannot import that module."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from engine.probe.design import Scene, identities

if TYPE_CHECKING:
    from engine.probe.geometry import HeadModel


@cache
def head_model() -> HeadModel:
    """The head model, one per process: anny takes a minute to build it the first time, then reads its cache."""
    from engine.probe.geometry import HeadModel

    return HeadModel()


def render_rows(scene: Scene) -> list[dict[str, Any]]:
    """The 16 table rows of a scene."""
    from engine.probe.render import render_scene
    from engine.probe.table import jpeg, row

    person = identities()[scene.identity]
    return [row(person, scene, shot, jpeg(image)) for shot, image in render_scene(head_model(), person, scene)]
