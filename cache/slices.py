"""Slices: filters with a name, one small JSON file each in the cache's folder `slices`, never in the Parquet.

A slice keeps the filter and not the faces, so that it holds what the filter holds when it is opened.
"""

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import filelock

from cache.errors import BadQuery, BadSlice, SliceExists
from cache.files import write_whole
from cache.filter_json import from_json, model_name, record, text, to_json
from cache.filters import Filter
from cache.reader import EVERYTHING, Cache

FOLDER = "slices"
VERSION = 1
MOST_SLICES = 200
MOST_BYTES = 1 << 19  # of one file
LONGEST_NAME = 60
LONGEST_QUERY = 4_000
EVERY_FACE, THE_REST = "every face", "the rest"  # what pages and commands call the groups that are no slice
FIELDS = ("version", "name", "model", "where", "query", "created")

Files = tuple[tuple[str, int, int], ...]  # name, time of change and size of each


@dataclass(frozen=True)
class Slice:
    """Faces under a name."""

    name: str
    model: str | None  # whose predictions the filter speaks of
    where: Filter
    query: str = ""  # of the page's address when it was saved
    created: str = ""  # ISO 8601, UTC

    def narrowed(self, model: str | None, where: Filter = EVERYTHING) -> Filter:
        """Its faces that pass another filter too, all of it as `model` judges."""
        same = where == EVERYTHING and model == self.model
        return self.where if same else where.within(self.model, self.where)


def load(folder: Path) -> tuple[dict[str, Slice], list[str]]:
    """The slices of a cache in the order of their names, and a sentence about each file that cannot be used."""
    try:
        place = _place(folder)
        files = files_of(folder)
    except OSError as problem:
        return {}, [f"The slices in {folder / FOLDER} cannot be read ({_why(problem)})."]
    found: dict[str, Slice] = {}
    problems = []
    for name, _, _ in files[:MOST_SLICES]:
        path = place / name
        try:
            one = _read(path)
            if (taken := found.get(_key(one.name))) is not None:
                raise BadSlice(f"there is another slice named '{taken.name}'")
            found[_key(one.name)] = one
        except (BadSlice, OSError) as problem:
            problems.append(f"{path} is left out ({_why(problem)}). Correct it, or delete it.")
    if len(files) > MOST_SLICES:
        problems.append(f"{place} holds {len(files):,} files, and only the first {MOST_SLICES} by name are read.")
    return {one.name: one for _, one in sorted(found.items())}, problems


def files_of(folder: Path) -> Files:
    """What `load` would read: it finds the same again for as long as these stay the same."""
    try:
        with os.scandir(folder / FOLDER) as entries:
            found = [e for e in entries if e.name.endswith(".json") and not e.name.startswith(".")]
            return tuple(sorted((e.name, e.stat(follow_symlinks=False).st_mtime_ns, _size(e)) for e in found))
    except FileNotFoundError:
        return ()


def find(folder: Path, name: str) -> Slice:
    """The slice of that name. Raises BadSlice, with the names that there are."""
    found, _ = load(folder)
    for one in found.values():
        if _key(one.name) == _key(name):
            return one
    raise BadSlice(f"The cache at {folder} has no slice '{name}'. It has: {', '.join(found) or 'none yet'}.")


def check(cache: Cache, one: Slice) -> None:
    """Raises BadQuery when the cache lacks a column, a model or a map that the slice speaks of."""
    if one.model is not None and one.model not in cache.models:
        raise BadQuery(f"This cache has no model '{one.model}'. It has: {', '.join(cache.models) or 'none yet'}.")
    cache.condition(one.model, one.where)


def save(folder: Path, one: Slice, replace: bool = False) -> Slice:
    """Write a slice and return it as it was written.

    Raises SliceExists for a name that is taken, unless `replace`; BadSlice for an unusable name, a filter too large, a
    folder that cannot be written to, or MOST_SLICES slices.
    """
    one = Slice(checked_name(one.name), one.model, one.where, one.query[:LONGEST_QUERY], one.created)
    content = _written(one)
    with _locked(folder) as place:
        same = _files_named(place, one.name)
        if (same or (place / file_name(one.name)).exists()) and not replace:
            raise SliceExists(f"There is a slice named '{one.name}' already. Replace it, or choose another name.")
        if len(files_of(folder)) >= MOST_SLICES and not same:
            raise BadSlice(f"This cache has {MOST_SLICES} slices, and no more would be read. Delete one first.")
        write_whole(place / file_name(one.name), content)
        for other in same:
            if other.name != file_name(one.name):
                other.unlink(missing_ok=True)
    return one


def remove(folder: Path, name: str) -> None:
    """Delete a slice's file; the faces stay. Raises BadSlice if there is none, or it cannot be deleted."""
    with _locked(folder) as place:
        files = _files_named(place, name)
        if not files:
            raise BadSlice(f"This cache has no slice named '{name}'.")
        for path in files:
            path.unlink(missing_ok=True)


def checked_name(name: str) -> str:
    """The name as it is kept: without spaces around it, accents joined to their letters.

    >>> checked_name("  wrong, and sure of it "), file_name("../../x")
    ('wrong, and sure of it', 'x-9cdf6a5010.json')
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadSlice(f"The name of a slice has from 1 to {LONGEST_NAME} characters, all of them printable.")
    if _key(name) in (EVERY_FACE, THE_REST):
        raise BadSlice(f"'{name}' has a meaning of its own here. Choose another name for the slice.")
    return name


def file_name(name: str) -> str:
    """Letters and digits of the name, to be recognised by, and a hash, to be unique. Never a path."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "slice"
    return f"{readable}-{hashlib.sha256(_key(name).encode()).hexdigest()[:10]}.json"


# ---- inside


def _key(name: str) -> str:
    """Two names are one when these are."""
    return unicodedata.normalize("NFC", name.casefold())


def _place(folder: Path) -> Path:
    """The folder of the slices, which is never a link to elsewhere."""
    place = folder / FOLDER
    if place.resolve() != folder.resolve() / FOLDER:
        raise OSError("the folder is a link")
    return place


def _size(entry: "os.DirEntry[str]") -> int:
    return entry.stat(follow_symlinks=False).st_size


def _read(path: Path) -> Slice:
    if path.is_symlink() or not path.is_file():
        raise BadSlice("it is a link, or no file")
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise BadSlice(f"it is larger than {MOST_BYTES // 1024} KiB, which no slice is")
    try:
        found = json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadSlice("it is not valid JSON") from None
    return _parsed(found)


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are no JSON


def _parsed(found: Any) -> Slice:
    fields = record(found, "a slice", required=FIELDS)
    if fields["version"] != VERSION or isinstance(fields["version"], bool):
        raise BadSlice(f"its version is not {VERSION}")
    created = text(fields["created"], "'created'", 40)
    try:
        datetime.fromisoformat(created)
    except ValueError:
        raise BadSlice("'created' must be a time such as 2026-11-24T12:00:00+00:00") from None
    name = checked_name(text(fields["name"], "'name'"))
    query = text(fields["query"], "'query'", LONGEST_QUERY)
    return Slice(name, model_name(fields["model"]), from_json(fields["where"]), query, created)


def _written(one: Slice) -> bytes:
    """The content of the file, tried for whether it can be read again."""
    fields = {"version": VERSION, "name": one.name, "model": one.model, "where": to_json(one.where)}
    fields |= {"query": one.query, "created": one.created}
    try:
        _parsed(fields)
    except BadSlice as problem:
        raise BadSlice(f"This cannot be saved as a slice ({_why(problem)}).") from None
    content = (json.dumps(fields, indent=1, ensure_ascii=False) + "\n").encode()
    if len(content) > MOST_BYTES:
        raise BadSlice(f"This cannot be saved as a slice: it would take more than {MOST_BYTES // 1024} KiB.")
    return content


def _files_named(place: Path, name: str) -> list[Path]:
    """Every file that holds a slice of this name; more than one, if somebody has copied it."""
    found = []
    for file, _, _ in files_of(place.parent):
        try:
            if _key(_read(place / file).name) == _key(unicodedata.normalize("NFC", name)):
                found.append(place / file)
        except (BadSlice, OSError):
            continue
    return found


@contextmanager
def _locked(folder: Path) -> Iterator[Path]:
    """Sole writer of the slices; what the disk refuses becomes one sentence."""
    try:
        place = _place(folder)
        place.mkdir(exist_ok=True)
        with filelock.FileLock(place / ".lock", timeout=5):
            yield place
    except (OSError, filelock.Timeout) as problem:
        raise BadSlice(
            f"The slices in {folder / FOLDER} cannot be changed ({_why(problem)}). Allow writing there, or copy the "
            "cache to a folder of your own."
        ) from None


def _why(problem: Exception) -> str:
    if isinstance(problem, filelock.Timeout):
        return "somebody else is writing them"
    return (problem.strerror or str(problem)) if isinstance(problem, OSError) else str(problem).rstrip(".")
