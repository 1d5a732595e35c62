"""Skin tone of colour crops: individual typology angle (ITA) and the nearest of ten Monk tones, in CIELAB."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.attributes.frames import Frames, Pixels, offsets, resized
from engine.attributes.landmarks import Landmarks
from engine.probe.design import MONK

SIDE = 96  # pixels, the size at which skin is looked for

# Where skin is looked for: ellipses as (x, y, half width, half height) from between the eyes, in units of the
# distance between the eyes and of the distance from the eyes to the mouth, so that they move with the head.
PATCHES = ((-0.45, 0.55, 0.16, 0.16), (0.45, 0.55, 0.16, 0.16), (0.0, -0.45, 0.30, 0.12))  # cheeks, forehead
KEEP = (50.0, 90.0)  # percentiles of L* between which a pixel counts: shadow, hair and beard lie below, gloss above
CLIPPED = (3, 254)  # a pixel whose brightest channel is not between these has lost its colour
MIN_PIXELS = 40  # of the patches, at that size; a frontal face of FER+'s framing has about 360

# An image is grey when its colour hardly varies at a given lightness: by less than 1 unit of CIELAB (compression
# leaves about that much in a grey photo) or less than .15 of its mean chroma (a toned print, one hue throughout).
GREY_NOISE = 1.0
GREY_SHARE = 0.15

GREY, NO_LANDMARKS, FEW = "grey image", "no landmarks", "too few skin pixels"

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Skin:
    """N faces. lab: (N, 3) mean L*, a*, b* of skin, NaN where unknown; reason: why, None where known."""

    lab: Floats
    reason: tuple[str | None, ...]


def measure(frames: Frames, landmarks: Landmarks) -> Skin:
    """Mean CIELAB (D65) of the skin of each face; unknown for grey images and where skin cannot be found."""
    from skimage.color import rgb2lab

    lab = np.full((len(frames.small), 3), np.nan)
    reasons = [
        GREY if is_grey(small) else None if known else NO_LANDMARKS
        for small, known in zip(frames.small, landmarks.known, strict=True)
    ]
    faces = [i for i, reason in enumerate(reasons) if reason is None]
    pixels = resized([frames.squares[i] for i in faces], SIDE)  # (K, SIDE, SIDE, 3)
    for i, image, chosen in zip(faces, pixels, skin_pixels(pixels, landmarks.points[faces]), strict=True):
        if chosen.sum() < MIN_PIXELS:
            reasons[i] = FEW
        else:
            lab[i] = _typical(rgb2lab(image[chosen]))
    return Skin(lab, tuple(reasons))


def ita(lab: Floats) -> Floats:
    """Individual typology angle in degrees of (..., 3) CIELAB colours: atan2(L* - 50, b*). Chardon et al. 1991.

    >>> ita(np.array([[60.0, 9.0, 10.0], [50.0, 9.0, 10.0]])).tolist()
    [45.0, 0.0]
    """
    return np.asarray(np.degrees(np.arctan2(lab[..., 0] - 50.0, lab[..., 2])))


def monk_lab() -> Floats:
    """(10, 3) CIELAB of the ten Monk tones, lightest first."""
    from skimage.color import rgb2lab

    return np.asarray(rgb2lab(np.array([list(bytes.fromhex(tone)) for tone in MONK]) / 255))


def nearest_monk(lab: Floats) -> Floats:
    """The Monk tone, 1 (lightest) .. 10, nearest to each of (N, 3) CIELAB colours (CIE 1976 distance); NaN stays NaN.

    The lightness counts in full. A dim light therefore looks like a darker tone, and nothing in a photo without
    a reference of known white can tell them apart: docs/attributes.md measures how far.
    """
    distance = np.linalg.norm(lab[:, None] - monk_lab(), axis=2)  # (N, 10)
    unknown = np.isnan(distance).any(axis=1)
    return np.where(unknown, np.nan, np.where(unknown[:, None], 0.0, distance).argmin(axis=1) + 1)


def is_grey(pixels: Pixels) -> bool:
    """Whether (S, S, 3) sRGB pixels hold no colour of their own: grey, or one hue that follows the lightness.

    Fits a* and b* by squares in L*; what is left, root mean square over the pixels, is the colour that does not
    follow from lightness. See GREY_NOISE and GREY_SHARE for the thresholds.
    """
    if (pixels[..., :1] == pixels).all():
        return True
    from skimage.color import rgb2lab

    lightness, *colour = np.moveaxis(rgb2lab(pixels), -1, 0).reshape(3, -1).astype(np.float64)
    ab = np.stack(colour, axis=1)  # (S * S, 2)
    powers = np.stack([np.ones_like(lightness), lightness / 100, (lightness / 100) ** 2], axis=1)
    fit = np.linalg.lstsq(powers, ab, rcond=None)[0]
    left = float(np.sqrt(((ab - powers @ fit) ** 2).sum(axis=1).mean()))
    chroma = float(np.hypot(*ab.T).mean())
    return left < max(GREY_NOISE, GREY_SHARE * chroma)


def skin_pixels(pixels: Pixels, points: Floats) -> NDArray[np.bool_]:
    """Which of (N, S, S, 3) pixels lie in a patch of skin and are not clipped: (N, S, S). points: (N, 5, 2)."""
    top = points[:, :2].mean(axis=1)  # (N, 2)
    axes = np.stack([points[:, 1] - points[:, 0], points[:, 3:].mean(axis=1) - top], axis=2)  # (N, 2, 2), as columns
    flat = np.abs(np.linalg.det(axes)) < 1e-4  # eyes and mouth in one line: no face
    inverse = np.linalg.inv(np.where(flat[:, None, None], np.eye(2), axes))[..., None, None]  # (N, 2, 2, 1, 1)
    x, y = offsets(top, pixels.shape[1])
    u, v = inverse[:, 0, 0] * x + inverse[:, 0, 1] * y, inverse[:, 1, 0] * x + inverse[:, 1, 1] * y  # (N, S, S) each
    inside = np.zeros(u.shape, dtype=bool)
    for across, down, width, height in PATCHES:
        inside |= ((u - across) / width) ** 2 + ((v - down) / height) ** 2 <= 1
    brightest = pixels.max(axis=-1)
    return inside & ~flat[:, None, None] & (brightest > CLIPPED[0]) & (brightest < CLIPPED[1])


def _typical(lab: Floats) -> Floats:
    """Mean colour (3,) of the pixels (P, 3) whose L* lies between the percentiles KEEP."""
    low, high = np.percentile(lab[:, 0], KEEP)
    return np.asarray(lab[(lab[:, 0] >= low) & (lab[:, 0] <= high)].mean(axis=0))
