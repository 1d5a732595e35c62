"""Pictures, and what accidents and attackers do to their bytes: `damaged(index)` is always the same file."""

import random
import zlib
from collections.abc import Iterator
from functools import cache

import numpy as np
from PIL import Image, ImageCms

from tests.engine.test_images import encoded, noise

SEED = 5

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
