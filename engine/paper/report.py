"""The reproduction as text, Markdown, and content for JSON."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from engine.metrics.bootstrap import Estimate
from engine.paper import printed
from engine.paper.claims import Claim
from engine.paper.measure import Line, Measured

INTRODUCTION = {
    "Table 1": "Validation (PrivateTest): a deterministic head 128-128 on each layer, average-pooled. The same split "
    "chose each head's epoch and learning rate, so all of them are a little flattered.",
    "Table 2": "Test (PublicTest), over annotation-sample pairs, ten bins or ranges. Lower is better. MCE is the gap "
    "of one bin, often of very few faces: its interval is unreliable.",
    "Table 3": "Test accuracy, all faces; a tie of the annotators counts for the class listed first.",
    "Section 4": "Test. Correlations with the annotators' disagreement d, with the Jensen-Shannon divergence (JSD), "
    "and of the uncertainty's tenth with the Brier score of pairs.",
    "Beyond": "Not in the paper.",
}
CLAIMS = (
    "Each claim is put as a quantity that is above 0 where it holds; the verdict follows from its 95 % interval. The "
    "models are those of the cache, the first seed of each kind. Only the claim that UncNet is more accurate resamples "
    "seeds as well; the others say nothing of other seeds."
)
FIGURES = {
    "figure 2 left": ("low", "high", "confidence", "accuracy", "acc_low", "acc_high", "faces"),
    "figure 2 right": (
        "percentile",
        "order",
        "pair_brier",
        "pair_brier_low",
        "pair_brier_high",
        "model",
        "annotators",
        "faces",
    ),
    "figure 4": ("low", "high", "density", "faces"),
}


def to_content(measured: Measured, found: Sequence[Claim]) -> Any:
    """Everything, figures' data included, ready for JSON."""
    return _plain(
        {
            "lines": [asdict(line) for line in measured.lines],
            "claims": [asdict(claim) for claim in found],
            "jsd paired t-test": {"paper_t": printed.JSD_T, **asdict(measured.jsd_test)},
            "accuracy by seed": {kind: rows.mean(1).tolist() for kind, rows in measured.seeds.items()},
            "training": measured.training,
            "figures": measured.figures,
            "missing": measured.missing,
        }
    )


def to_markdown(measured: Measured, found: Sequence[Claim]) -> str:
    """Tables for docs/results.md: verdicts first, then every number beside the paper's."""
    blocks = ["### Claims", CLAIMS, table(("claim", "measured as", "found", "n", "verdict"), map(_claim_row, found))]
    for section, introduction in INTRODUCTION.items():
        lines = [line for line in measured.lines if line.section == section]
        if lines:
            blocks += [f"### {section}", introduction]
            blocks.append(table(("", "quantity", "paper", "here [95 %]", "n"), map(_line_row, lines)))
    blocks += ["### JSD, paired t-test", t_test(measured), "### Five seeds of each head", seeds(measured)]
    blocks += ["### Dropout rate and learning rate", sweep(measured)]
    blocks += _figures(measured)
    blocks += [f"Not measured: {sentence}" for sentence in measured.missing]
    return "\n\n".join(blocks) + "\n"


def to_text(measured: Measured, found: Sequence[Claim]) -> str:
    """For the terminal: the same tables in columns."""
    rows = [(line.section, line.subject, line.quantity, *_line_row(line)[2:]) for line in measured.lines]
    blocks = [_columns(("", "", "", "paper", "here [95 %]", "n"), rows)]
    blocks.append("JSD, paired t-test: " + t_test(measured))
    blocks.append("Accuracy by seed: " + seeds(measured).replace("\n", " "))
    blocks.append(_columns(("claim", "measured as", "found", "n", "verdict"), map(_claim_row, found)))
    blocks += [f"Not measured: {sentence}" for sentence in measured.missing]
    return "\n\n".join(blocks)


def t_test(measured: Measured) -> str:
    test = measured.jsd_test
    (mean_b, sd_b), (mean_u, sd_u) = printed.JSD["baseline"], printed.JSD["uncnet"]
    return (
        f"distance of baseline {test.mean_x:.3f} (SD {test.sd_x:.3f}), of uncnet {test.mean_y:.3f} ({test.sd_y:.3f}), "
        f"difference {test.difference:.4f} [{test.low:.4f}, {test.high:.4f}], t({test.df}) = {test.t:.2f}, "
        f"p = {test.p:.2g}. Paper: {mean_b} ({sd_b}) and {mean_u} ({sd_u}), t(3578) = {printed.JSD_T}."
    )


def seeds(measured: Measured) -> str:
    """Test accuracy of each trained head: how much the seed alone moves it."""
    lines = []
    for kind, rows in measured.seeds.items():
        each = 100 * rows.mean(1)
        values = ", ".join(f"{value:.1f}" for value in each)
        lines.append(f"{kind}: {values} %; mean {each.mean():.2f}, SD {each.std(ddof=1):.2f}, n = {rows.shape[1]:,}.")
    return "\n".join(lines)


def sweep(measured: Measured) -> str:
    """Validation scores of every setting that training tried, mean over its seeds, and what was chosen."""
    record = measured.training
    groups: dict[tuple[float, float], list[dict[str, float]]] = {}
    for run in record["sweep"]:
        groups.setdefault((run["dropout"], run["learning_rate"]), []).append(run)
    rows, picked = [], {(0.0, record["baseline_learning_rate"]), (record["dropout"], record["learning_rate"])}
    for (dropout, rate), runs in sorted(groups.items()):
        nll, accuracy, spearman = (sum(r[key] for r in runs) / len(runs) for key in ("nll", "accuracy", "spearman"))
        chosen = (dropout, rate) in picked
        values = (f"{dropout:g}", f"{rate:g}", f"{nll:.3f}", f"{100 * accuracy:.1f}", f"{spearman:.3f}", str(len(runs)))
        rows.append((*values, "chosen" if chosen else ""))
    head = ("dropout", "learning rate", "NLL, nats", "accuracy, %", "Spearman of U_a with d", "seeds", "")
    return (
        "Validation scores, mean over seeds; the rate of 0 is the Baseline. The lowest NLL of each kind was chosen.\n\n"
        + table(head, rows)
    )


def cell(estimate: Estimate) -> str:
    """
    >>> cell(Estimate(0.81234, 0.8, 0.82, 9)), cell(Estimate(81.234, 80.0, 82.0, 9)), cell(Estimate(math.nan, 0, 0, 0))
    ('0.812 [0.800, 0.820]', '81.23 [80.00, 82.00]', '-')
    """
    if math.isnan(estimate.value):
        return "-"
    digits = 2 if abs(estimate.value) >= 10 else 3
    interval = f" [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]" if not math.isnan(estimate.low) else ""
    return f"{estimate.value:.{digits}f}{interval}"


def _line_row(line: Line) -> tuple[str, ...]:
    paper = "" if line.paper is None else f"{line.paper:g}"
    return line.subject, line.quantity, paper, cell(line.ours), f"{line.ours.n:,}"


def _claim_row(claim: Claim) -> tuple[str, ...]:
    return claim.sentence, claim.quantity, cell(claim.found), f"{claim.found.n:,}", claim.verdict


def _figures(measured: Measured) -> list[str]:
    blocks = []
    for title, data in measured.figures.items():
        columns = next((c for name, c in FIGURES.items() if title.startswith(name)), tuple(data))
        rows = [
            tuple("-" if math.isnan(value) else f"{value:.4g}" for value in row)
            for row in zip(*(data[c] for c in columns), strict=True)
        ]
        blocks += [f"### {title[0].upper()}{title[1:]}", table(columns, rows)]
    return blocks


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    numbers = {"paper", "found", "n"} | {name for name in head if "here" in name}
    rule = ["---:" if name in numbers else "---" for name in head]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def _columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    table = [tuple(head), *map(tuple, rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table)


def _plain(value: Any) -> Any:
    """NaN as null, so that any reader of JSON can read it."""
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value
