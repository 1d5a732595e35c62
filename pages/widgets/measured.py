"""The faces that statistics are computed from, remembered between reruns, and what is said when they are few."""

import streamlit as st

from cache.filters import Filter
from cache.numbers import Numbers, numbers
from cache.store import PLANE
from pages.widgets.caches import View
from pages.widgets.filters import number_range
from pages.widgets.wording import count, plain

MIN_FACES = 30  # with fewer, a 95 % interval is itself a guess: it is left out, or shown beside a warning


@st.cache_resource(max_entries=8, show_spinner=False)
def _numbers(
    stamp: tuple[str, int],
    model: str | None,
    where: Filter,
    columns: tuple[str, ...],
    probs: bool,
    votes: bool,
    filtered_by: str | None,
    _view: View,
) -> Numbers:
    return numbers(_view.cache, model, where, columns, probs=probs, votes=votes, filtered_by=filtered_by)


def numbers_of(
    view: View,
    model: str | None,
    where: Filter,
    columns: tuple[str, ...] = (),
    *,
    probs: bool = False,
    votes: bool = False,
) -> Numbers:
    """The columns of all faces that the filter lets through, or of a large sample. Shared by all sessions.

    What the filter says of predictions, it says of the chosen model's, whichever `model` the columns are of.
    """
    return _numbers(view.stamp, model, where, tuple(columns), probs, votes, view.model if model else None, view)


def has_votes(view: View) -> bool:
    """Whether annotators have said anything about any face of the cache."""
    return number_range(view, "n_votes")[1] > 0


def votes_command(view: View) -> str:
    """What to run for a cache that has votes."""
    source = view.cache.manifest.source.spec or "SOURCE"
    return f"python -m engine build {source} --labels CSV --out data/NAME --model {view.model or 'compact-ensemble'}"


def one_class(view: View) -> bool:
    """Whether the cache knows a single class, which every answer would be; says so."""
    if len(view.cache.classes) > 1:
        return False
    st.info(
        f"One class, {plain(view.cache.classes[0])}: nothing to be right or wrong about. Every face gets it, with "
        "certainty."
    )
    return True


def verdict_note(where: Filter) -> None:
    """Say so when the filter decides what is being measured."""
    if where.correct is not None:
        kept = "right" if where.correct else "wrong"
        st.caption(
            f":material/warning: The filter keeps only faces that the model gets {kept}. It selects on the outcome "
            "itself, so accuracy and calibration mean nothing here."
        )


def columns_in(where: Filter) -> set[str]:
    """Columns that a filter selects by, those of the filters within it included; 'correct' for the outcome."""
    used = {name for name, *_ in (*where.ranges, *where.values)}
    used |= {name for name in ("predicted", "majority") if getattr(where, name)}
    used |= {"correct"} if where.correct is not None else set()
    used |= {"u_aleatoric", "u_epistemic"} if any(r.layout.startswith(PLANE) for r in where.regions) else set()
    return used.union(*(columns_in(subset.where) for subset in where.subsets))


def described(n: int, where: Filter) -> str:
    """'1,280 faces of split test': the sidebar that says so is hidden on a narrow screen."""
    splits = " and ".join(map(plain, where.splits))
    return count(n, "face") + (f" of split {splits}" if splits else "")


def sampled_note(found: Numbers) -> None:
    """Say so when statistics stand on a part of the faces."""
    if found.sampled:
        st.caption(f"From a random sample of {len(found):,} of {count(found.matching, 'face')}.")


def enough(n: int, what: str = "face") -> bool:
    """Whether there is anything to compute from n faces; says so when they are none, one, or too few to trust.

    what: 'face', or such as 'face with votes'.
    """
    if n >= MIN_FACES:
        return True
    if n < 2:
        st.info(
            f"{'No' if n == 0 else 'Only one'} {what} matches the filter, and statistics need at least two. Widen a "
            "range, or clear the filters in the sidebar."
        )
        return False
    noun, _, rest = what.partition(" ")
    st.caption(f":material/warning: Only {count(n, noun)} {rest}".rstrip() + ": too few to trust these figures.")
    return True
