"""Maps of the faces, as points and as an image, without Streamlit."""

import base64
import doctest
import io
import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cache.maps import Window
from pages.charts import map_shading
from pages.charts.colours import ALEATORIC, EPISTEMIC, MODEL, part_colour
from pages.charts.map import (
    CROSS,
    HEIGHT,
    OPACITY,
    Frame,
    describe_map,
    map_of_cells,
    map_of_points,
    point_size,
    stepped,
)
from pages.charts.map_raster import mask, mix, opacity, raster
from pages.charts.map_shading import BACKGROUND, MOST_GROUPS, channels, groups, scale, verdicts
from pages.charts.map_table import table

WINDOW = Window(0.0, 4.0, 0.0, 2.0)
FRAME = Frame(WINDOW, "UMAP 1 (no unit)", "UMAP 2 (no unit)", equal=True, whole=True)
NAMES = ("neutral", "<i>fear</i>", "anger")
LEFT = ((-1.0, -1.0), (2.0, -1.0), (2.0, 3.0), (-1.0, 3.0))  # half of the window


def points(*values: float) -> pd.DataFrame:
    n = len(values)
    x, y = np.linspace(0.5, 3.5, n).astype("f4"), np.full(n, 1, "f4")
    return pd.DataFrame({"face_id": range(n), "x": x, "y": y, "value": values})


def cells(*rows: tuple[int, int, int, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["across", "up", "faces", "value"]).astype({"value": float})


def pixels(uri: str) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/png;base64,")))))


def named(figure) -> list[str]:
    return [trace.name for trace in figure.data if trace.showlegend is not False]


# ---- colours


def test_examples_in_docstrings():
    assert not doctest.testmod(map_shading).failed


def test_a_value_has_the_colour_of_its_group():
    shading = groups("class", NAMES, "light", other=True)
    assert shading.names == (*NAMES, "other", "unknown")
    assert shading.indices(np.array([0.0, 2.0, 3.0, math.nan, 99.0])).tolist() == [0, 2, 3, 4, 3]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_groups_can_be_told_apart_from_each_other_and_the_page(theme):
    shading = groups("class", [f"g{i}" for i in range(MOST_GROUPS)], theme, other=True)
    assert len(set(shading.palette)) == len(shading.palette) == len(shading.names) == MOST_GROUPS + 2
    colours = np.array([channels(c) for c in (*shading.palette, BACKGROUND[theme])], float)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
    assert (apart + 1e9 * np.eye(len(colours))).min() > 40


def test_right_and_wrong_have_the_same_colours_everywhere():
    light, dark = verdicts("correctness", "light"), verdicts("correctness", "dark")
    assert light.palette[:2] == dark.palette[:2] and light.palette[0] == MODEL
    assert light.names == ("correct", "wrong", "no majority")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("column", "hue"), [("u_aleatoric", ALEATORIC), ("u_epistemic", EPISTEMIC)])
def test_a_scale_goes_from_the_page_to_its_part_and_never_back(column, hue, theme):
    shading = scale("U (nats)", column, 0.2, 1.2, theme)
    page = np.array(channels(BACKGROUND[theme]))
    far = [np.linalg.norm(np.array(channels(colour)) - page) for colour in shading.palette[:-1]]
    assert far[0] < 100 and all(a < b for a, b in pairwise(far))
    nearest = min(np.linalg.norm(np.subtract(channels(c), channels(hue))) for c in shading.palette)
    assert nearest < 12


def test_a_scale_ends_where_it_says():
    shading = scale("U_e (nats)", "u_epistemic", 0.2, 1.2, "light")
    steps = shading.indices(np.array([-5, 0.2, 0.7, 1.2, 99, math.nan]))
    assert steps[[0, 1]].tolist() == [0, 0] and steps[3] == steps[4] == len(shading.palette) - 2
    assert abs(steps[2] - 31.5) <= 1 and steps[5] == len(shading.palette) - 1
    one_value = scale("n", "n_votes", 10.0, 10.0, "dark")
    assert one_value.indices(np.array([10.0, math.nan])).tolist() == [0, len(one_value.palette) - 1]


# ---- points


def test_points_have_the_colours_of_their_values():
    shading = groups("class", NAMES, "light")
    figure = map_of_points(points(0, 2, 1, math.nan), shading, FRAME)
    drawn = figure.data[-1]
    assert drawn.type == "scattergl" and drawn.marker.color.tolist() == [0, 2, 1, 3]
    assert (drawn.marker.cmin, drawn.marker.cmax) == (-0.5, 3.5)
    at = [(i + 0.5) / 4 for i in range(4)]  # where a colour scale of these ends puts each index
    assert [colour_at(drawn.marker.colorscale, share) for share in at] == list(shading.palette)


def colour_at(steps, share: float) -> str:
    return next(high[1] for low, high in pairwise(steps) if low[0] <= share <= high[0])


def test_steps_of_a_palette_do_not_blend():
    steps = stepped(groups("class", NAMES, "light"))
    assert steps[0][0] == 0 and steps[-1][0] == 1
    assert all(a[1] == b[1] for a, b in zip(steps[::2], steps[1::2], strict=True))


def test_wrong_answers_differ_in_shape_too():
    drawn = map_of_points(points(0, 1, math.nan), verdicts("correctness", "light"), FRAME).data[-1]
    assert (np.array(drawn.marker.symbol) == CROSS).tolist() == [False, True, False]


def test_faces_outside_the_lasso_fade():
    shading = groups("class", NAMES, "light")
    drawn = map_of_points(points(0, 1, 2, 0), shading, FRAME, LEFT)
    assert drawn.data[-1].marker.opacity.tolist() == pytest.approx([OPACITY["in"]] * 2 + [OPACITY["out"]] * 2)
    (outline,) = drawn.layout.shapes
    assert outline.path == "M-1.0,-1.0L2.0,-1.0L2.0,3.0L-1.0,3.0Z"
    assert not map_of_points(points(0), shading, FRAME).layout.shapes


def test_points_shrink_as_they_become_many():
    assert point_size(0) == point_size(10) == 9 and point_size(30_000) == pytest.approx(3, abs=0.3)
    assert point_size(1_000) > point_size(10_000)


def test_no_faces_leave_the_axes_standing():
    figure = map_of_points(points(), scale("U_t (nats)", "u_total", 0, 1, "light"), FRAME)
    assert list(figure.layout.xaxis.range) == [0, 4] and len(figure.data[-1].x) == 0


# ---- axes and legend


def test_a_map_of_features_has_equal_axes_without_numbers():
    layout = map_of_points(points(0), groups("class", NAMES, "light"), FRAME).layout
    assert layout.yaxis.scaleanchor == "x" and layout.yaxis.constrain == layout.xaxis.constrain == "range"
    assert not layout.xaxis.showticklabels and layout.xaxis.title.text == "UMAP 1 (no unit)"
    assert layout.dragmode == "lasso" and layout.height == HEIGHT


def test_a_panel_that_leaves_faces_out_has_the_shape_of_its_window():
    """Or it would show an empty place where there are faces."""
    cut = Frame(WINDOW, "a", "b", equal=True, whole=False)
    layout = map_of_points(points(0), groups("class", NAMES, "light"), cut).layout
    assert layout.xaxis.constrain == layout.yaxis.constrain == "domain"


def test_the_plane_of_two_uncertainties_has_numbers_and_a_scale_per_axis():
    frame = Frame(WINDOW, "aleatoric U_a (nats)", "epistemic U_e (nats)", equal=False, whole=True)
    layout = map_of_points(points(0), groups("class", NAMES, "light"), frame).layout
    assert layout.xaxis.showticklabels and layout.yaxis.scaleanchor is None and "nats" in layout.yaxis.title.text


def test_the_legend_names_every_group_as_text_and_the_unknown_only_if_there_are_any():
    shading = groups("class", NAMES, "light")
    assert named(map_of_points(points(0, 1), shading, FRAME)) == ["neutral", "&lt;i&gt;fear&lt;/i&gt;", "anger"]
    assert named(map_of_points(points(0, math.nan), shading, FRAME))[-1] == "unknown"
    assert named(map_of_cells(cells((0, 0, 3, math.nan)), (4, 2), shading, FRAME))[-1] == "unknown"


def test_a_scale_has_a_bar_with_its_unit():
    figure = map_of_points(points(0.1), scale("U_e (nats)", "u_epistemic", 0, 0.3, "light"), FRAME)
    (bar,) = (trace.marker for trace in figure.data if trace.marker.showscale)
    assert bar.colorbar.title.text == "U_e (nats)" and (bar.cmin, bar.cmax) == (0, 0.3)
    assert bar.colorbar.orientation == "h" and named(figure) == []


# ---- the image


def test_a_cell_mixes_the_colours_of_its_faces():
    shading = groups("class", NAMES, "light")
    colours, faces = mix(cells((0, 0, 3, 0), (0, 0, 1, 1), (3, 1, 7, math.nan)), (4, 2), shading)
    first, second, unknown = (np.array(channels(shading.palette[i])) for i in (0, 1, 3))
    np.testing.assert_allclose(colours[0, 0], 0.75 * first + 0.25 * second)
    np.testing.assert_allclose(colours[1, 3], unknown)
    assert faces.tolist() == [[4, 0, 0, 0], [0, 0, 0, 7]]


def test_opacity_grows_with_the_logarithm():
    np.testing.assert_allclose(opacity(np.array([0, 1, 10, 100]), 0.6), [0, 0.6, 0.8, 1])
    assert opacity(np.array([0, 1]), 0.6).tolist() == [0, 0.6] and opacity(np.zeros(3), 0.6).tolist() == [0, 0, 0]


def test_the_image_stands_upright_on_the_axes():
    shading = groups("class", NAMES, "light")
    figure = map_of_cells(cells((0, 0, 1, 1), (3, 1, 9, 2)), (4, 2), shading, FRAME)
    (image,) = figure.layout.images
    assert (image.x, image.y, image.sizex, image.sizey, image.sizing) == (0, 2, 4, 2, "stretch")
    seen = pixels(image.source)
    height, width = seen.shape[:2]
    assert width == 2 * height >= 800
    assert seen[-1, 0, :3].tolist() == list(channels(shading.palette[1]))  # bottom left
    assert seen[0, -1, :3].tolist() == list(channels(shading.palette[2])) and seen[0, -1, 3] == 255
    assert seen[0, 0, 3] == 0  # nobody there: the page shows through


def test_the_image_dims_what_is_outside_the_lasso():
    both = cells((0, 0, 5, 0), (3, 0, 5, 0))
    shading = groups("class", NAMES, "light")
    free, chosen = (pixels(raster(both, (4, 2), shading, WINDOW, polygon)) for polygon in (None, LEFT))
    assert free[-1, 0, 3] == free[-1, -1, 3] == chosen[-1, 0, 3] == 255 and 0 < chosen[-1, -1, 3] < 100


def test_the_mask_follows_the_even_odd_rule():
    ring = (
        (0.0, 0.0),
        (4.0, 0.0),
        (4.0, 2.0),
        (0.0, 2.0),
        (0.0, 0.0),
        (1.0, 0.5),
        (1.0, 1.5),
        (3.0, 1.5),
        (3.0, 0.5),
        (1.0, 0.5),
    )
    found = np.array(mask(ring, (400, 200), WINDOW)) > 0
    assert found[100, 50] and not found[100, 200] and found[20, 200]
    far = tuple((x + 1e6, y) for x, y in LEFT)
    assert not np.array(mask(far, (40, 20), WINDOW)).any()


def test_an_image_has_points_for_a_lasso_to_find_and_they_are_not_seen():
    figure = map_of_cells(cells((0, 0, 1, 1)), (4, 2), groups("class", NAMES, "light"), FRAME)
    corners = figure.data[-1]
    assert list(corners.x) == [0, 4] and list(corners.y) == [0, 2] and corners.marker.opacity == 0


def test_cells_of_a_number_have_the_colour_of_their_mean():
    shading = scale("U_t (nats)", "u_total", 0.0, 1.0, "dark")
    colours, _ = mix(cells((0, 0, 2, 0.5), (1, 0, 2, 1.0)), (2, 1), shading)
    assert colours[0, 1].round().tolist() == list(channels(shading.palette[-2]))
    assert np.linalg.norm(colours[0, 0] - channels(part_colour("u_total", "dark"))) < 12


# ---- words and numbers


def test_described_in_words():
    classes = describe_map(1234, "UMAP of compact-0", groups("class", ("a", "b"), "light"), None)
    assert classes == "Map of 1,234 faces, UMAP of compact-0, coloured by class: a, b, unknown."
    chosen = describe_map(5, "U_a and U_e", scale("U_e (nats)", "u_epistemic", 0, 0.31234, "light"), 0)
    assert "coloured by U_e (nats) from 0 to 0.312." in chosen and chosen.endswith("The selection holds 0 of them.")


def test_the_table_has_names_for_groups_and_places_for_cells():
    shading = groups("class", NAMES, "light")
    found = table(points(1, math.nan), None, WINDOW, shading)
    assert found.columns.tolist() == ["face_id", "x", "y", "class"] and found["class"].tolist() == [NAMES[1], "unknown"]
    found = table(cells((0, 1, 7, 2)), (4, 2), WINDOW, shading)
    assert found.to_dict("records") == [{"x": 0.5, "y": 1.5, "faces": 7, "class": "anger"}]
    found = table(cells((3, 0, 7, 0.25)), (4, 2), WINDOW, scale("U_t (nats)", "u_total", 0, 1, "light"))
    assert found.to_dict("records") == [{"x": 3.5, "y": 0.5, "faces": 7, "mean U_t (nats)": 0.25}]
