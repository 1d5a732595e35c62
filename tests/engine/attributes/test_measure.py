"""All attributes of any crop: names, sizes, modes, independence of the batch, threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from engine.attributes.measure import ATTRIBUTES, BATCH, Measurer
from tests.engine.attributes.drawn import drawn_face

NUMBERS = [attribute.name for attribute in ATTRIBUTES if attribute.kind == "number"]


@pytest.fixture(scope="module")
def measurer() -> Measurer:
    return Measurer()


def crops() -> list[Image.Image]:
    """Faces and others, in all sizes and shapes."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    faces = [drawn_face(side) for side in (24, 48, 112, 600)]
    dark = drawn_face(96, (40, 28, 24), ground=(20, 20, 20))
    return [
        *faces,
        dark,
        drawn_face(48).convert("L"),
        Image.fromarray(noise),
        Image.new("RGB", (80, 40), (200, 90, 90)),
    ]


def same(first: dict, second: dict, order: list[int]) -> None:
    for attribute in ATTRIBUTES:
        a, b = [first[attribute.name][i] for i in order], second[attribute.name]
        assert [value is None for value in a] == [value is None for value in b]
        known = [pair for pair in zip(a, b, strict=True) if pair[0] is not None]
        if attribute.kind == "text":
            assert all(x == y for x, y in known)
        else:
            assert np.allclose([x for x, _ in known], [y for _, y in known], atol=1e-3)


def test_a_value_or_a_reason(measurer):
    measured = measurer.measure(crops())
    assert list(measured) == [attribute.name for attribute in ATTRIBUTES]
    for tone, monk, why in zip(measured["ita"], measured["monk"], measured["tone_unknown"], strict=True):
        assert (tone is None) == (monk is None) == (why is not None)
    for *angles, size, why in zip(
        *(measured[name] for name in ("head_yaw", "head_pitch", "head_roll", "face_size", "pose_unknown")), strict=True
    ):
        assert all((value is None) == (why is not None) for value in (*angles, size))
    for name in ("brightness", "contrast", "light_balance", "sharpness"):
        assert all(isinstance(value, float) for value in measured[name])
    assert measured["tone_unknown"][5] == "grey image" and measured["head_yaw"][5] is not None


def test_a_drawn_face(measurer):
    measured = {name: values[0] for name, values in measurer.measure([drawn_face(160)]).items()}
    assert measured["tone_unknown"] is None and measured["pose_unknown"] is None
    assert measured["monk"] == 6.0
    assert abs(measured["head_yaw"]) < 6 and abs(measured["head_roll"]) < 6
    assert abs(measured["light_balance"]) < 0.1
    assert 0.5 * 160 < measured["face_size"] < 160


def test_face_size_counts_the_pixels_of_the_crop(measurer):
    sizes = measurer.measure([drawn_face(side) for side in (96, 192, 2000)])["face_size"]
    assert np.allclose(np.divide(sizes, (96, 192, 2000)), sizes[0] / 96, rtol=0.03)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (24, 24), (3000, 2000)])
def test_all_black_of_any_size(measurer, mode, size):
    measured = measurer.measure([Image.new(mode, size)])
    assert measured["tone_unknown"] == ["grey image"] and measured["pose_unknown"] == ["no landmarks"]
    assert [measured[name] for name in ("brightness", "contrast", "light_balance", "sharpness")] == [[0.0]] * 4
    assert measured["face_size"] == [None]


def test_other_modes_are_refused(measurer):
    with pytest.raises(ValueError, match="mode L or RGB but got RGBA"):
        measurer.measure([Image.new("RGBA", (48, 48))])


def test_images_are_left_as_they_are(measurer):
    image = drawn_face(300)
    before = image.tobytes()
    measurer.measure([image])
    assert image.size == (300, 300) and image.tobytes() == before


def test_nothing(measurer):
    assert measurer.measure([]) == {attribute.name: [] for attribute in ATTRIBUTES}


def test_the_batch_does_not_matter(measurer):
    images = crops()
    whole = measurer.measure(images)
    alone = [measurer.measure([image]) for image in images]
    same(whole, {name: [one[name][0] for one in alone] for name in whole}, list(range(len(images))))
    order = [3, 0, 7, 5, 1, 6, 2, 4]
    same(whole, measurer.measure([images[i] for i in order]), order)
    many = images * (BATCH // len(images) + 1)  # more than one batch
    same(whole, measurer.measure(many), [i % len(images) for i in range(len(many))])


def test_threads_agree(measurer):
    images = crops()
    alone = measurer.measure(images)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(measurer.measure, [images] * 8):
            same(alone, result, list(range(len(images))))
