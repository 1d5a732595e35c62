"""Reports of the small caches, made once."""

from collections.abc import Callable
from functools import cache as once
from pathlib import Path

import pytest

from cache.reader import Cache
from pages.report.report import report
from pages.report.subject import subject_of
from tests.pages.report.parsed import Report


@pytest.fixture(scope="session")
def report_on(caches: Path) -> Callable[..., Report]:
    """report_on('normal', model='compact', split='all')"""

    @once
    def made(name: str, model: str | None = None, split: str | None = None) -> Report:
        return Report(report(subject_of(Cache(caches / name), model, split)))

    return made
