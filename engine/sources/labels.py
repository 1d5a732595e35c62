"""Votes for a folder or a table of images, from a CSV.

Either the annotators' counts    file,happiness,anger[,split]    or one label per file    file,label[,split]
                                 a.jpg,7,3,train                                          a.jpg,happy,train

The whole file is checked before anything is built: a labels file with one wrong row is usually wrong in more.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from engine.sources.rows import FER_CLASSES, SourceProblem

FIRST_LINES = "'file,label[,split]' or 'file,<class>,<class>,...[,split]'"
MAX_VOTES = 65_535  # the cache stores votes as uint16
DROPPED = ("unknown", "nf")  # FER+'s columns that are no expression; their votes are left out
_DROPPED_SPELLINGS = {"unknown": "unknown", "nf": "nf", "not a face": "nf", "not-a-face": "nf"}
_SYNONYMS = {
    "neutrality": "neutral",
    "happy": "happiness", "joy": "happiness", "joyful": "happiness",
    "surprised": "surprise",
    "sad": "sadness",
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear", "afraid": "fear", "scared": "fear",
    "contemptuous": "contempt",
}  # fmt: skip


@dataclass(frozen=True)
class Labels:
    """A labels file, read and checked."""

    path: Path
    classes: tuple[str, ...]
    votes: dict[str, tuple[int, ...] | None] = field(default_factory=dict)  # file -> (C,); None: all dropped
    splits: dict[str, str] = field(default_factory=dict)  # file -> split, for files that name one

    def check_files(self, files: set[str], where: Path) -> None:
        """Raise SourceProblem when the labels name files that `files` does not hold."""
        missing = [name for name in self.votes if name not in files]
        if missing:
            shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
            raise SourceProblem(
                f"{len(missing):,} of {len(self.votes):,} files in {self.path} are not in {where}: {shown}. "
                f"Write each file as its path relative to {where}, or remove its row."
            )


def fer_class(name: str) -> str | None:
    """FER+'s name for an expression ('Happy' -> 'happiness'), 'unknown' or 'nf'; None for anything else."""
    plain = name.strip().lower()
    plain = _SYNONYMS.get(plain, _DROPPED_SPELLINGS.get(plain, plain))
    return plain if plain in FER_CLASSES or plain in DROPPED else None


def match_classes(names: Sequence[str]) -> tuple[tuple[str, ...], list[int | None]]:
    """Class names as a dataset writes them -> (the source's classes, for each name its position or None).

    When every name is an expression of FER+ or a synonym, and no two mean the same, the classes are
    FER_CLASSES: those that the file lacks get no votes, 'unknown' and 'NF' get position None, meaning that
    their votes are dropped. Otherwise the classes are the names themselves in their own order.

    >>> match_classes(["Happy", "sad"])[1]
    [1, 3]
    """
    matched = [fer_class(name) for name in names]
    expressions = [m for m in matched if m in FER_CLASSES]
    if expressions and None not in matched and len(set(matched)) == len(matched):
        return FER_CLASSES, [FER_CLASSES.index(m) if m in FER_CLASSES else None for m in matched]
    return tuple(names), list(range(len(names)))


def place_votes(counts: Sequence[int], positions: Sequence[int | None], n_classes: int) -> tuple[int, ...] | None:
    """Counts in file order -> (C,) in class order; None when every vote was for a dropped class."""
    votes = [0] * n_classes
    for count, position in zip(counts, positions, strict=True):
        if position is not None:
            votes[position] += count
    return tuple(votes) if any(votes) else None


def read_labels(path: Path) -> Labels:
    """Read a labels CSV. Raises SourceProblem naming the first wrong line and what to do about it."""
    rows = csv_lines(path)
    first = next(rows, None)
    if first is None:
        raise SourceProblem(f"{path} is empty. Its first line must be {FIRST_LINES}.")
    header = [name.strip() for name in first[1]]
    lower = [name.lower() for name in header]
    if "file" not in lower or len(header) < 2:
        hint = " Separate the columns with commas." if ";" in first[1][0] or "\t" in first[1][0] else ""
        raise SourceProblem(
            f"{path} has no column 'file' (found: {', '.join(header)[:200]}).{hint} "
            f"Its first line must be {FIRST_LINES}."
        )
    twice = sorted({name for name in lower if lower.count(name) > 1})
    if twice:
        raise SourceProblem(f"{path} has more than one column '{twice[0]}'. Rename or remove one of them.")

    reader = _LabelColumn if "label" in lower else _CountColumns
    columns = reader(path, header, lower)
    file_at, split_at = lower.index("file"), lower.index("split") if "split" in lower else None
    seen: dict[str, int] = {}
    splits: dict[str, str] = {}
    for line, row in rows:
        if len(row) != len(header):
            raise SourceProblem(
                f"{path}, line {line}: {len(row)} columns where the first line has {len(header)}. "
                "Quote names that contain a comma, and fill in or remove the line."
            )
        name = clean_name(row[file_at])
        if not name:
            raise SourceProblem(f"{path}, line {line}: no file name. Fill it in or remove the line.")
        if name in seen:
            raise SourceProblem(
                f"{path}, line {line}: {name} stands already on line {seen[name]}. Keep one row per file"
                f"{' and add the votes up' if reader is _CountColumns else ''}."
            )
        seen[name] = line
        columns.add(name, row, line)
        if split_at is not None and row[split_at].strip():
            splits[name] = row[split_at].strip()
    if not seen:
        raise SourceProblem(f"{path} has a first line but no rows. Add one row per labelled file.")
    classes, votes = columns.finish()
    return Labels(path, classes, votes, splits)


def clean_name(name: str) -> str:
    """A file name as people type it -> the form that folders are listed in: 'a/b.jpg'."""
    name = name.strip().replace("\\", "/")
    return str(PurePosixPath(name)) if name else ""


class _CountColumns:
    """file,<class>,<class>,...: one column of vote counts per class."""

    def __init__(self, path: Path, header: list[str], lower: list[str]) -> None:
        self.path = path
        self.at = [i for i, name in enumerate(lower) if name not in ("file", "split")]
        self.names = [header[i] for i in self.at]
        if len(self.at) < 2:
            raise SourceProblem(
                f"{path} has {len(self.at)} class columns. Votes need two or more; "
                "for one label per file call the column 'label'."
            )
        self.classes, self.positions = match_classes(self.names)
        self.votes: dict[str, tuple[int, ...] | None] = {}

    def add(self, name: str, row: list[str], line: int) -> None:
        counts = []
        for i, column in zip(self.at, self.names, strict=True):
            text = row[i].strip()
            if not (text.isascii() and text.isdigit()) or int(text) > MAX_VOTES:
                raise SourceProblem(
                    f"{self.path}, line {line}: '{text}' in column '{column}' is not a vote count. "
                    f"Write whole numbers from 0 to {MAX_VOTES:,}."
                )
            counts.append(int(text))
        if not any(counts):
            raise SourceProblem(
                f"{self.path}, line {line}: {name} has no votes at all. "
                "Remove the line; an image without a row is kept, without votes."
            )
        self.votes[name] = place_votes(counts, self.positions, len(self.classes))

    def finish(self) -> tuple[tuple[str, ...], dict[str, tuple[int, ...] | None]]:
        return self.classes, self.votes


class _LabelColumn:
    """file,label: one label per file, read as one vote."""

    def __init__(self, path: Path, header: list[str], lower: list[str]) -> None:
        self.path = path
        others = [name for name in header if name.lower() not in ("file", "label", "split")]
        if others:
            raise SourceProblem(
                f"{path} has both a column 'label' and other columns ({', '.join(others)[:200]}). "
                "Keep file,label[,split] for one label per file, or file,<class>,... for vote counts."
            )
        self.at = lower.index("label")
        self.labels: dict[str, str] = {}

    def add(self, name: str, row: list[str], line: int) -> None:
        label = row[self.at].strip()
        if not label:
            raise SourceProblem(f"{self.path}, line {line}: {name} has no label. Fill it in or remove it.")
        self.labels[name] = label

    def finish(self) -> tuple[tuple[str, ...], dict[str, tuple[int, ...] | None]]:
        classes, position_of = label_classes(list(self.labels.values()))
        votes: dict[str, tuple[int, ...] | None] = {}
        for name, label in self.labels.items():
            at = position_of[label]
            votes[name] = None if at is None else tuple(int(i == at) for i in range(len(classes)))
        return classes, votes


def label_classes(labels: Sequence[str]) -> tuple[tuple[str, ...], dict[str, int | None]]:
    """One label per image -> (classes, position of every spelling); own names in order of appearance.

    Unlike columns, several spellings ('happy', 'Happiness') may mean one class.
    """
    spellings = list(dict.fromkeys(labels))
    meanings = list(dict.fromkeys(fer_class(label) or label for label in spellings))
    classes, positions = match_classes(meanings)
    if classes == FER_CLASSES:
        return classes, {s: positions[meanings.index(fer_class(s) or s)] for s in spellings}
    return tuple(spellings), {s: i for i, s in enumerate(spellings)}


def csv_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of every line that is not blank."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield reader.line_num, row
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise SourceProblem(f"The labels file {path} cannot be read: {reason}. Check the path.") from None
    except UnicodeDecodeError:
        raise SourceProblem(f"{path} is not text in UTF-8. Save it as 'CSV UTF-8'.") from None
    except csv.Error as problem:
        raise SourceProblem(f"{path} is no readable CSV: {problem}. Check its quotes.") from None
