"""Headline tables of a cache, for reading and for keeping."""

import json
import math
from pathlib import Path

import pandas as pd

from cache.errors import CacheError
from cache.reader import Cache


def headline(folder: Path, split: str | None = None) -> pd.DataFrame:
    """Rows model, split, metric, value, low, high, n. Raises CacheError when there is nothing to report."""
    cache = Cache(folder)
    rows = cache.summary()
    if rows.empty:
        raise CacheError(f"{folder} has no finished model. Go on with it: {cache.manifest.command}")
    if split is not None:
        known = ", ".join(sorted(rows["split"].unique()))
        rows = rows[rows["split"] == split]
        if rows.empty:
            raise CacheError(f"{folder} has no split '{split}'. It has: {known}.")
    return rows.reset_index(drop=True)


def to_text(rows: pd.DataFrame) -> str:
    """A plain table: one line a metric, one column a model, `value [low, high]`; a block per split."""
    blocks = []
    for split, part in rows.groupby("split", sort=False):
        models = list(dict.fromkeys(part["model"]))
        lines = [f"{split:<25}" + "".join(f"{model:>28}" for model in models) + f"{'n':>8}"]
        for metric, cells in part.groupby("metric", sort=False):
            by_model = cells.set_index("model")
            line = "".join(f"{_cell(by_model.loc[model]):>28}" for model in models)
            lines.append(f"{metric:<25}{line}{int(cells['n'].iloc[0]):>8,}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def to_json(rows: pd.DataFrame) -> str:
    records = [
        {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}
        for row in rows.to_dict("records")
    ]
    return json.dumps(records, indent=1) + "\n"


def _cell(row: pd.Series) -> str:
    if math.isnan(row["value"]):
        return "-"
    return f"{row['value']:.4f} [{row['low']:.4f}, {row['high']:.4f}]"
