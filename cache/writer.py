"""Write a cache so that a kill at any moment loses nothing and leaves nothing half-written.

A part is written to a temporary file, flushed to disk, renamed into place, and becomes visible only when the
manifest that names it replaces the old one. Whatever the manifest does not name is swept away at the next start.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import filelock
import pyarrow as pa
import pyarrow.parquet as pq

from cache import manifest as manifests
from cache import schema
from cache.attributes import expect_distinct, is_attribute
from cache.errors import CacheBusy, CacheNotFound, SchemaMismatch
from cache.manifest import Chunk, Manifest, Part

LOCK = ".lock"
SLICES = "slices"  # what readers have saved: outlives a cache that is built anew
TABLES = (
    "faces", "thumbnails", "predictions", "features", "embeddings", "neighbours", "attributes", "rejects", "summary",
)  # fmt: skip


class CacheWriter:
    """Sole writer of one cache folder, for the life of a `with` block.

    >>> with CacheWriter(folder) as writer:                                   # doctest: +SKIP
    ...     writer.start(manifest)
    ...     writer.commit({"faces": table, "thumbnails": images}, chunk)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = filelock.FileLock(folder / LOCK)
        self._manifest: Manifest | None = None

    def __enter__(self) -> "CacheWriter":
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise CacheBusy(
                f"Another build is writing {self.folder}. Wait for it to end, or build into another folder."
            ) from None
        try:
            self._manifest = manifests.load(self.folder)
        except CacheNotFound:
            ours = {*TABLES, SLICES}
            found = (p.name for p in self.folder.iterdir() if not p.name.startswith("."))
            strangers = sorted(name for name in found if name not in ours)
            if strangers:
                self._lock.release()
                raise CacheNotFound(
                    f"{self.folder} holds other files ({', '.join(strangers[:3])}) and no "
                    "cache. Choose an empty or new folder for --out."
                ) from None
        except SchemaMismatch:
            self._lock.release()
            raise
        self._sweep()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

    @property
    def manifest(self) -> Manifest | None:
        """What is on disk now; None before `start`."""
        return self._manifest

    def start(self, manifest: Manifest) -> None:
        """Record a new or continued build. Raises AttributeClash when two attributes would have one name."""
        if manifest.attributes:
            faces = [self.folder / part.file for part in manifest.parts.get("faces", {}).values()]
            own = [name for name in pq.read_schema(faces[0]).names if is_attribute(name)] if faces else []
            expect_distinct(own, {name: info.columns for name, info in manifest.attributes.items()})
        self._replace_manifest(manifest)

    def commit(
        self, tables: Mapping[str, pa.Table], part: str, *, chunk: Chunk | None = None, seconds: float = 0.0
    ) -> None:
        """Write one part of each table, then make them all visible at once.

        tables: table path ('faces', 'predictions/model=compact') -> rows, validated against their schema before
        anything is written. chunk: given when the part adds faces. seconds: time spent since the last commit.
        """
        assert self._manifest is not None, "start() comes before commit()"
        for table in tables.values():
            table.validate(full=True)
        updated = self._manifest
        for name, table in tables.items():
            updated = updated.with_part(name, part, self._write(name, part, table))
        if chunk is not None:
            updated = replace(updated, chunks=(*updated.chunks, chunk))
        self._replace_manifest(replace(updated, seconds=updated.seconds + seconds))

    def finish(self) -> None:
        """Mark the build as complete."""
        assert self._manifest is not None, "start() comes before finish()"
        self._replace_manifest(replace(self._manifest, complete=True))

    def _write(self, name: str, part: str, table: pa.Table) -> Part:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{part}.parquet"
        temporary = folder / f".{part}.{os.getpid()}.tmp"
        group = schema.ROW_GROUPS.get(name.partition("/")[0], schema.ROW_GROUP)
        try:
            # Images are compressed already: to do it again would only slow down who wants a few of them.
            images = name == "thumbnails"
            packed = "none" if images else "zstd"
            pq.write_table(table, temporary, compression=packed, row_group_size=group, use_dictionary=not images)
            digest = _flush(temporary)
            os.replace(temporary, path)
        except OSError as problem:
            temporary.unlink(missing_ok=True)
            raise OSError(
                problem.errno,
                f"Could not write {path} ({problem.strerror or problem}). Free some space and run the same command "
                "again: it goes on from the last finished part",
            ) from problem
        return Part(str(path.relative_to(self.folder)), table.num_rows, digest)

    def _replace_manifest(self, manifest: Manifest) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = replace(manifest, created=manifest.created or now, updated=now)
        temporary = self.folder / f".manifest.{os.getpid()}.tmp"
        try:
            temporary.write_text(manifests.dump(manifest), encoding="utf-8")
            _flush(temporary)
            os.replace(temporary, self.folder / manifests.FILE)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        self._manifest = manifest

    def _sweep(self) -> None:
        """Remove what an interrupted build left: temporaries, and parts the manifest does not name."""
        named: set[Path] = set()
        if self._manifest is not None:
            named = {self.folder / p.file for t in self._manifest.parts.values() for p in t.values()}
        for leftover in _leftovers(self.folder, named):
            leftover.unlink(missing_ok=True)


def _leftovers(folder: Path, named: set[Path]) -> Iterable[Path]:
    yield from folder.glob(".manifest.*.tmp")
    for table in TABLES:
        for path in sorted((folder / table).rglob("*")):
            if path.suffix == ".tmp" or (path.suffix == ".parquet" and path not in named):
                yield path


def _flush(path: Path) -> str:
    """Force a file to disk; return the sha256 of its content."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
        os.fsync(file.fileno())
    return digest.hexdigest()
