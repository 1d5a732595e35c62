"""What a model of a cache does when only the tone, the turn or the light of a rendered face changes: text and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cache.errors import BadQuery
from cache.filters import Filter
from cache.numbers import numbers
from cache.reader import Cache
from cache.schema import ATTRIBUTE_PREFIX
from engine.metrics.effects import Clustered, Effects, effects
from engine.metrics.lacking import BALANCED, SKEWED, Lacking, lacking
from engine.metrics.star import FACTORS, Sweep, bounds, quantities, sweep

QUANTITIES = {  # name in the cache -> title, unit, factor from one to the other, decimals
    "u_aleatoric": ("U_a", "nats", 1.0, 3),
    "u_epistemic": ("U_e", "nats", 1.0, 3),
    "u_total": ("U_t", "nats", 1.0, 3),
    "accuracy": ("accuracy", "%", 100.0, 1),
    "jsd": ("JSD", "nats", 1.0, 3),
    "nll": ("NLL", "nats", 1.0, 3),
    "confidence": ("confidence", "", 1.0, 3),
}
PRINTED = ("u_aleatoric", "u_epistemic", "accuracy", "jsd")  # the JSON has all
NEEDED = tuple(f"{ATTRIBUTE_PREFIX}{name}" for name in ("scene", "identity", "centre", *FACTORS))


@dataclass(frozen=True)
class Scored:
    """The probe faces of one split under one model."""

    values: dict[str, np.ndarray]  # quantity -> (N,)
    arms: dict[str, Sweep]
    tone: np.ndarray  # (N,)
    yaw: np.ndarray  # (N,)
    identity: np.ndarray  # (N,)


def scored(cache: Cache, model: str, split: str | None) -> Scored:
    """Raises BadQuery for a cache without the probe's columns, a model it lacks, or a split without faces."""
    missing = [name for name in NEEDED if name not in cache.attributes]
    if missing:
        raise BadQuery(
            f"{cache.folder} does not hold the probe faces: it has no column {', '.join(missing)}. "
            "Build them: python -m engine probe --model compact-ensemble --out data/probe"
        )
    columns = ("predicted", "majority", *(name for name in QUANTITIES if name != "accuracy"))
    where = Filter(splits=(split,)) if split else Filter()
    found = numbers(cache, model, where, (*NEEDED, *columns)).columns
    if not len(found["predicted"]):
        raise BadQuery(f"{cache.folder} has no face in split '{split}'. Use --split all for every face.")
    at = {name: found[f"{ATTRIBUTE_PREFIX}{name}"] for name in ("scene", "identity", "centre", *FACTORS)}
    factors = {name: at[name] for name in FACTORS}
    arms = {name: sweep(name, at["scene"], at["identity"], at["centre"], factors) for name in FACTORS}
    return Scored(quantities(found, tuple(QUANTITIES)), arms, at["tone"], at["yaw"], at["identity"])


def measured(faces: Scored) -> dict[str, dict[str, Effects]]:
    """factor -> quantity -> what the factor does to it."""
    return {
        name: {
            quantity: effects(arm.table(values), arm.identity, arm.reference(), arm.steps, bounds(quantity))
            for quantity, values in faces.values.items()
        }
        for name, arm in faces.arms.items()
        if arm.levels
    }


def compared(cache: Cache, split: str | None) -> Lacking | None:
    """The skew experiment, when the cache holds both of its models."""
    if not {BALANCED, SKEWED} <= set(cache.models):
        return None
    one, other = (scored(cache, model, split) for model in (BALANCED, SKEWED))
    return lacking(one.values, other.values, one.tone, one.yaw, one.identity, one.arms)


# ---- as text


def to_text(model: str, faces: Scored, found: Mapping[str, Mapping[str, Effects]]) -> str:
    """One table per factor: differences to the reference level of the same scene, and the slope of the tone."""
    blocks = []
    for name, by_quantity in found.items():
        arm = faces.arms[name]
        reference = arm.reference()
        unit = f" ({arm.factor.unit})" if arm.factor.unit else ""
        titles = [f"{title} ({unit})" if unit else title for title, unit, _, _ in (QUANTITIES[q] for q in PRINTED)]
        rows = [[f"{name}{unit}", "scenes", *titles]]
        for index, level in enumerate(arm.levels):
            is_reference = index == reference
            cells = [_cell(q, by_quantity[q], index, is_reference) for q in PRINTED]
            rows.append([_level(level), f"{by_quantity['u_total'].differences[index].n:,}", *cells])
        if arm.steps is not None:
            slopes = [_interval(q, by_quantity[q].slope, signed=True) for q in PRINTED]
            rows.append(["per step", f"{len(arm.scene):,}", *slopes])
        blocks.append(aligned(rows))
    if not np.nan_to_num(faces.values["u_epistemic"]).any():
        blocks.append(f"{model} draws one sample per face: its U_e is 0 by construction.")
    people = len(set(faces.identity.tolist()))
    head = (
        f"{model}: {len(faces.tone):,} rendered faces of {people} people. Difference to the reference level (=) of the "
        "same scene, mean over scenes [95 % bootstrap interval over people]. Accuracy leaves out faces whose votes tie."
    )
    return "\n\n".join([head, *blocks])


def lacking_text(found: Lacking) -> str:
    """The skew experiment: removed minus kept levels of the same scenes under both models, and the AUROCs."""
    rows = [["removed - kept levels", "scenes", BALANCED, SKEWED, "skewed - balanced"]]
    for quantity in PRINTED:
        title = " ".join(filter(None, QUANTITIES[quantity][:2]))
        for factor, gap in found.gaps[quantity].items():
            cells = [_interval(quantity, c, signed=True) for c in (gap.balanced, gap.skewed, gap.difference)]
            rows.append([f"{title}, {factor}", f"{gap.difference.n:,}", *cells])
    for part, (skewed, balanced, difference) in found.auroc.items():
        cells = [_interval("confidence", c) for c in (balanced, skewed)]
        moved = _interval("confidence", difference, signed=True)
        rows.append([f"AUROC of {QUANTITIES[part][0]}, removed against kept", f"{skewed.n:,} faces", *cells, moved])
    return aligned(rows)


def aligned(rows: list[list[str]]) -> str:
    """
    >>> print(aligned([["a", "n"], ["long", "1,000"]]))
    a         n
    long  1,000
    """
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [
        "  ".join(cell.rjust(w) if k else cell.ljust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _cell(quantity: str, found: Effects, index: int, is_reference: bool) -> str:
    if is_reference:
        return f"= {_interval(quantity, found.means[index])}"
    return _interval(quantity, found.differences[index], signed=True)


def _interval(quantity: str, found: Clustered | None, *, signed: bool = False) -> str:
    _, _, scale, decimals = QUANTITIES[quantity]
    if found is None or not np.isfinite(found.value):
        return "-"
    sign = "+" if signed else ""
    # 0 is added because a value that rounds to 0 has no sign
    value, low, high = (
        f"{round(scale * end, decimals) + 0.0:{sign}.{decimals}f}" for end in (found.value, found.low, found.high)
    )
    return f"{value} [{low}, {high}]" if np.isfinite(found.low) else value


def _level(level: float | str) -> str:
    return level if isinstance(level, str) else f"{level:g}"


# ---- as JSON


def to_records(faces: Scored, found: Mapping[str, Mapping[str, Effects]]) -> dict[str, Any]:
    """Natural units: shares for accuracy, nats for the rest."""
    return {
        name: {
            "levels": list(faces.arms[name].levels),
            "reference": faces.arms[name].levels[faces.arms[name].reference()],
            "scenes": len(faces.arms[name].scene),
            **{quantity: asdict(effect) for quantity, effect in by_quantity.items()},
        }
        for name, by_quantity in found.items()
    }


def to_json(content: Mapping[str, Any]) -> str:
    """What is unknown is null, as JSON has no NaN."""

    def known(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: known(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [known(inner) for inner in value]
        return None if isinstance(value, float) and value != value else value

    return json.dumps(known(content), indent=1) + "\n"
