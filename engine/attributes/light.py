"""Lightness, contrast, light from one side, and sharpness of the face, the same for grey and colour images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.attributes.frames import Pixels, offsets
from engine.attributes.landmarks import Landmarks

Floats = NDArray[np.float64]

# Mean landmarks of FER+ faces, measured on 2,000 of them, made symmetrical: where a face is taken to be whose
# landmarks are unknown. Light must not be missing for the very faces that are too dark to be found.
USUAL = np.array([[0.322, 0.378], [0.678, 0.378], [0.5, 0.590], [0.350, 0.775], [0.650, 0.775]])
REACH = 3.0  # squared Mahalanobis distance; the five landmarks themselves lie at 2 on average
ROUND = 0.02**2  # added to the landmarks' variance, shares of the side squared: a profile keeps some width

_LINEAR = np.arange(256) / 255
_LINEAR = np.where(_LINEAR <= 0.04045, _LINEAR / 12.92, ((_LINEAR + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of the primaries of sRGB


@dataclass(frozen=True, eq=False)
class Light:
    """Each (N,). brightness, contrast: L*; balance: -1 .. 1; sharpness: per pixel."""

    brightness: Floats
    contrast: Floats
    balance: Floats
    sharpness: Floats


def measure(small: Pixels, landmarks: Landmarks) -> Light:
    """Light on the face of small crops, (N, S, S, 3) sRGB.

    The face is an ellipse about the landmarks: Mahalanobis distance under their own mean and covariance. Each figure
    is taken over its pixels: mean L*; standard deviation of L*; (right - left) / (right + left) of the mean
    luminance on both sides of the line from between the eyes to between the mouth's corners, as seen in the
    image, 0 where all is black; sharpness as `sharpness` says.
    """
    points = np.where(landmarks.known[:, None, None], landmarks.points, USUAL)
    face, right = _regions(points, small.shape[1])
    luminance = _LINEAR[small] @ _LUMINANCE  # (N, S, S)
    lightness = cielab_lightness(luminance)
    brightness = _mean(lightness, face)
    spread = _mean((lightness - brightness[:, None, None]) ** 2, face)
    two = np.stack([_mean(luminance, face & ~right), _mean(luminance, face & right)])  # (2, N)
    total = two.sum(axis=0)
    balance = np.divide(two[1] - two[0], total, out=np.zeros(len(total)), where=total > 0)
    return Light(brightness, np.sqrt(spread), balance, sharpness(lightness, face))


def cielab_lightness(luminance: Floats) -> Floats:
    """L* of CIELAB, 0 .. 100, from luminance relative to white, 0 .. 1.

    >>> cielab_lightness(np.array([0.0, 0.184187, 1.0])).round(2) + 0.0
    array([  0.,  50., 100.])
    """
    cube = np.where(luminance > (6 / 29) ** 3, np.cbrt(luminance), luminance * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.asarray(116 * cube - 16)


def sharpness(lightness: Floats, face: NDArray[np.bool_]) -> Floats:
    """Root mean square Laplacian over root mean square gradient of L* on the face, per pixel: (N,).

    lightness, face: (N, S, S), S = 48 pixels in `measure`. Laplacian of four neighbours, gradient of central
    differences, borders repeated. The variance of the Laplacian alone, the usual measure of focus, grows with the
    contrast squared; divided by the gradient it hardly does. A wave of angular frequency w per pixel has about w,
    white noise sqrt(20), a ramp 0, and so has a face without any gradient (below .1 L* per pixel).
    """
    edge = np.pad(lightness, ((0, 0), (1, 1), (1, 1)), mode="edge")
    left, right, above, below = edge[:, 1:-1, :-2], edge[:, 1:-1, 2:], edge[:, :-2, 1:-1], edge[:, 2:, 1:-1]
    laplacian = left + right + above + below - 4 * lightness
    steep = _mean(((right - left) / 2) ** 2 + ((below - above) / 2) ** 2, face)
    curved = _mean(laplacian**2, face)
    return np.sqrt(np.divide(curved, steep, out=np.zeros(len(steep)), where=steep > 0.01))


def _regions(points: Floats, side: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which pixels are of the face, and which lie to the right of its middle line: (N, side, side) each."""
    middle = points.mean(axis=1)  # (N, 2)
    off = points - middle[:, None]
    spread = np.einsum("npi,npj->nij", off, off) / points.shape[1] + ROUND * np.eye(2)  # (N, 2, 2)
    inverse = np.linalg.inv(spread)[..., None, None]  # (N, 2, 2, 1, 1)
    x, y = offsets(middle, side)
    face = inverse[:, 0, 0] * x**2 + 2 * inverse[:, 0, 1] * x * y + inverse[:, 1, 1] * y**2 <= REACH
    top = points[:, :2].mean(axis=1)
    down = (points[:, 3:].mean(axis=1) - top)[..., None, None]  # (N, 2, 1, 1)
    x, y = offsets(top, side)
    return face, x * down[:, 1] > y * down[:, 0]


def _mean(values: Floats, where: NDArray[np.bool_]) -> Floats:
    """Mean of each face's values where its mask holds: (N, S, S) -> (N,); 0 where it holds nowhere."""
    n = where.sum(axis=(1, 2))
    return np.divide((values * where).sum(axis=(1, 2)), n, out=np.zeros(len(n)), where=n > 0)
