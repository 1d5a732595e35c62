"""Bytes from strangers -> an upright grey or RGB image, its identity, and its thumbnail.

Every reader of datasets and the page that scores uploads decode through here, so that one list of safe
formats and one set of limits holds everywhere.
"""

import hashlib
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from engine.sources.rows import ImageProblem

# Formats that photos come in. The rest of what Pillow reads (EPS runs Ghostscript, PSD, FLI) only adds risk.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")  # Pillow's JPEG reader opens MPO as well
MAX_BYTES = 256 * 2**20  # of one image file; no photo is larger
MAX_PIXELS = 64_000_000  # decoding one of this size takes half a gigabyte, with transparency one
MIN_SIDE = 8  # pixels; below this nobody, annotator or model, sees a face
DRAFT_SIDE = 4096  # pixels; a JPEG at least twice this long is decoded at 1/2, 1/4 or 1/8 of its size
BACKGROUND = 128  # what shows through transparency; mid-grey is close to zero after every model's scaling

# EXIF orientation -> what makes the picture upright (EXIF 2.3, tag 0x0112)
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, source: str) -> Image.Image:
    """Decode an image file into mode 'L' (grey) or 'RGB', upright, without metadata.

    The first frame of an animation, the first page of a TIFF. Transparent pixels show mid-grey (128). 16-bit
    grey keeps its upper 8 bits. JPEGs of 8,192 pixels or more on the longer side come back reduced, never
    below 4,096. Raises ImageProblem, one sentence naming `source`, for anything that is not a picture between
    8 pixels on the shorter side and 64 megapixels. Safe to call from many threads at once.
    """
    if not data:
        raise ImageProblem(f"{source} is empty (0 bytes).")
    with _explained(source), _no_pillow_warnings(), Image.open(BytesIO(data), formats=FORMATS) as file:
        _check_size(file.size, source)  # from the header alone, before memory is spent on pixels
        _draft(file)
        return _decoded(file, source)


def decode_opened(image: Image.Image, source: str) -> Image.Image:
    """The same for an image that somebody has opened with Pillow already; theirs is left as it is."""
    with _explained(source), _no_pillow_warnings():
        _check_size(image.size, source)
        return _decoded(image, source)


def _decoded(file: Image.Image, source: str) -> Image.Image:
    file.load()
    return _upright(file, _to_grey_or_rgb(file, source))


@contextmanager
def _explained(source: str) -> Iterator[None]:
    """Whatever goes wrong becomes an ImageProblem."""
    try:
        yield
    except ImageProblem:
        raise
    except UnidentifiedImageError:
        known = ", ".join(FORMATS)
        raise ImageProblem(f"{source} is not an image in a format read here ({known}).") from None
    except Image.DecompressionBombError:  # Pillow's own limit, far beyond ours
        raise ImageProblem(f"{source} is beyond the limit of {MAX_PIXELS // 10**6} megapixels.") from None
    except Exception as problem:  # on hostile bytes Pillow raises nearly anything, SyntaxError included
        reason = " ".join(str(problem).split()).rstrip(".")[:200] or type(problem).__name__
        raise ImageProblem(f"{source} is damaged or cut short: {reason}.") from problem


def decode_file(path: Path, source: str) -> Image.Image:
    """Read and decode one file; `source` is its name in messages. Raises ImageProblem as decode does."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ImageProblem(f"{source} has {size // 2**20:,} MB; the limit is {MAX_BYTES // 2**20}.")
        data = path.read_bytes()
    except (OSError, ValueError) as problem:  # ValueError: a null character in the path
        reason = getattr(problem, "strerror", None) or str(problem)
        raise ImageProblem(f"{source} cannot be read: {reason}.") from None
    return decode(data, source)


def content_id(image: Image.Image) -> str:
    """Identity of the decoded picture: 32 hexadecimal digits of a SHA-256 over mode, size and pixels.

    Equal for the same pixels in two files, whatever the file format and metadata.
    """
    digest = hashlib.sha256(f"{image.mode} {image.width}x{image.height}\n".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()[:32]


def thumbnail(image: Image.Image, side: int = 96) -> bytes:
    """Encode `image` (mode L or RGB) with its longest side at most `side` pixels; never enlarges.

    PNG, hence lossless, for grey images that already fit; JPEG of quality 85 for the rest. No metadata.
    """
    scale = side / max(image.size)
    fits = scale >= 1
    if fits:
        small = image.copy()
    else:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        small = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    small.info = {}  # else Pillow would write the ICC profile and comments of the original
    buffer = BytesIO()
    if fits and small.mode == "L":
        small.save(buffer, "PNG", optimize=True)
    else:
        small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _check_size(size: tuple[int, int], source: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        limit = MAX_PIXELS // 10**6
        raise ImageProblem(f"{source} is {width} x {height} pixels, beyond the limit of {limit} megapixels.")
    if min(width, height) < MIN_SIDE:
        raise ImageProblem(f"{source} is {width} x {height} pixels; its shorter side needs {MIN_SIDE}.")


def _draft(file: Image.Image) -> None:
    """Let libjpeg decode a huge photo at 1/2, 1/4 or 1/8 of its size: far less time and memory."""
    longest = max(file.size)
    if isinstance(file, JpegImageFile) and longest >= 2 * DRAFT_SIDE:
        wanted = (max(1, file.width * DRAFT_SIDE // longest), max(1, file.height * DRAFT_SIDE // longest))
        file.draft(None, wanted)


def _to_grey_or_rgb(file: Image.Image, source: str) -> Image.Image:
    """Any mode Pillow decodes to -> a plain L or RGB copy without metadata."""
    if file.mode.startswith("I;16") or (file.mode == "I" and file.format in ("PNG", "PPM")):
        # convert() would clip everything above 255 to white
        plain = Image.fromarray((np.asarray(file).clip(0, 65535) >> 8).astype(np.uint8))
    elif file.mode in ("I", "F"):
        raise ImageProblem(f"{source} has 32-bit pixels without a defined white; save it as 8-bit.")
    elif file.has_transparency_data:
        grey = file.mode in ("1", "L", "LA", "La")
        wanted = "LA" if grey else "RGBA"  # to which premultiplied alpha converts too
        cover = file if file.mode == wanted else file.convert(wanted)
        plain = Image.new("L" if grey else "RGB", file.size, BACKGROUND if grey else (BACKGROUND,) * 3)
        plain.paste(cover, mask=cover.getchannel("A"))
    else:
        plain = file.convert("L" if file.mode in ("1", "L") else "RGB")
    plain.info = {}
    return plain


def _upright(file: Image.Image, plain: Image.Image) -> Image.Image:
    """Turn `plain` as the EXIF of `file` says. Damaged EXIF is no reason to lose a good picture."""
    try:
        orientation = file.getexif().get(_ORIENTATION_TAG)
    except Exception:
        return plain
    method = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return plain if method is None else plain.transpose(method)


_quiet_lock = threading.Lock()
_quiet_depth = 0
_quiet_filters: warnings.catch_warnings | None = None


@contextmanager
def _no_pillow_warnings() -> Iterator[None]:
    """Silence what Pillow says about damaged metadata and large sizes; the checks here decide about those.

    warnings.catch_warnings swaps one list for the whole process: used by overlapping threads it can leave the
    wrong list behind. So the first thread in swaps and the last one out swaps back.
    """
    global _quiet_depth, _quiet_filters
    with _quiet_lock:
        if _quiet_depth == 0:
            _quiet_filters = warnings.catch_warnings()
            _quiet_filters.__enter__()
            for module in (r"PIL\b", r"engine\.images"):
                warnings.filterwarnings("ignore", module=module)
        _quiet_depth += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_depth -= 1
            if _quiet_depth == 0 and _quiet_filters is not None:
                _quiet_filters.__exit__(None, None, None)
                _quiet_filters = None
