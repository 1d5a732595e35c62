"""Holm's correction: by hand, then against statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from engine.metrics.holm import holm

NAN = float("nan")


def test_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])  # 3 x .01, 2 x .03, then at least that
    np.testing.assert_allclose(holm([0.6, 0.9]), [1, 1])


def test_tests_that_were_not_made_do_not_count():
    np.testing.assert_allclose(holm([NAN, 0.01, NAN, 0.04]), [NAN, 0.02, NAN, 0.04])
    assert holm([]).shape == (0,) and np.isnan(holm([NAN])).all()


@pytest.mark.parametrize("wrong", [-0.1, 1.1])
def test_no_probability(wrong):
    with pytest.raises(ValueError, match="0 to 1"):
        holm([0.5, wrong])


def test_against_statsmodels():
    rng = np.random.default_rng(0)
    for k in (1, 2, 7, 40):
        p = rng.random(k).round(2) ** 2  # with ties
        np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])
