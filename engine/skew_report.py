"""The skew experiment as a section of docs/results.md, from what `python -m engine probe --json FILE` wrote."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.effects import QUANTITIES
from engine.metrics.lacking import BALANCED, SKEWED

TITLE = "## What a skewed training set does"
GROUPS = {"kept": "kept", "dark": "dark tones", "profile": "profiles", "both": "dark profiles"}
FACTORS = {"tone": "dark tones", "yaw": "profiles"}
QUESTIONS = {"u_epistemic": ("Does U_e reveal the lack?", "yes"), "u_aleatoric": ("Does U_a stay?", "no")}  # if moved
SHOWN = ("u_epistemic", "u_aleatoric", "u_total", "accuracy", "jsd")


def section(file: Path) -> str:
    """Markdown. Raises ValueError for a file that holds no skew experiment, OSError for one that cannot be read."""
    command = f"python -m engine probe --model {BALANCED} --model {SKEWED} --json {file}"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        skew = content["skew"]
        gaps, change, auroc = skew["gaps"], skew["change"], skew["auroc"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{file} does not hold the skew experiment. Write it: {command}") from None
    head = (
        f"Two ensembles of small networks, alike but for their training faces: `{BALANCED}` saw every tone and turn, "
        f"`{SKEWED}` no Monk tone from 6 on and no profile ([model card](models/skew.md)). Rendered faces of the "
        f"{content['split']} split, simulated annotators; 95 % bootstrap intervals over people. `{command}`"
    )
    return "\n\n".join([TITLE, head, _answers(gaps), _gaps(gaps), _change(change), _aurocs(auroc)])


def _answers(gaps: Mapping[str, Any]) -> str:
    """The two questions, answered by whether an interval holds 0."""
    lines = []
    for part, (question, moves) in QUESTIONS.items():
        answers = []
        for factor, name in FACTORS.items():
            moved = gaps[part][factor]["difference"]
            apart = None not in (moved["low"], moved["high"]) and (moved["low"] > 0 or moved["high"] < 0)
            answers.append(f"for {name} {moves if apart else 'not to be told'}, {_cell(moved, part)} nats")
        lines.append(f"- **{question}** {'; '.join(answers)}.")
    return "\n".join(lines)


def _gaps(gaps: Mapping[str, Any]) -> str:
    rows = []
    for quantity in SHOWN:
        for factor, gap in gaps[quantity].items():
            cells = [_cell(gap[one], quantity) for one in ("balanced", "skewed", "difference")]
            rows.append([f"{_title(quantity)}, {FACTORS[factor]}", *cells, _n(gap["difference"])])
    head = ["removed minus kept levels, same scene", f"`{BALANCED}`", f"`{SKEWED}`", "difference", "n (scenes)"]
    return _table(head, rows)


def _change(change: Mapping[str, Any]) -> str:
    rows = [[_title(q), *(_cell(change[q][group], q) for group in GROUPS)] for q in SHOWN]
    rows.append(["n (faces), accuracy apart", *(_n(change["u_total"][group]) for group in GROUPS)])
    return _table(["skewed minus balanced, face by face", *GROUPS.values()], rows)


def _aurocs(auroc: Mapping[str, Any]) -> str:
    rows = []
    for part, (skewed, balanced, difference) in auroc.items():
        cells = [_cell(one, "confidence", "") for one in (balanced, skewed)]
        rows.append([QUANTITIES[part][0], *cells, _cell(difference, "confidence"), _n(skewed)])
    head = ["AUROC, removed against kept faces", f"`{BALANCED}`", f"`{SKEWED}`", "difference", "n (faces)"]
    return _table(head, rows)


def _title(quantity: str) -> str:
    title, unit, *_ = QUANTITIES[quantity]
    unit = "points" if unit == "%" else unit
    return f"{title}, {unit}" if unit else title


def _cell(found: Mapping[str, Any], quantity: str, sign: str = "+") -> str:
    """
    >>> _cell({"value": 0.1, "low": -0.1, "high": 0.3}, "accuracy")
    '+10.0 [-10.0, +30.0]'
    """
    _, _, scale, decimals = QUANTITIES[quantity]
    ends = [math.nan if found[end] is None else scale * found[end] for end in ("value", "low", "high")]
    if math.isnan(ends[0]):
        return "-"
    value, low, high = (f"{round(end, decimals) + 0.0:{sign}.{decimals}f}" for end in ends)
    return value if math.isnan(ends[1]) else f"{value} [{low}, {high}]"


def _n(found: Mapping[str, Any]) -> str:
    return f"{found['n']:,}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
