"""Heads learn what the features hold, from their seed alone, and never see the test split."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cache.errors import CacheError
from engine.config import HeadConfig
from engine.features import Split
from engine.train_heads import Outcome, Run, best, fit, sample, validation_scores

CONFIG = replace(HeadConfig(), epochs=12, patience=4, batch=32)
RUN = Run("any", 0.0, 3e-3, 0)


def faces(n: int, seed: int) -> Split:
    """Four classes that lie apart in 20 dimensions, ten votes each, some of them astray."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(0, 2, (4, 20))
    truth = rng.integers(4, size=n)
    features = (centres[truth] + rng.normal(0, 1, (n, 20))).astype(np.float16)
    shares = 0.75 * np.eye(4)[truth] + 0.25 / 4
    return Split(features, np.stack([rng.multinomial(10, p) for p in shares]).astype(float))


@pytest.fixture(scope="module")
def split() -> tuple[Split, Split]:
    return faces(600, 0), faces(300, 1)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_it_learns(split, dropout):
    outcome = fit(replace(RUN, dropout=dropout), *split, CONFIG)
    prior = split[0].targets.mean(0)
    assert outcome.scores["accuracy"] > 0.9
    assert outcome.scores["nll"] < -(split[1].targets @ np.log(prior)).mean() - 0.3
    probs = sample(outcome.head, split[1].features, 10)
    assert probs.shape == (300, 1 if dropout == 0 else 10, 4)
    assert validation_scores(probs, split[1].votes)["accuracy"] > 0.9


def test_the_seed_decides(split):
    first, again, other = (fit(replace(RUN, seed=seed), *split, replace(CONFIG, epochs=2)) for seed in (1, 1, 2))
    assert all(torch.equal(first.state[name], again.state[name]) for name in first.state)
    assert not torch.equal(first.state["first.weight"], other.state["first.weight"])


def test_the_best_epoch_is_kept(split):
    """Trained far too long at far too high a rate, the kept head is still the best one seen."""
    hasty = replace(RUN, learning_rate=0.1)
    long = fit(hasty, *split, replace(CONFIG, epochs=12, patience=12))
    short = fit(hasty, *split, replace(CONFIG, epochs=long.scores["epoch"]))
    assert long.scores == short.scores
    assert 1 <= long.scores["epoch"] <= 12


def test_kept_weights_are_those_that_are_exported(split):
    state = fit(RUN, *split, replace(CONFIG, epochs=1)).state
    assert all(torch.equal(value, value.half().float()) for value in state.values())


def test_best_is_the_lowest_mean_over_seeds():
    def outcome(dropout: float, seed: int, nll: float) -> Outcome:
        return Outcome(Run("any", dropout, 1e-3, seed), {}, {"nll": nll})

    sweep = [outcome(0.1, 0, 0.9), outcome(0.1, 1, 0.9), outcome(0.5, 0, 0.7), outcome(0.5, 1, 1.3)]
    assert best(sweep) == (0.1, 1e-3)


def test_a_cache_without_features(tmp_path):
    from engine.train_heads import train_head
    from tests import synthetic

    with pytest.raises(CacheError, match="--features facenet-casia-webface-mixed-7a"):
        train_head(Run(HeadConfig.backbone, 0.0, 1e-3, 0), synthetic.write(tmp_path / "c", 20), CONFIG)
