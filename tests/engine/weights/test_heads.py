"""Trained heads: written in half precision, read back with their record, never trusted."""

import pytest
import torch
from safetensors.torch import save_file

from engine.estimators import deterministic
from engine.weights.files import WeightsProblem
from engine.weights.heads import load_layers, load_uncnet
from tests.engine.facenet import BACKBONE, random_head


def test_round_trip(facenet_files):
    weights = load_uncnet(facenet_files / "uncnet.safetensors")
    assert weights.backbone == BACKBONE and weights.record["learning_rate"] == 1e-3
    assert [head.dropout for head in weights.baseline] == [0.0, 0.0]
    assert [head.dropout for head in weights.uncnet] == [0.3, 0.3]
    torch.testing.assert_close(weights.uncnet[1].first.weight, random_head(11, 0.3)["first.weight"].half().float())
    layers = load_layers(facenet_files / "layers.safetensors")
    assert list(layers.heads) == [BACKBONE]
    assert deterministic.predict(layers.heads[BACKBONE], torch.zeros(3, 256)).shape == (3, 1, 8)


def test_shipped_heads_load_and_are_small():
    from engine.weights.heads import shipped

    for name, load in (("uncnet", load_uncnet), ("layers", load_layers)):
        assert shipped(name).stat().st_size <= 5 * 2**20
        assert load().record["sweep"]
    assert len(load_uncnet().uncnet) == len(load_uncnet().baseline) == 5
    assert len(load_layers().heads) == 12


@pytest.mark.parametrize("load", [load_uncnet, load_layers])
def test_missing_and_broken_files(load, tmp_path):
    with pytest.raises(WeightsProblem, match=r"not at .*engine train"):
        load(tmp_path / "none.safetensors")
    (tmp_path / "w.safetensors").write_bytes(b"\x00" * 60)
    with pytest.raises(WeightsProblem, match="does not hold the heads"):
        load(tmp_path / "w.safetensors")
    save_file({"x": torch.zeros(3)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsProblem, match="does not hold the heads"):
        load(tmp_path / "w.safetensors")
