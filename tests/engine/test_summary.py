"""The headline statistics, by hand where a hand suffices."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from engine.summary import statistics


@pytest.fixture
def faces() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 300
    aleatoric, epistemic = rng.gamma(2, 0.3, n), rng.gamma(1, 0.1, n)
    return pd.DataFrame(
        {
            "predicted": rng.integers(0, 3, n),
            "majority": pd.array(rng.integers(0, 3, n), dtype="Int16"),
            "first_choice": rng.integers(0, 3, n),
            "copied": np.arange(n) < 50,
            "disagreement": np.clip(aleatoric / 3 + rng.normal(0, 0.1, n), 0, 1),
            "u_total": aleatoric + epistemic,
            "u_aleatoric": aleatoric,
            "u_epistemic": epistemic,
            "jsd": rng.random(n),
            "nll": rng.random(n),
            "brier": rng.random(n),
        }
    )


def test_against_scipy_and_numpy(faces):
    found = statistics(faces)
    assert found["accuracy"].value == pytest.approx((faces.predicted == faces.majority).mean())
    assert found["jsd"].value == pytest.approx(faces.jsd.mean())
    rho = stats.spearmanr(faces.u_aleatoric, faces.disagreement).statistic
    assert found["spearman_aleatoric"].value == pytest.approx(rho)
    assert found["pearson_total"].value == pytest.approx(stats.pearsonr(faces.u_total, faces.disagreement).statistic)
    error = faces.jsd.std() / np.sqrt(len(faces))
    assert found["jsd"].high - found["jsd"].low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert all(e.low <= e.value <= e.high and e.n == 300 for k, e in found.items() if "without" not in k)


def test_ties_and_copies_change_n(faces):
    faces.loc[:9, "majority"] = pd.NA
    faces.loc[:4, "first_choice"] = -1
    found = statistics(faces)
    assert found["accuracy"].n == 290
    assert found["accuracy_with_ties"].n == 295
    assert found["accuracy_without_copies"].n == 250
    assert found["accuracy_without_copies"].value == pytest.approx((faces.predicted == faces.majority)[50:].mean())


def test_no_votes_at_all(faces):
    for column in ("majority", "disagreement", "jsd", "nll", "brier"):
        faces[column] = pd.array([pd.NA] * len(faces), dtype="Float64")
    faces["first_choice"] = -1
    found = statistics(faces)
    assert found["accuracy"].n == 0 and np.isnan(found["accuracy"].value)
    assert np.isnan(found["spearman_aleatoric"].value)
    assert found["u_total"].n == 300
