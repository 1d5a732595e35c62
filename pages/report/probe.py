"""On the rendered faces: what one factor does to the same head, as the Probe page begins."""

import numpy as np

from cache.numbers import numbers
from engine.metrics.bootstrap import Estimate
from engine.metrics.effects import Clustered, Effects
from engine.metrics.lacking import BALANCED, SKEWED
from engine.metrics.star import FACTORS, Sweep
from pages.charts.audit_quantities import QUANTITIES, colour_of
from pages.charts.effects import Axis, Line, curve, describe_curve
from pages.findings.probe import NEEDED, SCORED, Star, effect, is_probe, level_name, measures, skewed, star, table
from pages.report.blocks import Block, Cell, Section, Table, Text, cell, figure
from pages.report.subject import Subject

NAME, TITLE = "probe", "Probe"
REMOVED = ("u_epistemic", "u_aleatoric", "accuracy", "jsd")
LACKED = {"tone": "dark tones", "yaw": "profiles"}
SHOWN = ("accuracy", "u_aleatoric", "u_epistemic")
CAUSAL = (
    "The same rendered head with one thing changed: whatever differs along a curve, that thing has caused, on these "
    "renderings. Annotators are simulated and see the expression alone; rendered skin, hair and light are not those of "
    "photographs, and the people are few."
)
COUNTED = (
    "Mean [95 % interval], and mean difference to the reference in the same scene. n counts scenes that have both the "
    "level and the reference; intervals resample whole people."
)


def is_of(subject: Subject) -> bool:
    return is_probe(subject.cache.attributes) and len(subject.cache.classes) > 1


def probe(subject: Subject) -> Section:
    """A part for each factor."""
    stars, found = star(numbers(subject.cache, None, columns=NEEDED)), subject.numbers(SCORED)
    values = measures(stars, found)
    if subject.samples == 1:
        values.pop("u_epistemic", None)
    parts = []
    for name in FACTORS:
        arm = stars.arms[name].within(stars.among(found))
        if len(arm.levels) > 1:
            parts.append(Section(f"{NAME}-{name}", f"Only the {name} changes", tuple(along(subject, arm, values))))
    if {BALANCED, SKEWED} <= set(subject.cache.models):
        parts.append(Section(f"{NAME}-skew", "What a skewed training set does", tuple(lacking(subject, stars))))
    return Section(NAME, TITLE, (Text(CAUSAL),), tuple(parts))


def lacking(subject: Subject, stars: Star) -> list[Block]:
    """Two models alike but for what their training lacked, on the faces of the split."""
    both = [Subject(subject.cache, model, subject.split).numbers(SCORED) for model in (BALANCED, SKEWED)]
    compared, *_ = skewed(stars, *both)
    rows: list[tuple[Cell | str, ...]] = []
    for name in (name for name in REMOVED if name in compared.gaps):
        for factor, gap in compared.gaps[name].items():
            cells = [written(one, name) for one in (gap.balanced, gap.skewed, gap.difference)]
            title = f"{QUANTITIES[name].title}, {QUANTITIES[name].gap_unit}, {LACKED[factor]}"
            rows.append((title, *cells, f"{gap.difference.n:,}"))
    for part, (skew, balanced, difference) in compared.auroc.items():
        cells = [cell(Estimate(one.value, one.low, one.high, one.n)) for one in (balanced, skew, difference)]
        rows.append((f"AUROC of {QUANTITIES[part].title}", *cells, f"{skew.n:,}"))
    head = ("removed minus kept levels", BALANCED, SKEWED, "difference", "n")
    return [
        Text(
            f"{BALANCED} saw every tone and turn in training, {SKEWED} no Monk tone from 6 on and no profile. How far "
            "are the removed levels from the kept ones of the same scene under either?"
        ),
        Table(f"What training lacked: {subject.named_split}.", head, tuple(rows)),
        Text(
            "Means [95 % interval over people]; n counts scenes, of AUROCs faces. Those ask whether a part of the "
            "uncertainty tells removed faces from the others. One training of each: how far other trainings would "
            "differ is not known.",
            "note",
        ),
    ]


def along(subject: Subject, arm: Sweep, values: dict[str, np.ndarray]) -> list[Block]:
    """The curve of the uncertainty, and a table of every quantity shown."""
    factor = arm.factor
    title = f"{factor.name} ({factor.unit})" if factor.unit else factor.name
    axis = Axis(title, tuple(map(level_name, arm.levels)), joined=not factor.order)
    effects = {name: effect(arm, values[name], name) for name in SHOWN if name in values}
    main = "u_epistemic" if "u_epistemic" in effects else "u_aleatoric"
    shown, lines = QUANTITIES[main], [Line(subject.model, effects[main].means, colour_of(main, "light"))]
    return [
        figure(
            curve(lines, axis, shown),
            table(arm, {subject.model: effects[main]}, main),
            caption=f"Mean {shown.labelled} along {title}: {subject.of}. Tint or whiskers: 95 % interval.",
            alt=describe_curve(lines, axis, shown),
            file=f"probe-{factor.name}-{main}",
        ),
        means(axis, effects, arm.reference()),
        Text(COUNTED, "note"),
    ]


def means(axis: Axis, effects: dict[str, Effects], reference: int) -> Table:
    """A row per level; of each quantity its mean and its difference to the reference."""
    head = ["", "n"]
    for name in effects:
        shown = QUANTITIES[name]
        head += [f"{shown.title}, {shown.unit}", f"difference, {shown.gap_unit}"]
    rows: list[tuple[Cell | str, ...]] = []
    for at, level in enumerate(axis.levels):
        cells: list[Cell | str] = []
        for name, found in effects.items():
            cells.append(written(found.means[at], name))
            cells.append("reference" if at == reference else written(found.differences[at], name))
        counts = [found.differences[at].n for found in effects.values()]
        n = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
        rows.append((level, n, *cells))
    return Table(f"Every level of {axis.title}, compared with {axis.levels[reference]}.", tuple(head), tuple(rows))


def written(found: Clustered, quantity: str) -> Cell:
    shown = QUANTITIES[quantity]
    return cell(Estimate(found.value, found.low, found.high, found.n), shown.decimals, shown.scale)
