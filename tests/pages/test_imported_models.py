"""Predictions made elsewhere, for every face or for some, open on every page."""

from pathlib import Path

import numpy as np
import pytest

from engine.config import ImportConfig
from engine.imports.importing import import_predictions
from tests import synthetic

PAGES = ("overview", "faces", "calibration", "disagreement", "rejection", "audit")
FACES = 90


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Caches with and without votes, each with one model for every face and one for the test faces alone."""
    root = tmp_path_factory.mktemp("imported")
    rng = np.random.default_rng(0)
    for name, votes in (("votes", True), ("no-votes", False)):
        folder = synthetic.write(root / name, FACES, votes=votes, models=())
        for model, faces in (("full", range(FACES)), ("partial", range(2, FACES, 3))):
            file = root / "predictions.npz"
            np.savez(file, probs=rng.dirichlet(np.full(8, 0.6), (len(faces), 5)), face_id=faces)
            import_predictions(ImportConfig(file, folder, model), lambda passed, scored: None)
    return root


@pytest.mark.parametrize("cache", ["votes", "no-votes"])
@pytest.mark.parametrize("model", ["full", "partial"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(page, model, cache, imported, open_page):
    test = open_page(page, data=imported, cache=cache, model=model)
    assert not test.exception and not test.error
    assert test.selectbox(key="model").value == model
