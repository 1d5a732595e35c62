"""`python -m engine probe`: a cache goes in, a table of effects comes out."""

import json

import pytest
from typer.testing import CliRunner

from engine import effects, skew_report
from engine.cli import app
from engine.metrics.lacking import BALANCED, SKEWED
from tests import probe_cache, synthetic

MODEL = "compact-ensemble"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return probe_cache.write(tmp_path_factory.mktemp("probe") / "p", (MODEL, BALANCED, SKEWED))


def run(*arguments):
    return CliRunner().invoke(app, ["probe", *map(str, arguments)])


def test_models_that_the_cache_has_are_printed(folder, tmp_path):
    done = run("--out", folder, "--json", tmp_path / "e.json")
    assert done.exit_code == 0, done.output
    assert f"{MODEL}: 192 rendered faces of 4 people" in done.output
    line = next(line for line in done.output.splitlines() if line.startswith("10 "))
    assert "+0.090 [+0.090, +0.090]" in line
    found = json.loads((tmp_path / "e.json").read_text())
    tone = found["models"][MODEL]["tone"]
    assert tone["levels"] == list(range(1, 11)) and tone["reference"] == 1
    assert tone["u_epistemic"]["slope"]["value"] == pytest.approx(0.01)
    assert found["models"][MODEL]["light"]["u_epistemic"]["slope"] is None
    gap = found["skew"]["gaps"]["u_epistemic"]["tone"]
    assert gap["difference"]["value"] == pytest.approx(0.2) and gap["balanced"]["value"] == pytest.approx(0.05)
    assert "skewed - balanced" in done.output and "AUROC of U_e" in done.output


def test_a_split_of_one_person_has_no_interval(folder):
    done = run("--out", folder, "--split", "train")
    assert done.exit_code == 0 and "48 rendered faces of 1 people" in done.output
    line = next(line for line in done.output.splitlines() if line.startswith("10 "))
    assert "+0.090 " in line and "[" not in line


def test_a_model_is_scored_first(folder, monkeypatch):
    built = []
    monkeypatch.setattr("engine.pipeline.build", lambda config, progress, command: built.append(config))
    done = run("--out", folder, "--model", MODEL)
    assert done.exit_code == 0 and (built[0].source, built[0].models) == ("probe:", (MODEL,))
    assert BALANCED not in done.output.split("What training lacked")[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--split", "spring"], "no face in split 'spring'"), ([], "does not hold the probe faces")],
)
def test_what_goes_wrong_is_one_sentence(folder, tmp_path, arguments, said):
    out = folder if arguments else synthetic.write(tmp_path / "c", 30)
    done = run("--out", out, *arguments)
    assert done.exit_code == 1 and said in done.output and "Traceback" not in done.output


def test_a_cache_without_models_says_how_to_bring_some(tmp_path):
    done = run("--out", probe_cache.write(tmp_path / "p", ()))
    assert done.exit_code == 1 and "import-predictions FILE --cache" in done.output


def test_tables_are_aligned():
    assert effects.aligned([["a", "b"], ["long", "1"]]).splitlines() == ["a     b", "long  1"]


def test_the_experiment_becomes_a_section_of_the_results(folder, tmp_path):
    run("--out", folder, "--json", tmp_path / "skew.json")
    said = skew_report.section(tmp_path / "skew.json")
    assert said.startswith("## What a skewed training set does")
    assert "| U_e, nats, dark tones | +0.050 [+0.050, +0.050] |" in said and "| +0.200 [+0.200, +0.200] |" in said
    assert "| U_e, nats | +0.000 [+0.000, +0.000] | +0.200 [+0.200, +0.200] |" in said
    assert "nan" not in said.lower().replace("nats", "")


def test_another_file_is_no_experiment(tmp_path):
    for content in ('{"skew": null}', "no json", "[]"):
        (tmp_path / "x.json").write_text(content)
        with pytest.raises(ValueError, match="python -m engine probe --model compact-balanced"):
            skew_report.section(tmp_path / "x.json")
