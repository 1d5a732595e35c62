"""`python -m engine report`: a file that is whole or not there, and one sentence for every mistake."""

import os
import subprocess
import sys

import pytest

from tests import synthetic
from tests.engine.test_cli import ROOT, invoke


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return synthetic.write(tmp_path_factory.mktemp("report") / "c", 60)


def test_it_writes_one_file_and_says_which(folder, tmp_path):
    out = tmp_path / "r.html"
    result = invoke("report", folder, "--out", out)
    assert result.exit_code == 0, result.output
    size = f"{out.stat().st_size / 1e6:.1f} MB"
    assert result.output == f"{out}: compact-ensemble on split test, 20 faces, {size}. Opens offline in any browser.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>") and out.stat().st_size < 10e6


def test_options_and_a_second_process_that_writes_the_same_bytes(folder, tmp_path):
    here, there = tmp_path / "here.html", tmp_path / "there.html"
    arguments = ["report", str(folder), "--model", "compact", "--split", "all"]
    assert "compact on all faces, 60 faces" in invoke(*arguments, "--out", here).output
    command = [sys.executable, "-m", "engine", *arguments, "--out", str(there)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    assert done.returncode == 0, done.stderr
    assert here.read_bytes() == there.read_bytes()


def test_it_takes_the_place_of_an_older_one(folder, tmp_path):
    out = tmp_path / "r.html"
    out.write_text("old")
    assert invoke("report", folder, "--out", out).exit_code == 0
    assert out.stat().st_size > 1e6


def test_a_failure_leaves_the_older_one_and_nothing_beside_it(folder, tmp_path, monkeypatch):
    out = tmp_path / "r.html"
    out.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cache.files.os.replace", full)
    result = invoke("report", folder, "--out", out)
    assert result.exit_code == 1 and "No space left" in result.output
    assert out.read_text() == "old" and [path.name for path in tmp_path.iterdir()] == ["r.html"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "."], "is a folder. Name a file in it"),
        (["--out", "r.pdf"], "Let it end in .html."),
        (["--out", "no/such/r.html"], "There is no folder no/such"),
        (["--model", "gone"], "no model 'gone'. It has: compact, compact-ensemble"),
        (["--split", "gone"], "no faces of a split 'gone'"),
    ],
)
def test_mistakes_get_one_sentence(folder, tmp_path, arguments, said):
    out = [] if "--out" in arguments else ["--out", tmp_path / "r.html"]
    result = invoke("report", folder, *out, *arguments)
    assert result.exit_code == 1 and said in result.output
    assert result.output.startswith("Error: ") and result.output.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_no_cache_and_no_models(tmp_path):
    out = ["--out", tmp_path / "r.html"]
    assert "No cache at" in invoke("report", tmp_path / "gone", *out).output
    empty = synthetic.write(tmp_path / "c", 10, models=())
    assert "no model's predictions. Add a model: python -m engine build" in invoke("report", empty, *out).output
