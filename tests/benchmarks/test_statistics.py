"""The benchmarks of the statistics call what the pages call: a change of the pages must not leave them behind."""

import pytest

from benchmarks import audit, statistics
from cache.manifest import load
from tests import synthetic


@pytest.mark.parametrize(("benchmark", "last"), [(statistics, "all three pages"), (audit, "equalised")])
def test_every_figure_is_measured(benchmark, last, tmp_path):
    cache = synthetic.write(tmp_path / "c", 120, models=("compact", "compact-ensemble"))
    figures = list(benchmark.figures(cache))
    assert figures[-1].name.endswith(last) and f"{load(cache).faces} faces" in figures[-1].name
    assert all(figure.value > 0 for figure in figures)
