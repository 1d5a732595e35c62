"""How the Calibration page counts: which models, against what, in which bins. Every choice is in the URL."""

from dataclasses import dataclass
from typing import Literal

from engine.metrics.calibration import Against, Edges
from pages.findings.calibration import BINS, sibling
from pages.widgets.bound import select, several, slider, switch
from pages.widgets.caches import View
from pages.widgets.wording import plain

MOST_BESIDE = 3  # more lines than four in one diagram cannot be told apart
FEWEST_BINS, MOST_BINS = 5, 50
PREDICTED = "the predicted one"
TEMPERATURES = ("as built", "scaled", "both")


@dataclass(frozen=True)
class Options:
    """What was chosen."""

    models: tuple[str, ...]  # the page's own first
    against: Against = "pairs"
    target: int | None = None  # index of a class; None: of each face the predicted one
    bins: int = BINS
    edges: Edges = "width"
    temperature: Literal["as built", "scaled", "both"] = "as built"


def choose_options(view: View, can_scale: bool) -> Options:
    """Draw the controls. can_scale: whether a temperature could be fitted; else none is offered."""
    models = beside(view)
    against = switch("Right means", ("pairs", "majority"), key="against", default="pairs", help=AGAINST)
    classes = view.cache.classes
    target = select("Class", (PREDICTED, *classes), key="class", default=PREDICTED, help=CLASS)
    edges = switch("Bins of equal", ("width", "mass"), key="edges", default="width", help=EDGES)
    bins = slider("Bins", FEWEST_BINS, MOST_BINS, key="bins", default=BINS)
    offered = TEMPERATURES if can_scale else TEMPERATURES[:1]
    temperature = switch("Temperature", offered, key="temperature", default=offered[0], help=TEMPERATURE)
    return Options(
        (str(view.model), *models),
        against,
        None if target == PREDICTED else classes.index(target),
        bins,
        edges,
        temperature,
    )


def beside(view: View) -> list[str]:
    """Models to draw beside the page's own; at first the one that the paper compares with, where there is one."""
    others = [model for model in view.cache.models if model != view.model]
    if not others:
        return []
    first = sibling(view.cache.manifest.models, str(view.model), others)
    return several(
        f"Beside {plain(view.model)}",
        others,
        key="with",
        default=[first] if first else [],
        most=MOST_BESIDE,
        placeholder="none",
    )


AGAINST = (
    "Pairs: every vote of a face is one pair of annotation and face, so a face is right to the share of its votes on "
    "the class. Majority: right or wrong against the most frequent class; faces whose votes tie are left out."
)
CLASS = "Confidence in the predicted class, or in one class on every face, predicted or not."
EDGES = "Equal width: .0 to .1, .1 to .2 and so on. Equal mass: equal numbers of faces, by rank of confidence."
TEMPERATURE = (
    "Divide the logarithms of the probabilities by one number T, fitted to the votes of the validation faces by "
    "negative log-likelihood. T above 1: the model was too sure."
)
