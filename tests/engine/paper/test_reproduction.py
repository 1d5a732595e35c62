"""The first paper's tables from a cache: every entry there, measured, with its interval and verdict."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from cache.errors import CacheError
from engine.cli import app
from engine.config import BuildConfig
from engine.metrics.bootstrap import Estimate, bootstrap_means
from engine.metrics.rejection import risk_coverage
from engine.paper import printed
from engine.paper.claims import FAILS, HOLDS, OPEN, claims, correlation_difference, kept_accuracy, unrelated, verdict
from engine.paper.measure import measure, percentile_correlation
from engine.pipeline import build
from tests import synthetic

UNCNET = ("baseline", "uncnet", "uncnet-ensemble")


@pytest.fixture(scope="module")
def cache(photo_folder, facenet_files, tmp_path_factory):
    """Random heads on a few photos in three splits: no sense in the numbers, and none missing."""
    folder = tmp_path_factory.mktemp("paper")
    labels = (photo_folder / "labels.csv").read_text().splitlines()
    splits = ["train"] * 3 + ["validation"] * 3 + ["test"] * len(labels)
    rows = [f"{line.rpartition(',')[0]},{split}" for line, split in zip(labels[1:], splits, strict=False)]
    (folder / "labels.csv").write_text("\n".join([labels[0], *rows]) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.weights.facenet.stored", lambda name: facenet_files / f"facenet-{name}.safetensors")
        patch.setattr("engine.weights.heads.shipped", lambda name: facenet_files / f"{name}.safetensors")
        config = BuildConfig(f"folder:{photo_folder}", folder / "c", UNCNET, folder / "labels.csv", precision="fp32")
        build(config, lambda entries, faces: None, command="test")
    return folder / "c"


@pytest.fixture
def measured(cache, use_random_facenet):
    return measure(cache)


def test_every_printed_number_has_ours_beside_it(measured):
    paper = [line.paper for line in measured.lines if line.paper is not None]
    wanted = [*printed.ACCURACY.values(), *printed.ACCURACY_AT_75.values(), *printed.PEARSON_D.values()]
    wanted += [*printed.PEARSON_JSD.values(), *printed.PERCENTILE_BRIER.values(), *(m for m, _ in printed.JSD.values())]
    wanted += [value for errors in printed.CALIBRATION.values() for value in errors.values()]
    wanted += [printed.VALIDATION_ACCURACY["casia-webface"][0], printed.VALIDATION_LOSS["casia-webface"][0]]
    assert sorted(paper) == sorted(wanted)  # of table 1 only the one layer that this cache keeps
    assert all(line.ours.n > 0 and math.isfinite(line.ours.value) for line in measured.lines if line.paper is not None)
    assert "11 of 12 layers" in measured.missing[0] and "--features" in measured.missing[0]


def test_accuracy_is_over_all_faces_and_at_75_percent_over_three_quarters(measured):
    n = len(measured.models["uncnet"])
    by_subject = {(line.subject, line.quantity): line.ours for line in measured.lines}
    assert by_subject["uncnet", "accuracy, %"].n == n
    kept = by_subject["uncnet, lowest u_aleatoric", "accuracy at 75 % coverage, %"]
    assert kept.n == round(0.75 * n + 1e-9)
    assert by_subject["uncnet", "accuracy, %"].value == pytest.approx(100 * measured.models["uncnet"].correct.mean())


def test_seeds_start_with_the_models_of_the_cache(measured):
    for name in ("baseline", "uncnet"):
        np.testing.assert_array_equal(measured.seeds[name][0], measured.models[name].correct)


def test_a_verdict_for_every_claim(measured):
    found = list(claims(measured))
    assert len(found) == 20  # two claims on layers need layers that are not here
    assert {claim.verdict for claim in found} <= {HOLDS, FAILS, OPEN}
    assert all(claim.found.low <= claim.found.value <= claim.found.high for claim in found)


@pytest.mark.parametrize(("low", "high", "expected"), [(0.1, 0.2, HOLDS), (-0.2, -0.1, FAILS), (-0.1, 0.1, OPEN)])
def test_verdicts(low, high, expected):
    assert verdict(Estimate((low + high) / 2, low, high, 9)) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(-0.05, 0.05, HOLDS), (0.2, 0.4, FAILS), (0.05, 0.2, OPEN), (-0.4, -0.2, FAILS)]
)
def test_unrelated_needs_a_small_interval(low, high, expected):
    assert unrelated(Estimate((low + high) / 2, low, high, 9)) == expected


def test_kept_accuracy_is_the_accuracy_of_those_kept_with_its_spread():
    rng = np.random.default_rng(0)
    order = rng.random(4000)
    correct = (rng.random(4000) < 1 - 0.8 * order).astype(float)
    values = bootstrap_means({"kept": kept_accuracy(order, correct)})["kept"]
    curve = risk_coverage(order, {"right": correct}, [0.75])
    assert values.value == pytest.approx(curve["right"][0])
    assert values.high - values.low == pytest.approx((curve["right_high"] - curve["right_low"])[0], rel=0.15)


def test_correlation_difference_is_paired():
    """Two nearly equal predictors: their difference is far surer than either correlation."""
    rng = np.random.default_rng(0)
    target = rng.normal(size=800)
    first = target + rng.normal(size=800)
    second = first + rng.normal(0, 0.2, 800)
    found = correlation_difference(first, second, target)
    assert found.value == pytest.approx(np.corrcoef(first, target)[0, 1] - np.corrcoef(second, target)[0, 1])
    assert 0 < found.high - found.low < 0.04
    assert correlation_difference(target, -first, target).low > 1


def test_percentile_correlation():
    rng = np.random.default_rng(0)
    order = rng.random(2000)
    rising = percentile_correlation(order, order + rng.normal(0, 0.1, 2000))
    assert rising.value > 0.99 and rising.low > 0.95
    none = percentile_correlation(order, rng.normal(0, 1, 2000))
    assert none.low < 0 < none.high


def test_the_command_prints_and_writes_all_three(cache, use_random_facenet, tmp_path):
    arguments = ["evaluate", str(cache), "--json", str(tmp_path / "r.json"), "--markdown", str(tmp_path / "r.md")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "r.json").read_text())
    markdown = (tmp_path / "r.md").read_text()
    assert len(content["paper"]["claims"]) == 20 and "figure 4" in content["paper"]["figures"]
    for text in (result.output, markdown):
        assert "62.481" in text and "not decided by the data" in text and "nan" not in text
    assert markdown.count("\n### ") >= 12 and "| verdict |" in markdown


def test_a_cache_without_the_papers_models_says_which_to_add(tmp_path):
    result = CliRunner().invoke(app, ["evaluate", str(synthetic.write(tmp_path / "c", 30))])
    assert result.exit_code == 0 and "need the models baseline, uncnet, uncnet-ensemble" in result.output


def test_a_split_without_votes_is_refused(cache, use_random_facenet, monkeypatch):
    monkeypatch.setattr("engine.paper.measure.TEST", "holiday")
    with pytest.raises(CacheError, match="'holiday'"):
        measure(cache)


def test_few_faces_of_a_kind_make_no_nan_in_json(measured):
    from engine.paper.report import to_content

    lonely = replace(measured, lines=(replace(measured.lines[0], ours=Estimate(math.nan, math.nan, math.nan, 0)),))
    assert json.dumps(to_content(lonely, ()), allow_nan=False)
