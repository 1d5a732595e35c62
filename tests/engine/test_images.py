"""Decoding: every mode and orientation arrives as plain L or RGB, everything bad as one sentence."""

import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.images import BACKGROUND, MAX_BYTES, content_id, decode, decode_file, thumbnail
from engine.sources.rows import ImageProblem


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width: int, height: int, *channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, *channels), dtype=np.uint8)


def png_claiming(width: int, height: int) -> bytes:
    """A well-formed PNG of under 100 bytes whose header claims any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 10)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_grey_and_colour_pass_unchanged():
    grey, colour = noise(20, 16), noise(20, 16, 3)
    assert (np.asarray(decode(encoded(Image.fromarray(grey)), "a.png")) == grey).all()
    assert (np.asarray(decode(encoded(Image.fromarray(colour)), "a.png")) == colour).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "MPO"])
def test_every_listed_format_is_read(kind):
    image = decode(encoded(Image.new("RGB", (20, 16), (200, 10, 10)), kind), "a")
    assert image.mode == "RGB" and image.size == (20, 16)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"hello, I am a text file, not a photo" * 9, "not an image"),
        (b"\x89PNG\r\n\x1a\n", "not an image"),
        (encoded(Image.fromarray(noise(64, 64)))[:2000], "damaged or cut short"),
        (encoded(Image.fromarray(noise(64, 64, 3)), "JPEG")[:2000], "damaged or cut short"),
        (encoded(Image.new("L", (1, 1))), "1 x 1"),
        (encoded(Image.new("L", (500, 7))), "500 x 7"),
        (png_claiming(40_000, 40_000), "megapixels"),
        (png_claiming(10_000, 10_000), "10000 x 10000"),  # Pillow alone would only warn
        (encoded(Image.fromarray(np.ones((9, 9), np.float32)), "TIFF"), "32-bit"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_bytes_are_one_sentence_naming_the_image(data, says):
    with pytest.raises(ImageProblem) as caught:
        decode(data, "train/x.png")
    reason = str(caught.value)
    assert reason.startswith("train/x.png") and says in reason and reason.endswith(".") and "\n" not in reason


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0"]),
)
def test_any_bytes_give_an_image_or_an_image_problem(tail, head):
    with suppress(ImageProblem):
        assert decode(head + tail, "x").mode in ("L", "RGB")


def test_every_prefix_of_a_file_is_handled():
    for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"):
        data = encoded(Image.fromarray(noise(16, 16, 3)), kind)
        for end in range(0, len(data) - 1, 37):
            with suppress(ImageProblem):
                decode(data[:end], "x")


def test_cmyk_keeps_its_colour():
    image = decode(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"), "a.jpg")
    red, green, blue = image.getpixel((8, 8))
    assert image.mode == "RGB" and red > 200 and green < 60 and blue < 60


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_keeps_its_upper_8_bits(kind):
    ramp = (np.arange(256, dtype=np.uint16) * 256).reshape(16, 16)
    image = decode(encoded(Image.fromarray(ramp), kind), "a")
    assert image.mode == "L" and (np.asarray(image).ravel() == np.arange(256)).all()


@pytest.mark.parametrize(
    ("mode", "clear", "expected"),
    [
        ("RGBA", (255, 0, 0, 0), (BACKGROUND,) * 3),
        ("LA", (255, 0), BACKGROUND),
        ("RGBA", (9, 8, 7, 255), (9, 8, 7)),
    ],
)
def test_transparency_shows_mid_grey(mode, clear, expected):
    image = decode(encoded(Image.new(mode, (9, 9), clear)), "a.png")
    assert image.mode == ("L" if mode == "LA" else "RGB") and image.getpixel((4, 4)) == expected


def test_palette_with_and_without_transparency():
    image = Image.new("P", (9, 9), 1)
    image.putpalette([0, 0, 0, 250, 120, 10])
    assert decode(encoded(image), "a.png").getpixel((4, 4)) == (250, 120, 10)
    assert decode(encoded(image, transparency=1), "a.png").getpixel((4, 4)) == (BACKGROUND,) * 3
    assert decode(encoded(image, transparency=bytes([255, 0])), "a.png").getpixel((4, 4)) == (BACKGROUND,) * 3


def test_one_bit_becomes_grey():
    image = decode(encoded(Image.new("1", (9, 9), 1)), "a.png")
    assert image.mode == "L" and image.getpixel((0, 0)) == 255


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation(kind):
    red, blue = Image.new("RGB", (16, 16), (255, 0, 0)), Image.new("RGB", (16, 16), (0, 0, 255))
    image = decode(encoded(red, kind, save_all=True, append_images=[blue, blue]), "a")
    assert image.getpixel((8, 8))[0] > 200


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_exif_orientation_is_undone(orientation, kind):
    """A photo with a white upper left corner, stored as a camera would with each orientation."""
    upright = Image.new("L", (40, 24))
    upright.paste(255, (0, 0, 12, 12))
    turn = Image.Transpose
    stored = {
        2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE,
        6: turn.ROTATE_90, 7: turn.TRANSVERSE, 8: turn.ROTATE_270,
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = upright if orientation == 1 else upright.transpose(stored[orientation])
    decoded = decode(encoded(image, kind, exif=exif), "a")
    assert decoded.size == (40, 24)
    assert np.abs(np.asarray(decoded, int) - np.asarray(upright, int)).max() < 40


def test_damaged_exif_does_not_lose_the_picture():
    data = encoded(Image.new("L", (16, 16)), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffgarbage")
    assert decode(data, "a.jpg").size == (16, 16)


def test_a_huge_jpeg_is_decoded_reduced():
    data = encoded(Image.new("L", (8192, 64)), "JPEG")
    assert decode(data, "a.jpg").size == (4096, 32)


def test_no_warning_leaks_and_filters_survive_threads():
    image = Image.new("P", (9, 9), 1)
    image.putpalette([0, 0, 0, 250, 120, 10])
    files = [
        encoded(image, transparency=bytes([255, 0])),
        png_claiming(10_000, 10_000),
        png_claiming(40_000, 40_000),
    ]

    def attempt(i: int) -> None:
        with suppress(ImageProblem):
            decode(files[i % 3], "x")

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(attempt, range(300)))
        assert list(warnings.filters) == before
    assert not heard


def test_pillow_settings_are_left_alone():
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(ImageProblem):
        decode(png_claiming(40_000, 40_000), "x")
    assert before == Image.MAX_IMAGE_PIXELS


def test_files_that_cannot_be_read(tmp_path):
    for path, says in [(tmp_path / "none.png", "No such file"), (tmp_path, "directory")]:
        with pytest.raises(ImageProblem, match=says):
            decode_file(path, "x")
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # sparse: takes no space
    with pytest.raises(ImageProblem, match="limit"):
        decode_file(huge, "x")


def test_content_id_is_of_the_pixels():
    pixels = noise(12, 10)
    png, bmp = (decode(encoded(Image.fromarray(pixels), kind), "x") for kind in ("PNG", "BMP"))
    assert content_id(png) == content_id(bmp) and len(content_id(png)) == 32
    assert int(content_id(png), 16) >= 0
    turned = Image.fromarray(np.ascontiguousarray(pixels.reshape(12, 10)))
    assert len({content_id(png), content_id(turned), content_id(png.convert("RGB"))}) == 3


def test_thumbnail_of_a_small_grey_face_is_lossless():
    pixels = noise(48, 48)
    image = Image.open(BytesIO(thumbnail(Image.fromarray(pixels))))
    assert image.format == "PNG" and (np.asarray(image) == pixels).all()


@pytest.mark.parametrize(
    ("size", "mode", "expected"),
    [
        ((400, 200), "RGB", (96, 48)),
        ((200, 400), "L", (48, 96)),
        ((50, 40), "RGB", (50, 40)),
        ((3000, 8), "L", (96, 1)),
    ],
)
def test_thumbnail_size(size, mode, expected):
    image = Image.open(BytesIO(thumbnail(Image.new(mode, size))))
    assert image.format == "JPEG" and image.size == expected and image.mode == mode


def test_thumbnail_carries_no_metadata():
    exif = Image.Exif()
    exif[0x010E] = "secret"
    image = Image.new("RGB", (200, 100))
    image.info = {"icc_profile": b"secret", "comment": b"secret", "exif": exif.tobytes()}
    assert b"secret" not in thumbnail(image)
    assert b"secret" not in thumbnail(decode(encoded(image, "JPEG", comment=b"secret", exif=exif), "x"))
