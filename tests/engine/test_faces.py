"""Finding faces: geometry with a drawn face, and with boxes that a stand-in for MTCNN reports."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from engine.faces import (
    CROP_DOWN,
    CROP_SCALE,
    DETECT_SIDE,
    PAD_SIDE,
    DetectedFace,
    FaceDetector,
    crop_like_ferplus,
)


def drawn_face(side: int) -> Image.Image:
    """A face of ellipses that MTCNN takes for one; nobody's photo."""
    scale = side / 160
    image = Image.new("L", (side, side), 90)
    draw = ImageDraw.Draw(image)

    def disc(left: float, top: float, right: float, bottom: float, grey: int) -> None:
        draw.ellipse([value * scale for value in (left, top, right, bottom)], fill=grey)

    disc(30, 5, 130, 120, 40)  # hair
    disc(38, 18, 122, 150, 190)  # skin
    for x in (62, 98):
        disc(x - 13, 60, x + 13, 74, 130)
        disc(x - 10, 62, x + 10, 73, 235)
        disc(x - 5, 62, x + 5, 73, 30)
        brow = [value * scale for value in (x - 15, 54, x, 49, x + 15, 54)]
        draw.line(brow, fill=50, width=max(1, int(4 * scale)))
    draw.polygon([value * scale for value in (80, 70, 70, 100, 90, 100)], fill=160)
    disc(70, 94, 79, 101, 110)
    disc(81, 94, 90, 101, 110)
    disc(60, 112, 100, 128, 100)
    draw.line([value * scale for value in (62, 120, 98, 120)], fill=60, width=max(1, int(2 * scale)))
    return image.filter(ImageFilter.GaussianBlur(1.5 * scale))


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def centre(face: DetectedFace) -> tuple[float, float]:
    left, top, right, bottom = face.box
    return (left + right) / 2, (top + bottom) / 2


def test_faces_come_left_to_right_with_sound_geometry(detector):
    photo = Image.new("L", (760, 420), 110)
    corners = [(480, 150), (60, 40), (280, 200)]
    for corner in corners:
        photo.paste(drawn_face(160), corner)
    faces = detector.find(photo)
    assert len(faces) == 3
    for face, (x, y) in zip(faces, sorted(corners), strict=True):
        assert centre(face) == pytest.approx((x + 80, y + 90), abs=12)
        assert face.probability >= 0.9
        assert face.crop.mode == "L" and face.crop.width == face.crop.height
        assert face.landmarks.shape == (5, 2) and face.landmarks.dtype == np.float32
        (left_eye, right_eye, nose, left_mouth, right_mouth) = face.landmarks - (x, y)
        assert left_eye == pytest.approx((62, 68), abs=8) and right_eye == pytest.approx((98, 68), abs=8)
        assert left_eye[1] < nose[1] < left_mouth[1] and left_mouth[0] < right_mouth[0]


def test_a_face_that_fills_a_small_picture(detector):
    (face,) = detector.find(drawn_face(80))
    assert centre(face) == pytest.approx((40, 43), abs=8)


def test_a_large_photo_is_cropped_at_its_own_resolution(detector):
    photo = Image.new("RGB", (3200, 2400), (110, 110, 110))
    photo.paste(drawn_face(800).convert("RGB"), (1900, 700))
    (face,) = detector.find(photo)
    assert centre(face) == pytest.approx((2300, 1150), abs=60)
    assert face.crop.mode == "RGB" and 450 < face.crop.width < 800


@pytest.mark.parametrize("size", [(8, 8), (1, 1), (900, 8), (300, 200), (5000, 9)])
def test_no_face_is_an_empty_list(detector, size):
    assert detector.find(Image.new("L", size, 128)) == []


def test_min_probability_and_order_of_reported_boxes(detector, monkeypatch):
    """Boxes as MTCNN reports them in the padded, shrunk picture come back in the photo's own pixels."""
    size = (2 * DETECT_SIDE, 100)  # searched at half its size, padded to PAD_SIDE below and above
    boxes = np.array([[500, 60, 540, 100], [100, 60, 140, 100], [300, 60, 340, 100]], np.float32)
    seen = []

    def detect(image):
        seen.append(image.size)
        return boxes, np.array([0.99, 0.95, 0.5], np.float32), np.zeros((3, 5, 2), np.float32)

    monkeypatch.setattr(detector, "_detect", detect)
    faces = detector.find(Image.new("L", size))
    assert seen == [(DETECT_SIDE, PAD_SIDE)]
    top = (PAD_SIDE - 50) // 2
    assert [face.box for face in faces] == [
        (200, 2 * (60 - top), 280, 2 * (100 - top)),
        (1000, 2 * (60 - top), 1080, 2 * (100 - top)),
    ]


def test_the_crop_follows_the_measured_framing():
    columns, rows = np.meshgrid(np.arange(200), np.arange(200))
    image = Image.fromarray(np.stack([columns, rows, 0 * rows], axis=2).astype(np.uint8))
    crop = np.asarray(crop_like_ferplus(image, (80, 60, 120, 160)))  # unit: sqrt(40 x 100) = 63.2 pixels
    unit = np.sqrt(40 * 100)
    assert crop.shape == (round(CROP_SCALE * unit),) * 2 + (3,)
    assert crop[:, :, 0].mean() == pytest.approx(100, abs=1)
    assert crop[:, :, 1].mean() == pytest.approx(110 + CROP_DOWN * unit, abs=1)


@pytest.mark.parametrize("box", [(-30, -30, 20, 20), (180, 150, 260, 250), (-50, -50, 250, 250), (-90, -90, -40, -30)])
def test_beyond_the_border_the_edge_repeats(box):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200), dtype=np.uint8))
    crop = np.asarray(crop_like_ferplus(image, box))
    assert crop.shape[0] == crop.shape[1] > 0
    if box[0] < 0 and box[1] < 0:
        assert (crop[:5, :5] == np.asarray(image)[0, 0]).all()
    else:
        assert (crop[-5:, -5:] == np.asarray(image)[-1, -1]).all()
