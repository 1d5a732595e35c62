"""The report's part on rendered faces, of a cache whose U_e follows tone and turn by a rule."""

import pytest

from cache.reader import Cache
from engine.metrics.lacking import BALANCED, SKEWED
from pages.report.report import report
from pages.report.subject import subject_of
from tests import probe_cache
from tests.pages.report.parsed import Report

MODEL = "compact-ensemble"


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> dict[str, Report]:
    root = tmp_path_factory.mktemp("report-probe")
    models = {"one": (MODEL,), "pair": (MODEL, BALANCED, SKEWED)}
    caches = {name: Cache(probe_cache.write(root / name, which)) for name, which in models.items()}
    return {name: Report(report(subject_of(cache, MODEL, "test"))) for name, cache in caches.items()}


def test_levels_are_compared_within_scenes(reports):
    found = reports["one"].table("Every level of tone")
    assert found["10"][-1].startswith("0.090")  # a hundredth per tone, nine tones from the reference
    assert found["1"][-1] == "reference"
    yaw = reports["one"].table("Every level of yaw")
    assert yaw["60"][-1].startswith("0.050") and yaw["30"][-1].startswith("0.000")


def test_what_training_lacked_is_there_with_both_models(reports):
    assert "What a skewed training set does" not in reports["one"].text
    found = reports["pair"].table("What training lacked")
    balanced, skewed, difference, scenes = found["U_e, nats, dark tones"]
    assert balanced.startswith("0.050") and skewed.startswith("0.250") and difference.startswith("0.200")
    assert int(scenes) > 0 and found["AUROC of U_e"][1].startswith("1.000")  # .2 apart, and within a group .09 at most
