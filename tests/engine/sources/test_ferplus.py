"""FER+: three forms, one dataset; every quirk either handled or in the rejects."""

import hashlib
import os
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.sources import open_source
from engine.sources.rows import FER_CLASSES, ImageProblem, Item, Reject, Source, SourceProblem


def items(source: Source) -> list[Item]:
    return [entry for entry in source.entries() if isinstance(entry, Item)]


def rejects(source: Source) -> list[Reject]:
    return [entry for entry in source.entries() if isinstance(entry, Reject)]


def facts(source: Source) -> list[tuple]:
    return [(i.source, i.split, i.votes, i.attributes, np.asarray(i.load()).tobytes()) for i in items(source)]


def test_three_forms_give_the_same_faces(ferplus_folder, ferplus_zip, ferplus_kaggle):
    folder, archive, kaggle = (open_source(f"ferplus:{p}") for p in (ferplus_folder, ferplus_zip, ferplus_kaggle))
    assert facts(folder) == facts(archive) == facts(kaggle)
    assert rejects(folder) == rejects(archive) == rejects(kaggle)
    for source in (folder, archive, kaggle):
        assert source.classes == FER_CLASSES and source.count == len(list(source.entries())) == 12


def test_names_splits_and_votes(ferplus_zip):
    found = {item.source: item for item in items(open_source(str(ferplus_zip)))}
    assert [(name, item.split) for name, item in found.items()] == [
        ("FER2013Train/fer0000000.png", "train"),
        ("FER2013Train/fer0000001.png", "train"),
        ("FER2013Train/fer0000005.png", "train"),
        ("FER2013Train/fer0000007.png", "train"),
        ("FER2013Valid/fer0000008.png", "test"),
        ("FER2013Test/fer0000010.png", "validation"),
    ]
    nine = found["FER2013Train/fer0000001.png"]
    assert nine.votes == (4, 0, 0, 0, 0, 3, 1, 0)  # the vote for 'unknown' is dropped
    assert nine.attributes == {"votes_unknown": 1.0, "votes_nf": 0.0}
    assert found["FER2013Test/fer0000010.png"].attributes["votes_nf"] == 1.0  # one doubter does not unmake a face
    unclear = found["FER2013Train/fer0000007.png"]
    assert unclear.votes is None and unclear.attributes == {"votes_unknown": 8.0, "votes_nf": 2.0}


def test_what_is_left_out_is_reported(ferplus_kaggle):
    by_line = {r.source.rpartition(":")[2]: r for r in rejects(open_source(f"ferplus:{ferplus_kaggle}"))}
    assert {r.stage for r in by_line.values()} == {"labels"}
    assert "names no image" in by_line["3"].reason and "names no image" in by_line["10"].reason
    assert "equal votes, on line 6" in by_line["4"].reason
    assert "not a face" in by_line["7"].reason
    assert "different votes, on line 13" in by_line["11"].reason
    assert "not a face" in by_line["13"].reason
    assert len(by_line) == 6


def test_the_folders_own_label_csv(ferplus_folder):
    chosen = open_source(f"ferplus:{ferplus_folder}", Path("label.csv"))
    (ferplus_folder / "fer2013new.csv").unlink()
    fallback = open_source(f"ferplus:{ferplus_folder}")
    assert facts(chosen) == facts(fallback) and "label.csv" in chosen.note
    assert [r.source for r in rejects(chosen)] == ["FER2013Train/label.csv:4"]


def test_votes_from_a_named_file(ferplus_folder, tmp_path):
    moved = (ferplus_folder / "fer2013new.csv").rename(tmp_path / "votes.csv")
    assert len(items(open_source(f"ferplus:{ferplus_folder}", moved))) == 6
    with pytest.raises(SourceProblem, match=r"nothing\.csv"):
        open_source(f"ferplus:{ferplus_folder}", Path("nothing.csv"))


def test_microsofts_repository_layout(ferplus_folder, tmp_path):
    repository = tmp_path / "FERPlus"
    repository.mkdir()
    (ferplus_folder / "fer2013new.csv").rename(repository / "fer2013new.csv")
    ferplus_folder.rename(repository / "data")
    for path in (repository, repository / "data"):
        source = open_source(str(path))
        assert source.title == "FER+" and len(items(source)) == 6 and source.note == ""


def test_picture_without_votes_and_votes_without_picture(ferplus_folder):
    (ferplus_folder / "FER2013Train" / "fer0000000.png").rename(ferplus_folder / "FER2013Train" / "extra.png")
    source = open_source(f"ferplus:{ferplus_folder}")
    reasons = {r.source: r for r in rejects(source)}
    assert "no row of votes" in reasons["FER2013Train/extra.png"].reason
    assert "no picture FER2013Train/fer0000000.png" in reasons["fer2013new.csv:2"].reason
    assert len(items(source)) == 5


def test_a_missing_folder_is_one_reject(ferplus_folder):
    for file in (ferplus_folder / "FER2013Test").iterdir():
        file.unlink()
    (ferplus_folder / "FER2013Test").rmdir()
    source = open_source(f"ferplus:{ferplus_folder}")
    assert next(r for r in rejects(source) if r.stage == "list").source == "FER2013Test"
    assert len(items(source)) == 5


@pytest.mark.parametrize(
    "row", ["Training,fer0000099.png,-1,0,0,0,0,0,0,0,0,0", "Training,x.png,1,2", "Other,x.png" + ",1" * 10]
)
def test_a_damaged_row_of_votes_is_a_reject(ferplus_folder, row):
    path = ferplus_folder / "fer2013new.csv"
    path.write_text(path.read_text() + row + "\n")
    source = open_source(f"ferplus:{ferplus_folder}")
    assert "fer2013new.csv:14" in {r.source for r in rejects(source)} and len(items(source)) == 6


def test_files_that_do_not_belong_together(ferplus_kaggle):
    path = ferplus_kaggle / "fer2013.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]))
    with pytest.raises(SourceProblem, match="11 rows and its votes 12"):
        open_source(f"ferplus:{ferplus_kaggle}")
    path.write_text("\n".join([lines[0], *reversed(lines[1:])]))
    with pytest.raises(SourceProblem, match="line 2"):
        open_source(f"ferplus:{ferplus_kaggle}")


def test_kaggles_file_without_votes_or_splits(ferplus_kaggle):
    (ferplus_kaggle / "fer2013new.csv").unlink()
    with pytest.raises(SourceProblem, match=r"github\.com/microsoft/FERPlus"):
        open_source(f"ferplus:{ferplus_kaggle}")
    (ferplus_kaggle / "fer2013.csv").write_text("emotion,pixels\n0,1 2 3\n")
    with pytest.raises(SourceProblem, match="Usage"):
        open_source(f"ferplus:{ferplus_kaggle / 'fer2013.csv'}")


def test_a_damaged_row_of_pixels_rejects_one_face(ferplus_kaggle):
    path = ferplus_kaggle / "fer2013.csv"
    lines = path.read_text().splitlines()
    lines[1] = "0,1 2 300,Training"
    path.write_text("\n".join(lines))
    first = items(open_source(f"ferplus:{ferplus_kaggle}"))[0]
    with pytest.raises(ImageProblem, match=r"data row 1 of fer2013\.csv"):
        first.load()


def test_a_zip_is_read_from_many_threads(ferplus_zip):
    source = open_source(f"ferplus:{ferplus_zip}")
    found = items(source) * 50
    alone = [item.load().tobytes() for item in items(source)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda item: item.load().tobytes(), found))
    assert together == alone * 50


def test_zip_entries_of_absurd_size(ferplus_zip):
    with zipfile.ZipFile(ferplus_zip, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("FERPlus/FER2013Train/fer0000003.png", bytes(17 * 2**20))
    path = ferplus_zip
    with zipfile.ZipFile(path) as archive:
        text = archive.read("FERPlus/fer2013new.csv").decode()
    votes = path.parent / "votes.csv"
    votes.write_text(text + "Training,fer0000003.png,10" + ",0" * 9 + "\n")
    item = next(i for i in items(open_source(f"ferplus:{path}", votes)) if "0000003" in i.source)
    with pytest.raises(ImageProblem, match="17 MB"):
        item.load()
    with zipfile.ZipFile(path.parent / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("FER2013Train/a.png", b"")
        archive.writestr("fer2013new.csv", bytes(65 * 2**20))
    with pytest.raises(SourceProblem, match="65 MB"):
        open_source(f"ferplus:{path.parent / 'bomb.zip'}")


def test_zips_that_are_not_ferplus(tmp_path):
    (tmp_path / "torn.zip").write_bytes(b"PK\3\4 torn")
    with pytest.raises(SourceProblem, match="no readable zip"):
        open_source(str(tmp_path / "torn.zip"))
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("photos/a.png", b"")
    with pytest.raises(SourceProblem, match="folder:PATH"):
        open_source(str(tmp_path / "other.zip"))


def test_a_corrupt_zip_entry_rejects_one_face(ferplus_zip):
    with zipfile.ZipFile(ferplus_zip) as archive:
        at = archive.getinfo("FERPlus/FER2013Valid/fer0000008.png").header_offset + 200
    data = bytearray(ferplus_zip.read_bytes())
    data[at] ^= 0xFF
    ferplus_zip.write_bytes(data)
    outcome = Counter()
    for item in items(open_source(f"ferplus:{ferplus_zip}")):
        try:
            item.load()
            outcome["face"] += 1
        except ImageProblem:
            outcome[item.source] += 1
    assert outcome == {"face": 5, "FER2013Valid/fer0000008.png": 1}


def real_zip() -> Path:
    folder = os.environ.get("DOUBTSCOPE_TEST_DATA")
    if not folder:
        pytest.skip("DOUBTSCOPE_TEST_DATA does not name a folder with ferplus.zip")
    return Path(folder) / "ferplus.zip"


def test_the_real_dataset_counts():
    source = open_source(f"ferplus:{real_zip()}")
    splits = Counter(item.split for item in items(source))
    assert splits == {"train": 28_556, "validation": 3_572, "test": 3_579}
    assert len(rejects(source)) == 180 and source.count == 35_887
    assert all(item.votes for item in items(source))
    own = open_source(f"ferplus:{real_zip()}", Path("label.csv"))
    by_name = {item.source: item.votes for item in items(source)}
    differ = [i.source for i in items(own) if i.source in by_name and i.votes != by_name[i.source]]
    assert len(differ) == 1_601  # copies of a picture; docs/sources.md


def test_the_real_dataset_in_three_forms(tmp_path):
    """The zip, unpacked, and rewritten as Kaggle's file: the same faces, votes and pixels."""
    path = real_zip()
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "folders")
        lines = archive.read("fer2013new.csv").decode("utf-8-sig").splitlines()
        kaggle = tmp_path / "kaggle"
        kaggle.mkdir()
        (kaggle / "fer2013new.csv").write_text("\n".join(lines))
        blank = " ".join(["0"] * 48 * 48)
        folder = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}
        with (kaggle / "fer2013.csv").open("w") as file:
            file.write("emotion,pixels,Usage\n")
            for line in lines[1:]:
                usage, name = line.split(",")[:2]
                data = archive.read(f"{folder[usage]}/{name}") if name else b""
                numbers = " ".join(map(str, Image.open(BytesIO(data)).tobytes())) if data else blank
                file.write(f"0,{numbers},{usage}\n")

    def digest(place: Path) -> str:
        total = hashlib.sha256()
        for i, entry in enumerate(open_source(f"ferplus:{place}").entries()):
            row = (entry.source, entry.split, entry.votes) if isinstance(entry, Item) else entry
            total.update(repr(row).encode())
            if isinstance(entry, Item) and i % 10 == 0:
                total.update(entry.load().tobytes())
        return total.hexdigest()

    assert digest(path) == digest(tmp_path / "folders") == digest(kaggle)
