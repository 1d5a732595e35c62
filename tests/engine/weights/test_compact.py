"""Reading weights never trusts the file."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.weights.compact import load_compact, shipped_compact
from engine.weights.files import WeightsProblem


def test_round_trip(untrained_weights):
    weights = load_compact(untrained_weights)
    assert len(weights.members) == 2 and len(weights.classes) == 8 and len(weights.sha256) == 64
    x = torch.randn(3, 1, 48, 48)
    assert weights.members[0].trunk(x).shape == (3, 224)
    assert not torch.allclose(weights.members[0].trunk(x), weights.members[1].trunk(x))


def test_shipped_weights_load_and_are_small():
    assert shipped_compact().stat().st_size <= 25 * 2**20
    assert len(load_compact().members) == 5


class Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("bomb-went-off"),))


def test_a_pickle_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.safetensors"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(WeightsProblem, match="engine train compact"):
        load_compact(path)
    assert not (tmp_path / "bomb-went-off").exists()


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"not weights"])
def test_broken_files(tmp_path, content):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsProblem, match="does not hold"):
        load_compact(path)


def test_other_tensors(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"x": torch.zeros(3)}, path)
    with pytest.raises(WeightsProblem, match="does not hold"):
        load_compact(path)


def test_missing(tmp_path):
    with pytest.raises(WeightsProblem, match="not at"):
        load_compact(tmp_path / "none.safetensors")
