"""Folders of images: order, splits, what is skipped and what is reported."""

import os

import pytest

from engine.sources import open_source
from engine.sources.rows import ImageProblem, Item, Reject, SourceProblem


def test_order_splits_and_lazy_loading(tmp_path, image_file):
    for name in (
        "test/z.jpg",
        "train/b.png",
        "train/deep/c.webp",
        "VAL/d.bmp",
        "a.PNG",
        "train.png",
        "other/e.gif",
    ):
        image_file(tmp_path / name)
    source = open_source(f"folder:{tmp_path}")
    entries = list(source.entries())
    assert [(e.source, e.split) for e in entries] == [
        ("a.PNG", None),
        ("train.png", None),
        ("VAL/d.bmp", "validation"),
        ("other/e.gif", None),
        ("test/z.jpg", "test"),
        ("train/b.png", "train"),
        ("train/deep/c.webp", "train"),
    ]
    assert source.count == 7 and source.classes is None and source.title == tmp_path.name
    assert [e.source for e in source.entries()] == [e.source for e in entries]
    assert entries[0].load().size == (16, 16)
    (tmp_path / "a.PNG").write_bytes(b"replaced after listing")
    with pytest.raises(ImageProblem, match=r"a\.PNG is not an image"):
        entries[0].load()


def test_what_is_skipped_and_what_is_reported(tmp_path, image_file):
    image_file(tmp_path / "a.png")
    image_file(tmp_path / ".hidden.png")
    image_file(tmp_path / ".cache" / "b.png")
    image_file(tmp_path / "__MACOSX" / "c.png")
    for name in ("labels.csv", "notes.txt", "README", "photo.heic", "clip.mp4", "nosuffix"):
        (tmp_path / name).write_text("x")
    entries = list(open_source(str(tmp_path)).entries())
    assert [e.source for e in entries if isinstance(e, Item)] == ["a.png"]
    rejects = {e.source: e for e in entries if isinstance(e, Reject)}
    assert sorted(rejects) == ["clip.mp4", "nosuffix", "photo.heic"]
    assert rejects["photo.heic"].stage == "list" and ".heic" in rejects["photo.heic"].reason


def test_links_pipes_and_broken_links(tmp_path, image_file):
    image_file(tmp_path / "photos" / "a.png")
    (tmp_path / "photos" / "loop").symlink_to(tmp_path / "photos")
    (tmp_path / "photos" / "b.png").symlink_to(tmp_path / "photos" / "a.png")
    (tmp_path / "photos" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "photos" / "pipe.png")
    entries = {e.source: e for e in open_source(str(tmp_path / "photos")).entries()}
    assert sorted(entries) == ["a.png", "b.png", "gone.png", "pipe.png"]
    assert entries["b.png"].load().size == (16, 16)
    assert isinstance(entries["pipe.png"], Reject)
    with pytest.raises(ImageProblem, match="No such file"):
        entries["gone.png"].load()


def test_names_that_are_not_utf8_can_be_stored(tmp_path, image_file):
    folder = os.fsencode(tmp_path)
    image_file(tmp_path / "a.png")
    try:
        (tmp_path / "a.png").rename(os.fsdecode(folder + b"/caf\xe9.png"))
    except OSError:
        pytest.skip("this file system only takes UTF-8 names")
    (item,) = open_source(str(tmp_path)).entries()
    assert item.source == r"caf\xe9.png" and item.source.encode() and item.load().size == (16, 16)


@pytest.mark.parametrize("files", [[], ["notes.txt", "table.csv"]])
def test_a_directory_without_images(tmp_path, files):
    for name in files:
        (tmp_path / name).write_text("x")
    with pytest.raises(SourceProblem, match=f"No images in {tmp_path}"):
        open_source(str(tmp_path))


def test_labels_and_their_splits(tmp_path, image_file):
    for name in ("train/a.png", "train/b.png", "c.png"):
        image_file(tmp_path / name)
    labels = tmp_path / "labels.csv"
    labels.write_text("file,happy,sad,split\ntrain/a.png,3,1,mine\ntrain/b.png,0,2,\n")
    source = open_source(str(tmp_path), labels)
    found = {e.source: (e.split, e.votes) for e in source.entries()}
    assert found == {
        "c.png": (None, None),
        "train/a.png": ("mine", (0, 3, 0, 1, 0, 0, 0, 0)),
        "train/b.png": ("train", (0, 0, 0, 2, 0, 0, 0, 0)),
    }
    assert source.note == "1 of 3 images have no votes in labels.csv"
    labels.write_text("file,label\nb.png,happy\n")
    with pytest.raises(SourceProblem, match=r"1 of 1 files .*: b\.png\. Write each file as its path relative"):
        open_source(str(tmp_path), labels)
