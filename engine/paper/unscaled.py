"""The first paper's models on pixels left at 0..255: whether that one change gives all of its numbers.

    python -m engine explain-gap ferplus:PATH --what uncnet --out docs/gap-uncnet.json

Heads are trained and chosen as the shipped ones are, on train and validation alone; then the paper's tables 2 and 3 and
its correlations are measured on test, once.
"""

import json
from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from engine.config import HeadConfig
from engine.estimators.head import Head
from engine.features import Split
from engine.metrics.uncertainty import decompose
from engine.models import UNCNET_SAMPLES
from engine.paper.gap import LAYER, RATES, Input, draw, embed, unscaled
from engine.paper.measure import Line, correlation_lines, jsd, table2, table3
from engine.scored import Scored
from engine.train_heads import Run, fit, sample

Say = Callable[[str], None]


def on_unscaled_pixels(spec: str, say: Say, seed: int = 0) -> list[Line]:
    """Tables 2 and 3 and the correlations of 'baseline' and 'uncnet'. Raises SourceProblem."""
    drawn = {split: draw(spec, split, None, seed) for split in ("train", "validation", "test")}
    splits = {}
    for name, faces in drawn.items():
        splits[name] = Split(embed(Input(scaling=unscaled), faces.images), faces.votes)
        say(f"{name}: features of {len(faces.votes):,} faces")
    models = {}
    for name, rates in (("baseline", (0.0,)), ("uncnet", HeadConfig().dropouts)):
        runs = [Run(LAYER, dropout, rate, seed) for dropout in rates for rate in RATES]
        outcomes = [fit(run, splits["train"], splits["validation"], HeadConfig()) for run in runs]
        best = min(outcomes, key=lambda outcome: outcome.scores["nll"])
        say(f"{name}: {best.record}")
        models[name] = scored(best.head, splits["test"])
    lines = [*table2(models), *table3(models), *correlation_lines(models), *jsd(models)]
    return [line for line in lines if line.paper is not None]


def scored(head: Head, split: Split) -> Scored:
    """What a cache would hold of a model on these faces."""
    probs = sample(head, split.features, UNCNET_SAMPLES)
    triple = decompose(probs)
    parts = {"u_total": triple.total, "u_aleatoric": triple.aleatoric, "u_epistemic": triple.epistemic}
    return Scored(split.votes, probs.mean(1, dtype=np.float64), parts)


def to_json(lines: list[Line]) -> str:
    return json.dumps([asdict(line) for line in lines], indent=1) + "\n"
