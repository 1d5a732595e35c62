"""What a build has still to do: the models to load, the manifest to start from, the chunks that are not done."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cache import attributes
from cache.attributes import MEASURED
from cache.manifest import AttributeInfo, BackboneInfo, Manifest, ModelInfo, SourceInfo
from cache.schema import ATTRIBUTE_PREFIX
from cache.writer import CacheWriter
from engine import device as devices
from engine import models
from engine.config import BuildConfig
from engine.provenance import package_versions
from engine.sources.rows import FER_CLASSES, Attribute, Item, Reject, Source


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
    features: tuple[str, ...]  # to be kept
    measure: bool  # whether its faces are to be measured
    new: bool  # its faces are not in the cache yet; else first_id and known tell which they are
    first_id: int = 0
    known: pa.Table | None = None  # content_id and votes of the faces that are there
    stored: Mapping[str, Path] = field(default_factory=dict)  # every backbone to be read, if all are in the cache

    @property
    def decode(self) -> bool:
        """Whether the images have to be looked at: not when all features that the models read are kept already."""
        return self.new or self.measure or not self.stored

    @property
    def trunks(self) -> bool:
        """Whether trunks have to see the images."""
        return bool(self.models or self.features) and not self.stored

    @property
    def part(self) -> str:
        return f"part-{self.index:05d}"


def load_engine(config: BuildConfig, earlier: Manifest | None) -> models.Engine | None:
    """The models and features asked for. A cache keeps the precision it was begun with, unless another is asked for."""
    if not config.models and not config.features:
        return None
    had: dict[str, ModelInfo | BackboneInfo] = {**earlier.models, **earlier.backbones} if earlier else {}
    precisions = {info.precision for info in had.values() if info.precision}  # predictions made elsewhere have none
    precision = precisions.pop() if len(precisions) == 1 and config.precision == "auto" else config.precision
    engine = models.load(config.models, config.device, precision, features=config.features)
    made = {name: model.weights_sha256 for name, model in engine.models.items()}
    made |= {name: info.weights_sha256 for name, info in engine.backbones.items()}
    for name, info in had.items():
        if name in made and (made[name], engine.precision) != (info.weights_sha256, info.precision):
            raise BuildProblem(
                f"{config.out} holds '{name}' made with other weights or in {info.precision or 'another program'}. "
                "Build into a new folder, or use the same weights and precision."
            )
    return engine


def classes(
    source: Source, engine: models.Engine | None, wanted: tuple[str, ...] | None = None, earlier: Manifest | None = None
) -> tuple[str, ...]:
    """The classes of a cache: those of the source and of the models, which must agree; else those asked for, those that
    the cache was begun with, or FER+'s."""
    if wanted is not None and ("" in wanted or not wanted or len(set(wanted)) < len(wanted)):
        raise BuildProblem(f"--classes '{','.join(wanted)}' names a class twice or not at all. Write --classes a,b,c.")
    known = engine.classes if engine is not None and engine.models else None
    if source.classes is not None and known is not None and source.classes != known:
        raise BuildProblem(
            f"The labels of {source.spec} have the classes {', '.join(source.classes)}; the model knows "
            f"{', '.join(known)}. Rename or merge the label columns to the model's classes."
        )
    found, whose = (known, "the model knows") if known else (source.classes, f"{source.spec} has")
    if found is not None and wanted is not None and wanted != found:
        raise BuildProblem(
            f"--classes says {', '.join(wanted)}, but {whose} {', '.join(found)}, in this order. Leave out --classes."
        )
    return found or wanted or (earlier.classes if earlier else FER_CLASSES)


def manifest(
    config: BuildConfig, source: Source, engine: models.Engine | None, classes: tuple[str, ...],
    earlier: Manifest | None, command: str, measured: AttributeInfo | None = None,
) -> Manifest:  # fmt: skip
    """The manifest to start from: a new one, or the earlier one with the models and measurements asked for added."""
    settings: dict[str, Any] = {
        "source": source.spec, "labels": str(config.labels) if config.labels else None,
        "faces": config.faces, "limit": config.limit, "chunk": config.chunk,
    }  # fmt: skip
    if earlier is None:
        start = Manifest(classes, SourceInfo(source.spec, source.title, source.note), settings)
    elif earlier.settings != settings or earlier.classes != classes:
        before, now = ({"classes": list(c), **s} for c, s in ((earlier.classes, earlier.settings), (classes, settings)))
        differ = next(key for key in {**now, **before} if before.get(key) != now.get(key))
        raise BuildProblem(
            f"{config.out} was begun with another {differ} ({before.get(differ)!r}, now {now.get(differ)!r}). Use the "
            "same settings to go on with it, or choose another --out."
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
                model.title, model.samples, model.seed, model.backbones, model.weights_sha256, engine.precision,
                device.type,
            ),
        )  # fmt: skip
    added = bool(set(infos) - set(start.models))
    if measured is not None and start.attributes.get(MEASURED) != measured:  # never, or in another way
        start, added = start.with_attributes(MEASURED, measured), True
    kept = {name: engine.backbones[name] for name in kept_features(config, engine)} if engine else {}
    return replace(
        start, models=infos, backbones={**kept, **start.backbones}, command=command, hardware=devices.hardware(device),
        packages=package_versions(), complete=start.complete and not added,
    )  # fmt: skip


def expect_distinct(manifest: Manifest, own: Sequence[Attribute]) -> None:
    """Raise AttributeClash, before the work begins, when two attributes would have one name. own: of the faces."""
    names = [ATTRIBUTE_PREFIX + attribute.name for attribute in own]
    attributes.expect_distinct(names, {name: info.columns for name, info in manifest.attributes.items()})


def kept_features(config: BuildConfig, engine: models.Engine) -> tuple[str, ...]:
    """Backbones whose features go into the cache: each model's first one, and those asked for."""
    firsts = (model.backbones[0] for model in engine.models.values())
    return tuple(dict.fromkeys([*firsts, *config.features]))


def jobs(config: BuildConfig, source: Source, writer: CacheWriter, engine: models.Engine | None) -> Iterator[Job]:
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
        features = kept_features(config, engine) if engine else ()
        if new:
            yield Job(index, chunk, config.models, features, config.measure, new)
            continue
        todo = tuple(name for name in config.models if part not in manifest.parts.get(f"predictions/model={name}", {}))
        missing = tuple(name for name in features if part not in manifest.parts.get(f"features/backbone={name}", {}))
        measure = config.measure and part not in manifest.parts.get(attributes.table(MEASURED), {})
        if todo or missing or measure:
            known = pq.read_table(config.out / manifest.parts["faces"][part].file, columns=["content_id", "votes"])
            first_id = sum(c.faces for c in manifest.chunks[:index])
            read = set(missing)
            if engine is not None:
                read |= {backbone for name in todo for backbone in engine.models[name].backbones}
            kept = {name: manifest.parts.get(f"features/backbone={name}", {}).get(part) for name in read}
            stored = {name: config.out / file.file for name, file in kept.items() if file is not None}
            stored = stored if len(stored) == len(kept) else {}
            yield Job(index, chunk, todo, missing, measure, new, first_id, known, stored)


def changed(config: BuildConfig, where: str) -> str:
    return (
        f"{config.source} is not what {config.out} was begun with (it differs at or before '{where}'). "
        "Build it into a new folder."
    )
