"""The examples in the docstrings, run."""

import doctest
import importlib
from pathlib import Path

import pytest

import engine.metrics.bootstrap

MODULES = sorted(
    path.stem for path in Path(engine.metrics.bootstrap.__file__).parent.glob("*.py") if path.stem[0] != "_"
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(f"engine.metrics.{name}")).failed == 0


def test_most_modules_have_examples():
    finder = doctest.DocTestFinder()
    shown = [m for m in MODULES if any(t.examples for t in finder.find(importlib.import_module(f"engine.metrics.{m}")))]
    assert len(shown) >= 12
