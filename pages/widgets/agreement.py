"""What the Disagreement page measures on the faces shown: d, the parts of the triple, the ceiling, correlations."""

from collections.abc import Mapping
from math import nan
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from cache.filters import Filter
from cache.numbers import Numbers
from engine.metrics.bootstrap import Estimate
from engine.metrics.ceiling import noise_ceiling
from engine.metrics.correlation import correlations
from pages.charts.agreement import METHODS, SHAPES
from pages.widgets.caches import View
from pages.widgets.measured import MIN_FACES, numbers_of

HALVED, MOST_SPLITS = 50_000, 50  # for one ceiling: by the draw of halves it moves far less than its interval is wide


def parts_of(view: View) -> list[str]:
    """The parts of the triple that can follow anything: with one sample, U_e is 0 for every face."""
    return [part for part in SHAPES if view.model and (part != "u_epistemic" or view.samples > 1)]


def faces_of(view: View, where: Filter) -> Numbers:
    """Split, d, the parts and the votes of the faces shown."""
    return numbers_of(view, view.model, where, ("split", "disagreement", *parts_of(view)), votes=True)


def voted(faces: Numbers) -> np.ndarray:
    """Which of them have a d, (n,) bool."""
    return ~np.isnan(faces.columns["disagreement"])


class Followed(NamedTuple):
    """How closely one part follows d on n faces, raw and in percent of the ceiling's value; NaN where unknown."""

    part: str
    method: str
    r: float
    low: float
    high: float
    n: int
    ceiling: float
    ceiling_low: float
    ceiling_high: float
    share: float
    share_low: float
    share_high: float


def correlate(
    columns: Mapping[str, np.ndarray], ceilings: Mapping[str, Estimate], resamples: int = 1000
) -> list[Followed]:
    """Correlation of each part with d beside the ceiling, by each method of `ceilings`.

    columns: 'disagreement' and parts, (n,) each. Too few faces or a constant part leave r unknown, and no ceiling the
    share. A share's interval divides the ends of r's by the ceiling's value.
    """
    parts = {part: columns[part] for part in SHAPES if part in columns}
    found = []
    for method, top in ceilings.items():
        for part, r in correlations(parts, columns["disagreement"], method, resamples).items():
            shares = (100 * value / top.value for value in (r.value, r.low, r.high))
            found.append(Followed(part, method, r.value, r.low, r.high, r.n, top.value, top.low, top.high, *shares))
    return found


def ceilings(view: View, where: Filter) -> dict[str, Estimate]:
    """The noise ceiling by either coefficient, remembered like every statistic here; unknown from few faces."""
    return _ceilings(view.stamp, view.model, where, view)


@st.cache_data(max_entries=64, show_spinner=False)
def _ceilings(stamp: tuple[str, int], model: str | None, where: Filter, _view: View) -> dict[str, Estimate]:
    votes = faces_of(_view, where).votes
    splits = min(MOST_SPLITS, max(2, HALVED // max(1, len(votes))))
    return trusted(noise_ceiling(votes, splits, METHODS))


def trusted(found: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """The same estimates, unknown where they stand on few faces."""
    return {name: e if e.n >= MIN_FACES else Estimate(nan, nan, nan, e.n) for name, e in found.items()}


def correlated(view: View, where: Filter) -> pd.DataFrame:
    """`correlate` of the faces shown, one row per method and part; of few faces, r alone."""
    return _correlated(view.stamp, view.model, where, view)


@st.cache_data(max_entries=64, show_spinner=False)
def _correlated(stamp: tuple[str, int], model: str | None, where: Filter, _view: View) -> pd.DataFrame:
    found = correlate(faces_of(_view, where).columns, ceilings(_view, where))
    return without_claims(pd.DataFrame(found, columns=Followed._fields))


def without_claims(found: pd.DataFrame) -> pd.DataFrame:
    """The same rows, where they stand on few faces without interval, ceiling and share."""
    claims = [*(f"{of}{end}" for of in ("ceiling", "share") for end in ("", "_low", "_high")), "low", "high"]
    found[claims] = found[claims].mask(found.n < MIN_FACES)
    return found
