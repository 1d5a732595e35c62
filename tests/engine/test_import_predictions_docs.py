"""The examples of docs/import.md run as they are printed, and what they write can be imported."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cache.reader import Cache
from engine.config import BuildConfig, ImportConfig
from engine.imports.importing import import_predictions
from engine.pipeline import build

PAGE = Path(__file__).parents[2] / "docs" / "import.md"
FACES = 6


def examples() -> list[str]:
    """The indented blocks of Python, in order."""
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub("^    ", "", block, flags=re.MULTILINE).strip() + "\n" for block in blocks]
    return [block for block in plain if block.startswith("import ")]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A cache as the page's first command makes it, in the current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "test").mkdir(parents=True)
    for i in range(FACES):
        Image.effect_noise((48, 48), 60).save(tmp_path / "photos" / "test" / f"{i}.png")
    build(BuildConfig("folder:photos", Path("data/mine"), classes=("happy", "sad")), lambda entries, faces: None)
    return Path("data/mine")


def test_examples(folder):
    torch.manual_seed(0)
    loader = [(torch.rand(2, 4), [f"test/{i}.png", f"test/{i + 1}.png"]) for i in range(0, FACES, 2)]
    members = [torch.nn.Linear(4, 2) for _ in range(3)]
    Path("preds.csv").write_text("file,happy,sad\n" + "".join(f"test/{i}.png,0.25,0.75\n" for i in range(4)))
    names = {"loader": loader, "model": members[0], "members": members}
    found = examples()
    assert len(found) == 4
    for example in found:
        exec(example, names)

    def imported(file: str, name: str) -> int:
        return import_predictions(ImportConfig(Path(file), folder, name), lambda passed, scored: None).covered

    assert imported("preds.npz", "torch") == FACES
    assert imported("ensemble.npy", "ensemble") == FACES
    assert imported("preds.parquet", "table") == 4
    expected = members[0](loader[1][0]).softmax(-1).detach()[1]
    np.testing.assert_allclose(Cache(folder).face(3, "torch").probs, expected, atol=1e-6)
    assert Cache(folder).face(3, "ensemble").samples.shape == (3, 2)
    assert list(names["test"].source) == [f"test/{i}.png" for i in range(FACES)]
