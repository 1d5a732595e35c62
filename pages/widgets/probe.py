"""One factor of the rendered faces at a time: its curve, the differences within scenes, one scene, the table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cache.filters import Filter
from cache.numbers import numbers
from cache.schema import SCORES
from engine.metrics.effects import Clustered, Effects
from engine.metrics.star import FACTORS, Sweep
from pages.charts.audit_quantities import QUANTITIES, Quantity, colour_of
from pages.charts.effects import Axis, Line, curve, describe_curve, describe_differences, differences
from pages.findings import probe as findings
from pages.findings.probe import MEASURED, NEED_VOTES, NEEDED, SCORED, Star, level_name
from pages.widgets import problems
from pages.widgets.bound import select, switch
from pages.widgets.caches import View
from pages.widgets.estimates import cell, statistics
from pages.widgets.figure import csv, figure, theme
from pages.widgets.filters import number_range
from pages.widgets.measured import columns_in, described, numbers_of, verdict_note
from pages.widgets.probe_strip import Strip, choose_scene, filmstrip
from pages.widgets.problems import guard
from pages.widgets.wording import LEGEND, count, names, plain

COMMAND = "python -m engine probe --model compact-ensemble"
NOBODY = "none"
OUTCOMES = {"predicted", *SCORES}  # what a model made of a face
FACTOR, QUANTITY, FROM, BESIDE = "factor", "of", "from", "beside"  # in the URL
AXES = {
    "tone": "skin tone (Monk, 1 lightest)",
    "yaw": "turn of the head (degrees, + to the image's right)",
    "light": "light",
}
OTHERS = {"tone": "turn and the light", "yaw": "tone and the light", "light": "tone and the turn"}


@dataclass(frozen=True, eq=False)
class Chosen:
    """What the controls ask for, and what it comes from."""

    arm: Sweep
    quantity: str
    reference: int  # column of the arm
    models: tuple[str, ...]  # the page's, and one beside it
    values: dict[str, dict[str, np.ndarray]]  # model -> quantity -> (N,)
    row: DeltaGenerator  # of controls, with room for the scene

    @property
    def axis(self) -> Axis:
        name = self.arm.factor.name
        return Axis(AXES[name], tuple(map(level_name, self.arm.levels)), joined=name != "light")

    @property
    def shown(self) -> Quantity:
        return QUANTITIES[self.quantity]


def need_probe(view: View) -> None:
    """The end of the page for a cache of other faces."""
    if not findings.is_probe(view.cache.attributes):
        problems.empty(
            "This page compares images of the same rendered head in which one thing alone was changed, and the faces "
            "of this cache are not such images. Choose another cache in the sidebar, or score the probe faces:",
            COMMAND,
        )


@st.cache_resource(max_entries=4, show_spinner=False)
def _star(stamp: tuple[str, int], _view: View) -> Star:
    return findings.star(numbers(_view.cache, None, columns=NEEDED))


def star_of(view: View) -> Star:
    """Every face of the cache in its place, shared by all sessions."""
    return _star(view.stamp, view)


@st.fragment
def one_factor(view: View, where: Filter) -> None:
    """A fragment: another factor, quantity or scene leaves the sidebar alone."""
    with guard():
        stars, found = star_of(view), numbers_of(view, view.model, where, SCORED)
        chosen = choose(view, where, stars)
        if chosen is None:
            return
        with chosen.row:
            scene = choose_scene(chosen.arm)
        measured = {
            model: findings.effect(
                chosen.arm, values[chosen.quantity], chosen.quantity, chosen.arm.levels[chosen.reference]
            )
            for model, values in chosen.values.items()
        }
        figures(chosen, measured, scene)
        reading(view, where, chosen, len(found))
        filmstrip(view, Strip(chosen.arm, scene, chosen.quantity, stars.face_id))
        table(chosen, measured)


def choose(view: View, where: Filter, stars: Star) -> Chosen | None:
    """Factor, quantity, reference level and a second model; None when the filter leaves nothing to compare."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        factor = switch("Only this changes", FACTORS, key=FACTOR, default="tone", clears=(FROM,))
        offered = offered_quantities(view)
        titles = {QUANTITIES[name].title: name for name in offered}
        quantity = titles[switch("and this is measured", titles, key=QUANTITY, default=next(iter(titles)))]
    others = [model for model in view.cache.models if model != view.model]
    arm = stars.arms[factor].within(stars.among(numbers_of(view, view.model, where, SCORED)))
    if len(arm.levels) < 2:
        st.info(
            f"The filter leaves {'no face' if not arm.levels else 'one level'} of this factor, and there is nothing to "
            "compare it with. Widen a range, or clear the filters in the sidebar."
        )
        return None
    levels = list(map(level_name, arm.levels))
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        level = select("Compared with", levels, key=FROM, default=levels[arm.reference()], width=130)
        beside = select("Second model", [NOBODY, *others], key=BESIDE, default=NOBODY, width=200) if others else NOBODY
    models = (str(view.model), *((beside,) if beside != NOBODY else ()))
    values = {model: findings.measures(stars, numbers_of(view, model, where, SCORED)) for model in models}
    if any(quantity not in found for found in values.values()):
        st.info(f"These faces have no {QUANTITIES[quantity].title}: nobody has voted on them.")
        return None
    return Chosen(arm, quantity, levels.index(level), models, values, row)


def offered_quantities(view: View) -> list[str]:
    """Those that the cache can have: no errors without votes, no U_e of a model with one sample."""
    votes = number_range(view, "n_votes")[1] > 0
    wanted = [name for name in MEASURED if votes or name not in NEED_VOTES]
    return [name for name in wanted if name != "u_epistemic" or view.samples > 1]


def figures(chosen: Chosen, measured: dict[str, Effects], scene: int) -> None:
    """The curve beside the differences."""
    colour, shown, axis = colour_of(chosen.quantity, theme()), chosen.shown, chosen.axis
    first = chosen.models[0]

    def lines(part: str) -> list[Line]:
        return [Line(model, getattr(effect, part), colour, model != first) for model, effect in measured.items()]

    own = chosen.arm.table(chosen.values[first][chosen.quantity])[scene]
    data = findings.table(chosen.arm, measured, chosen.quantity)
    name = f"probe-{first}-{chosen.arm.factor.name}-{shown.title}"
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Mean {plain(shown.labelled)}** at each level")
        alt = describe_curve(lines("means"), axis, shown)
        figure(curve(lines("means"), axis, shown, own), data, key="probe-curve", name=name, alt=alt)
    with right:
        st.markdown(f"**Difference to {plain(axis.levels[chosen.reference])}** in the same scene")
        moved = lines("differences")
        figure(
            differences(moved, axis, shown, chosen.reference),
            data,
            key="probe-differences",
            name=f"{name}-differences",
            alt=describe_differences(moved, axis, shown, chosen.reference),
        )


def reading(view: View, where: Filter, chosen: Chosen, n: int) -> None:
    """What the figures stand on."""
    scenes, people = len(chosen.arm.scene), len(set(chosen.arm.identity.tolist()))
    st.caption(
        f"{count(scenes, 'scene')} of {people} {'person' if people == 1 else 'people'}, from {described(n, where)}. In "
        f"a scene the head, the expression, the camera, the {OTHERS[chosen.arm.factor.name]} stay the same. Bands and "
        "bars are 95 % bootstrap intervals that resample whole people: the left ones hold how much people differ, the "
        f"right ones only how differently they respond. {LEGEND}"
    )
    if people < 2:
        st.caption(":material/warning: One person: no interval can say how far this holds for others.")
    if where.splits != ("test",) and where.splits != ("validation",):
        st.caption(
            ":material/warning: The models that ship have learned from the people of split train. Those faces are "
            "easier for them, and say less of what they do with a stranger."
        )
    if view.samples == 1:
        st.caption(f"No U_e: {plain(view.model)} draws one sample per face, so its U_e is 0 by construction.")
    if judged := columns_in(where) & OUTCOMES:
        called = names(view.cache.columns(view.model))
        st.caption(
            ":material/warning: The filter selects faces by what the model made of them "
            f"({', '.join(sorted(called[name] for name in judged))}), so levels may stand on different scenes."
        )
    verdict_note(where)


def table(chosen: Chosen, measured: dict[str, Effects]) -> None:
    """The same in numbers."""
    shown, rows = chosen.shown, []
    for index, level in enumerate(chosen.axis.levels):
        cells = [_numbers(effect, index, shown, index == chosen.reference) for effect in measured.values()]
        counts = [effect.differences[index].n for effect in measured.values()]
        rows.append((level, *[text for pair in cells for text in pair], f"{min(counts):,}"))
    if chosen.arm.steps is not None:
        slopes = [pair for effect in measured.values() for pair in ("", _slope(effect.slope, shown))]
        rows.append(("per step", *slopes, f"{min(e.slope.n for e in measured.values() if e.slope):,}"))
    several = len(measured) > 1
    heads = [
        f"{plain(model)}: {what}" if several else what[:1].upper() + what[1:]
        for model in measured
        for what in ("mean", f"difference to {chosen.axis.levels[chosen.reference]}")
    ]
    unit = f", {shown.unit}" if shown.unit else ""
    st.markdown(
        f"**{plain(shown.title[:1].upper() + shown.title[1:])}{plain(unit)}, along {AXES[chosen.arm.factor.name]}**"
    )
    statistics(
        pd.DataFrame(rows, columns=["", *heads, "n"]),
        key="probe-table",
        alt=f"Mean {shown.labelled} and difference to the reference, at each level of {AXES[chosen.arm.factor.name]}",
    )
    csv(
        findings.table(chosen.arm, measured, chosen.quantity),
        key="probe-table-data",
        name=f"probe-{chosen.models[0]}-{chosen.arm.factor.name}",
    )
    said = "Value [95 % interval]; n counts scenes that have both the level and the reference."
    if chosen.arm.steps is not None:
        said += " Per step: the mean of the scenes' own least-squares slopes over the ten Monk tones."
    if chosen.quantity == "accuracy":
        said += (
            " Faces whose votes tie have no accuracy. An interval of no width says that no scene changed, not that "
            "none could."
        )
    st.caption(said)


def _numbers(effect: Effects, index: int, shown: Quantity, is_reference: bool) -> tuple[str, str]:
    moved = cell(effect.differences[index], shown.decimals, shown.scale)
    return cell(effect.means[index], shown.decimals, shown.scale), "reference" if is_reference else moved


def _slope(slope: Clustered | None, shown: Quantity) -> str:
    return cell(slope, shown.decimals + 1, shown.scale)
