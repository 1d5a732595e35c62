"""What a build has still to do: the models to load, the manifest to start from, the chunks that are not done."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.parquet as pq

from cache.manifest import Manifest, ModelInfo, SourceInfo
from cache.writer import CacheWriter
from engine import device as devices
from engine import models
from engine.config import BuildConfig
from engine.provenance import package_versions
from engine.sources.rows import Attribute, Item, Reject, Source


class BuildProblem(ValueError):
    """The build cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Shape:
    """What every part of one cache has in common."""

    classes: tuple[str, ...]
    attributes: Sequence[Attribute]


@dataclass(frozen=True)
class Job:
    """One chunk of the source and what is still to be done for it."""

    index: int
    entries: Sequence[Item | Reject]
    models: tuple[str, ...]  # to be scored
    new: bool  # its faces are not in the cache yet; else first_id and content_ids tell which they are
    first_id: int = 0
    content_ids: Sequence[str] = ()

    @property
    def part(self) -> str:
        return f"part-{self.index:05d}"


def load_engine(config: BuildConfig, earlier: Manifest | None) -> models.Engine | None:
    """The models asked for. A resumed build keeps the precision it began with."""
    if not config.models:
        return None
    known = {name: info for name, info in (earlier.models if earlier else {}).items() if name in config.models}
    precisions = {info.precision for info in known.values()}
    precision = precisions.pop() if len(precisions) == 1 and config.precision == "auto" else config.precision
    engine = models.load(config.models, config.device, precision)
    for name, info in known.items():
        if (info.weights_sha256, info.precision) != (engine.weights_sha256, engine.precision):
            raise BuildProblem(
                f"{config.out} holds predictions of '{name}' made with other weights or in {info.precision}. "
                "Build into a new folder, or use the same weights and precision."
            )
    return engine


def classes(source: Source, engine: models.Engine | None) -> tuple[str, ...]:
    if engine is None:
        if source.classes is None:
            raise BuildProblem(f"{source.spec} names no classes and no model was chosen. Add --model or --labels.")
        return source.classes
    if source.classes is not None and source.classes != engine.classes:
        raise BuildProblem(
            f"The labels of {source.spec} have the classes {', '.join(source.classes)}; the model knows "
            f"{', '.join(engine.classes)}. Rename or merge the label columns to the model's classes."
        )
    return engine.classes


def manifest(
    config: BuildConfig, source: Source, engine: models.Engine | None, classes: tuple[str, ...],
    earlier: Manifest | None, command: str,
) -> Manifest:  # fmt: skip
    """The manifest to start from: a new one, or the earlier one with the models asked for added."""
    settings: dict[str, Any] = {
        "source": source.spec, "labels": str(config.labels) if config.labels else None,
        "faces": config.faces, "limit": config.limit, "chunk": config.chunk,
    }  # fmt: skip
    if earlier is None:
        start = Manifest(classes, SourceInfo(source.spec, source.title, source.note), settings)
    elif earlier.settings != settings or earlier.classes != classes:
        differ = [k for k in settings if earlier.settings.get(k) != settings[k]] or ["classes"]
        raise BuildProblem(
            f"{config.out} was begun with another {differ[0]} ({earlier.settings.get(differ[0])!r}, now "
            f"{settings.get(differ[0])!r}). Use the same settings to go on with it, or choose another --out."
        )
    else:
        start = earlier
    device = devices.choose_device(config.device)
    infos = dict(start.models)
    for name, model in (engine.models if engine else {}).items():
        assert engine is not None
        infos.setdefault(
            name,
            ModelInfo(
                model.title, model.samples, model.seed, model.backbones, engine.weights_sha256, engine.precision,
                device.type,
            ),
        )  # fmt: skip
    added = set(infos) - set(start.models)
    return replace(
        start, models=infos, command=command, hardware=devices.hardware(device), packages=package_versions(),
        complete=start.complete and not added,
    )  # fmt: skip


def jobs(config: BuildConfig, source: Source, writer: CacheWriter) -> Iterator[Job]:
    """Chunks of the source in order, without those that are done."""
    manifest = writer.manifest
    assert manifest is not None
    entries = itertools.islice(source.entries(), config.limit)
    for index, chunk in enumerate(iter(lambda: list(itertools.islice(entries, config.chunk)), [])):
        part = f"part-{index:05d}"
        new = index >= len(manifest.chunks)
        if not new:
            known = manifest.chunks[index]
            if (known.entries, known.last_source) != (len(chunk), chunk[-1].source):
                raise BuildProblem(changed(config, chunk[-1].source))
        todo = tuple(name for name in config.models if part not in manifest.parts.get(f"predictions/model={name}", {}))
        if new:
            yield Job(index, chunk, config.models, new)
        elif todo:
            stored = pq.read_table(config.out / manifest.parts["faces"][part].file, columns=["content_id"])
            first_id = sum(c.faces for c in manifest.chunks[:index])
            yield Job(index, chunk, todo, new, first_id, stored["content_id"].to_pylist())


def changed(config: BuildConfig, where: str) -> str:
    return (
        f"{config.source} is not what {config.out} was begun with (it differs at or before '{where}'). "
        "Build it into a new folder."
    )
