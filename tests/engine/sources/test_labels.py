"""Labels files: two shapes, synonyms, and a clear sentence for everything wrong."""

from pathlib import Path

import pytest

from engine.sources.labels import fer_class, match_classes, read_labels
from engine.sources.rows import FER_CLASSES, SourceProblem


@pytest.fixture
def labels(tmp_path):
    def read(text: str):
        path = tmp_path / "labels.csv"
        path.write_text(text, encoding="utf-8")
        return read_labels(path)

    return read


def test_vote_counts_with_synonyms_and_splits(labels):
    table = labels("file,Happy,SAD,split\na.jpg,7,3,train\nsub/b.jpg,0,1,\n")
    assert table.classes == FER_CLASSES
    assert table.votes == {"a.jpg": (0, 7, 0, 3, 0, 0, 0, 0), "sub/b.jpg": (0, 0, 0, 1, 0, 0, 0, 0)}
    assert table.splits == {"a.jpg": "train"}


def test_one_label_per_file(labels):
    table = labels("file,label\na.jpg,happy\nb.jpg,Happiness\nc.jpg,angry\nd.jpg,unknown\n")
    assert table.classes == FER_CLASSES
    assert table.votes["a.jpg"] == table.votes["b.jpg"] == (0, 1, 0, 0, 0, 0, 0, 0)
    assert table.votes["c.jpg"] == (0, 0, 0, 0, 1, 0, 0, 0) and table.votes["d.jpg"] is None


def test_own_classes_keep_their_order(labels):
    assert labels("file,bored,happy\na.jpg,2,1\n").classes == ("bored", "happy")
    table = labels("file,label\na.jpg,wink\nb.jpg,happy\nc.jpg,wink\n")
    assert table.classes == ("wink", "happy") and table.votes["c.jpg"] == (1, 0)


def test_unknown_and_not_a_face_are_dropped_like_ferplus(labels):
    table = labels("file,neutral,anger,unknown,NF\na.jpg,1,2,3,4\nb.jpg,0,0,5,0\n")
    assert table.votes == {"a.jpg": (1, 0, 0, 0, 2, 0, 0, 0), "b.jpg": None}


def test_two_columns_of_one_meaning_are_own_classes():
    assert match_classes(["happy", "joy"]) == (("happy", "joy"), [0, 1])
    assert match_classes(["unknown", "NF"])[0] == ("unknown", "NF")
    assert [fer_class(name) for name in (" Fearful ", "NF", "wink")] == ["fear", "nf", None]


def test_spreadsheet_habits(labels):
    """A byte order mark, spaces, backslashes, './', blank lines and line ends of Windows."""
    table = labels("\ufeff File , Happy , Sad \r\n\r\n.\\sub\\a.jpg , 1 , 0 \r\n./b.jpg,1,0\r\n,,\r\n")
    assert list(table.votes) == ["sub/a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("file,happy,sad\n", "no rows"),
        ("name,happy,sad\na,1,2\n", "no column 'file'"),
        ("file;happy;sad\na;1;2\n", "commas"),
        ("file,happy\na,1\n", "1 class columns"),
        ("file,happy,happy\na,1,2\n", "more than one column 'happy'"),
        ("file,label,happy\na,x,1\n", "both a column 'label' and other"),
        ("file,happy,sad\na,1,2\nb,-1,2\n", "line 3: '-1' in column 'happy'"),
        ("file,happy,sad\na,1.5,2\n", "line 2: '1.5'"),
        ("file,happy,sad\na,,2\n", "line 2: ''"),
        ("file,happy,sad\na,70000,2\n", "0 to 65,535"),
        ("file,happy,sad\na,1,2\nb,0,0\n", "line 3: b has no votes at all"),
        ("file,happy,sad\na,1,2,3\n", "line 2: 4 columns where the first line has 3"),
        ("file,happy,sad\na,1\n", "line 2: 2 columns"),
        ("file,happy,sad\na,1,2\nx,1,1\n./a,1,2\n", "line 4: a stands already on line 2"),
        ("file,happy,sad\n,1,2\n", "line 2: no file name"),
        ("file,label\na, \n", "line 2: a has no label"),
        ('file,label\n"a,happy\n', "no readable CSV"),
    ],
)
def test_mistakes_are_told_with_their_line(labels, text, says):
    with pytest.raises(SourceProblem) as caught:
        labels(text)
    assert says in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(SourceProblem, match="cannot be read: No such file"):
        read_labels(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("file,label\ncafé.jpg,happy\n".encode("latin-1"))
    with pytest.raises(SourceProblem, match="UTF-8"):
        read_labels(tmp_path / "latin.csv")


def test_unknown_names_are_counted_and_five_listed(labels):
    table = labels("file,label\n" + "".join(f"{i}.jpg,happy\n" for i in range(9)))
    table.check_files({f"{i}.jpg" for i in range(9)}, Path("photos"))
    with pytest.raises(SourceProblem, match=r"7 of 9 .*: 2\.jpg, 3\.jpg, 4\.jpg, 5\.jpg, 6\.jpg, \.\.\.\. Write"):
        table.check_files({"0.jpg", "1.jpg"}, Path("photos"))
