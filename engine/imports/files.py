"""Predictions as people save them: is the file what its ending says, and does it fit the cache's classes?"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.imports.arrays import read_npy, read_npz
from engine.imports.given import SHAPES, Given, quoted
from engine.imports.rows import ImportProblem
from engine.imports.tables import read_table
from engine.sources.rows import SourceProblem

STARTS = {".npz": b"PK", ".npy": b"\x93NUMPY", ".parquet": b"PAR1", ".pq": b"PAR1"}  # ending -> first bytes


def read_predictions(path: Path, logits: bool, classes: tuple[str, ...]) -> Given:
    """Read a file of predictions for these classes. Raises ImportProblem, one or two sentences with the next step.

    logits: whether the user says that the file holds logits; a file whose names say so needs no telling.
    """
    _check_file(path)
    with _readable(path):
        ending = path.suffix.lower()
        if ending == ".npz":
            given = read_npz(path, logits)
        elif ending == ".npy":
            given = read_npy(path, logits)
        else:
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
