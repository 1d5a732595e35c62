"""Shaded tables: a quantity by two attributes, and the answers of each group."""

import math

import pandas as pd

from pages.charts.audit_map import answers_map, describe_answers, describe_map, heat_map

ROWS, COLUMNS, BY = ("1", "2 <x>"), ("front", "side"), ("tone (Monk)", "light")


def cells(**changes: object) -> pd.DataFrame:
    rows = {
        "row": ["1", "1", "2 <x>"],
        "column": ["front", "side", "front"],
        "n": [100, 1200, 7],
        "value": [80.0, 95.0, 20.0],
        "low": [75.0, 93.0, 5.0],
        "high": [85.0, 97.0, 60.0],
        "few": [False, False, True],
    }
    return pd.DataFrame(rows).assign(**changes)


def filled(trace) -> dict[tuple[int, int], str]:
    """Place -> text of the cells that a trace draws."""
    return {
        (r, c): trace.text[r][c]
        for r, row in enumerate(trace.z)
        for c, value in enumerate(row)
        if not math.isnan(value)
    }


def test_every_cell_is_drawn_once_with_value_and_n():
    dark, light, grey = heat_map(cells(), "accuracy", ROWS, COLUMNS, BY).data
    assert filled(dark) == {(0, 0): "80.0<br>n 100"} and filled(light) == {(0, 1): "95.0<br>n 1,200"}
    assert filled(grey) == {(1, 0): "20.0<br>n 7"}


def test_text_stands_out_from_its_cell():
    dark, light, _ = heat_map(cells(), "accuracy", ROWS, COLUMNS, BY).data
    assert (dark.textfont.color, light.textfont.color) == ("#FFFFFF", "#000000")


def test_cells_of_few_faces_are_grey_and_do_not_set_the_scale():
    dark, light, grey = heat_map(cells(), "accuracy", ROWS, COLUMNS, BY).data
    assert (dark.zmin, dark.zmax) == (light.zmin, light.zmax) == (80.0, 95.0)
    assert grey.colorscale[0][1] == grey.colorscale[1][1] and not grey.showscale
    assert "[" not in grey.customdata[1][0] and "[75.0, 85.0], n = 100" in dark.customdata[0][0]


def test_names_are_text_and_axes_say_what_they_are():
    figure = heat_map(cells(), "accuracy", ROWS, COLUMNS, BY)
    assert list(figure.layout.yaxis.ticktext) == ["1", "2 &lt;x&gt;"]
    assert (figure.layout.yaxis.title.text, figure.layout.xaxis.title.text) == BY
    assert figure.data[0].colorbar.title.text == "accuracy (%)"


def test_an_unknown_value_leaves_its_n():
    grey = heat_map(cells(value=math.nan, few=True), "accuracy", ROWS, COLUMNS, BY).data[2]
    assert filled(grey)[(1, 0)] == "n 7"


def test_nothing_has_enough_faces():
    figure = heat_map(cells(few=True), "accuracy", ROWS, COLUMNS, BY)
    assert not filled(figure.data[0]) and not filled(figure.data[1]) and not figure.data[0].showscale
    assert "no cell has enough faces" in describe_map(cells(few=True), "accuracy", BY)


def test_one_value_everywhere():
    figure = heat_map(cells(value=0.0, few=False), "accuracy", ROWS, COLUMNS, BY)
    assert len(filled(figure.data[0])) == 3


def test_map_in_words():
    assert describe_map(cells(), "accuracy", BY) == (
        "accuracy (%) by tone (Monk) and light in 2 cells: from 80.0 (1, front) to 95.0 (1, side)."
    )


def answers() -> pd.DataFrame:
    rows = {
        "group": ["a", "a", "b", "b"],
        "class": ["fear", "joy", "fear", "joy"],
        "faces": [30, 70, 1, 1],
        "share": [30.0, 70.0, 50.0, 50.0],
        "low": [22.0, 60.0, 9.0, 9.0],
        "high": [40.0, 78.0, 91.0, 91.0],
        "few": [False, False, True, True],
    }
    return pd.DataFrame(rows)


def test_answers_begin_at_nothing():
    dark, light, grey = answers_map(answers(), ["a", "b"], ["fear", "joy"], "tone").data
    assert dark.zmin == 0 and dark.zmax == 70
    assert filled(dark) == {(0, 0): "30.0"} and filled(light) == {(0, 1): "70.0"} and len(filled(grey)) == 2
    assert "a, fear: 30.0 % [22.0, 40.0], 30 faces" in dark.customdata[0][0]


def test_answers_in_words():
    assert describe_answers(answers(), "tone").endswith("of each group: a: joy 70.0 %.")
    assert "no group has enough faces" in describe_answers(answers().assign(few=True), "tone")
