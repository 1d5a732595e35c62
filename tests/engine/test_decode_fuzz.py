"""Hostile bytes: 2,000 damaged files are decoded or refused, none crashes or hangs; and what strangers upload, by name.

The damaged files are decoded in a process of their own, so that a hang or a crash in Pillow's C code ends there and the
test can say which file it was: `damaged(index)` makes it again.
"""

import multiprocessing
import random
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from engine.images import MAX_PIXELS, decode
from engine.sources.rows import ImageProblem
from tests.engine.test_images import encoded, noise

SEED = 5
FILES = 2_000
LIMIT = 5.0  # seconds for one file
START = 60.0  # seconds for the process to import what it needs
MEMORY = 1 << 30  # bytes, all in all; the largest sides that the damage writes on purpose are 4,000
SOURCE = "uploads/a photo.jpg"

Field = tuple[int, int, str]  # place of a number in a file, its bytes, their order


# ---- files to damage


@cache
def valid_files() -> list[bytes]:
    """JPEG, PNG and WebP of every mode that each has, with and without metadata."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a photo"
    about = {"exif": exif.tobytes(), "icc_profile": srgb()}
    grey, colour, clear = (smooth(*size) for size in ((16, 24, 1), (64, 48, 3), (33, 17, 4)))
    palette = colour.quantize(16)
    jpeg = [
        encoded(grey, "JPEG"),
        encoded(colour, "JPEG", **about),
        encoded(colour, "JPEG", progressive=True, optimize=True),
        encoded(colour, "JPEG", subsampling=0, restart_marker_blocks=1, comment=b"hello"),
        encoded(colour.convert("CMYK"), "JPEG", exif=exif.tobytes()),
    ]
    png = [
        encoded(grey),
        encoded(grey.convert("1")),
        encoded(grey.convert("I;16")),
        encoded(colour, **about),
        encoded(clear, exif=exif.tobytes()),
        encoded(clear.convert("LA")),
        encoded(palette),
        encoded(palette, transparency=bytes(range(0, 256, 16)), **about),
        encoded(colour, save_all=True, append_images=[colour.rotate(90)]),
    ]
    webp = [
        encoded(colour, "WEBP"),
        encoded(colour, "WEBP", **about),
        encoded(clear, "WEBP", quality=40),
        encoded(clear, "WEBP", lossless=True, exif=exif.tobytes()),
        encoded(colour, "WEBP", save_all=True, append_images=[colour.rotate(90)]),
    ]
    return jpeg + png + webp


def srgb() -> bytes:
    """A colour profile, the same at any time: the date of its making (12 bytes) is left out."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes(12) + profile[36:]


def smooth(width: int, height: int, channels: int) -> Image.Image:
    """A gradient with some noise, as photos are; noise alone would never use the long codes of JPEG."""
    ramp = np.arange(width * height * channels).reshape(height, width, channels) * 7 % 200
    pixels = (ramp + noise(width, height, channels) // 8).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


# ---- damage


def damaged(index: int) -> bytes:
    """File `index` of this seed: one to three kinds of damage, and what only guards against damage mostly made good."""
    chance = random.Random(f"{SEED}:{index}")
    data = bytearray(chance.choice(valid_files()))
    for damage in chance.choices(DAMAGES, WEIGHTS, k=chance.choice((1, 1, 2, 3))):
        damage(data, chance)
    if chance.random() < 0.8:
        mend(data)
    return bytes(data)


def flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(min(len(data), chance.choice((1, 4, 32)))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def overwrite(data: bytearray, chance: random.Random) -> None:
    start, end = run(data, chance)
    data[start:end] = chance.choice((bytes(end - start), b"\xff" * (end - start), chance.randbytes(end - start)))


def cut_out(data: bytearray, chance: random.Random) -> None:
    start, end = run(data, chance)
    del data[start:end]


def duplicate(data: bytearray, chance: random.Random) -> None:
    start, end = run(data, chance)
    data[end:end] = data[start:end] * chance.choice((1, 1, 50))


def insert(data: bytearray, chance: random.Random) -> None:
    start, _ = run(data, chance)
    data[start:start] = chance.randbytes(chance.choice((1, 2, 64)))


def truncate(data: bytearray, chance: random.Random) -> None:
    del data[run(data, chance)[0] :]


def splice(data: bytearray, chance: random.Random) -> None:
    other = chance.choice(valid_files())
    data[run(data, chance)[0] :] = other[run(other, chance)[0] :]


def change_lengths(data: bytearray, chance: random.Random) -> None:
    change(data, [length for length, _ in parts(data)], chance)


def change_size(data: bytearray, chance: random.Random) -> None:
    for _ in range(2):
        change(data, [side for _, sides in parts(data) for side in sides], chance)


DAMAGES = (flip_bits, overwrite, cut_out, duplicate, insert, truncate, splice, change_lengths, change_size)
WEIGHTS = (3, 2, 1, 1, 1, 1, 1, 1, 1)  # bits that change in place come furthest


def run(data: bytes | bytearray, chance: random.Random) -> tuple[int, int]:
    """Start and end of a short piece, somewhat more often in the first 64 bytes, where the headers are."""
    start = chance.randint(0, min(len(data), chance.choice((64, len(data), len(data), len(data)))))
    return start, min(len(data), start + chance.choice((1, 4, 100)))


def change(data: bytearray, fields: list[Field], chance: random.Random) -> None:
    """Put another number into one of the fields: a limit, a neighbour of what was there, or anything."""
    if not fields:
        return
    start, size, order = chance.choice(fields)
    most = (1 << 8 * size) - 1
    before = int.from_bytes(data[start : start + size], order)
    limits = (0, 1, 7, 8, 1_000, 4_000, 1 << 14, most)
    value = chance.choice((chance.choice(limits), before - 1, before + 1, before * 2, chance.randint(0, most)))
    data[start : start + size] = (value & most).to_bytes(size, order)


def parts(data: bytearray) -> Iterator[tuple[Field, list[Field]]]:
    """Each part of a JPEG, PNG or WebP: where its length stands, and where the picture's sides stand in it."""
    place = 12 if data[:4] == b"RIFF" else 8 if data[:4] == b"\x89PNG" else 2
    while place + 8 <= len(data):
        if data[:4] == b"RIFF":
            kind, length = bytes(data[place : place + 4]), int.from_bytes(data[place + 4 : place + 8], "little")
            sides = {b"VP8X": [(12, 3), (15, 3)], b"VP8 ": [(14, 2), (16, 2)], b"VP8L": [(9, 4)]}.get(kind, [])
            yield (place + 4, 4, "little"), [(place + at, size, "little") for at, size in sides]
            place += 8 + length + length % 2
        elif data[:4] == b"\x89PNG":
            header = data[place + 4 : place + 8] == b"IHDR"
            yield (place, 4, "big"), [(place + 8, 4, "big"), (place + 12, 4, "big")] if header else []
            place += 12 + int.from_bytes(data[place : place + 4], "big")
        elif data[place] == 0xFF and data[place + 1] != 0xDA:  # until the scan begins
            frame = data[place + 1] in (0xC0, 0xC1, 0xC2)
            yield (place + 2, 2, "big"), [(place + 5, 2, "big"), (place + 7, 2, "big")] if frame else []
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        else:
            return


def mend(data: bytearray) -> None:
    """A PNG's checksums, a WebP's first and last length: else nearly all would be refused before anything is read."""
    lengths = [start for (start, _, _), _ in parts(data)]
    if data[:4] == b"RIFF" and lengths:
        for start in (4, lengths[-1]):
            data[start : start + 4] = (len(data) - start - 4).to_bytes(4, "little")
    for start in lengths if data[:4] == b"\x89PNG" else []:
        end = start + 8 + int.from_bytes(data[start : start + 4], "big")
        if end + 4 <= len(data):
            data[end : end + 4] = zlib.crc32(data[start + 4 : end]).to_bytes(4, "big")


# ---- decoding them


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
