"""How two groups of faces differ: every statistic of both, and its difference, each with its interval."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from cache.filters import Filter
from cache.numbers import DRAWN, MOST_FACES, Numbers
from engine.metrics.bootstrap import Estimate
from engine.metrics.contrast import Contrast, contrast_means
from pages.widgets.agreement import parts_of
from pages.widgets.caches import View
from pages.widgets.estimates import cell, statistics
from pages.widgets.figure import csv
from pages.widgets.filters import matching_faces
from pages.widgets.measured import MIN_FACES, columns_in, has_votes, numbers_of
from pages.widgets.rejection_measures import correct
from pages.widgets.wording import DASH, PALETTE, SYMBOLS, plain

ROWS = {  # in the order of the table
    "accuracy": "Accuracy",
    "jsd": "JSD, nats",
    "nll": "NLL, nats",
    **{part: f"Mean :{PALETTE[part]}[**{SYMBOLS[part]}**], nats" for part in SYMBOLS},
    "disagreement": "Annotators' disagreement d",
}
LONGEST = 28  # characters of a name above a column


@dataclass(frozen=True)
class Group:
    """Faces under a name."""

    name: str
    where: Filter  # as the view's model judges


def contrast(view: View, first: Group, second: Group, *, key: str, everyone: Filter | None = None) -> None:
    """A table: their sizes and how many faces they share, then a row per statistic, and the first less the second.

    everyone: where the second group is the rest of these faces, which saves counting it.
    """
    sizes, both = count_of(view, first.where, second.where, everyone)
    for group, size in zip((first, second), sizes, strict=True):
        if size == 0:
            st.info(f"No face is in {plain(group.name)}: choose other splits, fewer filters, or another group.")
    if not any(sizes):
        return
    found = measured(view, first.where, second.where)
    if not found:
        st.info("Without a model's predictions and without annotators' votes, there is nothing to compare.")
        return
    cells = [("Faces", *(f"{size:,}" for size in sizes), f"{both:,} in both", "")]
    cells += [
        (ROWS[name], *map(cell, (row.first, row.second, row.difference)), faces(row)) for name, row in found.items()
    ]
    statistics(
        pd.DataFrame(cells, columns=["", *headings(first.name, second.name), "difference", "n"]),
        key=key,
        alt=f"Statistics of {first.name} and {second.name} and their differences, with 95 % intervals",
    )
    csv(data(found, first, second), key=f"{key}-data", name=f"{first.name}-and-{second.name}")
    st.caption(" ".join(notes(view, found, first, second, max(sizes))))


def count_of(view: View, first: Filter, second: Filter, everyone: Filter | None) -> tuple[list[int], int]:
    """Faces of each group, and of both."""
    one = matching_faces(view, first)
    if everyone is not None:
        return [one, matching_faces(view, everyone) - one], 0
    return [one, matching_faces(view, second)], matching_faces(view, first.within(view.model, second))


def measured(view: View, first: Filter, second: Filter) -> dict[str, Contrast]:
    """By the keys of ROWS, without those that nothing is known of; of few faces, without intervals."""
    return _measured(view.stamp, view.model, first, second, view)


@st.cache_data(max_entries=64, show_spinner=False)
def _measured(
    stamp: tuple[str, int], model: str | None, first: Filter, second: Filter, _view: View
) -> dict[str, Contrast]:
    groups = [_columns(_view, where) for where in (first, second)]
    ids = np.union1d(groups[0][0], groups[1][0])
    inside = [np.isin(ids, face_id, assume_unique=True) for face_id, _ in groups]
    columns = {}
    for name in groups[0][1]:
        columns[name] = values = np.full(len(ids), math.nan)
        for among, (_, known) in zip(inside, groups, strict=True):
            values[among] = known[name]
    return {name: _trusted(row) for name, row in contrast_means(columns, *inside).items()}


def _columns(view: View, where: Filter) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Numbers of the faces of a group, and their values.

    Of more faces than `numbers` takes, these are the first by a hash of their numbers, whatever the group. So two large
    groups keep their shared faces in common, and what is drawn and resampled is the overlap of the samples, which is
    what moves both means.
    """
    scores = ["jsd", "nll"] if view.model else []
    voted = [*(["predicted", "majority"] if view.model else []), *scores, "disagreement"] if has_votes(view) else []
    found: Numbers = numbers_of(view, view.model, where, (*voted, *parts_of(view)))
    wanted = {"accuracy": correct(found)} if "predicted" in voted else {}
    wanted |= found.columns
    return found.face_id, {name: wanted[name] for name in ROWS if name in wanted}


def _trusted(row: Contrast) -> Contrast:
    """The same, where a group has few faces without the intervals that hang on it."""
    first, second = (_without_ends(e) if e.n < MIN_FACES else e for e in (row.first, row.second))
    few = min(first.n, second.n) < MIN_FACES
    return Contrast(first, second, _without_ends(row.difference) if few else row.difference)


def _without_ends(found: Estimate) -> Estimate:
    return replace(found, low=math.nan, high=math.nan)


def faces(row: Contrast) -> str:
    """n of both groups."""
    return f"{row.first.n:,} / {row.second.n:,}"


def headings(first: str, second: str) -> list[str]:
    """Short names, each unlike every other heading of the table.

    >>> headings("side", "side"), headings("n", "every face of the training split")
    (['side (first)', 'side (second)'], ['n (first)', 'every face of the training…'])
    """
    names = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1].strip()}…" for name in (first, second)]
    taken = ["difference", "n", *names]
    return [
        plain(f"{name} ({which})" if taken.count(name) > 1 else name)
        for name, which in zip(names, ("first", "second"), strict=True)
    ]


def data(found: dict[str, Contrast], first: Group, second: Group) -> pd.DataFrame:
    """The table for others to compute with."""
    called = {"first": first.name, "second": second.name, "difference": f"{first.name} - {second.name}"}
    return pd.DataFrame(
        [
            (name, title, e.value, e.low, e.high, e.n)
            for name, row in found.items()
            for title, e in ((title, getattr(row, part)) for part, title in called.items())
        ],
        columns=["statistic", "group", "value", "low", "high", "n (faces)"],
    )


def notes(view: View, found: dict[str, Contrast], first: Group, second: Group, largest: int) -> list[str]:
    """How to read the table, what chose the groups, and why something is missing in it."""
    said = [
        f"Value [95 % bootstrap interval] over n faces of each group; difference: {plain(first.name)} less "
        f"{plain(second.name)}. A face in both groups moves both means at once, which the interval of the difference "
        "takes into account."
    ]
    used = columns_in(first.where) | columns_in(second.where)
    outcome = "correct" in used or {"predicted", "majority"} <= used  # what decides who is right
    names = ["accuracy"] * (outcome and "accuracy" in found) + [
        SYMBOLS.get(name, "d" if name == "disagreement" else name.upper()) for name in found if name in used
    ]
    if names:
        said.append(f"The faces were chosen by {' and '.join(names)}, so the difference in it was chosen too.")
    if any(min(row.first.n, row.second.n) < MIN_FACES for row in found.values()):
        said.append(f"From fewer than {MIN_FACES} faces an interval would be a guess, so none is shown.")
    if largest > MOST_FACES:
        said.append(
            f"Of a group of more than {MOST_FACES:,} faces, {DRAWN:,} are drawn at random; the sizes are exact."
        )
    if view.samples == 1:
        said.append(f"No U_e: {plain(view.model)} draws one sample per face, so U_e is 0 for every face.")
    if not has_votes(view):
        said.append("No accuracy, JSD, NLL and d: they need annotators' votes, and this cache has none.")
    if any(math.isnan(row.difference.value) for row in found.values()):
        said.append(f"{DASH}: unknown for every face of a group.")
    return said
