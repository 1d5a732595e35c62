"""The commands as a user runs them: one sentence on failure, never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cache.reader import Cache
from engine.cli import app
from tests import synthetic

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "build",
    "evaluate",
    "train",
    "doctor",
    "weights",
    "explain-gap",
    "import-predictions",
    "attributes",
    "export",
    "embed",
    "score",
    "report",
    "probe",
)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_every_command_is_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    registered = {(command.name or command.callback.__name__).replace("_", "-") for command in app.registered_commands}
    assert registered == set(COMMANDS)
    for command in COMMANDS:
        assert f"python -m engine {command}" in readme


@pytest.mark.usefixtures("use_untrained")
def test_build_says_what_it_did_and_how_to_browse(photo_folder, tmp_path):
    result = invoke("build", f"folder:{photo_folder}", "--out", tmp_path / "c", "--model", "compact",
                    "--labels", photo_folder / "labels.csv")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "28 faces, 2 rejected inputs, models: compact" in result.output
    assert f"make app CACHE={tmp_path / 'c'}" in result.output
    assert Cache(tmp_path / "c").models == ("compact",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("build", "folder:/no/such/place", "--out", "OUT"), "/no/such/place"),
        (("build", "martian:x", "--out", "OUT"), "ferplus"),
        (("build", "probe:", "--out", "OUT", "--model", "resnet-9000"), "Choose from: compact"),
        (("build", "probe:", "--out", "OUT", "--model", "compact", "--device", "quantum"), "auto, cpu or cuda"),
        (("build", "probe:", "--out", "OUT", "--model", "compact", "--precision", "int3"), "fp32 or bf16"),
        (("build", "probe:", "--out", "OUT", "--faces", "guess"), "crop or detect"),
        (("evaluate", "OUT"), "python -m engine build"),
        (("train", "gigantic", "--data", "probe:", "--out", "OUT"), "Choose from: compact, uncnet, layers"),
    ],
)
def test_mistakes_get_one_sentence(arguments, message, tmp_path):
    result = invoke(*[tmp_path / "out" if a == "OUT" else a for a in arguments])
    assert result.exit_code == 1
    assert message in result.output and result.output.startswith("Error: ")
    assert "Traceback" not in result.output and result.output.count("\n") == 1


@pytest.mark.skipif(__import__("torch").cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_without_a_device(tmp_path):
    result = invoke("build", "probe:", "--out", tmp_path / "c", "--model", "compact", "--device", "cuda")
    assert result.exit_code == 1 and "no CUDA device" in result.output


def test_evaluate_prints_and_writes(tmp_path):
    folder = synthetic.write(tmp_path / "c", 30)
    result = invoke("evaluate", folder, "--split", "test", "--json", tmp_path / "t.json")
    assert result.exit_code == 0
    assert "Spearman of U_a with d" in result.output and "0.6200 [0.6000, 0.6400]" in result.output
    rows = json.loads((tmp_path / "t.json").read_text())["headline"]
    assert {row["split"] for row in rows} == {"test"} and all(row["n"] == 30 for row in rows)
    wrong = invoke("evaluate", folder, "--split", "tset")
    assert wrong.exit_code == 1 and "all, test, train, validation" in wrong.output


def test_ctrl_c_says_that_nothing_is_lost(monkeypatch, tmp_path):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.pipeline.build", interrupted)
    result = invoke("build", "probe:", "--out", tmp_path / "c")
    assert result.exit_code == 130 and "run the same command again" in result.output


def test_doctor_reports_broken_caches(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "bad").mkdir(parents=True)
    (tmp_path / "data" / "bad" / "manifest.json").write_text("{}")
    synthetic.write(tmp_path / "data" / "good", 8)
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "good: 8 faces" in result.output and "schema version None" in result.output


def test_help_is_quick_to_import():
    """`--help` must not wait for torch."""
    code = "import sys, engine.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
