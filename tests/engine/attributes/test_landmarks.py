"""Landmarks of a drawn face by O-Net, and what is no face."""

import numpy as np
import pytest
from PIL import Image

from engine.attributes.frames import frames, resized
from engine.attributes.landmarks import BOX, MIN_PROBABILITY, LandmarkFinder
from engine.faces import CROP_DOWN, CROP_SCALE
from tests.engine.attributes.drawn import POINTS, drawn_face


@pytest.fixture(scope="module")
def finder() -> LandmarkFinder:
    return LandmarkFinder()


@pytest.mark.parametrize("side", [48, 160, 700])
def test_landmarks_sit_where_they_are_drawn(finder, side):
    found = finder.find(frames([drawn_face(side)]).squares)
    assert found.known.all()
    assert np.abs(found.points[0] - POINTS).max() < 0.05


def test_they_follow_a_shift(finder):
    face = drawn_face(160)
    moved = Image.new("RGB", (160, 160), (60, 90, 120))
    moved.paste(face, (10, 6))
    first, second = finder.find([face, moved]).points
    assert np.allclose(second - first, [10 / 160, 6 / 160], atol=0.02)


def test_the_box_undoes_the_framing_of_crops():
    left, top, right, bottom = BOX
    unit = right - left
    assert 1 / unit == pytest.approx(CROP_SCALE)
    assert 0.5 - (top + bottom) / 2 == pytest.approx(CROP_DOWN * unit)


def test_a_second_look_finds_what_the_first_was_unsure_of(finder):
    wide = Image.new("RGB", (160, 160), (60, 90, 120))
    wide.paste(drawn_face(112), (30, 30))
    _, first, _ = finder._look(resized([wide], 48, BOX), np.array([BOX]))
    assert first[0] < MIN_PROBABILITY
    found = finder.find([wide])
    assert found.known.all()
    assert np.abs(found.points[0] - (POINTS * 112 + 30) / 160).max() < 0.05


def test_noise_and_plain_grounds_are_no_faces(finder):
    noise = np.random.default_rng(0).integers(0, 256, (20, 64, 64, 3), dtype=np.uint8)
    plain = [Image.new("RGB", (64, 64), (value,) * 3) for value in (0, 128, 255)]
    found = finder.find([*map(Image.fromarray, noise), *plain])
    assert not found.known.any()
    assert np.isfinite(found.points).all()


def test_nothing_in_nothing_out(finder):
    assert finder.find([]).points.shape == (0, 5, 2)
