"""The numbers behind a map, as its download has them."""

import numpy as np
import pandas as pd

from cache.maps import Window
from pages.charts.map_shading import Shading


def table(found: pd.DataFrame, grid: tuple[int, int] | None, window: Window, shading: Shading) -> pd.DataFrame:
    """Points: face_id, x, y and what they are coloured by. Cells: x and y of the middle, faces, mean value or group."""
    values = found["value"].to_numpy(np.float64)
    shown = values if shading.is_scale else np.array(shading.names, dtype=object)[shading.indices(values)]
    if grid is None:
        return pd.DataFrame({name: found[name] for name in ("face_id", "x", "y")} | {shading.title: shown})
    across, up = grid
    return pd.DataFrame(
        {
            "x": window.left + (found["across"] + 0.5) * (window.right - window.left) / across,
            "y": window.bottom + (found["up"] + 0.5) * (window.top - window.bottom) / up,
            "faces": found["faces"],
            f"mean {shading.title}" if shading.is_scale else shading.title: shown,
        }
    )
