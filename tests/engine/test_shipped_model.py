"""The weights that ship, on real faces they have never seen."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from engine import models
from engine.backbones.compact import INPUTS
from engine.backbones.facenet import INPUTS as FACENET_INPUTS
from engine.backbones.facenet import prepare
from engine.metrics.annotators import disagreement, majority, vote_distribution
from engine.metrics.uncertainty import decompose
from engine.sources import open_source
from engine.sources.rows import Item
from engine.train import load_examples
from engine.weights.facenet import stored

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


@pytest.mark.skipif(DATA is None, reason="DOUBTSCOPE_TEST_DATA does not say where ferplus.zip is")
@pytest.mark.skipif(not stored("casia-webface").exists(), reason="no trunk: python -m engine weights casia-webface")
def test_the_first_papers_models_on_ferplus_test():
    """400 faces: the real trunk, the heads that ship, and the triple they give."""
    entries = open_source(f"ferplus:{Path(str(DATA)) / 'ferplus.zip'}").entries()
    faces = [e for e in entries if isinstance(e, Item) and e.split == "test"][:400]
    pixels = torch.from_numpy(np.stack([prepare(face.load()) for face in faces]))
    votes = np.array([face.votes for face in faces], dtype=float)
    engine = models.load(models.UNCNET, "cpu", "fp32")
    found = {name: [] for name in models.UNCNET}
    for part in pixels.split(16):
        features = engine.features({FACENET_INPUTS: part}, engine.models["uncnet"].backbones)
        for name, model in engine.models.items():
            found[name].append(model.predict(features).numpy())
    leading = majority(votes)
    for name, parts in found.items():
        probs = np.concatenate(parts)
        triple = decompose(probs)
        accuracy = (probs.mean(1).argmax(1) == leading)[leading >= 0].mean()
        rho = spearmanr(triple.aleatoric, disagreement(vote_distribution(votes))).statistic
        assert accuracy > 0.74 and rho > 0.5, name
        assert (triple.epistemic.max() == 0) == (name == "baseline")
