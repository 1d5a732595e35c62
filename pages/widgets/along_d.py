"""Each part of the triple along the annotators' disagreement d: the faces themselves, and their mean per level."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from cache.filters import Filter
from engine.metrics.bootstrap import Resamples, percentile_intervals, ratio
from pages.charts.against import density_against, density_cells, describe_against, levels, points_against
from pages.widgets.agreement import faces_of, parts_of, voted
from pages.widgets.caches import View
from pages.widgets.face_address import open_face
from pages.widgets.figure import figure, theme

FEWEST = 5  # faces of a level whose mean gets an interval: resamples of fewer vary far too little
MOST_POINTS = 1500  # beyond it points cover each other, and three panels of them are slow to draw


def along_d(view: View, where: Filter) -> None:
    """A panel per part: points for few faces, each opening its drawer; a density for many."""
    faces = faces_of(view, where)
    known = voted(faces)
    parts, means = parts_of(view), _means(view.stamp, view.model, where, view)
    few = known.sum() <= MOST_POINTS
    for column, part in zip(st.columns(3, gap="medium"), parts, strict=False):
        with column:
            if few:
                shown = {name: faces.columns[name][known] for name in ("disagreement", part)}
                points(pd.DataFrame({"face_id": faces.face_id[known], **shown}), part, means)
            else:
                density(_cells(view.stamp, view.model, where, view), part, means)
    said = (
        "A point per face, moved a little sideways so as not to hide others; click one to see the face."
        if few
        else "The stronger the colour, the more faces, on the logarithmic scale of the bar."
    )
    st.caption(
        f"{said} Line: the mean of the faces at each level of d, with its 95 % bootstrap interval where there are at "
        f"least {FEWEST}. Votes are few, so d takes few values, and none between 0 and that of a single dissenting "
        "vote. The scales of nats differ."
    )


def points(faces: pd.DataFrame, part: str, means: pd.DataFrame) -> None:
    key = f"along-d-{part}"

    def opened() -> None:
        picked = st.session_state[key].selection.points
        if picked and picked[0]["curve_number"] == 0:  # not on a mean
            open_face(int(faces.face_id[picked[0]["point_index"]]))

    figure(
        points_against(faces, part, means, theme=theme()),
        faces.rename(columns={part: f"{part}_nats"}),
        key=key,
        name=f"disagreement-and-{part}",
        alt=describe_against(means, part),
        on_select=opened,
    )


def density(cells: pd.DataFrame, part: str, means: pd.DataFrame) -> None:
    figure(
        density_against(cells, part, means, theme=theme()),
        cells[cells.part == part].rename(columns={"u_low": "u_low_nats", "u_high": "u_high_nats"}),
        key=f"density-along-d-{part}",
        name=f"disagreement-and-{part}",
        alt=describe_against(means, part),
    )


def level_means(d: np.ndarray, parts: Mapping[str, np.ndarray], draws: Resamples) -> pd.DataFrame:
    """Mean of each part over the faces of each level of d, with its bootstrap interval where it holds at least 5 faces.

    d: (n,), no NaN. parts: part -> (n,) nats. draws: the resamples of these n faces. Returns columns part, d (mean of
    the level), mean, low, high, faces; levels without faces are left out.
    """
    names = ["part", "d", "mean", "low", "high", "faces"]
    if not len(d):
        return pd.DataFrame(columns=names)
    level = levels(d)
    count = int(level.max()) + 1
    faces = np.bincount(level, minlength=count)
    held = faces > 0
    drawn = draws.counts @ draws.cell_sums(level, np.ones(len(d)), count)  # (R, levels)
    middle = np.bincount(level, d, count)[held] / faces[held]
    tables = []
    for part, u in parts.items():
        replicates = ratio(draws.counts @ draws.cell_sums(level, u, count), drawn)
        ends = (np.where(faces >= FEWEST, end, np.nan)[held] for end in percentile_intervals(replicates))
        mean = np.bincount(level, u, count)[held] / faces[held]
        tables.append(pd.DataFrame(dict(zip(names, (part, middle, mean, *ends, faces[held]), strict=True))))
    return pd.concat(tables, ignore_index=True)


@st.cache_data(max_entries=32, show_spinner=False)
def _means(stamp: tuple[str, int], model: str, where: Filter, _view: View) -> pd.DataFrame:
    d, parts = _known(_view, where)
    return level_means(d, parts, Resamples(len(d)))


@st.cache_data(max_entries=32, show_spinner=False)
def _cells(stamp: tuple[str, int], model: str, where: Filter, _view: View) -> pd.DataFrame:
    return density_cells(*_known(_view, where))


def _known(view: View, where: Filter) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    faces = faces_of(view, where)
    known = voted(faces)
    return faces.columns["disagreement"][known], {part: faces.columns[part][known] for part in parts_of(view)}
