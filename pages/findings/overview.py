"""What the Overview page and the report say of the models of a cache: the headline statistics, and the histograms."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from cache.filters import Filter
from cache.reader import UNCERTAINTIES, Cache
from engine.metrics.bootstrap import Estimate
from pages.widgets.wording import DASH, KINDS, SYMBOLS

EVERY_FACE = "all"  # in place of a split
METRICS = (
    "accuracy",
    "jsd",
    "nll",
    *UNCERTAINTIES,
    *(f"{kind}_{KINDS[part]}" for kind in ("spearman", "pearson") for part in UNCERTAINTIES),
)
READING = (
    "Value [95 % bootstrap interval] over n faces. Accuracy is the share of faces with the annotators' most "
    "frequent class. JSD (Jensen-Shannon divergence) and NLL (negative log-likelihood) compare with all their "
    "votes; lower is better. d, their disagreement, is the chance that two of them differ about the face."
)
MEANING = """
**U_a**, aleatoric uncertainty, is the doubt that each sample of the model has by itself: the face looks like more than
one expression, as people who look at it may find too. **U_e**, epistemic uncertainty, is how far the samples contradict
each other: a sign that the model has seen too few faces like this one. Their sum is **U_t**, the entropy of the mean
prediction. More faces to learn from should lower U_e and leave U_a; in practice both rise on faces unlike those of the
training. Neither says that an answer is wrong, U_e is blind to what all samples missed together, and none of the three
says what a person feels.
"""


@dataclass(frozen=True)
class Headline:
    """Every headline statistic of every model on one split; None where the build has none."""

    models: tuple[str, ...]
    rows: Mapping[str, tuple[Estimate | None, ...]]  # metric -> one per model

    @property
    def shared(self) -> bool:
        """Whether all models have scored the same faces, so that one number of faces stands for a row."""
        return all(len({row.n for row in found if row is not None}) <= 1 for found in self.rows.values())

    @property
    def gaps(self) -> bool:
        """Whether a statistic of a model is unknown."""
        return any(row is None or not math.isfinite(row.value) for found in self.rows.values() for row in found)


def headline(cache: Cache, split: str) -> Headline | None:
    """None where the build has no statistics of the split; 'all' is every face."""
    table = cache.summary()
    table = table[table.split == split]
    if table.empty:
        return None
    known = {(r.model, r.metric): Estimate(r.value, r.low, r.high, int(r.n)) for r in table.itertuples()}
    models = cache.models
    return Headline(models, {metric: tuple(known.get((m, metric)) for m in models) for metric in METRICS})


def faces_behind(found: Sequence[Estimate | None]) -> str:
    """Faces behind a row, which all models share."""
    return next((f"{row.n:,}" for row in found if row is not None), DASH)


def why_unknown(cache: Cache, voted: bool, said: Callable[[object], str] = str) -> str:
    """Why statistics of the headline may be missing.

    voted: whether any face has votes. said: writes text of the data as the reader's markup needs it.
    """
    infos = cache.manifest.models
    reasons = [] if voted else ["it needs annotators' votes, and this cache has none"]
    if partial := [m for m in cache.models if infos[m].faces is not None]:
        have = "has" if len(partial) == 1 else "have"
        reasons.append(f"{', '.join(map(said, partial))} {have} scored too few of these faces")
    if single := [m for m in cache.models if infos[m].samples == 1]:
        draw = "draws" if len(single) == 1 else "draw"
        reasons.append(f"{', '.join(map(said, single))} {draw} one sample, so U_e is 0 and correlates with nothing")
    return f"{DASH}: {'; or '.join([*reasons, 'the build did not compute it'])}."


def mean_triple(cache: Cache, model: str, split: str) -> dict[str, float]:
    """Mean of each part of the triple over the faces of a split, in nats, where the build knows it."""
    known = cache.summary()
    known = known[(known.model == model) & (known.split == split)].set_index("metric").value
    return {part: float(known[part]) for part in UNCERTAINTIES if part in known}


def triple_bins(cache: Cache, model: str, where: Filter) -> dict[str, pd.DataFrame]:
    """Columns low, high, faces of each part of the triple; without U_e for a model of one sample, where it is 0."""
    parts = [part for part in UNCERTAINTIES if part != "u_epistemic" or cache.manifest.models[model].samples > 1]
    return {part: cache.histogram(model, part, where, bins=40) for part in parts}


def split_filter(split: str) -> Filter:
    """The faces of a split; 'all' is every face."""
    return Filter(splits=() if split == EVERY_FACE else (split,))


def triple_table(bins: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The data behind the histograms."""
    parts = [counts.assign(part=SYMBOLS[part]) for part, counts in bins.items()]
    called = {"low": "low (nats)", "high": "high (nats)"}
    return pd.concat(parts)[["part", "low", "high", "faces"]].rename(columns=called)
