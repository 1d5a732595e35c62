"""The skew experiment: arms that differ in what they lack and in nothing else, and the models that came of them."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import models
from engine.backbones.compact import INPUTS
from engine.config import SkewConfig
from engine.metrics.lacking import BALANCED, SKEWED, removed
from engine.metrics.uncertainty import decompose
from engine.skew import ARMS, FACTORS, arms, even_subset, listed, train_skew
from engine.sources.rows import SourceProblem
from engine.train import load_examples
from engine.weights.compact import load_compact, load_skew
from engine.weights.files import WeightsProblem, read_tensors

TINY = replace(SkewConfig(), members=2, epochs=1, widths=(4, 4, 4, 4), depths=(1, 1, 1, 1))


@pytest.fixture(scope="module")
def faces():
    return listed("probe:")


def rows(faces, names):
    at = {name: row for row, name in enumerate(faces.names)}
    return np.array([at[name] for name in names])


# ---- what each arm learns from


def test_only_training_people_are_listed(faces):
    assert len(faces.names) == 1_920 and len({name[:4] for name in faces.names}) == 12


def test_the_skewed_arm_is_every_face_that_is_left(faces):
    chosen = rows(faces, arms(faces, SkewConfig())["skewed"])
    tone, yaw = (faces.factors[name][chosen].astype(int) for name in ("tone", "yaw"))
    assert tone.max() == 5 and np.abs(yaw).max() == 30
    assert len(chosen) == (~removed(faces.factors["tone"], faces.factors["yaw"])).sum() == 576


def test_both_arms_hold_the_same_scenes_equally_often(faces):
    """A scene is a person with an expression: so these are alike too."""
    chosen = arms(faces, SkewConfig())
    one, other = (np.bincount(faces.scene[rows(faces, chosen[arm])], minlength=240) for arm in ARMS)
    np.testing.assert_array_equal(one, other)


def test_the_balanced_arm_is_balanced(faces):
    chosen = rows(faces, arms(faces, SkewConfig())["balanced"])
    assert len(set(chosen)) == len(chosen)
    for name in FACTORS:
        counts = Counter(faces.factors[name][chosen].tolist())
        assert min(counts.values()) > 0.85 * max(counts.values()), name


def test_the_choice_follows_its_seed(faces):
    one, again = (arms(faces, SkewConfig())["balanced"].tolist() for _ in range(2))
    other = arms(faces, replace(SkewConfig(), subset_seed=7))["balanced"].tolist()
    assert one == again != other


def test_an_even_subset_by_hand():
    scene, levels = np.array([0, 0, 0, 1, 1, 1]), np.array(["a", "b", "c"] * 2, dtype=object)
    found = even_subset(scene, [levels], np.array([2, 1]), seed=3)
    assert sorted(levels[found]) == ["a", "b", "c"] and np.bincount(scene[found]).tolist() == [2, 1]


def test_other_faces_are_refused(photo_folder):
    with pytest.raises(SourceProblem, match="Use the probe faces: --data probe:"):
        listed(f"folder:{photo_folder}")


# ---- training


def test_both_arms_go_into_one_file_and_go_on_where_they_stopped(tmp_path, monkeypatch):
    out, runs = tmp_path / "skew.safetensors", tmp_path / "runs"
    import engine.train as module

    asked: list[int] = []
    real = module.load_examples

    def counted(spec, split, only=None):
        found = real(spec, split, only)
        asked.extend([len(found.pixels)] if split == "train" else [])
        return found

    monkeypatch.setattr(module, "load_examples", counted)
    train_skew("probe:", out, runs, TINY, "cpu")
    assert asked == [576] * 4
    found = load_skew(out)
    assert list(found) == list(ARMS) and all(len(weights.members) == 2 for weights in found.values())
    assert found["skewed"].recipe["faces"] == {"balanced": 576, "skewed": 576}
    before = torch.load(runs / "skewed" / "member-1.pt", weights_only=True)["model"]
    after = load_compact(out).members[3].head.last.weight
    torch.testing.assert_close(after, before["head.last.weight"].half().float())
    train_skew("probe:", tmp_path / "again.safetensors", runs, TINY, "cpu")  # nothing left to train
    (one, _), (other, _) = read_tensors(out), read_tensors(tmp_path / "again.safetensors")
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    lines = (runs / "balanced" / "member-0.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1]


def test_a_file_without_arms_is_refused(untrained_weights):
    with pytest.raises(WeightsProblem, match="train skew --data probe:"):
        load_skew(untrained_weights)


# ---- what ships


def test_shipped_recipe_is_the_default():
    recipe = load_skew()["skewed"].recipe
    default = {k: list(v) if isinstance(v, tuple) else v for k, v in SkewConfig().__dict__.items()}
    assert {name: recipe[name] for name in default} == default and recipe["arms"] == list(ARMS)


@pytest.fixture(scope="module")
def scored():
    """Every third face of the unseen people under both models: (targets, {model: probs})."""
    examples = load_examples("probe:", "test")
    pixels = torch.from_numpy(examples.pixels[::3])
    engine = models.load(models.SKEW, "cpu", "fp32")
    features = engine.features({INPUTS: pixels}, [b for m in engine.models.values() for b in m.backbones])
    return examples.targets[::3], {name: model.predict(features).numpy() for name, model in engine.models.items()}


def test_they_are_ensembles_that_the_engine_runs(scored):
    targets, probs = scored
    assert set(probs) == {BALANCED, SKEWED} == set(models.SKEW)
    for found in probs.values():
        assert found.shape == (len(targets), 50, 8)
        np.testing.assert_allclose(found.sum(2), 1, atol=1e-5)
    assert np.abs(probs[BALANCED] - probs[SKEWED]).max() > 0.1


def test_unseen_people_are_recognised(scored):
    targets, probs = scored
    chance = np.bincount(targets.argmax(1)).max() / len(targets)
    assert (probs[BALANCED].mean(1).argmax(1) == targets.argmax(1)).mean() > chance + 0.3
    assert decompose(probs[SKEWED]).epistemic.mean() > 0.01
