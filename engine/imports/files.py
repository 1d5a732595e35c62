"""Predictions as people save them: NumPy's .npz and .npy here, Parquet in tables.py. Nothing is ever unpickled."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.imports.rows import ImportProblem
from engine.sources.rows import SourceProblem

STARTS = {".npz": b"PK", ".npy": b"\x93NUMPY", ".parquet": b"PAR1", ".pq": b"PAR1"}  # ending -> first bytes
SHAPES = "(N, S, C) or (N, C): N faces, S samples, C classes"


@dataclass(frozen=True, eq=False)
class Given:
    """What a file holds. Its shape is checked, its rows are not."""

    path: Path
    values: np.ndarray  # (N, S, C) numbers of any precision; those of a .npy stay on disk
    logits: bool
    face_id: np.ndarray | None = None  # (N,) int64
    source: np.ndarray | None = None  # (N,) str
    classes: tuple[str, ...] | None = None  # in the order of the columns; None: that of the cache

    def name(self, row: int) -> str:
        """
        >>> Given(Path("p.npz"), np.zeros((3, 1, 2)), False, np.array([4, 5, 6])).name(1)
        'row 1 (face 5)'
        """
        if self.face_id is not None:
            return f"row {row} (face {self.face_id[row]})"
        if self.source is not None:
            return f"row {row} ({quoted(str(self.source[row]))})"
        return f"row {row}"


def read_predictions(path: Path, logits: bool, classes: tuple[str, ...]) -> Given:
    """Read a file of predictions for these classes. Raises ImportProblem, one or two sentences with the next step.

    logits: whether the user says that the file holds logits; a file whose names say so needs no telling.
    """
    _check_file(path)
    with _readable(path):
        ending = path.suffix.lower()
        if ending == ".npz":
            given = _read_npz(path, logits)
        elif ending == ".npy":
            given = Given(path, _samples(path, np.load(path, mmap_mode="r", allow_pickle=False), "The array"), logits)
        else:
            from engine.imports.tables import read_table

            given = read_table(path, logits, classes)
    n, _, c = given.values.shape
    if not n:
        raise ImportProblem(f"{path} holds no rows. Save one row per face.")
    if c != len(classes):
        raise ImportProblem(
            f"{path} has {c} classes and the cache has {len(classes)} ({', '.join(classes)}). The last axis must be "
            f"the classes; expected {SHAPES}."
        )
    if given.classes is not None and (len(set(given.classes)) != c or set(given.classes) != set(classes)):
        raise ImportProblem(
            f"The classes of {path} are {', '.join(map(quoted, given.classes))}, and the cache's are "
            f"{', '.join(classes)}. Rename them; their order does not matter."
        )
    return given


def means_logits(path: Path, names: list[str], logits: bool) -> tuple[str, bool] | None:
    """Which of 'probs' and 'logits' a file has, and whether it holds logits; None when it has neither."""
    found = [name for name in ("probs", "logits") if name in names]
    if len(found) == 2:
        raise ImportProblem(f"{path} holds both 'probs' and 'logits'. Keep one of them.")
    if found == ["probs"] and logits:
        raise ImportProblem(
            f"{path} calls its numbers 'probs', and --logits contradicts that. Leave --logits out, or rename them."
        )
    return (found[0], found[0] == "logits") if found else None


def quoted(text: str) -> str:
    """A name from a file, fit for a terminal: no control characters, not endless."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _check_file(path: Path) -> None:
    if not path.exists():
        raise ImportProblem(f"There is no file at {path}. Check the path.")
    if not path.is_file():
        raise ImportProblem(f"{path} is not a file. Name the {', '.join(list(STARTS)[:3])} file itself.")
    start = STARTS.get(path.suffix.lower())
    if start is None:
        raise ImportProblem(
            f"The ending of {path.name} is none of {', '.join(STARTS)}. Save the predictions in one of these formats "
            "(docs/import.md shows how)."
        )
    if path.stat().st_size == 0:
        raise ImportProblem(f"{path} is empty (0 bytes). Save it again.")
    with path.open("rb") as file:
        if file.read(len(start)) != start:
            raise ImportProblem(
                f"{path} does not begin like a {path.suffix} file. Correct its ending, or save or copy it again; "
                "pickles are never opened."
            )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn whatever the readers raise on a damaged or unsafe file into an ImportProblem."""
    try:
        yield
    except (ImportProblem, SourceProblem):
        raise
    except MemoryError:
        raise ImportProblem(
            f"{path} does not fit into memory. Save it as .npy in float16 or float32: that is read in pieces."
        ) from None
    except Exception as problem:  # zip, NumPy and Arrow raise nearly anything on damaged bytes
        reason = " ".join(str(problem).split()).rstrip(".")[:200] or type(problem).__name__
        if "pickle" in reason or "Python objects" in reason:
            raise ImportProblem(
                f"{path} holds Python objects, which can run code when they are opened and are never loaded here. "
                "Save plain arrays: numbers as np.float32, names with np.array(names, dtype=str)."
            ) from None
        raise ImportProblem(
            f"{path} is damaged, or not what its ending says ({reason}). Save or copy it again."
        ) from None


def _read_npz(path: Path, logits: bool) -> Given:
    with np.load(path, allow_pickle=False) as arrays:
        names = list(arrays.files)
        found = means_logits(path, names, logits)
        if found is None:
            raise ImportProblem(
                f"{path} has no array 'probs' or 'logits' (it has: {', '.join(map(quoted, names)) or 'none'}). "
                "Save it with np.savez(file, probs=...)."
            )
        strangers = [name for name in names if name not in ("probs", "logits", "face_id", "source", "classes")]
        if strangers and not {"face_id", "source"} & set(names):
            raise ImportProblem(
                f"{path} has no array 'face_id' or 'source', but others ({', '.join(map(quoted, strangers))}). Call "
                "the one that names the faces 'face_id' or 'source', or leave them out if every face is there in order."
            )
        values = _samples(path, arrays[found[0]], f"The array '{found[0]}'")
        face_id = _column(path, arrays, "face_id", "iu", len(values), "whole numbers")
        source = _column(path, arrays, "source", "US", len(values), "strings")
        classes = _column(path, arrays, "classes", "US", values.shape[2], "strings")
    return Given(
        path, values, found[1], None if face_id is None else face_id.astype(np.int64),
        None if source is None else _text(source), None if classes is None else tuple(map(str, _text(classes))),
    )  # fmt: skip


def _samples(path: Path, values: np.ndarray, what: str) -> np.ndarray:
    """(N, S, C) from an array that may have no axis of samples."""
    if values.dtype.kind not in "fiu":
        raise ImportProblem(f"{what} in {path} holds {values.dtype} values. Save numbers, as np.float32.")
    if values.ndim not in (2, 3) or 0 in values.shape[1:]:
        raise ImportProblem(f"{what} in {path} has the shape {values.shape}. Expected {SHAPES}.")
    return values[:, None, :] if values.ndim == 2 else values


def _column(
    path: Path, arrays: np.lib.npyio.NpzFile, name: str, kinds: str, length: int, content: str
) -> np.ndarray | None:
    """A one-dimensional array of the file, if it has it."""
    if name not in arrays.files:
        return None
    column = np.asarray(arrays[name])
    if column.dtype.kind not in kinds or column.shape != (length,):
        raise ImportProblem(
            f"The array '{name}' in {path} must hold {length:,} {content}, and holds {column.dtype} values of shape "
            f"{column.shape}. Save it anew."
        )
    return column


def _text(column: np.ndarray) -> np.ndarray:
    return np.char.decode(column, "utf-8") if column.dtype.kind == "S" else column
