"""The sidebar's filters, each bound to the URL, and the Filter that they add up to."""

import math
from collections.abc import Collection, Sequence

import streamlit as st

from cache.filters import Column, Filter
from cache.schema import NEEDS_VOTES, SCORES
from pages.widgets.address import asked, ignore, write
from pages.widgets.bound import maybe, several, typed
from pages.widgets.caches import View
from pages.widgets.problems import ignored
from pages.widgets.slices import save_slice, slice_note
from pages.widgets.wording import count, names, plain

VERDICTS = {"correct": True, "wrong": False}
MOST_VALUES = 200  # choices offered of a text attribute
PAGE = "page"  # of a list of faces: another filter is another list, and begins at its first


def choose_filter(view: View, default_split: str | None = None) -> Filter:
    """Draw the filters in the sidebar and say which faces they ask for, within the chosen slice.

    default_split: chosen at first where the cache has it, for a slice says itself what it holds; in the URL, `?split=`
    asks for any.
    """
    slice_note(view)
    first = [default_split] if default_split and view.slice is None and scored_in(view, default_split) else []
    classes, has_votes = view.cache.classes, number_range(view, "n_votes")[1] > 0
    with st.sidebar:
        st.subheader("Filter", anchor=False, divider="gray")
        splits = values_of("split", "Split", view, first)
        predicted = any_of("predicted", "Predicted class", classes) if view.model else []
        majority: list[str] = []
        verdict = None
        if has_votes:
            majority = any_of("annotators", "Annotators' class", classes)
            if view.model:
                verdict = maybe(
                    "The model's class is",
                    VERDICTS,
                    key="verdict",
                    clears=(PAGE,),
                    help="Compared with the annotators' most frequent class. Faces whose votes tie are neither.",
                )
        else:
            st.caption("No annotators' votes in this cache: no filter by their class, nor by correct and wrong.")
            for key in ("annotators", "verdict", *NEEDS_VOTES, "disagreement"):
                ignore(key, "this cache has no annotators' votes")
        columns = {n: c for n, c in view.cache.columns(view.model).items() if has_votes or n not in NEEDS_VOTES}
        values = [
            (n, tuple(v)) for n in view.cache.attributes if columns[n].kind == "text" if (v := values_of(n, "", view))
        ]
        ranges = choose_ranges(view, columns)
        where = Filter(
            splits=tuple(splits),
            predicted=tuple(map(classes.index, predicted)),
            majority=tuple(map(classes.index, majority)),
            correct=None if verdict is None else VERDICTS[verdict],
            ranges=tuple(ranges),
            values=tuple(values),
        )
        st.button("Clear filters", on_click=clear, args=[[*columns]], type="tertiary", icon=":material/filter_alt_off:")
        save_slice(view, view.within(where), key="save-slice")
    return view.within(where)


def scored_in(view: View, split: str) -> bool:
    """Whether there are faces of this split that the model has scored."""
    return split in text_values(view, "split") and matching_faces(view, Filter(splits=(split,))) > 0


def choose_ranges(view: View, columns: dict[str, Column]) -> list[tuple[str, float, float]]:
    """A text field low..high per number column: on view where it is used, else in a box that can be opened.

    A dozen fields that nobody looks at would cost every rerun a third of its time.
    """
    numbers = [c for n, c in columns.items() if c.kind == "number" and (n in SCORES or n in view.cache.attributes)]
    numbers += [columns[n] for n in ("disagreement", "n_votes", "width", "height", "face_id") if n in columns]
    used = [column for column in numbers if asked(column.name)]
    called = names(view.cache.columns(view.model))
    found = [choose_range(view, column, called[column.name]) for column in used]
    box = st.expander("Ranges", key="ranges", on_change="rerun")
    if box.open:
        with box:
            st.caption("Type low..high, and leave a side empty for no limit: `0.5..1.2`, `1..`")
            found += [choose_range(view, column, called[column.name]) for column in numbers if column not in used]
    return [chosen for chosen in found if chosen is not None]


def choose_range(view: View, column: Column, name: str) -> tuple[str, float, float] | None:
    """One field; None where it asks for nothing."""
    low, high = number_range(view, column.name)
    if not low < high:  # unknown, or nothing to choose
        ignore(column.name, "every face has the same value")
        return None
    text = typed(
        plain(name) + (f" ({plain(column.unit)})" if column.unit else ""),
        key=column.name,
        clears=(PAGE,),
        placeholder=f"{low:.3g}..{high:.3g}" if abs(high) < 1000 else f"{low:.0f}..{high:.0f}",
        help=plain(column.description) or None,
    )
    if not text:
        return None
    ends = parse_range(text)
    if ends is None:
        ignored(column.name, text, "expected low..high")
        return None
    return column.name, *ends


def values_of(name: str, label: str, view: View, default: Sequence[str] = ()) -> list[str]:
    """Choice among the values of a text column; nothing to choose when all faces share one."""
    options = text_values(view, name)
    if len(options) < 2:
        ignore(name, "every face has the same value")
        return []
    label = label or plain(names(view.cache.columns(view.model))[name])
    more = len(options) > MOST_VALUES
    return any_of(
        name,
        label,
        list(options)[:MOST_VALUES],
        default,
        help=f"The {MOST_VALUES} most frequent values." if more else None,
    )


def any_of(
    key: str, label: str, options: Collection[str], default: Sequence[str] = (), help: str | None = None
) -> list[str]:
    return several(label, options, key=key, default=default, clears=(PAGE,), placeholder="any", help=help)


def clear(columns: list[str]) -> None:
    """Empty every filter, but for the splits that the page begins with."""
    write(dict.fromkeys(("split", "predicted", "annotators", "verdict", PAGE, *columns)))


def parse_range(text: str) -> tuple[float, float] | None:
    """'0.5..1.2' -> (0.5, 1.2); a side left empty has no limit; None when the text is not a range.

    >>> parse_range("0.5..1.2"), parse_range("-30.."), parse_range("..1e-3"), parse_range("2..1"), parse_range("inf..")
    ((0.5, 1.2), (-30.0, inf), (-inf, 0.001), None, None)
    """
    low, dots, high = text.strip().partition("..")
    if not dots or (not low.strip() and not high.strip()):
        return None
    try:
        ends = float(low) if low.strip() else -math.inf, float(high) if high.strip() else math.inf
    except ValueError:
        return None
    typed = [end for end, text in zip(ends, (low, high), strict=True) if text.strip()]
    return ends if ends[0] <= ends[1] and all(map(math.isfinite, typed)) else None


# What follows is called by name: of each argument without one, Streamlit looks up the function's signature anew.


@st.cache_data(max_entries=256, show_spinner=False)
def _range(stamp: tuple[str, int], model: str | None, column: str, _view: View) -> tuple[float, float]:
    return _view.cache.extent(model, column)


def number_range(view: View, column: str) -> tuple[float, float]:
    """Least and greatest value of a number column, remembered for as long as the cache is not rebuilt."""
    return _range(stamp=view.stamp, model=view.model, column=column, _view=view)


@st.cache_data(max_entries=64, show_spinner=False)
def _values(stamp: tuple[str, int], column: str, _view: View) -> dict[str, int]:
    found = _view.cache.values(None, column, limit=MOST_VALUES + 1).dropna(subset="value")
    return {str(value): int(faces) for value, faces in zip(found.value, found.faces, strict=True)}


def text_values(view: View, column: str) -> dict[str, int]:
    """Values of a text column of the faces and how many have each, most frequent first."""
    return _values(stamp=view.stamp, column=column, _view=view)


def matching_faces(view: View, where: Filter) -> int:
    """Number of faces that the filter lets through."""
    return view.cache.count(view.model, where)


def describe(matching: int, total: int) -> str:
    return count(total, "face") if matching == total else f"{matching:,} of {count(total, 'face')}"
