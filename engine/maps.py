"""Faces on a plane: the two principal axes of their vectors, or UMAP. docs/embedding.md says what neither shows."""

import io
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.config import EmbedConfig
from engine.spaces import Space, unit

NEGLIGIBLE = 1e-12  # share of the variance below which an axis holds rounding and nothing else

Show = Callable[[str, int, int | None], None]  # what is being done, how much of it is done, of how much if known


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal axes of some vectors, by the variance along them."""

    centre: np.ndarray  # (D,) float64
    directions: np.ndarray  # (D, K) float64 of length one; zero where no variance is left
    explained: tuple[float, ...]  # (K,) share of the variance along each

    def project(self, vectors: np.ndarray) -> np.ndarray:
        """(n, D) -> (n, K) float32."""
        return ((vectors - self.centre) @ self.directions).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Map:
    """A point for every face, in the cache's order."""

    points: np.ndarray  # (N, 2) float32
    fitted: int  # faces that it was fitted on
    explained: tuple[float, ...] = ()  # share of the variance along each axis, where the axes mean that


class TooFew(ValueError):
    """Too few different faces for this method; the message says fewer than how many."""


def pca(space: Space, show: Show) -> Map:
    """Every face on the two principal axes of the vectors, which are read twice and never held together."""
    axes = principal_axes((vectors for _, vectors in _blocks(space, "axes", show)), 2)
    points = [axes.project(vectors) for _, vectors in _blocks(space, "points", show)]
    return Map(np.concatenate(points), space.faces, axes.explained)


def principal_axes(blocks: Iterable[np.ndarray], count: int) -> Axes:
    """The first principal axes of all rows of some blocks, each block looked at once.

    The largest loading of an axis is positive (of equal ones the first), so that two runs do not mirror each other.
    """
    rows, total, products = 0, np.zeros(0), np.zeros((0, 0))
    near = np.zeros(0)  # a point amid the vectors: products around it lose no digits to the mean
    for block in blocks:
        exact = block.astype(np.float64)
        if not rows and len(exact):
            near = exact[0] + (exact - exact[0]).mean(0)
            total, products = np.zeros(len(near)), np.zeros((len(near), len(near)))
        if len(exact):
            exact -= near
            rows += len(exact)
            total += exact.sum(0)
            products += exact.T @ exact
    mean = total / rows
    variances, axes = np.linalg.eigh(products / rows - np.outer(mean, mean))  # ascending
    variances, axes = np.maximum(variances[::-1], 0.0), axes[:, ::-1]
    whole = float(variances.sum()) or 1.0
    kept = min(count, int((variances > NEGLIGIBLE * whole).sum()))
    largest = np.abs(axes[:, :kept]).argmax(0)
    directions = np.zeros((len(mean), count))
    directions[:, :kept] = axes[:, :kept] * np.sign(axes[largest, np.arange(kept)])
    shares = [round(float(variance) / whole, 5) for variance in variances[:kept]]
    return Axes(near + mean, directions, (*shares, *[0.0] * (count - kept)))


def umap(space: Space, config: EmbedConfig, show: Show) -> Map:
    """UMAP of all faces, or of a sample among which the others are then placed. Raises TooFew.

    The vectors are scaled to length one, so that distance follows their cosine, and cut to their principal axes.
    """
    chosen = np.zeros(space.faces, dtype=bool)  # the faces that it is fitted on
    chosen[np.random.default_rng(config.seed).permutation(space.faces)[: config.fit_most]] = True
    axes = principal_axes((unit(v[chosen[rows]]) for rows, v in _blocks(space, "axes", show)), config.dimensions)
    sample = np.concatenate(
        [axes.project(unit(vectors[chosen[rows]])) for rows, vectors in _blocks(space, "faces to fit", show)]
    )
    if len(np.unique(sample, axis=0)) < config.fit_least:
        raise TooFew(f"fewer than {config.fit_least} different faces")
    points = np.zeros((space.faces, 2), dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about threads, and packages that are not needed
        reducer = _reducer(config, show)
        points[chosen] = reducer.fit_transform(sample)
        reducer.tqdm_kwds["disable"] = True  # placing has a bar of its own
        for rows, vectors in [] if chosen.all() else _blocks(space, "placing the others", show):
            others = ~chosen[rows]
            if others.any():
                points[rows][others] = reducer.transform(axes.project(unit(vectors[others])))
    return Map(points, len(sample))


def _reducer(config: EmbedConfig, show: Show) -> Any:
    show("compiling, then comparing the faces", 0, None)
    from umap import UMAP

    return UMAP(
        n_neighbors=config.neighbours, min_dist=config.min_dist, init="pca", low_memory=True,
        random_state=config.seed, transform_seed=config.seed, tqdm_kwds=_Epochs(show).options,
    )  # fmt: skip


class _Epochs(io.StringIO):
    """Where UMAP draws the bar of its epochs: what it writes is passed on to ours."""

    def __init__(self, show: Show) -> None:
        super().__init__()
        self._show = show
        self.options = {"file": self, "disable": False, "bar_format": "{n_fmt}/{total_fmt}", "leave": False}

    def write(self, text: str) -> int:
        done, _, total = text.strip().partition("/")
        if done.isdecimal() and total.isdecimal() and int(done) < int(total):
            self._show("drawing the map", int(done), int(total))
        return len(text)


def _blocks(space: Space, stage: str, show: Show) -> Iterator[tuple[slice, np.ndarray]]:
    """Which rows, and their vectors; says how far it is."""
    done = 0
    for vectors in space.blocks():
        show(stage, done, space.faces)
        yield slice(done, done + len(vectors)), vectors
        done += len(vectors)
    show(stage, done, space.faces)
