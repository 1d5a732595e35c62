"""Two models alike but for what their training lacked, on the same faces: does U_e show it, and does U_a stay?"""

import pandas as pd
import streamlit as st

from cache.filters import Filter
from engine.metrics.effects import Clustered
from engine.metrics.lacking import BALANCED, SKEWED, Lacking, removed_levels
from pages.charts.audit_quantities import QUANTITIES, colour_of
from pages.charts.effects import Axis, Line, describe_curve, lacking_curve
from pages.findings import probe as findings
from pages.findings.probe import MEASURED, SCORED, excludes_zero, level_name
from pages.widgets.bound import switch
from pages.widgets.caches import View
from pages.widgets.estimates import cell, statistics
from pages.widgets.figure import figure, theme
from pages.widgets.measured import numbers_of
from pages.widgets.probe import AXES, star_of
from pages.widgets.problems import guard
from pages.widgets.wording import count, plain

PARTS = ("u_epistemic", "u_aleatoric")
QUESTIONS = {"u_epistemic": ("Does U_e reveal the lack?", "yes"), "u_aleatoric": ("Does U_a stay?", "no")}  # if moved
WORDS = {"tone": "dark tones", "yaw": "profiles"}
GROUPS = {"kept": "kept", "dark": "dark tones", "profile": "profiles", "both": "dark profiles"}  # of faces


def skewed_training(view: View, where: Filter) -> None:
    st.subheader("What a skewed training set does", anchor=False)
    st.markdown(
        "Two small ensembles were trained alike, from the same number of images of the same scenes: "
        f"`{BALANCED}` saw every tone and turn, `{SKEWED}` no tone from 6 on and no profile."
    )
    if not {BALANCED, SKEWED} <= set(view.cache.models):
        st.info("This cache does not hold both of them. They ship with Doubtscope; to add them:")
        source = view.cache.manifest.source.spec or "probe:"
        st.code(
            f"python -m engine build {source} --out {view.cache.folder} --model {BALANCED} --model {SKEWED}",
            language="bash",
        )
        return
    experiment(view, where)


@st.fragment
def experiment(view: View, where: Filter) -> None:
    """A fragment: another factor leaves the rest of the page alone."""
    with guard():
        stars = star_of(view)
        found = [numbers_of(view, model, where, SCORED) for model in (BALANCED, SKEWED)]
        if not all(len(numbers) for numbers in found):
            st.info("The filter leaves no face that both have scored.")
            return
        compared, *measures = findings.skewed(stars, *found)
        factor = switch("Along", WORDS, key="lacking", default="tone")
        known = stars.among(found[0]) & stars.among(found[1])
        arm = findings.kept_arm(stars, factor, known)
        if len(arm.levels) < 2:
            st.info("The filter leaves too few levels of this factor. Clear the filters in the sidebar.")
            return
        axis = Axis(AXES[factor], tuple(map(level_name, arm.levels)), joined=True)
        for column, part in zip(st.columns(2, gap="medium"), PARTS, strict=True):
            with column:
                effects = {
                    model: findings.effect(arm, values[part], part)
                    for model, values in zip((SKEWED, BALANCED), reversed(measures), strict=True)
                }
                lines = [
                    Line(model, effect.means, colour_of(part, theme()), model == BALANCED)
                    for model, effect in effects.items()
                ]
                figure(
                    lacking_curve(lines, axis, QUANTITIES[part], removed_levels(factor, arm.levels)),
                    findings.table(arm, effects, part),
                    key=f"lacking-{part}",
                    name=f"skew-{factor}-{QUANTITIES[part].title}",
                    alt=describe_curve(lines, axis, QUANTITIES[part]),
                )
        other = {"tone": "whose head is not in profile", "yaw": "whose tone is 5 or lighter"}[factor]
        people = len(set(arm.identity.tolist()))
        st.caption(
            f"Means over {count(len(arm.scene), 'scene')} {other}, of {people} people, with 95 % intervals that "
            f"resample whole people. Shaded: removed from the training of {SKEWED}."
        )
        for sentence in verdicts(compared):
            st.markdown(sentence)
        verdict_table(compared)
        change_table(compared)


def verdicts(compared: Lacking) -> list[str]:
    """One sentence for each question, from the intervals alone."""
    said = []
    for part, (question, moves) in QUESTIONS.items():
        answers = []
        for factor, name in WORDS.items():
            moved = compared.gaps[part][factor].difference
            answer = moves if excludes_zero(moved) else "not to be told"
            answers.append(f"for {name} {answer}, {_signed(moved)} nats")
        said.append(f"**{question}** {'; '.join(answers)[0].upper()}{'; '.join(answers)[1:]}.")
    said.append(
        "That is how much farther the removed levels are from the kept ones under the skewed model than under the "
        "balanced one, scene by scene; not to be told: the interval holds 0."
    )
    skewed, balanced, difference = compared.auroc["u_epistemic"]
    said.append(
        f"**Could U_e be used to find such faces?** It tells removed from kept ones with an AUROC of {cell(skewed)} "
        f"under the skewed model and {cell(balanced)} under the balanced one, where nothing was removed: a "
        f"difference of {_signed(difference)}. U_a does so with {cell(compared.auroc['u_aleatoric'][0])} under the "
        "skewed model. At .5 they would tell nothing."
    )
    return said


def verdict_table(compared: Lacking) -> None:
    rows = []
    for quantity in (name for name in MEASURED if name in compared.gaps):
        shown = QUANTITIES[quantity]
        for factor, gap in compared.gaps[quantity].items():
            cells = [cell(one, shown.decimals, shown.scale) for one in (gap.balanced, gap.skewed, gap.difference)]
            unit = f" ({shown.gap_unit})" if shown.gap_unit else ""
            rows.append((f"{shown.title}{plain(unit)}, {WORDS[factor]}", *cells, f"{gap.difference.n:,}"))
    for part, (skewed, balanced, difference) in compared.auroc.items():
        rows.append(
            (f"AUROC of {QUANTITIES[part].title}", cell(balanced), cell(skewed), cell(difference), f"{skewed.n:,}")
        )
    statistics(
        pd.DataFrame(rows, columns=["Removed minus kept levels", BALANCED, SKEWED, "skewed minus balanced", "n"]),
        key="skew-table",
        alt="How far removed levels are from kept ones under both models, and the difference between the models",
    )
    st.caption(
        "Mean of the removed levels minus mean of the kept ones of the same scene [95 % interval over people]; n "
        "counts scenes, of AUROCs faces. Those ask whether a part of the uncertainty tells removed faces from the rest."
    )


def change_table(compared: Lacking) -> None:
    """Where the two models differ at all: the skewed one has seen fewer faces of some kinds, and more of the others."""
    rows = []
    for quantity, change in compared.change.items():
        shown = QUANTITIES[quantity]
        unit = f" ({shown.gap_unit})" if shown.gap_unit else ""
        cells = [cell(change[group], shown.decimals, shown.scale) for group in GROUPS]
        rows.append((f"{shown.title}{plain(unit)}", *cells))
    faces = [f"{compared.change['u_total'][group].n:,}" for group in GROUPS]
    statistics(
        pd.DataFrame([*rows, ("n", *faces)], columns=["Skewed minus balanced", *GROUPS.values()]),
        key="skew-change",
        alt="Mean difference between the two models, face by face, for kept and for removed faces",
    )
    st.caption(
        "Mean [95 % interval over people]. Both learned from 576 images: what the skewed one lacks of removed faces it "
        "has seen more of kept ones, 576 against 176. Intervals do not say how far other trainings would differ."
    )


def _signed(found: Clustered) -> str:
    """
    >>> _signed(Clustered(0.1234, 0.1, 0.15, 80, 8))
    '**+0.123** [+0.100,\\xa0+0.150]'
    """
    value, low, high = (f"{round(end, 3) + 0.0:+.3f}" for end in (found.value, found.low, found.high))
    return f"**{value}** [{low},\N{NO-BREAK SPACE}{high}]"
