"""FER+ (Barsoum et al. 2016): FER2013's pictures with ten crowd votes each.

Whatever form the pictures lie in, the faces, their names, votes and order are the same:

    FER2013Train   Usage 'Training'      train         28,556 faces
    FER2013Test    Usage 'PrivateTest'   validation     3,572
    FER2013Valid   Usage 'PublicTest'    test           3,579

and the 180 rows that are left out are all in the rejects. docs/sources.md tells why.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path

from engine.sources.ferplus_stores import FOLDERS, NEW_CSV, USAGE, KaggleStore, Store, open_store
from engine.sources.rows import FER_CLASSES, Attribute, Item, Reject, Source, SourceProblem

SPLITS = {"FER2013Train": "train", "FER2013Valid": "test", "FER2013Test": "validation"}
COLUMNS = (*FER_CLASSES, "unknown", "NF")  # NF: not a face
LABEL_CSV = "label.csv"
ATTRIBUTES = (Attribute("votes_unknown", "number", "votes"), Attribute("votes_nf", "number", "votes"))


@dataclass(frozen=True)
class _Row:
    """One line of votes. counts: (10,) in the order of COLUMNS."""

    file: str
    line: int  # from 1, as editors count
    index: int  # data row, from 0: the row of the picture in Kaggle's file
    folder: str
    name: str
    counts: tuple[int, ...]

    @property
    def source(self) -> str:
        return f"{self.folder}/{self.name}"


def open_ferplus(path: Path, spec: str, labels: Path | None = None) -> Source:
    """Open FER+ from its folders, a zip of them, or Kaggle's fer2013.csv.

    labels: where the votes come from. None: fer2013new.csv if it lies with the pictures, else each folder's
    label.csv. `label.csv`: each folder's label.csv. Anything else: the path of a fer2013new.csv. The two
    differ for 1,601 faces, each a copy of another picture in the dataset; see docs/sources.md.
    Raises SourceProblem when no form of FER+ lies at `path` or its files do not belong together.
    """
    store = open_store(path)
    rows, rejects, file = _read_votes(store, labels)
    if isinstance(store, KaggleStore):
        _check_rows_match(store, rows, rejects)
    kept, left_out = _select(rows, store)
    rejects = [*rejects, *left_out]
    order = {folder: i for i, folder in enumerate(FOLDERS)}
    kept.sort(key=lambda row: (order[row.folder], row.name))
    if not kept:
        raise SourceProblem(f"{store.where} holds no face with votes in {file}. Check that both are whole.")

    def entries() -> Iterator[Item | Reject]:
        yield from rejects
        for row in kept:
            yield _item(row, store)

    return Source(
        spec=spec,
        title="FER+",
        classes=FER_CLASSES,
        entries=entries,
        count=len(rejects) + len(kept),
        attributes=ATTRIBUTES,
        note="votes from each folder's label.csv" if file == LABEL_CSV else "",
    )


def _item(row: _Row, store: Store) -> Item:
    *votes, unknown, nf = row.counts
    return Item(
        source=row.source,
        load=partial(store.load, row.folder, row.name, row.index),
        split=SPLITS[row.folder],
        votes=tuple(votes) if any(votes) else None,
        attributes={"votes_unknown": float(unknown), "votes_nf": float(nf)},
    )


def _select(rows: list[_Row], store: Store) -> tuple[list[_Row], list[Reject]]:
    """Rows that are a face with a picture, and a reject for every other row, picture and missing folder."""
    last = {row.source: row for row in rows}  # Microsoft's script writes a name again: its later row wins
    kept, rejects = [], []
    absent: dict[str, int] = {}
    for row in rows:
        where, winner = f"{row.file}:{row.line}", last[row.source]
        if row is not winner:
            same = "equal" if row.counts == winner.counts else "different"
            rejects.append(Reject(where, "labels", f"{row.source} stands again, with {same} votes, on line "
                                  f"{winner.line}, whose picture and votes are used."))  # fmt: skip
        elif not any(row.counts):
            rejects.append(Reject(where, "labels", f"{row.source} has no votes at all."))
        elif row.counts[-1] == sum(row.counts):
            rejects.append(Reject(where, "labels", f"All votes on {row.source} say that it is not a face."))
        elif store.pictures is not None and row.folder not in store.pictures:
            absent[row.folder] = absent.get(row.folder, 0) + 1
        elif store.pictures is not None and row.name not in store.pictures[row.folder]:
            rejects.append(Reject(where, "labels", f"There is no picture {row.source} for these votes."))
        else:
            kept.append(row)
    for folder, count in absent.items():
        rejects.append(Reject(folder, "list", f"The folder is missing; its {count:,} faces are left out."))
    for folder, names in (store.pictures or {}).items():
        for name in sorted(names):
            if f"{folder}/{name}" not in last:
                rejects.append(Reject(f"{folder}/{name}", "labels", f"{folder}/{name} has no row of votes."))
    return kept, rejects


def _read_votes(store: Store, labels: Path | None) -> tuple[list[_Row], list[Reject], str]:
    """Rows, rejects and the name of the file that they come from."""
    own = labels is not None and labels.as_posix() == LABEL_CSV
    if labels is not None and not own:
        try:
            text: str | None = labels.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as problem:
            raise SourceProblem(f"The votes in {labels} cannot be read: {problem}. Check the path.") from None
        return *_parse_new(text or "", labels.name), labels.name
    if not own:
        text = store.text(NEW_CSV)
        if text is not None:
            return *_parse_new(text, NEW_CSV), NEW_CSV
    if store.pictures is None:
        raise SourceProblem(
            f"Votes for {store.where} are missing. Put Microsoft's {NEW_CSV} "
            "(github.com/microsoft/FERPlus) beside it, or name it with --labels."
        )
    rows: list[_Row] = []
    rejects: list[Reject] = []
    for folder in FOLDERS:
        if folder not in store.pictures:
            rejects.append(Reject(folder, "list", "The folder is missing."))
            continue
        text = store.text(f"{folder}/{LABEL_CSV}")
        if text is None:
            raise SourceProblem(
                f"{store.where} has neither {NEW_CSV} nor {folder}/{LABEL_CSV}, so no votes. "
                "Copy one of them from github.com/microsoft/FERPlus."
            )
        more_rows, more_rejects = _parse_label(text, folder)
        rows += more_rows
        rejects += more_rejects
    return rows, rejects, LABEL_CSV


def _parse_new(text: str, file: str) -> tuple[list[_Row], list[Reject]]:
    """fer2013new.csv: Usage, Image name, ten counts. Rows without a name have no face."""
    table = list(csv.reader(StringIO(text)))
    expected = ["usage", "image name", *(column.lower() for column in COLUMNS)]
    if not table or [cell.strip().lower() for cell in table[0]] != expected:
        raise SourceProblem(
            f"{file} does not start with the columns Usage, Image name, {', '.join(COLUMNS)}. "
            f"Take {NEW_CSV} from github.com/microsoft/FERPlus."
        )
    rows, rejects = [], []
    for index, cells in enumerate(row for row in table[1:] if row):
        where = f"{file}:{index + 2}"
        counts = _counts(cells[2:])
        if len(cells) != len(expected) or counts is None or cells[0] not in USAGE:
            rejects.append(Reject(where, "labels", f"Expected a Usage, a name and ten counts, got {cells}."))
        elif not cells[1].strip():
            reason = "all votes say not a face" if counts[-1] == sum(counts) else f"its votes are {counts}"
            rejects.append(Reject(where, "labels", f"The row names no image; {reason}."))
        else:
            rows.append(_Row(file, index + 2, index, USAGE[cells[0]], cells[1].strip(), counts))
    return rows, rejects


def _parse_label(text: str, folder: str) -> tuple[list[_Row], list[Reject]]:
    """A folder's label.csv, without a header: name, box (always the whole picture, unused), ten counts."""
    rows, rejects = [], []
    file = f"{folder}/{LABEL_CSV}"
    for index, cells in enumerate(csv.reader(StringIO(text))):
        counts = _counts(cells[2:])
        if len(cells) != 12 or counts is None or not cells[0].strip():
            if cells:
                reason = f"Expected a name, a box and ten counts, got {cells}."
                rejects.append(Reject(f"{file}:{index + 1}", "labels", reason))
        else:
            rows.append(_Row(file, index + 1, index, folder, cells[0].strip(), counts))
    return rows, rejects


def _counts(cells: list[str]) -> tuple[int, ...] | None:
    """Ten non-negative whole numbers, else None. Nine or eleven votes in all are fine: one row has nine."""
    texts = [cell.strip() for cell in cells]
    if len(texts) != len(COLUMNS) or not all(text.isascii() and text.isdigit() for text in texts):
        return None
    counts = tuple(int(text) for text in texts)
    return counts if max(counts) <= 65_535 else None


def _check_rows_match(store: KaggleStore, rows: list[_Row], rejects: list[Reject]) -> None:
    """Row i of fer2013.csv belongs to row i of fer2013new.csv; a shifted file would mislabel every face."""
    pictures, votes = len(store.folders), len(rows) + len(rejects)
    pairs = (row for row in rows if row.index < pictures)
    shifted = next((row for row in pairs if store.folders[row.index] != row.folder), None)
    if pictures != votes or shifted is not None:
        where = f"first differing Usage on line {shifted.line}" if shifted else "same Usage while both last"
        raise SourceProblem(
            f"{store.where} has {pictures:,} rows and its votes {votes:,} ({where}), so they do not belong "
            "together. Download both again: Kaggle's fer2013.csv and Microsoft's fer2013new.csv."
        )
