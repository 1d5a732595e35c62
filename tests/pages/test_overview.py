"""The Overview page on caches of every kind."""

import json
import math
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests import synthetic


def words(page) -> str:
    """All text of a page that Markdown draws."""
    return "\n".join(
        str(e.value) for kind in ("header", "caption", "markdown", "info", "error") for e in page.get(kind)
    )


def test_facts_table_and_figures(open_page):
    page = open_page("overview", cache="normal", model="compact-ensemble")
    assert not page.exception and not page.error
    assert {m.label: m.value for m in page.metric}["Faces"] == "180"
    assert "random squares, not faces" in words(page)
    table = page.table[-1].value
    assert table.columns.tolist() == ["", "compact", "compact-ensemble", "n"]
    assert table.iloc[0].tolist() == ["Accuracy", *["**0.800** [0.780,\N{NO-BREAK SPACE}0.820]"] * 2, "180"]
    strip = json.loads(page.get("bidi_component")[0].proto.json)["items"]
    assert len(strip) == 12 and strip[0]["alt"].startswith("face ") and strip[0]["image"].startswith("data:image/png")
    assert page.get("plotly_chart")


def test_split_in_the_url(open_page):
    assert open_page("overview", cache="normal").segmented_control[0].value == "test"
    assert open_page("overview", cache="normal", of="train").segmented_control[0].value == "train"


@pytest.mark.parametrize(
    ("models", "said"),
    [(("compact",), "compact draws one sample"), (("baseline", "compact"), "baseline, compact draw one sample")],
)
def test_missing_statistics_become_a_dash_with_its_reason(open_page, tmp_path, models, said):
    folder = synthetic.write(tmp_path / "partial", 30, models=models)
    part = next((folder / "summary").glob("*.parquet"))
    table = pq.read_table(part).to_pandas()
    table = table[table.metric != "nll"]
    table.loc[table.metric == "pearson_epistemic", ["value", "low", "high"]] = math.nan
    pq.write_table(pq.ParquetFile(part).schema_arrow.empty_table().from_pandas(table, preserve_index=False), part)
    page = open_page("overview", data=tmp_path)
    rows = page.table[-1].value.set_index("")
    assert rows.iloc[2, 0] == "—" and rows.iloc[-1, 0] == "—"
    assert f"{said}, so U_e is 0" in words(page)


def test_one_sample_has_no_histogram_of_u_e(open_page):
    page = open_page("overview", cache="single")
    assert not page.exception and "No histogram of U_e" in words(page)


@pytest.mark.parametrize(
    ("cache", "sentence", "command"),
    [
        ("no-models", "no model's predictions yet", "--model compact-ensemble"),
        ("empty", "no faces yet", "python -m tests.synthetic"),
    ],
)
def test_empty_states_name_the_command(open_page, cache, sentence, command):
    page = open_page("overview", cache=cache)
    assert not page.exception and sentence in words(page)
    assert any(command in code.value for code in page.code)


def test_without_votes(open_page):
    page = open_page("overview", cache="no-votes")
    assert not page.exception
    assert {m.label: m.value for m in page.metric}["Votes per face"] == "none"


def test_no_cache_at_all(open_page, tmp_path):
    page = open_page("overview", data=tmp_path / "nothing")
    assert not page.exception and "No cache in" in words(page)
    assert page.code[0].value == "make demo" and "engine build ferplus:PATH" in page.code[1].value


def test_chosen_cache_that_is_not_there(open_page, tmp_path):
    page = open_page("overview", data=tmp_path, chosen=tmp_path / "gone")
    assert not page.exception
    assert "No cache at" in page.error[0].value and "engine build" in page.error[0].value


def test_chosen_cache_outside_the_data_folder_comes_first(open_page, tmp_path):
    page = open_page("overview", chosen=synthetic.write(tmp_path / "elsewhere", 20))
    assert page.selectbox(key="cache").value == "elsewhere"
    assert {m.label: m.value for m in page.metric}["Faces"] == "20"


def test_other_schema_version(open_page):
    page = open_page("overview", cache="other-version")
    assert not page.exception
    assert "schema version 99" in page.error[0].value and "engine build" in page.error[0].value


@pytest.mark.parametrize("name", ["../normal", "/etc", "", "nope", "<script>alert(1)</script>", "normal\x00"])
def test_only_listed_caches_are_opened(open_page, name):
    page = open_page("overview", cache=name)
    assert not page.exception
    assert page.selectbox(key="cache").value in page.selectbox(key="cache").options
    if name:
        assert "Ignored" in words(page)


def test_deleted_while_open(open_page, tmp_path):
    folder = synthetic.write(tmp_path / "c", 30)
    page = open_page("overview", data=tmp_path)
    assert not page.exception and not page.error
    shutil.rmtree(folder)
    assert not page.run().exception
    assert "make demo" in page.code[0].value


def test_rebuilt_while_open(open_page, tmp_path):
    folder: Path = synthetic.write(tmp_path / "c", 30)
    page = open_page("overview", data=tmp_path)
    shutil.rmtree(folder)
    synthetic.write(folder, 50, seed=1)
    page.run()
    assert not page.exception and {m.label: m.value for m in page.metric}["Faces"] == "50"
