"""From columns of a cache to the figures of an audit."""

import numpy as np
import pandas as pd
import pytest

from cache.filters import Column
from cache.numbers import Numbers, numbers
from cache.reader import Cache
from engine.metrics.adjusted import adjusted
from engine.metrics.calibration import calibration_errors
from engine.metrics.rejection import kept_faces
from pages.charts.audit_quantities import QUANTITIES
from pages.findings.attributes import covariates, offered, varies
from pages.findings.audit import COLUMNS, audit_faces, measures, orders_of, over, pairs_of, reasons
from pages.findings.audit_tables import FACES, answers, everything, gap_rows, value_rows
from pages.findings.bins import group_by

MODEL, S = "compact-ensemble", 6


@pytest.fixture(scope="module")
def faces(caches) -> Numbers:
    return numbers(Cache(caches / "several"), MODEL, columns=(*COLUMNS, "attr_light"), probs=True, votes=True)


@pytest.fixture(scope="module")
def groups(faces):
    return group_by(faces.columns["attr_light"], Column("attr_light", "text"))


@pytest.fixture(scope="module")
def found(faces, groups):
    return audit_faces(faces, groups, S, permutations=50)


def test_values_are_means_over_known_faces(faces, groups, found):
    right = np.where(
        np.isnan(faces.columns["majority"]), np.nan, faces.columns["predicted"] == faces.columns["majority"]
    )
    frame = pd.DataFrame({**faces.columns, "accuracy": right})
    for name in set(found.quantities) - {"ece", "handed"}:
        expected = frame.groupby("attr_light")[name].agg(["mean", "count"])
        at = found.quantities.index(name)
        assert found.value[:, at] == pytest.approx(expected["mean"].to_numpy(), rel=1e-6), name
        assert found.n[:, at].tolist() == expected["count"].tolist()
    assert groups.names == ("front", "side") and found.faces.tolist() == groups.sizes.tolist()


def test_accuracy_and_its_widest_gap_as_fairlearn_has_them(faces, groups, found):
    metrics = pytest.importorskip("fairlearn.metrics")
    known = (groups.index >= 0) & ~np.isnan(faces.columns["majority"])
    frame = metrics.MetricFrame(
        metrics=lambda y_true, y_pred: float((y_true == y_pred).mean()),
        y_true=faces.columns["majority"][known],
        y_pred=faces.columns["predicted"][known],
        sensitive_features=np.array(groups.names)[groups.index[known]],
    )
    at = found.quantities.index("accuracy")
    assert found.value[:, at] == pytest.approx(frame.by_group.to_numpy())
    assert found.largest[at].value == pytest.approx(frame.difference(method="between_groups"))


def test_ece_is_that_of_the_faces_of_the_group(faces, groups, found):
    at = found.quantities.index("ece")
    for g in range(2):
        inside = groups.index == g
        expected = calibration_errors(faces.probs[inside], faces.votes[inside])["ece"]
        assert found.value[g, at] == pytest.approx(expected.value) and found.n[g, at] == expected.n


def test_pairs_are_unknown_for_faces_without_votes(faces):
    pairs = pairs_of(faces)
    silent = np.isnan(faces.columns["disagreement"])
    assert silent.any() and np.isnan(pairs.confidence)[silent].all() and not np.isnan(pairs.weight[~silent]).any()


def test_handed_over_are_the_most_doubtful(faces):
    for order in orders_of(S):
        flags = measures(faces, S, 0.3, order)["handed"]
        doubt = 1 - faces.columns["confidence"] if order == "doubt" else faces.columns[order]
        assert flags.sum() == len(faces) - kept_faces(0.7, len(faces))
        assert doubt[flags == 1].min() >= doubt[flags == 0].max()
    assert over(np.zeros(4), 0.0).sum() == 0 and over(np.zeros(4), 1.0).sum() == 4


def test_one_sample_has_no_epistemic_part(faces):
    known = measures(faces, 1)
    assert "u_epistemic" not in known and "u_epistemic" not in orders_of(1)
    assert (known["handed"] == over(faces.columns["u_aleatoric"], 0.25)).all()


def test_without_votes_what_needs_them_is_absent(caches):
    faces = numbers(Cache(caches / "no-votes"), MODEL, columns=(*COLUMNS, "attr_tone"))
    groups = group_by(faces.columns["attr_tone"], Column("attr_tone", "number"), edges=[5])
    found = audit_faces(faces, groups, S, permutations=0)
    assert set(found.quantities) == {name for name, q in QUANTITIES.items() if not q.needs_votes}
    votes = numbers(Cache(caches / "no-votes"), MODEL, columns=COLUMNS, probs=True, votes=True)
    assert pairs_of(votes) is None and pairs_of(faces) is None


def test_answers_as_pandas_counts(faces, groups):
    classes = [f"c{i}" for i in range(8)]
    shares = answers(groups, faces.columns["predicted"], classes)
    inside = groups.index >= 0
    expected = pd.crosstab(groups.index[inside], faces.columns["predicted"][inside])
    expected = expected.reindex(columns=range(8), fill_value=0)
    assert shares.faces.to_numpy().reshape(2, 8).tolist() == expected.to_numpy().tolist()
    assert shares.groupby("group").share.sum().to_numpy() == pytest.approx([100, 100])
    assert ((shares.low <= shares.share + 1e-9) & (shares.share <= shares.high + 1e-9)).all()


def test_rows_are_in_the_unit_of_the_quantity(found, groups):
    at = found.quantities.index("accuracy")
    rows = value_rows(found, groups, "accuracy", 1000)
    assert rows.value.to_numpy() == pytest.approx(100 * found.value[:, at]) and rows.few.all()
    gaps = gap_rows(found, groups, "accuracy", 30)
    assert set(gaps.kind) == {"raw"} and gaps.value.to_numpy() == pytest.approx(100 * found.gap[:, at])


def test_gaps_of_ece_stand_beside_what_chance_would_do(found, groups):
    rows = gap_rows(found, groups, "ece", 30)
    at = found.quantities.index("ece")
    assert rows[rows.kind == "by chance"].value.to_numpy() == pytest.approx(100 * found.chance[:, at])


def test_everything_is_one_table(faces, groups, found):
    known = measures(faces, S)
    fitted = adjusted(known, groups.index, 2, {"light": faces.columns["u_total"]})
    table = everything(found, groups, 30, faces.columns["predicted"], [f"c{i}" for i in range(8)], fitted)
    assert len(table) == 2 * (len(found.quantities) + 8)
    row = table[(table.quantity == "U_t") & (table.group == "side")].iloc[0]
    at = found.quantities.index("u_total")
    assert (row.value, row.gap, row.p, row[FACES]) == pytest.approx(
        (found.value[1, at], found.gap[1, at], found.p[1, at], found.n[1, at])
    )
    assert row.adjusted_gap == pytest.approx(fitted.gap[1, fitted.quantities.index("u_total")])
    assert np.isnan(table[table.quantity == "ECE"].adjusted_gap).all()


def test_reasons_come_most_frequent_first():
    groups = group_by(np.array([1.0, np.nan, np.nan, np.nan, 2.0]), Column("attr_ita", "number"), edges=[1.5])
    why = np.array([None, "grey image", "no landmarks", "grey image", None], dtype=object)
    assert list(reasons(groups, {"attr_ita": why}).items()) == [("grey image", 2), ("no landmarks", 1)]
    assert reasons(groups, {}) == {"unknown": 3}


def test_measured_attributes_are_offered_first_and_reasons_never():
    names = ["width", "majority", "attr_camera", "attr_tone_unknown", "attr_head_yaw", "attr_ita", "u_total", "split"]
    found = offered({name: Column(name, "number") for name in names})
    assert found == ["attr_ita", "attr_head_yaw", "attr_camera", "majority", "split", "width"]


def test_what_says_the_same_as_the_groups_is_no_first_covariate():
    names = ["attr_ita", "attr_monk", "attr_head_yaw", "attr_yaw", "attr_sharpness", "attr_camera", "width"]
    assert covariates(names, ["attr_monk"]) == ["attr_head_yaw", "attr_sharpness"]
    assert covariates(names, ["attr_sharpness"]) == ["attr_ita", "attr_head_yaw"]


def test_what_varies():
    assert varies(np.array([1.0, 2.0, np.nan])) and not varies(np.array([1.0, np.nan]))
    assert varies(np.array(["a", "b"], object)) and not varies(np.array(["a", None], object))
    assert not varies(np.array([None, None], object))
