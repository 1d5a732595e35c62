"""Hostile bytes: 2,000 damaged files are decoded or refused, none crashes or hangs; and what strangers upload, by name.

The damaged files are decoded in a process of their own, so that a hang or a crash in Pillow's C code ends there and the
test can say which file it was: `damaged(index)` makes it again.
"""

import multiprocessing
import struct
import time
import zipfile
import zlib
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.images import MAX_PIXELS, decode
from engine.sources.rows import ImageProblem
from tests.engine.damage import SEED, damaged, smooth, srgb, valid_files
from tests.engine.test_images import encoded, noise

FILES = 2_000
LIMIT = 5.0  # seconds for one file
START = 60.0  # seconds for the process to import what it needs
MEMORY = 1 << 30  # bytes, all in all; the largest sides that the damage writes on purpose are 4,000
SOURCE = "uploads/a photo.jpg"


def peak_memory() -> int:
    """Bytes of this process at most so far, 0 where the system does not say; getrusage may report the parent's."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return 1024 * next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def decode_all(answers: Connection) -> None:
    """In the other process: mode, pixels and reason of each file in turn, then the most memory that was ever used."""
    valid_files()
    answers.send("ready")
    for index in range(FILES):
        data = damaged(index)
        start = time.monotonic()
        try:
            image = decode(data, SOURCE)
            answer = image.mode, image.width * image.height, ""
        except ImageProblem as problem:
            answer = "", 0, str(problem)
        answers.send((*answer, time.monotonic() - start))
    answers.send(peak_memory())


def test_damaged_files_are_decoded_or_refused():
    context = multiprocessing.get_context("spawn")  # a fork would inherit the threads of torch
    answers, theirs = context.Pipe(duplex=False)
    process = context.Process(target=decode_all, args=(theirs,), daemon=True)
    process.start()
    theirs.close()  # so that its end is noticed

    def answer(what: str, seconds: float):
        if not answers.poll(seconds):
            pytest.fail(f"{what} takes longer than {seconds:.0f} s")
        try:
            return answers.recv()
        except EOFError:
            process.join()
            pytest.fail(f"{what} ends the process (exit code {process.exitcode})")

    decoded = 0
    try:
        answer("starting", START)
        for index in range(FILES):
            what = f"damaged({index}) of seed {SEED}"
            mode, pixels, reason, seconds = answer(what, LIMIT)
            assert seconds < LIMIT, what
            if mode:
                assert mode in ("L", "RGB") and pixels <= MAX_PIXELS, what
                decoded += 1
            else:
                assert reason.startswith(SOURCE) and reason.endswith(".") and len(reason.splitlines()) == 1, what
        assert answer("the last answer", LIMIT) < MEMORY
    finally:
        process.kill()
        process.join()
    assert FILES / 5 < decoded < FILES * 4 / 5  # the damage is neither harmless nor always fatal at once


# ---- what a page for uploads meets


def jpeg(width: int = 64, height: int = 48, **options) -> bytes:
    return encoded(smooth(width, height, 3), "JPEG", **options)


def png(header: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of exactly these chunks, each with its length and checksum."""
    every = ((b"IHDR", header), *chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in every
    )


def webp_claiming(width: int, height: int) -> bytes:
    """An animation of two small frames on a canvas of any size."""
    image = smooth(32, 32, 4)
    data = bytearray(encoded(image, "WEBP", save_all=True, append_images=[image.rotate(90)]))
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def archive() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("../../run.sh", "echo hello")
    return buffer.getvalue()


HTML = b"<!doctype html><html><body><script>alert(document.cookie)</script></body></html>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)" width="64" height="64"></svg>'
SMALL = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)  # a PNG's header: 16 x 16, 8 bits, RGB
PIXELS = (b"IDAT", zlib.compress(bytes(16 * (1 + 16 * 3))))


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("drawing.svg", SVG, "not an image"),
        ("page.jpg", HTML, "not an image"),
        ("page-then-photo.jpg", HTML + jpeg(), "not an image"),
        ("archive.jpg", archive(), "not an image"),
        ("archive-then-photo.jpg", archive() + jpeg(), "not an image"),
        ("phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), "not an image"),
        *((f"icon.{kind}", encoded(smooth(16, 16, 3), kind), "not an image") for kind in ("ICO", "PCX", "SGI", "DDS")),
        ("half.webp", encoded(smooth(64, 48, 3), "WEBP")[:400], "damaged or cut short"),
        ("canvas.webp", webp_claiming(16_383, 16_383), "megapixels"),
        ("canvas.webp", webp_claiming(8_000, 8_001), "8000 x 8001"),
        ("dot.jpg", jpeg(1, 1), "1 x 1"),
        ("dot.webp", encoded(smooth(1, 1, 4), "WEBP"), "1 x 1"),
        ("no-pixels.png", png(SMALL), "damaged or cut short"),
        (
            "profile.png",
            png(SMALL, (b"iCCP", b"p\0\0" + zlib.compress(bytes(1 << 24))), PIXELS),
            "damaged or cut short",
        ),
        ("text.png", png(SMALL, *[(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**6)))] * 80, PIXELS), "damaged or cut"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refused(name, data, says):
    with pytest.raises(ImageProblem) as caught:
        decode(data, name)
    reason = str(caught.value)
    assert reason.startswith(f"{name} ") and says in reason and reason.endswith(".") and "\n" not in reason


def test_a_pixel_bomb_is_refused_by_its_header():
    """10,000 x 10,000 black pixels: 97 kB of PNG, 100 MB of memory; every pixel is really there."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(10_001 * 100)) for _ in range(100)) + packer.flush()
    bomb = png(struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0), (b"IDAT", rows))
    assert 90_000 < len(bomb) < 110_000
    with pytest.raises(ImageProblem, match=r"black\.png is 10000 x 10000 pixels, beyond the limit"):
        decode(bomb, "black.png")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("tail", [HTML, archive(), HTML + jpeg(), bytes(99)], ids=["html", "zip", "photo", "zeros"])
def test_what_follows_a_picture_changes_nothing(kind, tail):
    plain = encoded(smooth(64, 48, 3), kind)
    image = decode(plain + tail, "polyglot.jpg")
    assert (np.asarray(image) == np.asarray(decode(plain, "x"))).all() and image.info == {}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.exe", "../../x", "x"])
def test_the_name_decides_nothing(kind, name):
    assert decode(encoded(smooth(64, 48, 3), kind), name).size == (64, 48)


@pytest.mark.parametrize("size", [(5_000, 10), (10, 5_000), (8, 8)], ids=str)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_long_and_small_pictures_keep_their_size(kind, size):
    assert decode(encoded(Image.new("RGB", size), kind), "x").size == size


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_an_animation_that_breaks_off_still_has_its_first_frame(kind):
    first = smooth(64, 48, 3)
    whole = encoded(first, kind, save_all=True, append_images=[first.rotate(90)])
    image = decode(whole[: -len(whole) // 4], "x")
    assert (np.asarray(image) == np.asarray(decode(whole, "x"))).all()


def test_16_bit_colour_keeps_its_upper_8_bits():
    pixels = noise(16, 16, 3)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels.astype(int) * 256 + 77)
    image = decode(png(struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0), (b"IDAT", zlib.compress(rows))), "x.png")
    assert image.mode == "RGB" and (np.asarray(image) == pixels).all()


@pytest.mark.parametrize("profile", [srgb(), srgb()[:200], b"no profile at all"], ids=["whole", "cut", "text"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_colour_profile_is_dropped_whatever_it_holds(kind, profile):
    plain, tagged = (decode(encoded(smooth(64, 48, 3), kind, **more), "x") for more in ({}, {"icc_profile": profile}))
    assert (np.asarray(tagged) == np.asarray(plain)).all() and tagged.info == {}


def test_cmyk_with_profile_and_orientation():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("CMYK", (40, 24), (0, 255, 255, 0)), "JPEG", icc_profile=srgb(), exif=exif)
    image = decode(data, "print.jpg")
    assert image.mode == "RGB" and image.size == (24, 40) and image.getpixel((12, 20))[0] > 200


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_cut_anywhere_or_odd_never_loses_the_picture(kind):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a photo"
    whole = exif.tobytes()
    text = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04six\0\0\0\0\0"  # an orientation in letters
    loop = b"Exif\0\0II*\0\x08\0\0\0\0\0\x08\0\0\0"  # a directory that names itself as the next one
    odd = [whole[:end] for end in range(6, len(whole))]
    for value in (0, 9, 65_535):
        exif[0x0112] = value
        odd.append(exif.tobytes())
    for block in (*odd, text, loop):
        assert sorted(decode(encoded(smooth(32, 16, 3), kind, exif=block), "x").size) == [16, 32], block
