"""What the Calibration page and the report compute: reliability curves and calibration errors of a model's versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cache.filters import Filter
from cache.manifest import ModelInfo
from cache.numbers import Numbers
from engine.metrics.bootstrap import Estimate, Resamples
from engine.metrics.calibration import Against, Edges, calibration_errors, one_class, reliability, top_label
from engine.metrics.temperature import fit_temperature, rescale

BINS = 10
VALIDATION = "validation"  # the split that temperatures are fitted to, and no other
VOTED = Filter(splits=(VALIDATION,), ranges=(("n_votes", 1, 1e9),))
COUNTED = (
    "Value [95 % interval]. The errors take the chosen number of bins, but always of equal width (ACE and TACE: of "
    "equal mass) and for all classes, whatever 'Bins of equal' and 'Class' say. The intervals reach further down than "
    "up, because noise only widens gaps; MCE's hangs on one bin and is unreliable."
)
ERRORS = {"ece": "ECE, %", "mce": "MCE, %", "sce": "SCE, %", "ace": "ACE, %", "tace": "TACE, %", "brier": "Brier score"}
COMPARED = (
    "All compare the mean confidence with the share right; 0 is perfect. With few faces all are too high, because "
    "chance alone opens gaps."
)
MEANINGS = {
    "ECE": "expected: the mean gap of the predicted class over the bins, weighted by their faces.",
    "MCE": "maximum: the widest of those gaps; one bin with few faces decides it.",
    "SCE": "static: as ECE, but over the bins of every class, not of the predicted one alone.",
    "ACE": "adaptive: the plain mean of the gaps over ranges of equal numbers of faces, of every class.",
    "TACE": "thresholded: as ACE, leaving out the probabilities of at most 0.001.",
    "Brier score": "mean squared distance of the probabilities from the single votes, or from the most frequent class.",
}


@dataclass(frozen=True)
class Version:
    """A model as it was built, or rescaled by a temperature fitted to n validation faces."""

    model: str
    temperature: float | None = None
    n: int = 0

    @property
    def name(self) -> str:
        return self.model if self.temperature is None else f"{self.model}, T = {self.temperature:.2f}"


@dataclass(frozen=True)
class Counting:
    """How the faces are counted."""

    against: Against = "pairs"
    target: int | None = None  # index of a class; None: of each face the predicted one
    bins: int = BINS
    edges: Edges = "width"


def fitted(model: str, faces: Numbers) -> Version:
    """The model at the temperature that fits these faces best. faces: with probs and votes, all of them VOTED."""
    return Version(model, fit_temperature(read(faces.probs), read(faces.votes)), len(faces))


def probabilities(faces: Numbers, version: Version) -> np.ndarray:
    """(n, C). faces: with probs."""
    probs = read(faces.probs)
    return probs if version.temperature is None else rescale(probs, version.temperature)


def curve(faces: Numbers, version: Version, counting: Counting) -> dict[str, np.ndarray]:
    """The bins of one line of the diagram, as engine.metrics.calibration.reliability. faces: with probs and votes."""
    probs = probabilities(faces, version)
    if counting.target is None:
        outcomes = top_label(probs, read(faces.votes), counting.against)
    else:
        outcomes = one_class(probs, read(faces.votes), counting.against, counting.target)
    return reliability(outcomes, counting.bins, counting.edges, Resamples(len(outcomes.confidence)))


def errors(faces: Numbers, version: Version, against: Against, bins: int) -> dict[str, Estimate]:
    """By the names of ERRORS. faces: with probs and votes."""
    return calibration_errors(probabilities(faces, version), read(faces.votes), against, bins, bins)


def read(columns: np.ndarray | None) -> np.ndarray:
    """Raises ValueError where faces were read without what is needed."""
    if columns is None:
        raise ValueError("Expected faces with probs and votes but got none of them")
    return columns


def confidence_bins(confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges (B + 1,) of twice BINS bins from 0 to 1, and the faces in each, (B,)."""
    edges = np.linspace(0, 1, BINS * 2 + 1)
    return edges, np.histogram(confidence, edges)[0]


def sibling(infos: Mapping[str, ModelInfo], model: str, others: Sequence[str]) -> str | None:
    """The model called baseline, or else one that makes no samples on the same backbone: what sampling is judged by."""
    if "baseline" in others:
        return "baseline"
    if infos[model].samples == 1:
        return None
    own = infos[model].backbones[:1]
    return next((m for m in others if own and infos[m].samples == 1 and infos[m].backbones[:1] == own), None)
