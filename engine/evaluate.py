"""What a cache shows, as text, JSON and Markdown: the headline, and the first paper where its models are there."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cache.errors import CacheError
from cache.manifest import Manifest
from cache.reader import Cache

TITLES = {  # metric of the summary -> its name in the tables
    "accuracy": "accuracy (annotators have one most frequent class)",
    "accuracy_with_ties": "accuracy, ties to the class listed first",
    "accuracy_without_copies": "accuracy, without pixel-identical copies in another split",
    "u_total": "mean U_t, nats",
    "u_aleatoric": "mean U_a, nats",
    "u_epistemic": "mean U_e, nats",
    "jsd": "JSD, nats",
    "nll": "NLL, nats",
    "brier": "Brier score against the votes' distribution",
    **{
        f"{kind}_{part}": f"{name} of {symbol} with d"
        for kind, name in (("spearman", "Spearman"), ("pearson", "Pearson"))
        for part, symbol in (("total", "U_t"), ("aleatoric", "U_a"), ("epistemic", "U_e"))
    },
}
SPLITS = ("test", "validation", "train")  # in this order, then whatever else there is


@dataclass(frozen=True)
class Report:
    """The same content three times."""

    text: str
    json: str
    markdown: str


def evaluate(folder: Path, split: str | None = None, gap: Sequence[Path] = (), skew: Path | None = None) -> Report:
    """Raises CacheError when there is nothing to report."""
    from engine.models import UNCNET

    cache = Cache(folder)
    rows = headline(cache, split)
    partial = _partial(cache)
    text, content = "\n\n".join([to_text(rows), *partial]), {"headline": to_records(rows)}
    blocks = [_head(cache.manifest), "## Headline", to_markdown(rows), *partial]
    if set(UNCNET) <= set(cache.models) and "test" in set(cache.summary()["split"]):
        from engine.paper import report
        from engine.paper.claims import claims
        from engine.paper.measure import measure

        measured = measure(folder)
        found = tuple(claims(measured))
        text += "\n\n" + report.to_text(measured, found)
        content["paper"] = report.to_content(measured, found)
        blocks += ["## The first paper, reproduced", report.to_markdown(measured, found)]
    else:
        lacking = [name for name in UNCNET if name not in cache.models]
        if lacking:
            text += f"\n\nThe first paper's tables need the models {', '.join(lacking)}: build them into this cache."
    if gap:
        from engine.paper.gap_report import section

        blocks += ["## Why the paper's accuracies are lower", *map(section, gap)]
    if skew is not None:
        from engine import skew_report

        blocks.append(skew_report.section(skew))
    return Report(text, json.dumps(content, indent=1, allow_nan=False) + "\n", "\n\n".join(blocks) + "\n")


def headline(cache: Cache, split: str | None = None) -> pd.DataFrame:
    """Rows model, split, metric, value, low, high, n. Raises CacheError when there is nothing to report."""
    rows = cache.summary()
    rows = rows[rows["model"].isin(cache.models)]  # not those of a model whose import was interrupted
    if rows.empty:
        raise CacheError(f"{cache.folder} has no finished model. Go on with it: {cache.manifest.command}")
    if split is not None:
        known = ", ".join(sorted(rows["split"].unique()))
        rows = rows[rows["split"] == split]
        if rows.empty:
            raise CacheError(f"{cache.folder} has no split '{split}'. It has: {known}.")
    return rows.reset_index(drop=True)


def to_text(rows: pd.DataFrame) -> str:
    """A plain table: one line a metric, one column a model, `value [low, high]`; a block per split."""
    blocks = []
    for split, models, table in _tables(rows):
        lines = []
        wide = [58, *(max(26, len(model) + 2) for model in models), max(8, *(len(n) + 2 for *_, n in table))]
        for first, *others in [(split, *models, "n"), *table]:
            cells = (f"{text:>{width}}" for text, width in zip(others, wide[1:], strict=True))
            lines.append(f"{first:<{wide[0]}}" + "".join(cells))
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def to_markdown(rows: pd.DataFrame) -> str:
    blocks = []
    for split, models, table in _tables(rows):
        head = [
            f"| {split} | {' | '.join(f'`{model}`' for model in models)} | n |",
            f"| --- |{' ---: |' * (len(models) + 1)}",
        ]
        blocks.append("\n".join([*head, *(f"| {' | '.join(row)} |" for row in table)]))
    return "\n\n".join(blocks)


def to_records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}
        for row in rows.to_dict("records")
    ]


def _tables(rows: pd.DataFrame) -> list[tuple[str, list[str], list[tuple[str, ...]]]]:
    """Per split: its name, the models, and a row of cells per metric; several n where models scored other faces."""
    tables = []
    parts = {str(split): part for split, part in rows.groupby("split", sort=False)}
    for split in dict.fromkeys([*(s for s in SPLITS if s in parts), *parts]):
        part = parts[split]
        models = list(dict.fromkeys(part["model"]))
        cells = []
        for metric, values_of in part.groupby("metric", sort=False):
            by_model = values_of.set_index("model")
            values = (_cell(by_model.loc[model]) if model in by_model.index else "-" for model in models)
            faces = dict.fromkeys(f"{int(n):,}" for n in values_of["n"])
            cells.append((TITLES.get(str(metric), str(metric)), *values, " / ".join(faces)))
        tables.append((str(split), models, cells))
    return tables


def _partial(cache: Cache) -> list[str]:
    """A sentence for each model that has scored only some faces, so that nobody compares it unawares."""
    infos = {name: cache.manifest.models[name] for name in cache.models}
    return [
        f"'{name}' has scored {info.faces:,} of {cache.manifest.faces:,} faces; its statistics are about those."
        for name, info in infos.items()
        if info.faces is not None
    ]


def _cell(row: pd.Series) -> str:
    if math.isnan(row["value"]):
        return "-"
    return f"{row['value']:.4f} [{row['low']:.4f}, {row['high']:.4f}]"


def _head(manifest: Manifest) -> str:
    """What was measured, on what, by which commands."""
    hardware = ", ".join(f"{key} {value}" for key, value in manifest.hardware.items())
    return (
        f"# Results on {manifest.source.title}\n\n"
        f"Written by `python -m engine evaluate`, from a cache of {manifest.faces:,} faces, built on {hardware}. "
        "Values stand with their 95 % interval (bootstrap over faces, 1,000 resamples, seed 0) and n. Definitions: "
        "[what is computed](uncertainty.md). Everything again, from the images on: `make paper FERPLUS=PATH`."
    )
