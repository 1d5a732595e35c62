"""Where the numbers come from: the manifest of the cache without the machine's folders, and how to make it again."""

import hashlib
import json
import re
import shlex
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from cache.manifest import AttributeInfo, Manifest, ModelInfo
from pages.report.blocks import Block, Command, Section, Table, Text, pairs
from pages.report.paths import (
    command_without_folders,
    said_without_folders,
    settings_without_folders,
    without_folders,
)
from pages.report.subject import Subject
from pages.widgets.wording import DASH, count, duration

MADE_WITH = ("doubtscope", "numpy", "pandas", "plotly")
MOST_REASONS = 20
MOST_REJECTS = 5_000  # as many as a cache lists at once


def origin(subject: Subject) -> Section:
    """The part of a report that another person needs to check it."""
    manifest = subject.cache.manifest
    blocks: list[Block] = [
        pairs("The cache.", of_cache(subject)),
        models(subject),
        *attributes(manifest),
        *left_out(subject),
        pairs("Settings of the build.", settings(manifest)),
        *again(subject),
    ]
    return Section("manifest", "Manifest", tuple(blocks))


def of_cache(subject: Subject) -> list[tuple[str, str]]:
    manifest = subject.cache.manifest
    source = manifest.source
    return [
        ("Source", " · ".join(filter(None, [subject.title, without_folders(source.spec), source.note]))),
        ("Classes", ", ".join(manifest.classes)),
        ("Faces", f"{manifest.faces:,}"),
        ("Begun", when(manifest.created)),
        ("Last change", f"{when(manifest.updated)}, after {duration(manifest.seconds)} of work"),
        ("Hardware", ", ".join(f"{k} {v}" for k, v in manifest.hardware.items()) or "not recorded"),
        ("Packages", ", ".join(f"{name} {version}" for name, version in manifest.packages.items()) or "not recorded"),
        ("Schema version", str(manifest.schema_version)),
        ("Report made with", versions()),
        ("Parts", f"{count(sum(map(len, manifest.parts.values())), 'file')}, sha256 {of_parts(manifest)}"),
    ]


def versions() -> str:
    """Of what makes the report; a package that runs without being installed has none."""
    found = []
    for name in MADE_WITH:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def of_parts(manifest: Manifest) -> str:
    """One hash for all the data: sha256 of the lines 'table, part, rows, sha256', tabs between, in order."""
    lines = [
        f"{table}\t{name}\t{part.rows}\t{part.sha256}\n"
        for table, parts in sorted(manifest.parts.items())
        for name, part in sorted(parts.items())
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def models(subject: Subject) -> Table:
    infos = subject.cache.manifest.models
    rows = tuple((name, made(infos[name]), infos[name].weights_sha256 or DASH) for name in subject.cache.models)
    return Table("The models.", ("", "how its predictions were made", "sha256 of its weights"), rows, numeric=False)


def made(info: ModelInfo) -> str:
    said = [info.title, f"S = {info.samples}"]
    if info.seed is not None:
        said.append(f"seed {info.seed}")
    said.append(f"{info.precision} on {info.device}" if info.backbones else "predicted elsewhere")
    if info.backbones:
        said.append(f"features of {', '.join(info.backbones)}")
    if info.faces is not None:
        said.append(f"{info.faces:,} faces scored")
    return without_folders(", ".join(said))


def attributes(manifest: Manifest) -> list[Block]:
    rows = [(info.title or name, described(info)) for name, info in manifest.attributes.items()]
    return [pairs("Attributes.", rows)] if rows else []


def described(info: AttributeInfo) -> str:
    said = [info.method, ", ".join(info.columns)]
    if info.file:
        said.append(f"{without_folders(info.file)}, sha256 {info.sha256}")
    if info.matched is not None:
        said.append(f"{count(info.matched, 'face')} matched, {count(info.unmatched, 'row')} about no face")
    return "; ".join(filter(None, said))


def left_out(subject: Subject) -> list[Block]:
    """Inputs that did not become faces, by reason."""
    n = subject.cache.n_rejects
    if n == 0:
        return [Text("Every input became a face.")]
    found = subject.cache.rejects(limit=MOST_REJECTS)
    counts = (
        found.assign(reason=[unnamed(r.reason, r.source) for r in found.itertuples()])
        .groupby(["stage", "reason"])
        .size()
    )
    counts = counts.reset_index(name="inputs").sort_values(["inputs", "stage", "reason"], ascending=[False, True, True])
    rows = tuple((f"{r.stage}: {r.reason}", f"{r.inputs:,}") for r in counts.head(MOST_REASONS).itertuples())
    more = int(counts.inputs[MOST_REASONS:].sum())
    notes = [f"{count(more, 'input')} for {count(len(counts) - MOST_REASONS, 'other reason')}."] * (more > 0)
    notes += [f"Counted among the first {len(found):,}."] * (n > len(found))
    table = Table(f"{count(n, 'input')} that did not become a face, by reason.", ("", "inputs"), rows)
    return [table, Text(" ".join(notes), "note")] if notes else [table]


def unnamed(reason: str, source: str) -> str:
    """A reason without the input's own name and line, so that like ones count together and no name is told.

    >>> unnamed("All votes on a/b.png say no, on line 12.", "a/b.png")
    'All votes on … say no, on line ….'
    """
    for name in sorted({source, source.replace("\\", "/").rpartition("/")[2]} - {""}, key=len, reverse=True):
        reason = reason.replace(name, "…")
    return said_without_folders(re.sub(r"\bline \d+", "line …", reason))


def settings(manifest: Manifest) -> list[tuple[str, str]]:
    """One row per setting, in order of name."""
    plain = settings_without_folders(manifest.settings)
    return [
        (str(key), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for key, value in sorted(plain.items())
    ]


def again(subject: Subject) -> list[Block]:
    """The commands that make the cache and this report."""
    folder = without_folders(str(subject.cache.folder))
    words = ["python", "-m", "engine", "report", folder, "--model", subject.model, "--split", subject.split]
    command = subject.cache.manifest.command
    built: list[Block] = [Text("The cache was built by:"), Command(command_without_folders(command))]
    return [
        *built * bool(command),
        Text("With the same versions, this report is made again by:"),
        Command(shlex.join([*words, "--out", "report.html"])),
    ]


def when(moment: str) -> str:
    """'2026-11-22 17:05 UTC', or a dash."""
    try:
        return datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return DASH
