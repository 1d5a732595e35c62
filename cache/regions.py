"""Points inside a polygon, and polygons short enough for an address."""

import numpy as np

Polygon = tuple[tuple[float, float], ...]


def inside(x: np.ndarray, y: np.ndarray, polygon: Polygon) -> np.ndarray:
    """Which of the points (N,), (N,) a polygon encloses, by the even-odd rule: (N,) bool.

    Casts a ray from each point to the right and counts the edges that it crosses; an edge holds its lower end and not
    its upper one, so that a corner counts once. Source: Shimrat 1962.

    >>> inside(np.array([0.5, 2.0]), np.array([0.5, 0.5]), ((0, 0), (1, 0), (1, 1), (0, 1))).tolist()
    [True, False]
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (x, y))  # maps are float32: too short for steep edges
    found = np.zeros(len(x), dtype=bool)
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], *polygon[:1]), strict=True):
        if y1 == y2:
            continue
        crossed = (y1 <= y) != (y2 <= y)
        found ^= crossed & (x < x1 + (y - y1) * ((x2 - x1) / (y2 - y1)))
    return found


def simplify(polygon: Polygon, most: int = 64) -> Polygon:
    """At most `most` corners of a polygon: those whose removal would change its area most (Visvalingam & Whyatt 1993).

    >>> simplify(((0, 0), (1, 0), (2, 0), (2, 2), (0, 2)), most=4)
    ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))
    """
    corners = np.array(polygon, dtype=np.float64)
    while len(corners) > max(3, most):
        before, after = np.roll(corners, 1, axis=0) - corners, np.roll(corners, -1, axis=0) - corners
        areas = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
        corners = np.delete(corners, areas.argmin(), axis=0)
    return tuple((float(a), float(b)) for a, b in corners) if len(corners) < len(polygon) else polygon
