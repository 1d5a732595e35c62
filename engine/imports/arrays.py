"""Predictions as NumPy saves them: .npz, and .npy, which is read in pieces. Nothing is ever unpickled."""

from pathlib import Path

import numpy as np

from engine.imports.given import SHAPES, Given, means_logits, quoted
from engine.imports.rows import ImportProblem


def read_npy(path: Path, logits: bool) -> Given:
    return Given(path, _samples(path, np.load(path, mmap_mode="r", allow_pickle=False), "The array"), logits)


def read_npz(path: Path, logits: bool) -> Given:
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
