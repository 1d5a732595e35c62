"""The figures of an audit as tables, in the units of QUANTITIES: what is drawn, and what is downloaded."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine.metrics.adjusted import Adjusted
from engine.metrics.audit import ECE, Audit
from engine.metrics.bootstrap import wilson
from engine.metrics.equalised import Equalised
from pages.charts.audit_quantities import QUANTITIES
from pages.findings.bins import Grouping

FACES = "n (faces)"


def value_rows(found: Audit, groups: Grouping, quantity: str, minimum: int) -> pd.DataFrame:
    """One quantity of every group: group, n, value, low, high, few."""
    q, scale = found.quantities.index(quantity), QUANTITIES[quantity].scale
    ends = {end: scale * getattr(found, end)[:, q] for end in ("value", "low", "high")}
    n = found.n[:, q]
    return pd.DataFrame({"group": list(groups.names), "n": n, **ends, "few": n < minimum})


def overall(values: np.ndarray, groups: Grouping, quantity: str) -> float:
    """Mean of a quantity over all faces that are in a group, in its unit. values: (n,), one of `measures`."""
    inside = values[groups.index >= 0]
    return QUANTITIES[quantity].scale * float(np.nanmean(inside)) if not np.isnan(inside).all() else float("nan")


def gap_rows(
    found: Audit,
    groups: Grouping,
    quantity: str,
    minimum: int,
    fitted: Adjusted | None = None,
    equal: Equalised | None = None,
) -> pd.DataFrame:
    """The gap of every group to the rest, by kind: group, kind, n, value, low, high, few.

    kind: 'raw', 'by chance' (of the ECE, which few faces raise), 'adjusted' where there is `fitted`, 'equalised' where
    there is `equal`; the latter two only where they know the quantity.
    """
    q = found.quantities.index(quantity)
    kinds = {"raw": (found.n[:, q], found.gap[:, q], found.gap_low[:, q], found.gap_high[:, q])}
    if quantity == ECE:
        kinds["by chance"] = (found.n[:, q], found.chance[:, q], *np.full((2, len(groups.names)), np.nan))
    for kind, other in (("adjusted", fitted), ("equalised", equal)):
        if other is not None and quantity in other.quantities:
            at = other.quantities.index(quantity)
            kinds[kind] = (other.n[:, at], other.gap[:, at], other.low[:, at], other.high[:, at])
    tables = []
    for kind, (n, *ends) in kinds.items():
        value, low, high = (QUANTITIES[quantity].scale * end for end in ends)
        columns = {"group": list(groups.names), "kind": kind, "n": n, "value": value, "low": low, "high": high}
        tables.append(pd.DataFrame({**columns, "few": n < minimum}))
    return pd.concat(tables, ignore_index=True)


def answers(groups: Grouping, predicted: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """Share of the faces of each group that get each class, in percent, with Wilson's 95 % interval.

    predicted: (n,) class index. One row per group and class: group, class, faces, n (faces), share, low, high.
    """
    inside = groups.index >= 0
    code = groups.index[inside] * len(classes) + predicted[inside].astype(int)
    counts = np.bincount(code, minlength=len(groups.names) * len(classes))  # (G * C,)
    n = groups.sizes.repeat(len(classes))
    low, high = wilson(counts / np.maximum(n, 1), n)
    return pd.DataFrame(
        {
            "group": np.repeat(np.array(groups.names, dtype=object), len(classes)),
            "class": list(classes) * len(groups.names),
            "faces": counts,
            FACES: n,
            "share": 100 * counts / np.maximum(n, 1),
            "low": 100 * low,
            "high": 100 * high,
        }
    )


def everything(
    found: Audit,
    groups: Grouping,
    minimum: int,
    predicted: np.ndarray,
    classes: Sequence[str],
    fitted: Adjusted | None = None,
    equal: Equalised | None = None,
) -> pd.DataFrame:
    """One row per group and quantity, then one per group and predicted class. Gaps of percentages are in points."""
    tables = []
    for q, name in enumerate(found.quantities):
        shown = QUANTITIES[name]
        ends = ("value", "low", "high", "gap", "gap_low", "gap_high", "chance")
        table = pd.DataFrame({"group": list(groups.names), "quantity": shown.title, "unit": shown.unit})
        table["faces"], table[FACES] = found.faces, found.n[:, q]
        for end in ends:
            table[end] = shown.scale * getattr(found, end)[:, q]
        table["p"], table["p_holm"] = found.p[:, q], found.p_holm[:, q]
        rows = gap_rows(found, groups, name, minimum, fitted, equal)
        for kind in ("adjusted", "equalised"):
            if kind in set(rows.kind):
                part = rows[rows.kind == kind].reset_index(drop=True)
                table[f"{kind}_n"], table[f"{kind}_gap"] = part.n, part.value
                table[f"{kind}_low"], table[f"{kind}_high"] = part.low, part.high
        tables.append(table)
    shares = answers(groups, predicted, classes)
    told = shares[["group", FACES, "low", "high"]].assign(
        quantity="predicted " + shares["class"], unit="%", faces=shares[FACES], value=shares.share
    )
    table = pd.concat([*tables, told], ignore_index=True)
    return table.assign(few=table[FACES] < minimum)
