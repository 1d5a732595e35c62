"""The weights that ship, on real faces they have never seen."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from engine import models
from engine.backbones.compact import INPUTS
from engine.metrics.annotators import disagreement, majority, vote_distribution
from engine.metrics.uncertainty import decompose
from engine.train import load_examples

DATA = os.environ.get("DOUBTSCOPE_TEST_DATA")


def test_rendered_faces_of_unseen_people_are_recognised():
    examples = load_examples("probe:", "test")
    engine = models.load(("compact-ensemble",), "cpu")
    model = engine.models["compact-ensemble"]
    probs = model.predict(engine.features({INPUTS: torch.from_numpy(examples.pixels)}, model.backbones)).numpy()
    assert probs.shape == (len(examples.pixels), 50, 8)
    chance = np.bincount(examples.targets.argmax(1)).max() / len(probs)
    assert (probs.mean(1).argmax(1) == examples.targets.argmax(1)).mean() > chance + 0.2


@pytest.mark.skipif(DATA is None, reason="DOUBTSCOPE_TEST_DATA does not say where ferplus.zip is")
def test_ferplus_test_split():
    examples = load_examples(f"ferplus:{Path(str(DATA)) / 'ferplus.zip'}", "test")
    assert len(examples.pixels) == 3_579
    engine = models.load(("compact-ensemble",), "cpu")
    model = engine.models["compact-ensemble"]
    batches = torch.from_numpy(examples.pixels).split(64)
    probs = np.concatenate([model.predict(engine.features({INPUTS: x}, model.backbones)).numpy() for x in batches])
    votes = np.rint(examples.targets * 840)  # any common multiple restores the ranks
    leading = majority(votes)
    accuracy = (probs.mean(1).argmax(1) == leading)[leading >= 0].mean()
    aleatoric = decompose(probs).aleatoric
    rho = spearmanr(aleatoric, disagreement(vote_distribution(examples.targets))).statistic
    assert accuracy > 0.83 and rho > 0.63
