"""Skin tone: angles and nearest tones by hand, grey images told from colour, a drawn face of known colour."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_cie76, rgb2lab

from engine.attributes import skin
from engine.attributes.frames import SMALL, frames, resized
from engine.attributes.landmarks import Landmarks
from engine.probe.design import MONK
from tests.engine.attributes.drawn import POINTS, drawn_face

SKINS = [(235, 205, 185), (176, 124, 96), (70, 45, 35)]


def found(n: int = 1, probability: float = 1.0) -> Landmarks:
    return Landmarks(np.tile(POINTS, (n, 1, 1)), np.full(n, probability))


def small(image: Image.Image) -> np.ndarray:
    return resized([image], SMALL)[0]


def test_ita_by_hand():
    assert skin.ita(np.array([[60.0, 0, 10], [40, 0, 10], [50, 0, 20], [70, 0, 0]])).tolist() == [45, -45, 0, 90]


def test_published_class_limits_of_ita():
    """Chardon: very light above 55 degrees, dark below -30; Monk's lightest and darkest tones lie beyond both."""
    angle = skin.ita(skin.monk_lab())
    assert angle[0] > 55 and angle[-1] < -30
    assert angle.argmax() == 0 and (np.diff(angle) < 0).all()


def test_monk_tones_are_nearest_to_themselves_and_nearness_is_scikit_images():
    tones = skin.monk_lab()
    assert skin.nearest_monk(tones).tolist() == list(range(1, 11))
    colours = np.random.default_rng(0).uniform([10, 0, 0], [95, 20, 30], (200, 3))
    nearest = deltaE_cie76(colours[:, None], tones[None]).argmin(axis=1) + 1
    assert (skin.nearest_monk(colours) == nearest).all()
    assert np.isnan(skin.nearest_monk(np.array([[np.nan] * 3]))).all()


@pytest.mark.parametrize("colour", SKINS)
@pytest.mark.parametrize("side", [48, 160])
def test_the_skin_of_a_drawn_face_has_the_colour_it_was_drawn_in(colour, side):
    measured = skin.measure(frames([drawn_face(side, colour)]), found())
    assert measured.reason == (None,)
    assert np.allclose(measured.lab[0], rgb2lab(np.array(colour) / 255), atol=0.5)


def test_a_monk_tone_painted_is_the_monk_tone_measured():
    for number, tone in enumerate(MONK, 1):
        lab = skin.measure(frames([drawn_face(96, tuple(bytes.fromhex(tone)))]), found()).lab
        assert skin.nearest_monk(lab).tolist() == [number]


def test_a_shadow_over_less_than_half_of_the_skin_hardly_counts():
    pixels = np.asarray(drawn_face(160)).copy()
    pixels[:, :70] //= 3
    lab = skin.measure(frames([Image.fromarray(pixels)]), found()).lab[0]
    assert np.allclose(lab, rgb2lab(np.array(SKINS[1]) / 255), atol=1.5)


def test_grey_in_every_disguise():
    grey = drawn_face(160).convert("L")
    level = np.asarray(grey, dtype=float)[..., None]
    sepia = Image.fromarray(np.clip(level * [1.07, 0.88, 0.67], 0, 255).astype(np.uint8))
    file = BytesIO()
    sepia.save(file, "JPEG", quality=90)
    noise = np.random.default_rng(0).normal(0, 3, (160, 160, 3))  # of a camera, in colour
    noisy = Image.fromarray(np.clip(level + noise, 0, 255).astype(np.uint8))
    for image in (grey, grey.convert("RGB"), sepia, Image.open(file), noisy, Image.new("RGB", (48, 48), (90, 60, 30))):
        measured = skin.measure(frames([image.convert("RGB")]), found())
        assert measured.reason == ("grey image",) and np.isnan(measured.lab).all()


@pytest.mark.parametrize("colour", SKINS)
@pytest.mark.parametrize("light", [1.0, 0.4])
def test_colour_is_not_taken_for_grey(colour, light):
    image = drawn_face(160, colour).point(lambda value: int(value * light))
    assert not skin.is_grey(small(image))


def test_reasons():
    crops = frames([drawn_face(96)] * 2)
    assert skin.measure(crops, found(2, probability=0.5)).reason == ("no landmarks",) * 2
    white = drawn_face(96, (255, 255, 255))  # overexposed: its colour is lost
    line = Landmarks(np.full((1, 5, 2), 0.5), np.ones(1))
    assert skin.measure(frames([white]), found()).reason == ("too few skin pixels",)
    assert skin.measure(frames([drawn_face(96)]), line).reason == ("too few skin pixels",)
