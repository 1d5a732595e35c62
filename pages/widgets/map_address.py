"""The lasso and the window of a map in the page's URL: ?lasso=x,y;x,y;... and ?window=left,right,bottom,top."""

import math
from collections.abc import Sequence

from cache.maps import Window
from cache.regions import Polygon, simplify
from pages.widgets.address import asked, ignore, write

LAYOUT, LASSO, WINDOW = "layout", "lasso", "window"
UNCERTAINTIES = "U_a and U_e"  # the map whose axes are a model's own
MOST_CORNERS = 64
FARTHEST = 1e9  # a coordinate beyond it was never on a map


def lasso() -> Polygon | None:
    """The polygon that the URL names."""
    text = (asked(LASSO) or [""])[-1]
    if not text:
        return None
    polygon = parse_polygon(text)
    if polygon is None:
        ignore(LASSO, f"expected 3 to {MOST_CORNERS} corners x,y;x,y;x,y")
    return polygon


def window() -> Window | None:
    """The stretch of the map that the URL names; None: all of it."""
    text = (asked(WINDOW) or [""])[-1]
    if not text:
        return None
    edges = parse_numbers(text)
    if edges is None or len(edges) != 4 or not edges[0] < edges[1] or not edges[2] < edges[3]:
        ignore(WINDOW, "expected left,right,bottom,top")
        return None
    return Window(*edges)


def select(corners: Sequence[tuple[float, float]], layout: str, shown: Window) -> None:
    """Put a polygon into the URL, as short as it may be; one without an area selects nothing and is left out.

    layout: written too, for a lasso means nothing on another map, and the default depends on the model.
    """
    digits = decimals(shown)
    # Zero is added because -0.0 plus it is 0.0, which is shorter.
    rounded = [(round(x, digits) + 0.0, round(y, digits) + 0.0) for x, y in simplify(tuple(corners), MOST_CORNERS)]
    distinct = [corner for i, corner in enumerate(rounded) if corner != rounded[i - 1]]
    if len(distinct) < 3:
        return
    text = ";".join(f"{x:.{digits}f},{y:.{digits}f}" for x, y in distinct)
    write({LAYOUT: layout, LASSO: text, "page": None})


def zoom(to: Window, layout: str) -> None:
    digits = decimals(to)
    text = ",".join(f"{edge:.{digits}f}" for edge in (to.left, to.right, to.bottom, to.top))
    write({LAYOUT: layout, WINDOW: text})


def clear(parameter: str) -> None:
    write({parameter: None, "page": None})


def decimals(shown: Window) -> int:
    """As many as tell a thousandth of the shorter side apart.

    >>> decimals(Window(-4.0, 13.0, -2.5, 9.0)), decimals(Window(0.0, 2.0, 0.0, 0.4))
    (2, 4)
    """
    side = min(shown.right - shown.left, shown.top - shown.bottom)
    return max(0, min(12, 3 - math.floor(math.log10(side)))) if side > 0 else 6


def parse_polygon(text: str) -> Polygon | None:
    """
    >>> parse_polygon("0,0;1.5,0;1,-2"), parse_polygon("0,0;1,1"), parse_polygon("0,0;1,nan;1,1"), parse_polygon("x")
    (((0.0, 0.0), (1.5, 0.0), (1.0, -2.0)), None, None, None)
    """
    corners = [parse_numbers(corner) for corner in text.split(";", MOST_CORNERS)]
    if not 3 <= len(corners) <= MOST_CORNERS or not all(corner and len(corner) == 2 for corner in corners):
        return None
    return tuple((corner[0], corner[1]) for corner in corners if corner)


def parse_numbers(text: str) -> list[float] | None:
    """Numbers with commas between them."""
    try:
        found = [float(number) for number in text.split(",")]
    except ValueError:
        return None
    return found if all(abs(number) <= FARTHEST for number in found) else None  # NaN is no less than anything
