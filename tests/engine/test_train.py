"""Training: deterministic, resumable, and it learns."""

import io
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from engine.augment import augment
from engine.config import TrainConfig
from engine.sources.rows import FER_CLASSES, SourceProblem
from engine.train import learning_rate, load_examples, train_compact, train_member
from engine.weights.compact import load_compact

TINY = replace(TrainConfig(), members=2, epochs=3, batch=16, rendered_from=1.0, learning_rate=0.02)


@pytest.fixture(scope="module")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A dataset that anything can learn: eight classes, eight widths of stripes."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(96):
        label = i % 8
        pixels = 127 + 100 * np.sign(np.sin(np.arange(48) * (label + 1) * 0.35))[None, :] + rng.normal(0, 9, (48, 48))
        buffer = io.BytesIO()
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(buffer, "PNG")
        votes = {name: 10 if index == label else 0 for index, name in enumerate(FER_CLASSES)}
        rows.append({"image": buffer.getvalue(), "split": "validation" if i % 6 == 5 else "train", **votes})
    path = tmp_path_factory.mktemp("stripes") / "stripes.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return f"table:{path}"


def test_it_learns_and_exports(stripes, tmp_path):
    train_compact(stripes, tmp_path / "w.safetensors", tmp_path / "runs", replace(TINY, epochs=6), "cpu")
    weights = load_compact(tmp_path / "w.safetensors")
    assert len(weights.members) == 2 and weights.recipe["epochs"] == 6
    lines = [json.loads(line) for line in (tmp_path / "runs" / "member-0.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_an_interrupted_member_ends_where_an_unbroken_one_does(stripes, tmp_path, monkeypatch):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    train_member(0, stripes, whole, TINY, "cpu", 0)

    import engine.train as module

    real = module._epoch

    def stop_at_two(model, optimiser, parts, epoch, *rest):
        if epoch == 2:
            raise KeyboardInterrupt
        return real(model, optimiser, parts, epoch, *rest)

    monkeypatch.setattr(module, "_epoch", stop_at_two)
    with pytest.raises(KeyboardInterrupt):
        train_member(0, stripes, broken, TINY, "cpu", 0)
    monkeypatch.setattr(module, "_epoch", real)
    train_member(0, stripes, broken, TINY, "cpu", 0)
    states = [torch.load(f / "member-0.pt", weights_only=True)["model"] for f in (whole, broken)]
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, msg=name)


def test_another_recipe_is_refused(stripes, tmp_path):
    train_member(0, stripes, tmp_path, replace(TINY, epochs=1), "cpu", 0)
    with pytest.raises(ValueError, match="another recipe"):
        train_member(0, stripes, tmp_path, replace(TINY, epochs=2), "cpu", 0)


def test_data_without_votes_is_refused(tmp_path):
    Image.new("L", (48, 48)).save(tmp_path / "a.png")
    with pytest.raises(SourceProblem, match="no face with votes in its train split"):
        load_examples(f"folder:{tmp_path}", "train")


def test_the_rendered_faces_join_late(stripes, tmp_path, monkeypatch):
    asked: list[str] = []
    import engine.train as module

    real = module.load_examples
    monkeypatch.setattr(
        module,
        "load_examples",
        lambda spec, *rest: asked.append(spec) or real(stripes if spec == "probe:" else spec, *rest),
    )
    train_member(0, stripes, tmp_path, replace(TINY, rendered_from=0.6), "cpu", 0)
    assert asked == [stripes, stripes, "probe:"]


def test_learning_rate_rises_then_falls_to_nothing():
    rates = [learning_rate(step, 100, TrainConfig()) for step in range(101)]
    assert max(rates) == pytest.approx(0.1) and rates.index(max(rates)) == 20
    assert rates[0] < 0.005 and rates[-1] < 1e-6
    assert np.all(np.diff(rates[:20]) > 0) and np.all(np.diff(rates[21:]) < 0)


def test_augment_keeps_shape_and_changes_every_image():
    torch.manual_seed(0)
    x = torch.randn(32, 1, 48, 48)
    y = augment(x, TrainConfig())
    assert y.shape == x.shape and y.isfinite().all()
    assert (y - x).abs().mean((1, 2, 3)).min() > 0.01
    still = TrainConfig(rotation=0, scale=0, shift=0, contrast=0, brightness=0, erase=4)
    moved = augment(x, still)
    same = torch.isclose(moved, x, atol=1e-4) | torch.isclose(moved, x.flip(3), atol=1e-4)
    assert same.float().mean() > 0.98  # but for the mirror and a 4-pixel box


def test_shipped_recipe_is_the_default():
    """The model card's command must give the weights that ship."""
    recipe = load_compact().recipe
    default = {k: list(v) if isinstance(v, tuple) else v for k, v in TrainConfig().__dict__.items()}
    assert recipe == default
