"""From columns of a cache to an audit: what each group of faces gets, and how far that is from the rest."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cache.numbers import Numbers
from engine.metrics.audit import Audit, Pairs, audit
from engine.metrics.outcomes import top_label
from engine.metrics.rejection import kept_faces
from pages.charts.audit_quantities import QUANTITIES
from pages.findings.bins import Grouping
from pages.findings.rejection import correct, doubt

COLUMNS = (
    "predicted",
    "majority",
    "confidence",
    "u_aleatoric",
    "u_epistemic",
    "u_total",
    "jsd",
    "nll",
    "disagreement",
)
ORDERS = ("u_epistemic", "u_aleatoric", "u_total", "doubt")  # by what faces are handed over
HANDED = 0.25  # of the faces, as in Table 3 of Ghandeharioun et al. 2019
MINIMUM = 30  # faces; of fewer, an interval is itself a guess


def orders_of(samples: int) -> list[str]:
    """With one sample, U_e is 0 for every face and orders nothing."""
    return [order for order in ORDERS if order != "u_epistemic" or samples > 1]


def measures(faces: Numbers, samples: int, handed: float = HANDED, order: str | None = None) -> dict[str, np.ndarray]:
    """What is known of each face, by the names of QUANTITIES, (n,) each; without a quantity that no face has.

    faces: with COLUMNS. samples: S of the model; 1 leaves U_e out, which is 0 then. handed: share of these faces that
    goes to a person, those with the highest `order`, one of orders_of; at first U_e, or U_a where there is none.
    """
    found = dict(faces.columns)
    by = order or orders_of(samples)[0]
    found |= {"accuracy": correct(faces), "handed": over(doubt(faces, by), handed)}
    if samples == 1:
        del found["u_epistemic"]
    return {name: found[name] for name in QUANTITIES if name in found and not np.isnan(found[name]).all()}


def over(doubts: np.ndarray, handed: float) -> np.ndarray:
    """1 for the faces handed over, those with the highest doubts, else 0, (n,); of equal ones, the last go first.

    >>> over(np.array([0.1, 0.9, 0.5, 0.3]), 0.25)
    array([0., 1., 0., 0.])
    """
    found = np.ones(len(doubts))
    found[np.argsort(doubts, kind="stable")[: kept_faces(1 - handed, len(doubts))]] = 0.0
    return found


def pairs_of(faces: Numbers) -> Pairs | None:
    """What the calibration error over <annotation, face> pairs needs of each face; None without any votes.

    faces: with probs and votes.
    """
    if faces.probs is None or faces.votes is None:
        return None
    known = np.nan_to_num(faces.votes).sum(axis=1) > 0
    if not known.any():
        return None
    columns = np.full((3, len(faces)), np.nan)
    found = top_label(faces.probs[known], faces.votes[known])
    columns[:, known] = found.confidence, found.correct, found.weight
    return Pairs(*columns)


def audit_faces(
    faces: Numbers,
    groups: Grouping,
    samples: int,
    *,
    handed: float = HANDED,
    order: str | None = None,
    minimum: int = MINIMUM,
    permutations: int = 1000,
) -> Audit:
    """Every quantity of every group with 95 % intervals, its gap to the rest, and tests.

    faces: COLUMNS, probs and votes. groups: of the same faces in the same order. The rest as in `measures` and
    engine.metrics.audit. The quantities of the answer are those of QUANTITIES that are known of some face, in that
    order, but for ECE, which comes last.
    """
    columns = measures(faces, samples, handed, order)
    return audit(
        groups.index,
        len(groups.names),
        columns,
        pairs=pairs_of(faces),
        minimum=minimum,
        permutations=permutations,
    )


def reasons(groups: Grouping, why: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Why faces are in no group, most frequent first: reason -> faces.

    why: for each attribute of the grouping whose reasons are recorded, (n,) text or None.
    """
    missing = groups.unknown & (groups.index < 0)
    told = np.full(len(groups.index), None, dtype=object)
    for texts in why.values():
        told = np.where(pd.isna(told), texts, told)
    found = pd.Series(told[missing]).fillna("unknown").value_counts()  # of two attributes the first reason there is
    counted = {str(reason): int(n) for reason, n in found.items()}
    return counted | ({"a rarer value": groups.rare} if groups.rare else {})
