"""The search for the paper's accuracy gap: each variant does what its name says, and all are judged alike."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from engine.cli import app
from engine.config import HeadConfig
from engine.features import Split
from engine.metrics.bootstrap import Estimate
from engine.paper import gap, unscaled
from engine.paper.gap import Finding, Input, OnAllFaces, Variant
from engine.paper.gap_report import read
from engine.paper.measure import Line
from engine.sources.rows import SourceProblem
from tests import synthetic


def face(side: int = 48) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 255, (side, side), np.uint8)
    return Image.fromarray(pixels)


def test_every_variant_differs_from_the_first_in_what_it_names():
    first, *others = gap.variants()
    assert first == Variant("as here") and len({variant.name for variant in (first, *others)}) == len(others) + 1
    for variant in others:
        changed = (variant.input, variant.labels, variant.training, variant.epochs)
        assert changed != (first.input, first.labels, first.training, first.epochs)


def test_pictures():
    image = face()
    nearest = gap.enlarge_nearest(image)
    assert nearest.shape == (160, 160, 3) and set(np.unique(nearest)) <= set(np.unique(np.asarray(image)))
    small = gap.not_enlarged(image)
    assert (small[56:104, 56:104, 0] == np.asarray(image)).all()
    assert small[:56].max() == small[104:].max() == small[:, :56].max() == 0
    assert gap.detected(0.0)(image).shape == (160, 160, 3)  # no face in noise: the whole picture


def test_scalings():
    x = torch.tensor([0.0, 127.5, 255.0]).reshape(1, 1, 1, 3).expand(1, 3, 4, 3)
    assert gap.centred(x)[0, 0, 0].tolist() == pytest.approx([-127.5 / 128, 0.0, 127.5 / 128])
    assert torch.equal(gap.unscaled(x), x)
    white = gap.whitened(x)
    assert white.mean().abs() < 1e-6 and white.std() == pytest.approx(1.0, abs=1e-3)
    assert torch.isfinite(gap.whitened(torch.zeros(1, 3, 4, 4))).all()


@pytest.mark.usefixtures("use_random_facenet")
def test_embedding_scales_as_it_is_told():
    images = [face(), face().rotate(90), face().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    here, raw = (gap.embed(Input(scaling=scaling), images) for scaling in (gap.centred, gap.unscaled))
    assert here.shape == raw.shape == (3, 1792) and here.dtype == np.float16
    assert np.abs(raw).mean() > 20 * np.abs(here).mean()
    untrained = gap.embed(Input(pretrained=False), images)
    assert not np.allclose(untrained, here) and np.allclose(untrained, gap.embed(Input(pretrained=False), images))


def test_labels_and_share_of_the_training_faces():
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=300)
    features = (np.eye(3)[truth] * 4 + rng.normal(size=(300, 3))).astype(np.float16)
    votes = np.eye(3)[truth] * 7 + rng.multinomial(3, [1 / 3] * 3, 300)
    split = Split(features, votes.astype(float))
    soft, hard, few = (
        gap.trained(variant, split, split, 0)
        for variant in (Variant("s"), Variant("h", labels="hard"), Variant("f", training=0.02))
    )
    assert not np.allclose(hard, soft)
    right = [gap.judge("", probs, votes, np.zeros(300)).accuracy.value for probs in (soft, few)]
    assert right[0] > right[1]


def test_judged_against_the_first_variant_on_the_same_faces():
    votes = np.array([[9.0, 1.0], [2.0, 8.0], [5.0, 5.0], [10.0, 0.0]])
    probs = np.array([[0.9, 0.1], [0.7, 0.3], [0.6, 0.4], [0.2, 0.8]])
    found = gap.judge("x", probs, votes, np.array([True, True, True, False]))
    assert found.accuracy.value == 50.0 and found.accuracy_lost.value == 25.0  # ties go to the first class
    assert found.pair_accuracy.value == pytest.approx(100 * (0.9 + 0.2 + 0.5 + 0.0) / 4)
    assert found.accuracy.n == 4 and "accuracy  50.0 %" in gap.line(found)
    layer = OnAllFaces("raw", "mixed-7a", 55.75, 1.514, found.accuracy, found.loss)
    assert "accuracy 50.0 % (paper 55.8)" in gap.line(layer)


def test_json_round_trip(tmp_path):
    e = Estimate(1.0, 0.5, 1.5, 9)
    for found in (
        [Finding("a", e, e, e, e), Finding("b", e, e, e, e)],
        [OnAllFaces("c", "mixed-7a", 55.75, 1.514, e, e)],
    ):
        assert read(gap.to_json(found)) == found
    lines = [Line("Table 3", "uncnet", "accuracy, %", 56.943, e)]
    assert read(unscaled.to_json(lines)) == lines
    for text in ('[{"x": 1}]', "[]", "no JSON", "{}"):
        with pytest.raises(ValueError, match="explain-gap"):
            read(text)


def test_the_report_shows_both_kinds(tmp_path):
    e = Estimate(45.6, 43.6, 47.8, 2500)
    (tmp_path / "a.json").write_text(gap.to_json([Finding("pixels left at 0..255", e, e, e, e)]))
    (tmp_path / "b.json").write_text(gap.to_json([OnAllFaces("raw", "mixed-7a", 55.75, 1.514, e, e)]))
    cache = synthetic.write(tmp_path / "c", 30)
    arguments = ["evaluate", str(cache), "--markdown", str(tmp_path / "r.md")]
    (tmp_path / "c.json").write_text(unscaled.to_json([Line("Table 3", "uncnet", "accuracy, %", 56.943, e)]))
    for name in ("a.json", "b.json", "c.json"):
        arguments += ["--gap", str(tmp_path / name)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    text = (tmp_path / "r.md").read_text()
    assert "| pixels left at 0..255 | 45.60 [43.60, 47.80] |" in text and "| raw | mixed-7a | 55.75 |" in text
    assert "| Table 3 | uncnet | accuracy, % | 56.943 | 45.60 [43.60, 47.80] |" in text


def test_too_few_faces_are_refused():
    with pytest.raises(SourceProblem, match="Lower --faces"):
        gap.draw("probe:", "train", 10**6, 0)


@pytest.mark.usefixtures("use_random_facenet")
def test_the_papers_numbers_on_unscaled_pixels(monkeypatch):
    """On few faces and with random weights: every printed number is there, and measured on the test faces."""
    rng = np.random.default_rng(0)

    def draw(spec, split, n, seed):
        faces = {"train": 40, "validation": 12, "test": 24}[split]
        images = tuple(Image.fromarray(rng.integers(0, 255, (48, 48), np.uint8)) for _ in range(faces))
        return gap.Drawn(images, rng.multinomial(10, rng.dirichlet(np.full(8, 0.5), faces)).astype(float))

    monkeypatch.setattr("engine.paper.unscaled.draw", draw)
    monkeypatch.setattr("engine.paper.unscaled.HeadConfig", lambda: replace(HeadConfig(), epochs=1, dropouts=(0.1,)))
    said: list[str] = []
    lines = unscaled.on_unscaled_pixels("any", said.append)
    assert len(said) == 5 and {line.subject for line in lines} >= {"baseline", "uncnet"}
    assert all(line.paper is not None and line.ours.n in (24, 18) for line in lines)
    assert {"accuracy, %", "ECE, %", "Pearson r with d", "mean JSD, distance"} <= {line.quantity for line in lines}
