"""What a filter holds, in words: for those who meet it under a name."""

import math

from cache.filters import Filter, Subset
from cache.reader import Cache
from pages.widgets.wording import count, names, number, plain

LISTED = 6  # values named of a longer list
MOST = 12  # conditions
DEEPEST = 2  # filters within each other that are spelt out


def in_words(cache: Cache, model: str | None, where: Filter, depth: int = 0) -> str:
    """Conditions joined by semicolons, as Markdown that shows text of the data as it is. Never fails, whatever is gone.

    'split test; predicted fear or anger; the model is wrong; U_t from 0.40 to 1.90 nats'
    """
    if depth > DEEPEST:
        return "other filters"
    known = cache.columns(model if model in cache.models else None)
    called = names(known)
    said = []
    if where.splits:
        said.append(f"split {_any_of(where.splits)}")
    for name, chosen in (("predicted", where.predicted), ("annotators' class", where.majority)):
        if chosen:
            said.append(f"{name} {_any_of([_class(cache, index) for index in chosen])}")
    if where.correct is not None:
        said.append(f"the model is {'right' if where.correct else 'wrong'}")
    for column, low, high in where.ranges:
        unit = known[column].unit.replace("probability", "") if column in known else ""
        said.append(plain(f"{called.get(column, column)} {_ends(low, high)} {unit}".strip()))
    for column, allowed in where.values:
        said.append(f"{plain(called.get(column, column))} {_any_of(allowed)}")
    if where.faces:
        said.append(f"{count(len(where.faces), 'face')} picked by hand")
    said += [f"inside an outline on the map {plain(region.layout)}" for region in where.regions]
    said += [_subset(cache, model, subset, depth) for subset in where.subsets]
    if len(said) > MOST:
        said = [*said[: MOST - 1], f"and {len(said) - MOST + 1} more conditions"]
    return "; ".join(said) or "every face"


def _subset(cache: Cache, model: str | None, subset: Subset, depth: int) -> str:
    inner = in_words(cache, subset.model, subset.where, depth + 1)
    judge = f", as {plain(subset.model)} judges" if subset.model and subset.model != model else ""
    return f"{'' if subset.inside else 'not '}({inner}{judge})"


def _any_of(values: "tuple[str, ...] | list[str]") -> str:
    shown = [plain(value) for value in values[:LISTED]]
    if more := len(values) - len(shown):
        shown.append(f"{more} more")
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _class(cache: Cache, index: int) -> str:
    return cache.classes[index] if index < len(cache.classes) else f"number {index}"


def _ends(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "known"
    if math.isinf(low):
        return f"at most {number(high)}"
    return f"at least {number(low)}" if math.isinf(high) else f"from {number(low)} to {number(high)}"
