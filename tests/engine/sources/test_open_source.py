"""What the user may type, and what they are told when it leads nowhere."""

import pytest

from engine.sources import open_source
from engine.sources.rows import SourceProblem


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("ftp:somewhere", "'ftp:' is no known kind of source"),
        ("nowhere/at/all", "nothing at 'nowhere/at/all'"),
        ("folder:nowhere", "no directory at nowhere"),
        ("table:nowhere.csv", "no file at nowhere.csv"),
        ("ferplus:nowhere", "nothing at nowhere"),
        ("folder:", "Write folder:PATH"),
        ("", "nothing at ''"),
        ("probe:somewhere", "Write 'probe:'"),
    ],
)
def test_what_leads_nowhere(spec, says):
    with pytest.raises(SourceProblem) as caught:
        open_source(spec)
    assert says in str(caught.value)


def test_bare_paths_find_their_reader(tmp_path, image_file, ferplus_folder, ferplus_zip, ferplus_kaggle):
    image_file(tmp_path / "photos" / "a.png")
    table = tmp_path / "photos" / "t.csv"
    table.write_text("path\na.png\n")
    titles = {path: open_source(str(path)).title for path in (ferplus_folder, ferplus_zip, ferplus_kaggle)}
    assert set(titles.values()) == {"FER+"}
    assert open_source(str(ferplus_kaggle / "fer2013.csv")).title == "FER+"
    assert open_source(str(table)).title == "t" and open_source(str(table.parent)).title == "photos"
    with pytest.raises(SourceProblem, match="no kind read here"):
        open_source(str(image_file(tmp_path / "one.png")))


def test_a_colon_in_a_folder_name(tmp_path, image_file, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image_file(tmp_path / "trip:rome" / "a.png")
    assert open_source("trip:rome").count == 1


def test_a_directory_that_is_not_ferplus(tmp_path):
    with pytest.raises(SourceProblem, match="neither FER2013Train"):
        open_source(f"ferplus:{tmp_path}")
