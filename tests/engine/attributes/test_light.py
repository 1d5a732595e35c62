"""Light and sharpness on drawn grounds, where they can be worked out by hand."""

import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage.color import rgb2lab

from engine.attributes import light
from engine.attributes.frames import frames
from engine.attributes.landmarks import Landmarks
from tests.engine.attributes.drawn import POINTS, drawn_face


def measure(*images: Image.Image, points: np.ndarray = POINTS) -> light.Light:
    return light.measure(frames(images).small, Landmarks(np.tile(points, (len(images), 1, 1)), np.ones(len(images))))


def test_lightness_is_scikit_images():
    pixels = np.random.default_rng(0).integers(0, 256, (1, 30, 30, 3), dtype=np.uint8)
    luminance = light._LINEAR[pixels] @ light._LUMINANCE
    assert np.allclose(light.cielab_lightness(luminance), rgb2lab(pixels)[..., 0], atol=0.01)


def test_plain_grounds():
    lit = measure(Image.new("L", (60, 60), 0), Image.new("L", (60, 60), 119), Image.new("L", (60, 60), 255))
    assert lit.brightness == pytest.approx([0, 50.0, 100], abs=0.1)
    for still in (lit.contrast, lit.balance, lit.sharpness):
        assert still == pytest.approx(0, abs=1e-6)


def test_balance_by_hand():
    halves = np.zeros((48, 48), dtype=np.uint8)
    halves[:, 24:] = 255
    dim = np.full((48, 48), 188, dtype=np.uint8)  # sRGB 188 has half the luminance of white
    dim[:, 24:] = 255
    lit = measure(*map(Image.fromarray, (halves, halves[:, ::-1].copy(), dim)))
    assert lit.balance == pytest.approx([1, -1, 1 / 3], abs=0.01)
    assert lit.contrast[0] == pytest.approx(50, abs=0.5)  # half 0, half 100


def test_halves_are_those_of_the_face_not_of_the_crop():
    pixels = np.zeros((48, 48), dtype=np.uint8)
    pixels[:, 16:] = 200
    third = POINTS * [0.6, 1] + [1 / 3 - 0.3, 0]  # a face in the left of the crop, its middle at one third
    assert measure(Image.fromarray(pixels), points=third).balance == pytest.approx([1], abs=0.01)


def test_light_is_known_without_landmarks():
    crops = frames([drawn_face(48)])
    unknown = light.measure(crops.small, Landmarks(np.full((1, 5, 2), np.nan), np.zeros(1)))
    assert unknown.brightness == pytest.approx(measure(drawn_face(48)).brightness, abs=3)


@pytest.mark.parametrize("frequency", [0.2, 0.5, 0.8])
def test_sharpness_of_a_wave_is_its_frequency(frequency):
    """Exactly 2 (1 - cos w) / sin w for differences of pixels, which is w to second order."""
    wave = 50 + 20 * np.sin(frequency * np.arange(4000.0))[None, None] * np.ones((1, 3, 1))
    everywhere = np.zeros(wave.shape, dtype=bool)
    everywhere[:, 1, 1:-1] = True
    expected = 2 * (1 - np.cos(frequency)) / np.sin(frequency)
    assert light.sharpness(wave, everywhere) == pytest.approx([expected], rel=0.01)
    assert expected == pytest.approx(frequency, rel=0.2)


def test_sharpness_of_noise():
    noise = np.random.default_rng(0).normal(50, 5, (1, 400, 400))
    assert light.sharpness(noise, np.ones(noise.shape, dtype=bool)) == pytest.approx([np.sqrt(20)], rel=0.02)


def test_sharpness_falls_with_blur_and_hardly_changes_with_size_and_light():
    face = drawn_face(160)
    blurred = measure(face, *(face.filter(ImageFilter.GaussianBlur(blur)) for blur in (2, 4, 8))).sharpness
    assert (np.diff(blurred) < -0.02).all()
    sizes = measure(*(drawn_face(side) for side in (96, 160, 500))).sharpness
    assert np.ptp(sizes) < 0.1 * sizes.mean()
    darker = measure(face, face.point(lambda value: int(value * 0.6))).sharpness
    assert darker[1] == pytest.approx(darker[0], rel=0.05)
