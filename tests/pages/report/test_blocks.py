"""The pieces of a report: cells, and figures as JSON and CSV."""

import base64
import json
import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from engine.metrics.bootstrap import Estimate
from pages.report.blocks import Table, cell, csv_address, figure, in_script, spec_of
from pages.widgets.estimates import cell as on_the_page


@pytest.mark.parametrize(
    "ends", [(0.8, 0.78, 0.8213), (-0.0001, -0.004, 0.004), (1, math.nan, math.nan), (math.nan,) * 3]
)
def test_cells_read_as_on_the_pages(ends):
    found = cell(Estimate(*ends, 9), 2, 100.0)
    written = on_the_page(Estimate(*ends, 9), 2, 100.0).replace("**", "").replace("\N{NO-BREAK SPACE}", " ")
    assert f"{found.value} {found.interval}".strip() == written


def test_json_cannot_end_its_script():
    text = in_script(json.dumps(["</script><!--<script>", "&amp;"]))
    assert not set("<>&") & set(text) and json.loads(text) == ["</script><!--<script>", "&amp;"]


def test_numbers_are_rounded_and_the_unknown_is_null():
    fig = go.Figure({"type": "heatmap", "z": np.array([[1 / 3, math.nan, 2.0], [1e9 + 1, -0.0, math.inf]])})
    fig.update_layout(height=100)
    assert json.loads(spec_of(fig))["data"][0]["z"] == [[0.3333333, None, 2], [1_000_000_001, 0, None]]
    counts = go.Figure({"type": "bar", "x": ["a", "b"], "y": np.array([1, 2], dtype="int32")})
    assert json.loads(spec_of(counts))["data"][0]["y"] == [1, 2]


def test_a_file_has_a_tame_name():
    fig = go.Figure(layout={"height": 100})
    data = pd.DataFrame({"x": [1]})
    assert figure(fig, data, caption="", alt="", file="../a b (°)/c").file == "..-a-b-c"


def test_the_csv_has_every_value_and_no_formula():
    table = pd.DataFrame({"group": ["=1+1", "-60 to 0", "@x", "-x", "a,b"], "value": [1 / 3, 2, np.nan, 1e6, 7]})
    head, _, content = csv_address(table).partition("base64,")
    assert head == "data:text/csv;charset=utf-8;"
    assert base64.b64decode(content).decode().splitlines() == [
        "group,value", "'=1+1,0.3333333", "-60 to 0,2", "'@x,", "'-x,1000000", '"a,b",7',
    ]  # fmt: skip


def test_many_columns_stack_their_intervals():
    assert Table("", ("", *"abcde"), ()).stacked and not Table("", ("", *"abcd"), ()).stacked
    assert not Table("", ("", *"abcde"), (), numeric=False).stacked
