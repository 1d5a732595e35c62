"""What a model was sure of and whether it was right, on the faces whose annotators can say.

Two targets. Against "pairs", each vote of a face is one <annotation, sample> pair, as in Ghandeharioun et al.
2019: a face is right to the share of its votes that fell on the class, and weighs as many votes as it has.
Against "majority", a face is right or not against its most frequent class; faces with a tie are left out.
Faces without votes are left out of both. Confidences are taken as they are given, not renormalised, so that
one on the edge of a bin stays there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.annotators import majority, vote_distribution
from engine.metrics.checks import Floats, as_column, as_probabilities, check_shape

Against = Literal["pairs", "majority"]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """How sure of a class a model was, and whether it was right, on the faces where that is known.

    confidence, correct: (n,) within [0, 1]; weight: (n,) above 0, in votes ("pairs") or 1 ("majority").
    Raises ValueError naming what lies outside.
    """

    confidence: Floats
    correct: Floats
    weight: Floats

    def __post_init__(self) -> None:
        length = len(as_column(self.confidence, "confidence"))
        for name, allowed in (("confidence", "from 0 to 1"), ("correct", "from 0 to 1"), ("weight", "above 0")):
            column = as_column(getattr(self, name), name, length)
            bad = ~(column > 0) if name == "weight" else ~((column >= 0) & (column <= 1))
            if bad.any():
                face = int(bad.argmax())
                raise ValueError(f"Expected {name} {allowed} but face {face} has {column[face]:g}")
            object.__setattr__(self, name, column)

    @property
    def independent(self) -> bool:
        """Whether each face is one trial, right or wrong: then their share has a binomial interval."""
        return bool(np.isin(self.correct, (0.0, 1.0)).all() and (self.weight == self.weight[:1]).all())


def top_label(probs: ArrayLike, votes: ArrayLike, against: Against = "pairs") -> Outcomes:
    """Outcomes of the predicted class: the most probable one, the first of them if they tie.

    probs: (N, C), rows sum to 1 within 1e-4. votes: (N, C) counts; zeros or NaN mean unknown.
    Raises ValueError on other shapes, a row that is not a distribution, impossible votes or another target.

    >>> top_label([[0.8, 0.2], [0.4, 0.6]], [[3, 1], [0, 0]])
    Outcomes(confidence=array([0.8]), correct=array([0.75]), weight=array([4.]))
    """
    p, target, weight = known_targets(probs, votes, against)
    face, top = np.arange(len(p)), p.argmax(axis=1)
    return Outcomes(p[face, top], target[face, top], weight)


def one_class(probs: ArrayLike, votes: ArrayLike, against: Against, c: int) -> Outcomes:
    """Outcomes of class c on every face, whichever class is predicted. Arguments as for top_label.

    >>> one_class([[0.8, 0.2], [0.4, 0.6]], [[3, 1], [1, 1]], "majority", 1)
    Outcomes(confidence=array([0.2]), correct=array([0.]), weight=array([1.]))
    """
    p, target, weight = known_targets(probs, votes, against)
    if not 0 <= c < p.shape[1]:
        raise ValueError(f"Expected a class from 0 to {p.shape[1] - 1} but got {c}")
    return Outcomes(p[:, c], target[:, c], weight)


def known_targets(probs: ArrayLike, votes: ArrayLike, against: Against) -> tuple[Floats, Floats, Floats]:
    """Probabilities (n, C), targets (n, C) and weights (n,) of the faces whose annotators can say."""
    if against not in ("pairs", "majority"):
        raise ValueError(f"Expected against to be 'pairs' or 'majority' but got {against!r}")
    p, counts = np.asarray(probs, dtype=np.float64), np.asarray(votes, dtype=np.float64)
    check_shape(p, "probs", ("N", "C"))
    if p.shape != counts.shape:
        raise ValueError(f"Expected probs and votes of one shape but got {p.shape} and {counts.shape}")
    as_probabilities(p, "probs")
    if against == "pairs":
        target = vote_distribution(counts)
        known = ~np.isnan(target[:, 0])
        weight = counts[known].sum(axis=1)
    else:
        chosen = majority(counts)
        target = (chosen[:, None] == np.arange(p.shape[1])).astype(np.float64)
        known = chosen >= 0
        weight = np.ones(int(known.sum()))
    return np.minimum(p[known], 1.0), target[known], weight
