"""Yaw, pitch and roll of a head from five landmarks, by weak perspective against a mean face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Five points of a mean adult face in millimetres: x to the image's right, y down, z away from the camera; the origin
# lies between the pupils. Round numbers near the adult means of facial anthropometry (Farkas 1994, Zhuang &
# Bradtmiller 2005), men and women together, and fitted to no image. docs/attributes.md says how each is made up and
# how little the angles depend on it.
MEAN_FACE = np.array(
    [
        [-31.5, 0.0, 0.0],  # pupils
        [31.5, 0.0, 0.0],
        [0.0, 35.0, -33.0],  # tip of the nose
        [-25.0, 67.0, -4.0],  # corners of the mouth
        [25.0, 67.0, -4.0],
    ]
)
_CENTRED = MEAN_FACE - MEAN_FACE.mean(axis=0)  # (5, 3)
_SOLVE = np.linalg.pinv(_CENTRED)  # (3, 5)


def pose(points: Floats) -> tuple[Floats, Floats]:
    """Angles (N, 3) in degrees, yaw, pitch, roll, and scale (N,) in units of the points per millimetre.

    points: (N, 5, 2) x and y down, in any one unit: left eye, right eye, nose tip, left and right mouth corner as
    seen. Signs: yaw positive turns the face to the image's right, pitch positive raises it, roll positive turns it
    clockwise in the image. Order: first yaw about the head's upright axis, then pitch, then roll.

    The affine map (2, 3) that takes the mean face to the points with least squares is moved to the nearest map that
    turns, projects and scales: its singular vectors without its singular values. Points that all coincide give
    angles of 0 and scale 0.
    """
    centred = points - points.mean(axis=1, keepdims=True)  # (N, 5, 2)
    affine = np.einsum("kp,npi->nik", _SOLVE, centred)  # (N, 2, 3)
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)  # (N, 2, 2), (N, 2), (N, 2, 3)
    across, down = np.moveaxis(left @ right, 1, 0)  # (N, 3) each: two rows of the rotation
    away = np.cross(across, down)  # (N, 3)
    # Rz(roll) Rx(-pitch) Ry(-yaw), written out: its last row is (cos p sin y, -sin p, cos p cos y)
    yaw = np.arctan2(away[:, 0], away[:, 2])
    pitch = -np.arcsin(np.clip(away[:, 1], -1.0, 1.0))
    roll = np.arctan2(-across[:, 1], down[:, 1])
    flat = sizes[:, 0] == 0
    angles = np.where(flat[:, None], 0.0, np.degrees(np.stack([yaw, pitch, roll], axis=1)))
    return angles, sizes.mean(axis=1)
