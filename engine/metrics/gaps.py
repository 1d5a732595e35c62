"""The calibration errors as functions of sums over cells of faces, so that a resample costs no more than its sums."""

from __future__ import annotations

import numpy as np

from engine.metrics.bootstrap import Resamples, basic_interval, ratio
from engine.metrics.cells import ascending, rank_cells, width_cells
from engine.metrics.checks import Floats
from engine.metrics.scores import brier_pairs

ERRORS = ("ece", "mce", "sce", "ace", "tace", "brier")
GAPS = ("top_gap", "bin_gap", "range_gap", "sure_gap")
NOISE = 2.0  # standard errors within which a gap may be nothing


def gap_tables(
    p: Floats, target: Floats, weight: Floats, draws: Resamples, bins: int, ranges: int, epsilon: float
) -> dict[str, Floats]:
    """What the errors are sums of: weights and signed gaps by group of faces and cell, (G, cells) each."""
    face, top = np.arange(len(p)), p.argmax(axis=1)
    gap = weight[:, None] * (target - p)  # (n, C)
    top_cell = width_cells(p[face, top], bins)
    tables: dict[str, list[Floats]] = {
        "top_gap": [draws.cell_sums(top_cell, gap[face, top], bins)],
        "top_weight": [draws.cell_sums(top_cell, weight, bins)],
        "total": [draws.group_sums(weight[:, None])],
        "squares": [draws.group_sums((weight * brier_pairs(p, target))[:, None])],  # brier_hard where all votes are one
    }
    for name in ("bin_gap", "range_gap", "range_weight", "sure_gap", "sure_weight"):
        tables[name] = []
    for confidence, gaps in zip(p.T.copy(), gap.T.copy(), strict=True):  # (n,) of one class; copies lie together
        tables["bin_gap"].append(draws.cell_sums(width_cells(confidence, bins), gaps, bins))
        order = ascending(confidence)
        sure = order[np.searchsorted(confidence[order], epsilon, side="right") :]
        for name, ranked in (("range", order), ("sure", sure)):
            cell = rank_cells(ranked, len(p), ranges)
            tables[f"{name}_gap"].append(draws.cell_sums(cell, gaps, ranges))
            tables[f"{name}_weight"].append(draws.cell_sums(cell, weight, ranges))
    return {name: np.concatenate(parts, axis=1) for name, parts in tables.items()}


def lowest_ends(sums: dict[str, Floats], resampled: dict[str, Floats], values: dict[str, Floats]) -> dict[str, float]:
    """Lower ends of the errors' intervals when the gaps not told from 0 are 0 and only noise about it is left.

    The bootstrap fails for |gap| at 0: its resamples scatter about the gap observed, which is as large as the noise
    itself. Taking such gaps for 0 before resampling repairs that (Andrews 2000).
    """
    told, scattered = dict(sums), dict(resampled)
    for name in GAPS:
        told[name] = np.where(np.abs(sums[name]) < NOISE * resampled[name].std(axis=0), 0.0, sums[name])
        scattered[name] = resampled[name] - (sums[name] - told[name])
    centre, replicates = errors(told), errors(scattered)
    shifted = {name: replicates[name] - centre[name][0] + values[name][0] for name in ERRORS}
    return {name: basic_interval(float(values[name][0]), shifted[name])[0] for name in ERRORS}


def errors(sums: dict[str, Floats]) -> dict[str, Floats]:
    """The errors of each of B resamples, (B,), from their sums, (B, cells) each."""
    total = sums["total"][:, 0]
    classes = sums["bin_gap"].shape[1] // sums["top_gap"].shape[1]  # as many bins for each as for the top one
    gaps = {name: np.abs(ratio(sums[f"{name}_gap"], sums[f"{name}_weight"])) for name in ("top", "range", "sure")}
    return {
        "ece": ratio(np.abs(sums["top_gap"]).sum(axis=1), total),
        "mce": np.where(np.isnan(gaps["top"]), 0.0, gaps["top"]).max(axis=1),
        "sce": ratio(np.abs(sums["bin_gap"]).sum(axis=1), classes * total),
        "ace": _mean_known(gaps["range"]),
        "tace": _mean_known(gaps["sure"]),
        "brier": ratio(sums["squares"][:, 0], total),
    }


def _mean_known(gaps: Floats) -> Floats:
    """Mean of each row over its cells that are not NaN."""
    known = ~np.isnan(gaps)
    return ratio(np.where(known, gaps, 0.0).sum(axis=1), known.sum(axis=1))
