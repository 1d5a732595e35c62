"""What a report says of where it comes from, and what it keeps to itself."""

import hashlib

import pytest

from cache.manifest import AttributeInfo, Manifest, Part, SourceInfo
from cache.reader import Cache
from pages.report.origin import attributes, of_parts, origin, settings, unnamed
from pages.report.paths import command_without_folders, said_without_folders, without_folders
from pages.report.subject import subject_of

PARTS = {
    "faces": {"part-1": Part("faces/part-1.parquet", 2, "bb"), "part-0": Part("faces/part-0.parquet", 3, "aa")},
    "a": {"part-0": Part("a/part-0.parquet", 1, "cc")},
}


def manifest(**fields) -> Manifest:
    return Manifest(**{"classes": ("a", "b"), "source": SourceInfo("folder:x", "x"), "settings": {}} | fields)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/home/me/faces", "faces"),
        ("/", ""),
        ("~/faces.zip", "faces.zip"),
        ("~me/faces.zip", "faces.zip"),
        ("ferplus:../shared/ferplus.zip", "ferplus:ferplus.zip"),
        ("folder:/home/me/my faces", "folder:my faces"),
        ("--labels=/tmp/me/votes.csv", "--labels=votes.csv"),
        ("C:\\Users\\me\\faces", "faces"),
        ("folder:C:\\Users\\me\\faces", "folder:faces"),
        ("\\\\server\\me\\faces", "faces"),
        ("file:///home/me/faces.csv", "faces.csv"),
        ("data/../../../home/me/faces", "faces"),
        ("data/ferplus", "data/ferplus"),
        ("probe:", "probe:"),
        ("https://example.org/faces.zip", "https://example.org/faces.zip"),
        ("1/2 and 3", "1/2 and 3"),
        ("", ""),
    ],
)
def test_paths_that_lead_outside_keep_their_last_part(text, kept):
    assert without_folders(text) == kept


def test_words_of_a_command_are_taken_one_by_one():
    said = "python -m engine build 'folder:/srv/my me/faces' --labels /srv/v.csv --out data/x --model a"
    assert command_without_folders(said) == (
        "python -m engine build 'folder:faces' --labels v.csv --out data/x --model a".replace("'", "")
    )
    assert command_without_folders("it's /home/me/x.py") == "it's x.py"  # no command line


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("cannot read /home/me/a.png: truncated", "cannot read a.png: truncated"),
        ("'C:\\Users\\me\\a.png' is no image", "'a.png' is no image"),
        ("3 / 4 of it, and 1/2", "3 / 4 of it, and 1/2"),
    ],
)
def test_paths_within_a_sentence(text, kept):
    assert said_without_folders(text) == kept


def test_settings_are_listed_by_name_without_folders():
    found = settings(manifest(settings={"limit": None, "labels": "/home/me/v.csv", "faces": "crop", "n": [1, "~/x/y"]}))
    assert found == [("faces", "crop"), ("labels", "v.csv"), ("limit", "null"), ("n", '[1, "y"]')]


def test_one_hash_stands_for_all_parts():
    lines = "a\tpart-0\t1\tcc\nfaces\tpart-0\t3\taa\nfaces\tpart-1\t2\tbb\n"
    assert of_parts(manifest(parts=PARTS)) == hashlib.sha256(lines.encode()).hexdigest()


def test_attributes_of_a_file_and_of_the_images():
    given = {
        "measured": AttributeInfo("Measured in the images", "measured", ("attr_ita",)),
        "mine": AttributeInfo("", "file", ("attr_x",), file="/me/mine.csv", sha256="ff", matched=9, unmatched=1),
    }
    (table,) = attributes(manifest(attributes=given))
    assert table.rows == (
        ("Measured in the images", "measured; attr_ita"),
        ("mine", "file; attr_x; mine.csv, sha256 ff; 9 faces matched, 1 row about no face"),
    )
    assert attributes(manifest()) == []


def test_reasons_do_not_name_the_input():
    assert unnamed("img/ann.png and ann.png, line 12", "img/ann.png") == "… and …, line …"


def test_rejects_count_by_reason(report_on):
    assert report_on("normal").table("2 inputs that did not become a face")["decode: truncated"] == ["2"]


def test_it_says_how_to_make_it_again(caches, report_on):
    text = report_on("normal").text
    assert "python -m engine report normal --model compact-ensemble --split test --out report.html" in text
    assert "python -m tests.synthetic" in text and "schema version" in text.lower()
    section = origin(subject_of(Cache(caches / "normal")))
    assert section.name == "manifest"


def test_weights_seeds_and_packages_are_there(report_on):
    found = report_on("normal")
    models = found.table("The models")
    assert models["compact"] == ["compact, S = 1, seed 0, fp32 on cpu, features of compact-0", "0" * 64]
    cache = found.table("The cache.")
    assert cache["Hardware"] == ["device cpu, processor any, cores 2"] and cache["Packages"][0].startswith("numpy ")
    assert cache["Report made with"][0].startswith("doubtscope ")
