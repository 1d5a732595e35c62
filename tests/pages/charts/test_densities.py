"""The density of d, without Streamlit."""

import pandas as pd
import pytest

from pages.charts.against import faded
from pages.charts.colours import ANNOTATORS
from pages.charts.densities import density_of_d, describe_density


def bins(*splits: str) -> pd.DataFrame:
    one = pd.DataFrame({"low": [0.0, 0.05], "high": [0.05, 0.1], "faces": [30, 10], "density": [15.0, 5.0]})
    return pd.concat([one.assign(split=split) for split in splits], ignore_index=True)


def test_bars_of_area_one():
    (bar,) = density_of_d(bins("all"), theme="dark").data
    assert list(bar.x) == pytest.approx([0.025, 0.075]) and list(bar.y) == [15.0, 5.0]
    assert sum(bar.y) * 0.05 == pytest.approx(1)
    assert bar.marker.color == faded(ANNOTATORS["dark"], 1.0)


def test_splits_stand_beside_each_other_in_shades_of_one_ink():
    figure = density_of_d(bins("test", "<i>train</i>"))
    assert [bar.name for bar in figure.data] == ["test", "&lt;i&gt;train&lt;/i&gt;"]
    shades = [float(bar.marker.color.strip(")").split(",")[-1]) for bar in figure.data]
    assert shades[0] > shades[1] > 0  # in the colour, for the legend leaves a trace's opacity out
    assert figure.layout.showlegend and not density_of_d(bins("all")).layout.showlegend


def test_axes_say_what_they_show():
    layout = density_of_d(bins("all")).layout
    assert layout.xaxis.title.text == "disagreement d" and "area 1" in layout.yaxis.title.text


def test_described_in_words():
    assert "train: 40 faces, most often d from 0.00 to 0.05 (density 15.00)" in describe_density(bins("train"))
    assert describe_density(bins("all")[:0]) == "No faces to draw."
    assert not density_of_d(bins("all")[:0]).data
