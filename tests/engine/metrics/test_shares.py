"""The difference of two shares: printed values, an independent library, and groups that came out all alike."""

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from engine.metrics.shares import share_gap


@pytest.mark.parametrize(
    ("a", "n", "b", "m", "low", "high"),
    [  # Newcombe 1998, table II, method 10
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 10, 0.6075, 1.0),
        (0, 10, 0, 10, -0.2775, 0.2775),
    ],
)
def test_printed_values(a, n, b, m, low, high):
    np.testing.assert_allclose(share_gap(a / n, n, b / m, m), (low, high), atol=6e-5)


def test_against_statsmodels():
    rng = np.random.default_rng(0)
    for _ in range(20):
        n, m = rng.integers(2, 200, 2)
        a, b = rng.integers(0, n + 1), rng.integers(0, m + 1)
        theirs = confint_proportions_2indep(a, n, b, m, method="newcomb", compare="diff")
        np.testing.assert_allclose(share_gap(a / n, n, b / m, m), theirs, atol=1e-9)


def test_nobody():
    assert np.isnan(share_gap(np.nan, 0, 0.5, 10)).all()
