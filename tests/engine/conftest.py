"""Fixtures of the engine's tests: untrained weights, and a folder of small images with votes."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.config import TrainConfig
from engine.sources.rows import FER_CLASSES
from engine.train import Compact
from engine.weights.compact import export_compact
from tests.engine.facenet import facenet_files, use_random_facenet  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def untrained_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two members with random weights; quick, and independent of what ships."""
    states = []
    for member in range(2):
        torch.manual_seed(member)
        model = Compact(len(FER_CLASSES), dropout=0.2)
        with torch.no_grad():  # a new head is nearly constant; spread its answers, so that tests can see differences
            for layer in (model.head.first, model.head.second, model.head.last):
                layer.weight.mul_(4.0)
        states.append(model.state_dict())
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    export_compact(states, path, asdict(TrainConfig()))
    return path


@pytest.fixture
def use_untrained(untrained_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command of this process find the untrained weights."""
    monkeypatch.setattr("engine.weights.compact.shipped_compact", lambda: untrained_weights)


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 images, two of them broken, with votes for all but three in labels.csv."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(1)
    lines = ["file," + ",".join(FER_CLASSES) + ",split"]
    for i in range(30):
        name = f"face{i:02d}.png"
        if i in (7, 19):
            (folder / name).write_bytes(b"\x89PNG\r\n\x1a\n broken")
        else:
            pixels = rng.integers(0, 255, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).resize((64, 56), Image.Resampling.BICUBIC).save(folder / name)
        if i not in (3, 4, 5):
            votes = rng.multinomial(10, rng.dirichlet(np.full(8, 0.4)))
            lines.append(f"{name},{','.join(map(str, votes))},{'train' if i % 2 else 'test'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder
