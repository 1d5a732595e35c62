"""Columns of all the faces that match, as arrays: what statistics are computed from. Never more than MOST_FACES."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cache.errors import BadQuery
from cache.filters import Filter, quote
from cache.reader import EVERYTHING, Cache, among

MOST_FACES = 50_000  # read whole, up to as many
DRAWN = 20_000  # of more: a random sample, which gives a share within .7 % and keeps a page quick


@dataclass(frozen=True, eq=False)
class Numbers:
    """Columns of n faces in the order of face_id. Sessions share the arrays, which therefore cannot be written to."""

    matching: int  # faces that match the filter; n of them are here
    face_id: np.ndarray  # (n,) int64
    columns: dict[str, np.ndarray]  # (n,): float64, NaN where unknown; of a text column object, None where unknown
    probs: np.ndarray | None = None  # (n, C) float64
    votes: np.ndarray | None = None  # (n, C) float64 counts, a row of NaN where unknown

    def __len__(self) -> int:
        return len(self.face_id)

    @property
    def sampled(self) -> bool:
        """Whether these are only some of the faces that match."""
        return len(self) < self.matching


def numbers(
    cache: Cache,
    model: str | None,
    where: Filter = EVERYTHING,
    columns: Sequence[str] = (),
    *,
    probs: bool = False,
    votes: bool = False,
    filtered_by: str | None = None,
) -> Numbers:
    """The wanted columns of `cache.columns(model)` for all faces that match.

    When more than MOST_FACES match: a random sample of DRAWN, the same at each call. A value that is null, NaN or
    infinite is unknown. filtered_by: the model whose predictions the filter speaks of, where it is not `model`; so two
    models can be compared on the same faces.
    Raises BadQuery for a column or model that the cache lacks, or probs without a model.
    """
    judge = filtered_by or model
    known = cache.columns(model)
    condition, bound = cache.condition(judge, where)
    if probs and model is None:
        raise BadQuery("Probabilities belong to a model, and none was named.")
    names = list(dict.fromkeys(columns))
    for name in names:
        if name not in known:
            raise BadQuery(f"This cache has no column '{name}'. It has: {', '.join(known)}.")
    matching = cache.count(judge, where)
    order = "face_id"
    if matching > MOST_FACES:
        # The first in a random order by hash; of a little more than enough of them, since sorting all would take long.
        drawn = min(DRAWN, MOST_FACES)
        share = min(1.0, 1.1 * drawn / matching)
        condition += f" AND hash(face_id) <= {int(share * (2**64 - 1))}"
        order = f"hash(face_id), face_id LIMIT {drawn}"
    if judge != model:
        condition = among(f"(SELECT face_id FROM {cache.joined(judge)} WHERE {condition} ORDER BY {order})")
        order = "face_id"
    # The face's number is renamed, for it may be a wanted column too.
    selected = ", ".join(["face_id AS id", *(_column(name, known[name].kind == "text") for name in names)])
    table = cache.arrow(f"SELECT {selected} FROM {cache.joined(model)} WHERE {condition} ORDER BY {order}", bound)
    ascending = np.argsort(table["id"].to_numpy())
    face_id = _shared(table["id"].to_numpy()[ascending])
    return Numbers(
        matching,
        face_id,
        {name: _values(table[name], known[name].kind == "text", ascending) for name in names},
        _lists(cache, f"predictions/model={model}", "probs", face_id) if probs else None,
        _lists(cache, "faces", "votes", face_id) if votes else None,
    )


def _column(name: str, text: bool) -> str:
    return quote(name) if text else f"{quote(name)}::DOUBLE AS {quote(name)}"


def _values(column: pa.ChunkedArray, text: bool, order: np.ndarray) -> np.ndarray:
    if text:  # each different text is one object, however many faces have it
        coded = column.dictionary_encode().combine_chunks()
        texts = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
        return _shared(texts[coded.indices.fill_null(len(texts) - 1).to_numpy()[order]])
    values = column.to_numpy()[order]
    values[np.isinf(values)] = np.nan
    return _shared(values)


def _lists(cache: Cache, table: str, column: str, face_id: np.ndarray) -> np.ndarray:
    """(n, C) of the faces, in their order."""
    wanted = ", ".join(f"c{c}::DOUBLE AS c{c}" for c in range(len(cache.classes)))
    found = cache.arrow(
        f"SELECT {wanted} FROM (FROM {cache.lists(table, column)} SEMI JOIN chosen USING (face_id)) ORDER BY face_id",
        [],
        chosen={"face_id": face_id},
    )
    return _shared(np.column_stack([values.to_numpy() for values in found.columns]))


def _shared(values: np.ndarray) -> np.ndarray:
    values.flags.writeable = False
    return values
