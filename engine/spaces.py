"""What faces can be mapped by: the features that a cache keeps, or the class probabilities of a model without any."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from cache.errors import CacheError
from cache.manifest import Manifest

BLOCK = 8192  # faces in memory at once


@dataclass(frozen=True)
class Space:
    """One vector per face of a cache, read block by block."""

    name: str  # a backbone's, or a model's
    keeps_features: bool  # else the vectors are class probabilities
    faces: int
    files: tuple[Path, ...]
    digest: str  # changes with the vectors

    def face_ids(self) -> np.ndarray:
        """(N,), in the order of the vectors."""
        return np.concatenate([pq.read_table(file, columns=["face_id"])["face_id"].to_numpy() for file in self.files])

    def blocks(self) -> Iterator[np.ndarray]:
        """(n, D) float32 vectors of at most BLOCK faces at a time, all faces in order.

        Probabilities come as their square roots: between those, distance is Hellinger's. A vector with a value that is
        not finite, as half precision makes of very large ones, becomes zero: near to nothing, like a vector of zeros.
        """
        column = "vector" if self.keeps_features else "probs"
        for file in self.files:
            for batch in pq.ParquetFile(file).iter_batches(BLOCK, columns=[column]):
                lists = batch[column]
                vectors = lists.flatten().to_numpy().reshape(len(lists), -1).astype(np.float32)
                vectors[~np.isfinite(vectors).all(1)] = 0.0
                yield vectors if self.keeps_features else np.sqrt(vectors)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length one, so that distance and product follow the angle between faces; zero stays zero.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)


def named(folder: Path, manifest: Manifest, name: str) -> Space:
    """The space of that name. Raises CacheError, saying what there is or which command adds it."""
    model = manifest.models.get(name)
    if name in manifest.ready_features:
        if ambiguous(manifest, name):
            raise CacheError(
                f"{folder} has imported predictions and features that are both called '{name}', so a map of '{name}' "
                "could be of either. Import the predictions under another name, into a cache without these."
            )
        return _space(folder, manifest, name, f"features/backbone={name}")
    if model is not None and not model.backbones and name in manifest.ready_models:
        if model.faces is not None and model.faces < manifest.faces:
            raise CacheError(
                f"'{name}' has scored {model.faces:,} of the {manifest.faces:,} faces of {folder}, and a map places "
                "every face. Import its predictions for all of them."
            )
        return _space(folder, manifest, name, f"predictions/model={name}")
    raise CacheError(_unknown(folder, manifest, name))


def default_names(manifest: Manifest) -> tuple[str, ...]:
    """The first backbone of each finished model, and each model that keeps no features."""
    names = [(manifest.models[model].backbones or (model,))[0] for model in manifest.ready_models]
    return tuple(dict.fromkeys(names))


def ambiguous(manifest: Manifest, name: str) -> bool:
    """Whether a backbone and a model that keeps no features share this name: a map of it could be of either."""
    return name in manifest.backbones and name in manifest.models and not manifest.models[name].backbones


def _space(folder: Path, manifest: Manifest, name: str, table: str) -> Space:
    parts = [part for _, part in sorted(manifest.parts[table].items())]
    digest = hashlib.sha256(" ".join(part.sha256 for part in parts).encode()).hexdigest()[:16]
    files = tuple(folder / part.file for part in parts)
    return Space(name, table.startswith("features/"), manifest.faces, files, digest)


def _unknown(folder: Path, manifest: Manifest, name: str) -> str:
    model = manifest.models.get(name)
    if model is not None and model.backbones and model.backbones[0] in manifest.ready_features:
        return f"'{name}' is a model; its faces are mapped by the features that it reads: --space {model.backbones[0]}"
    build = f"python -m engine build {manifest.source.spec} --out {folder}"
    if model is not None or name in manifest.backbones:
        return f"{folder} does not keep everything of '{name}' for all its faces. Add it: {manifest.command or build}"
    readers = [m for m, info in manifest.models.items() if name in info.backbones[:1]]
    if readers:
        return f"{folder} keeps no features '{name}'. Add them: {build} --model {readers[0]}"
    there = [*manifest.ready_features, *(m for m in manifest.ready_models if not manifest.models[m].backbones)]
    return f"{folder} has nothing called '{name}' to map its faces by. It has: {', '.join(there) or 'nothing yet'}."
