"""What the Bias audit says when it has no groups, and what no audit of this kind can show."""

import pandas as pd
import streamlit as st

from cache.filters import Filter
from pages.findings.attributes import MEASURED, TONE
from pages.findings.bins import Grouping
from pages.widgets.audit_data import Choice, called, faces_of, ungrouped
from pages.widgets.caches import View
from pages.widgets.wording import count, plain

CANNOT = """
- **Cause.** A gap says that groups get different answers, not why. The page Probe changes one thing on the same head.
- **What was not measured.** Adjusting holds equal what was measured, and nothing else; faces of two groups also differ
  in camera, place, age and in what they express.
- **Exact groups.** Measurements err, most in poor light and on turned heads, and faces near an edge land in the wrong
  group, which narrows gaps. docs/attributes.md says by how much.
- **Small groups.** In the tails there are few faces: no gap found is not a gap ruled out. Look at the interval.
- **Other photos.** This is one dataset; another camera or another choice of photos may turn a gap round.
- **Fewer faces than it seems.** Intervals and tests take faces as exchangeable. Many photos of one person, or of one
  film, are fewer independent faces than n says, and intervals are then too narrow.
- **Every test that could be made.** Holm's correction counts the groups, or quantities, of one table. Whoever tries
  many attributes, bins and filters will find a small p by chance.
"""


def cannot_show() -> None:
    st.subheader("What this audit cannot show", anchor=False)
    st.markdown(CANNOT)


def nothing_to_compare(view: View, where: Filter, choice: Choice, groups: Grouping) -> None:
    """Why these faces are not in two groups."""
    name = plain(" and ".join(called(view, column) for column in choice.columns))
    n = len(groups.index)
    if not groups.names:
        why = ", ".join(f"{plain(reason)} {faces:,}" for reason, faces in ungrouped(view, where, choice).items())
        none = "unknown for all" if len(choice.columns) == 1 else "not both known of any of the"
        st.info(f"{name}: {none} {count(n, 'face')} shown ({why}). Choose another attribute.")
        return
    edges = any(cut is not None for cut in choice.edges)
    st.info(
        f"{name}: all {count(int((groups.index >= 0).sum()), 'face')} whose value is known are in one group, "
        f"'{plain(groups.names[0])}', so there is nothing to compare it with. "
        + ("Choose other bins." if edges else "Choose another attribute, or a wider filter.")
    )


def tone_note(view: View, where: Filter) -> None:
    """Say why skin tone is missing where it was measured, and nothing came of it."""
    values = faces_of(view, where).columns
    if "attr_ita" not in values or pd.notna(values["attr_ita"]).any():
        return
    why = pd.Series(values[TONE]).dropna().value_counts() if TONE in values else pd.Series(dtype=int)
    reason = ", ".join(f"{plain(text)} {faces:,}" for text, faces in why.items()) or "no reason recorded"
    st.info(
        f"Skin tone is unknown for all {count(len(values['attr_ita']), 'face')} shown: {reason}. It is measured on "
        "colour images and never guessed from grey ones. To audit by tone, build a cache from the colour originals, or "
        "supply a column of your own:"
    )
    st.code(attributes_command(view), language="bash")


def how_to_measure(view: View) -> None:
    """The commands that bring attributes, where none has been measured."""
    attributes = view.cache.attributes
    if any(name in attributes for name in MEASURED):
        return
    none = "This cache has no attributes of its faces" if not attributes else "Nothing has been measured on these faces"
    st.info(
        f"{none}. The first command measures skin tone, head pose, light, sharpness and size; the second joins a table "
        "of your own labels or numbers by the column source:"
    )
    st.code(measure_command(view), language="bash")
    st.code(attributes_command(view), language="bash")


def measure_command(view: View) -> str:
    source = view.cache.manifest.source.spec or "SOURCE"
    return f"python -m engine build {source} --out {view.cache.folder} --measure"


def attributes_command(view: View) -> str:
    return f"python -m engine attributes FILE.csv --cache {view.cache.folder}"
