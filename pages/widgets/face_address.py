"""Faces in the page's URL: the one whose drawer is open, and those picked by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from pages.widgets.address import asked, ignore, write

FACE = "face"
PICKED = "picked"
MOST_PICKED = 500
LARGEST_ID = 2**63 - 1  # face_id is an int64


@dataclass(frozen=True)
class Opened:
    """The face whose drawer is open, and the gallery it was opened from ('' where a page has one list)."""

    face_id: int
    listing: str = ""


def opened_face() -> Opened | None:
    """What ?face=ID or ?face=ID~GALLERY asks for. One parameter, so that one press of Back closes the drawer."""
    values = asked(FACE)
    if values is None:
        return None
    number, _, listing = values[-1].partition("~")
    if is_face_id(number):
        return Opened(int(number), listing)
    ignore(FACE, "expected the number of a face")
    return None


def is_face_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST_ID


def open_face(face_id: int, listing: str = "") -> None:
    write({FACE: f"{face_id}~{listing}" if listing else str(face_id)})


def picked_faces() -> list[int]:
    """Faces picked by hand, ?picked=ID,ID,..."""
    values = asked(PICKED)
    if not values or not values[-1]:
        return []
    ids = values[-1].split(",")
    if len(ids) > MOST_PICKED or not all(map(is_face_id, ids)):
        ignore(PICKED, f"expected the numbers of at most {MOST_PICKED:,} faces")
        return []
    return list(dict.fromkeys(map(int, ids)))


def pick_faces(ids: Sequence[int]) -> None:
    """Put them into the URL; the first MOST_PICKED, for an address has an end."""
    write({PICKED: ",".join(map(str, ids[:MOST_PICKED])) or None})
