"""Maps of the faces and their nearest neighbours: from the features that a cache keeps, into the same cache.

    python -m engine embed data/ferplus --space compact-0

Each map is computed whole before anything is written, so a command that is stopped leaves what was there.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cache import manifest as manifests
from cache import schema
from cache.errors import CacheError
from cache.manifest import LayoutInfo, Manifest, NeighbourInfo
from cache.writer import CacheWriter
from engine import maps, spaces
from engine.config import EmbedConfig
from engine.maps import Map, Show, TooFew
from engine.neighbours import TRAIN, neighbours
from engine.progress import peak_memory
from engine.spaces import Space

METHODS = {"pca": ("pca",), "umap": ("umap",), "both": ("pca", "umap")}
PART = "part-00000"
FOUND = "explained"  # the one setting that is a result
REPLACED = "; what was there before, made in another way, is gone"


def embed(config: EmbedConfig, show: Show) -> Iterator[str]:
    """Make what is asked for and not there yet; yields one line on each map and each table of neighbours.

    show: is told how far each step is. Raises CacheError, ValueError, OSError (disk).
    """
    if config.method not in METHODS:
        raise ValueError(f"Unknown --method '{config.method}'. Use umap, pca or both.")
    manifests.load(config.cache)  # the writer would begin a new cache where there is none
    with CacheWriter(config.cache) as writer:
        assert writer.manifest is not None
        _check_complete(config, writer.manifest)
        chosen, left_out = _spaces(config, writer.manifest)
        yield from left_out
        for space in chosen:
            for method in METHODS[config.method]:
                yield _layout(writer, space, method, config, show)
            if space.keeps_features and config.nearest:
                yield _neighbours(writer, space, config, show)


def add_pca(writer: CacheWriter) -> None:
    """At the end of a build, whatever is missing of the maps that cost next to nothing: those of the kept features."""
    assert writer.manifest is not None
    manifest, config = writer.manifest, EmbedConfig(writer.folder)
    for name in spaces.default_names(manifest):
        if name in manifest.ready_features and not spaces.ambiguous(manifest, name):
            _layout(writer, spaces.named(writer.folder, manifest, name), "pca", config, lambda *_: None)


def _check_complete(config: EmbedConfig, manifest: Manifest) -> None:
    if not manifest.complete:
        command = manifest.command or f"python -m engine build {manifest.source.spec} --out {config.cache}"
        raise CacheError(f"The build of {config.cache} is not finished. Finish it first: {command}")


def _spaces(config: EmbedConfig, manifest: Manifest) -> tuple[list[Space], list[str]]:
    """The spaces asked for, or every one that there is and a line on each that has to be left out."""
    if config.spaces:
        return [spaces.named(config.cache, manifest, name) for name in dict.fromkeys(config.spaces)], []
    found, left_out = [], []
    for name in spaces.default_names(manifest):
        try:
            found.append(spaces.named(config.cache, manifest, name))
        except CacheError as problem:
            left_out.append(f"No map of {name}: {problem}")
    if not found:
        raise CacheError(" ".join(left_out) or _no_models(config, manifest))
    return found, left_out


def _no_models(config: EmbedConfig, manifest: Manifest) -> str:
    if manifest.ready_features:
        return f"{config.cache} has no model. Say which features to map: --space {manifest.ready_features[0]}"
    build = f"python -m engine build {manifest.source.spec} --out {config.cache} --model compact"
    return f"{config.cache} has no model and keeps no features, so there is nothing to map. Add a model: {build}"


# ---- one map


def _layout(writer: CacheWriter, space: Space, method: str, config: EmbedConfig, show: Show) -> str:
    """Make one map, unless it is there; returns what to say about it."""
    assert writer.manifest is not None
    name, info = f"{method}-{space.name}", _planned(space, method, config)
    there = writer.manifest.layouts.get(name)
    ready = name in writer.manifest.ready_layouts
    if ready and there is not None and replace(there, settings=_without_results(there)) == info:
        return f"{name} is there, made in the same way; nothing to do."
    started = time.monotonic()
    try:
        made = _map(space, method, config, lambda stage, done, total: show(f"{name}: {stage}", done, total))
    except TooFew as problem:
        return f"No {name}: {problem}, too few for UMAP; a PCA shows them all."
    if made.explained:
        info = replace(info, settings={**info.settings, FOUND: list(made.explained)})
    points = {"face_id": space.face_ids(), "x": made.points[:, 0], "y": made.points[:, 1]}
    announced = replace(writer.manifest, layouts={**writer.manifest.layouts, name: info})
    _put(writer, announced, f"embeddings/layout={name}", pa.table(points, schema=schema.embedding()))
    return f"{name}: {space.faces:,} faces, fitted on {made.fitted:,}, {_cost(started)}{REPLACED if ready else ''}."


def _map(space: Space, method: str, config: EmbedConfig, show: Show) -> Map:
    return maps.pca(space, show) if method == "pca" else maps.umap(space, config, show)


def _planned(space: Space, method: str, config: EmbedConfig) -> LayoutInfo:
    """All that decides what a map looks like: the same again gives the same map."""
    if method == "pca":
        return LayoutInfo(method, space.name, 0, space.faces, {"vectors": space.digest})  # nothing is drawn by chance
    settings: dict[str, Any] = {
        "neighbours": config.neighbours, "min_dist": config.min_dist, "distance": "cosine",
        "dimensions": config.dimensions, "vectors": space.digest, "umap-learn": metadata.version("umap-learn"),
    }  # fmt: skip
    return LayoutInfo(method, space.name, config.seed, min(space.faces, config.fit_most), settings)


def _without_results(info: LayoutInfo) -> dict[str, Any]:
    return {name: value for name, value in info.settings.items() if name != FOUND}


# ---- neighbours


def _neighbours(writer: CacheWriter, space: Space, config: EmbedConfig, show: Show) -> str:
    """Find the nearest faces in one space, unless they are known; returns what to say about it."""
    assert writer.manifest is not None
    manifest = writer.manifest
    splits = _splits(writer)
    info = NeighbourInfo(config.nearest, min(int((splits == TRAIN).sum()), config.searched_most))
    ready = space.name in manifest.ready_neighbours
    if ready and manifest.neighbours[space.name] == info:
        return f"The {info.nearest} nearest faces by {space.name} are there; nothing to do."
    started = time.monotonic()
    found = neighbours(
        space, splits, info.nearest, config.searched_most,
        lambda stage, done, total: show(f"{space.name}: {stage}", done, total),
    )  # fmt: skip
    announced = replace(manifest, neighbours={**manifest.neighbours, space.name: info})
    _put(writer, announced, f"neighbours/backbone={space.name}", found)
    among = f"{info.searched:,} training faces" if info.searched else "its own split; there are no training faces"
    return (
        f"Nearest faces by {space.name}: {info.nearest} of each, among {among}, {_cost(started)}"
        f"{REPLACED if ready else ''}."
    )


def _splits(writer: CacheWriter) -> np.ndarray:
    assert writer.manifest is not None
    parts = [part for _, part in sorted(writer.manifest.parts["faces"].items())]
    tables = [pq.read_table(writer.folder / part.file, columns=["split"]) for part in parts]
    return np.array(pa.concat_tables(tables)["split"].to_pylist(), dtype=object)


# ---- both


def _cost(started: float) -> str:
    return f"{time.monotonic() - started:.1f} s, peak memory {peak_memory():,.0f} MB"


def _put(writer: CacheWriter, announced: Manifest, table: str, rows: pa.Table) -> None:
    """Announce the table while no row of it is named, then name its rows: old rows never pass for new ones."""
    parts = {name: parts for name, parts in announced.parts.items() if name != table}
    writer.start(replace(announced, parts=parts))
    writer.commit({table: rows}, PART)
