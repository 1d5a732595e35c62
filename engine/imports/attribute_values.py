"""One column of a user's file -> numbers or text as the cache holds them, and what is wrong with it."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from engine.imports.given import quoted
from engine.imports.rows import Wrong

LONGEST_TEXT = 1_000  # characters; what a filter may ask for
LARGEST_WHOLE = 2**53 - 1  # no other whole number becomes the same double
NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
NOT_FINITE = r"^(?i:[+-]?(?:nan|inf|infinity))$"
MANY_DIGITS = r"^[+-]?\d{16,}$"
TOO_LARGE = "is no number that can be kept to its last digit; for a name of digits, put a letter before it"


def typed(name: str, column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, list[Wrong]]:
    """(n,) cells -> (n,) double or string, and the rows that cannot be used. Raises TypeError for any other content.

    Text becomes numbers when every cell that is filled in is one; 'nan' and 'inf' count as numbers, to be refused.
    Numbers of a Parquet file are numbers, and NaN there is unknown.
    """
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_boolean(column.type) or types.is_decimal(column.type) or types.is_floating(column.type):
        values = column.cast(pa.float64())
        return pc.if_else(pc.is_nan(values), None, values), _faults(
            name, column, pc.is_inf(values), "is no finite number"
        )
    if types.is_integer(column.type):
        values = column.cast(pa.float64(), safe=False)
        return values, _faults(name, column, pc.greater(pc.abs(values), LARGEST_WHOLE), TOO_LARGE)
    if not (types.is_string(column.type) or types.is_large_string(column.type) or types.is_string_view(column.type)):
        raise TypeError(str(column.type))
    texts = trimmed(column)
    if not _are_numbers(texts):
        long = pc.greater(pc.utf8_length(texts), LONGEST_TEXT)
        return texts, _faults(name, texts, long, f"has more than {LONGEST_TEXT:,} characters")
    values = texts.cast(pa.float64())
    wrong = _faults(name, texts, pc.invert(pc.is_finite(values)), "is no finite number")
    large = pc.and_(pc.match_substring_regex(texts, MANY_DIGITS), pc.greater(pc.abs(values), LARGEST_WHOLE))
    return values, wrong + _faults(name, texts, large, TOO_LARGE)


def trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts without spaces around them; null where nothing is left.

    >>> trimmed(pa.chunked_array([[" a ", "  ", None]])).to_pylist()
    ['a', None, None]
    """
    texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.equal(texts, ""), None, texts)


def stray(column: pa.ChunkedArray) -> tuple[int, str] | None:
    """In a column of text of which most cells are numbers: the first that is none, and its row. It is often a typo.

    >>> stray(pa.chunked_array([["31", "NA", "28"]]))
    (1, 'NA')
    """
    numbers = pc.match_substring_regex(column, NUMBER).to_numpy(zero_copy_only=False) if len(column) else np.array([])
    known = column.is_valid().to_numpy(zero_copy_only=False)
    others = np.flatnonzero(known & (numbers != True))  # noqa: E712 - null stands between the two
    if not len(others) or 2 * len(others) >= known.sum():
        return None
    return int(others[0]), column[int(others[0])].as_py()


def _are_numbers(texts: pa.ChunkedArray) -> bool:
    """Whether every text is a number, finite or not; of none at all this cannot be said."""
    either = pc.or_(pc.match_substring_regex(texts, NUMBER), pc.match_substring_regex(texts, NOT_FINITE))
    return bool(pc.all(either).as_py()) and bool(pc.any(either).as_py())


def _faults(name: str, column: pa.ChunkedArray, wrong: pa.ChunkedArray, reason: str) -> list[Wrong]:
    rows = np.flatnonzero(wrong.fill_null(False).to_numpy(zero_copy_only=False))
    said = column.take(pa.array(rows)).to_pylist()
    return [(int(row), f"its {name} ({quoted(str(value))}) {reason}") for row, value in zip(rows, said, strict=True)]
