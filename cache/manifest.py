"""manifest.json: what a cache holds and how it was made. A part that it does not name does not exist."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cache.errors import CacheNotFound, SchemaMismatch
from cache.schema import SCHEMA_VERSION

FILE = "manifest.json"


@dataclass(frozen=True)
class Part:
    """One finished Parquet file of a table."""

    file: str  # relative to the cache folder
    rows: int
    sha256: str


@dataclass(frozen=True)
class SourceInfo:
    """Where the faces came from."""

    spec: str
    title: str
    note: str = ""  # shown on every page


@dataclass(frozen=True)
class ModelInfo:
    """How one model's predictions were made."""

    title: str
    samples: int  # S
    seed: int | None
    backbones: tuple[str, ...]  # the first one's features are kept for embedding and neighbours
    weights_sha256: str
    precision: str  # 'fp32' or 'bf16', of the trunk; '' for predictions that were made elsewhere
    device: str
    faces: int | None = None  # how many faces it has scored, where that is not every face


@dataclass(frozen=True)
class BackboneInfo:
    """What made the feature vectors of one backbone."""

    weights_sha256: str
    precision: str  # 'fp32' or 'bf16'
    device: str


@dataclass(frozen=True)
class LayoutInfo:
    """How a map of the faces was made: one point per face."""

    method: str  # 'umap' or 'pca'
    space: str  # what it is a map of: a backbone's name, or a model's, whose class probabilities it shows then
    seed: int
    fitted: int  # faces that it was fitted on; the others were placed afterwards
    settings: dict[str, Any] = field(default_factory=dict)  # such as neighbours, or the share of variance explained


@dataclass(frozen=True)
class NeighbourInfo:
    """How the nearest faces of one backbone were found."""

    nearest: int  # k, at most
    searched: int  # training faces among which they were looked for; a random sample where there are more


@dataclass(frozen=True)
class AttributeInfo:
    """How one table of attributes was made."""

    title: str  # what they are, in words
    method: str  # 'measured' in the images, or from a 'file' of the user's
    columns: tuple[str, ...]  # attr_*, in the table's order
    settings: dict[str, Any] = field(default_factory=dict)
    file: str = ""  # its name; '' for what was measured
    sha256: str = ""  # of the file
    matched: int | None = None  # faces with a row in the file
    unmatched: int = 0  # rows of the file that are about no face
    several: int = 0  # of them, rows that would be about several faces
    first_without: tuple[str, ...] = ()  # sources of the first faces without a row, a few
    first_unmatched: tuple[str, ...] = ()  # sources of the first unmatched rows, a few


@dataclass(frozen=True)
class Chunk:
    """One stretch of the source that is done: its faces, and the models that have scored them."""

    entries: int  # items and rejects of the source
    faces: int
    last_source: str  # to notice a source that changed between two runs


@dataclass(frozen=True)
class Manifest:
    """The whole record; frozen, because a change becomes real only when the file is replaced."""

    classes: tuple[str, ...]
    source: SourceInfo
    settings: dict[str, Any]  # what must not change between two runs of one build
    schema_version: int = SCHEMA_VERSION
    complete: bool = False
    created: str = ""  # ISO 8601, UTC
    updated: str = ""
    seconds: float = 0.0  # spent building, all runs together
    command: str = ""
    hardware: dict[str, Any] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    models: dict[str, ModelInfo] = field(default_factory=dict)
    backbones: dict[str, BackboneInfo] = field(default_factory=dict)  # of the features that are kept
    layouts: dict[str, LayoutInfo] = field(default_factory=dict)  # by name, such as 'umap-compact-0'
    neighbours: dict[str, NeighbourInfo] = field(default_factory=dict)  # by backbone
    attributes: dict[str, AttributeInfo] = field(default_factory=dict)  # by table: 'measured', or a file's name
    chunks: tuple[Chunk, ...] = ()
    parts: dict[str, dict[str, Part]] = field(default_factory=dict)  # table -> part name -> Part

    @property
    def faces(self) -> int:
        return sum(chunk.faces for chunk in self.chunks)

    @property
    def ready_models(self) -> tuple[str, ...]:
        """Models whose predictions cover every face so far, or as many as they are said to cover."""
        expected = {m: self.faces if info.faces is None else info.faces for m, info in self.models.items()}
        return tuple(m for m, faces in expected.items() if faces and self.rows(f"predictions/model={m}") == faces)

    @property
    def first_model(self) -> str | None:
        """What pages and reports begin with: the first model that has a U_e, else the first."""
        ready = self.ready_models
        return next((m for m in ready if self.models[m].samples > 1), next(iter(ready), None))

    @property
    def ready_features(self) -> tuple[str, ...]:
        """Backbones whose features are kept for every face so far."""
        done = [b for b in self.backbones if self.rows(f"features/backbone={b}") == self.faces]
        return tuple(done) if self.faces else ()

    @property
    def ready_layouts(self) -> tuple[str, ...]:
        """Maps that place every face."""
        done = [name for name in self.layouts if self.rows(f"embeddings/layout={name}") == self.faces]
        return tuple(done) if self.faces else ()

    @property
    def ready_neighbours(self) -> tuple[str, ...]:
        """Backbones in which the nearest faces of every face are known."""
        done = [b for b in self.neighbours if self.rows(f"neighbours/backbone={b}") == self.faces]
        return tuple(done) if self.faces else ()

    @property
    def ready_attributes(self) -> tuple[str, ...]:
        """Tables of attributes that have a row for every face so far."""
        done = [name for name in self.attributes if self.rows(f"attributes/of={name}") == self.faces]
        return tuple(done) if self.faces else ()

    def rows(self, table: str) -> int:
        return sum(part.rows for part in self.parts.get(table, {}).values())

    def with_attributes(self, name: str, info: AttributeInfo) -> "Manifest":
        """A table of attributes announced, without any row that it had before."""
        others = {other: about for other, about in self.attributes.items() if other != name}
        parts = {table: parts for table, parts in self.parts.items() if table != f"attributes/of={name}"}
        return replace(self, attributes={**others, name: info}, parts=parts)

    def with_part(self, table: str, name: str, part: Part) -> "Manifest":
        return replace(self, parts={**self.parts, table: {**self.parts.get(table, {}), name: part}})


def load(folder: Path) -> Manifest:
    """Read and check manifest.json. Raises CacheNotFound or SchemaMismatch."""
    path = folder / FILE
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise CacheNotFound(f"No cache at {folder}. Build one: python -m engine build SOURCE --out {folder}") from None
    except (OSError, ValueError) as problem:
        raise SchemaMismatch(f"{path} cannot be read ({problem}). Build the cache again into a new folder.") from None
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise SchemaMismatch(
            f"The cache at {folder} has schema version {version}, and this Doubtscope reads version "
            f"{SCHEMA_VERSION}. Build it again: python -m engine build SOURCE --out NEW_FOLDER"
        )
    try:
        return _parse(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise SchemaMismatch(
            f"{path} lacks or distorts a field ({problem}). Build the cache again into a new folder."
        ) from None


def dump(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), indent=1) + "\n"


def _parse(raw: dict[str, Any]) -> Manifest:
    return Manifest(
        **{
            **raw,
            "classes": tuple(raw["classes"]),
            "source": SourceInfo(**raw["source"]),
            "models": {
                name: ModelInfo(**{**info, "backbones": tuple(info["backbones"])})
                for name, info in raw["models"].items()
            },
            "backbones": {name: BackboneInfo(**info) for name, info in raw.get("backbones", {}).items()},
            "layouts": {name: LayoutInfo(**info) for name, info in raw.get("layouts", {}).items()},
            "neighbours": {name: NeighbourInfo(**info) for name, info in raw.get("neighbours", {}).items()},
            "attributes": {name: _attribute_info(info) for name, info in raw.get("attributes", {}).items()},
            "chunks": tuple(Chunk(**chunk) for chunk in raw["chunks"]),
            "parts": {
                table: {name: Part(**part) for name, part in parts.items()} for table, parts in raw["parts"].items()
            },
        }
    )


def _attribute_info(raw: dict[str, Any]) -> AttributeInfo:
    lists = ("columns", "first_without", "first_unmatched")
    return AttributeInfo(**{**raw, **{name: tuple(raw[name]) for name in lists}})
