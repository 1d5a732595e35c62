"""Angles from landmarks: round trips through projected points, signs by hand, symmetries."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from engine.attributes.pose import MEAN_FACE, pose

ANGLES = [(0, 0, 0), (40, -10, 12), (-60, 5, -8), (85, 0, 0), (0, 30, 0), (10, -35, 100), (-20, 15, -170)]


def seen(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """(5, 2) landmarks of the mean face at these angles in degrees, in millimetres; rotated by scipy."""
    turned = Rotation.from_euler("ZXY", [roll, -pitch, -yaw], degrees=True)  # y first, then x, then z
    return turned.apply(MEAN_FACE)[:, :2]


@pytest.mark.parametrize("angles", ANGLES)
def test_projected_points_give_back_angles_and_scale(angles):
    points = np.stack([seen(*angles), 0.3 * seen(*angles) + [70, -5]])
    found, scale = pose(points)
    assert np.allclose(found, [angles, angles], atol=1e-6)
    assert np.allclose(scale, [1, 0.3])


def test_signs_by_hand():
    frontal = MEAN_FACE[:, :2]
    nose = np.array([[0, 0], [0, 0], [1, 0], [0, 0], [0, 0]])
    (right, left, up, down), _ = pose(np.stack([frontal + 8 * nose, frontal - 8 * nose, frontal - 8 * nose[:, ::-1],
                                                frontal + 8 * nose[:, ::-1]]))  # fmt: skip
    assert right[0] > 5 and left[0] == pytest.approx(-right[0])  # the nose moves to where the face turns
    assert up[1] > 5 > -5 > down[1]
    (tilted,), _ = pose(np.array([frontal @ np.array([[0, 1], [-1, 0]])]))  # a quarter turn: x right becomes y down
    assert tilted == pytest.approx([0, 0, 90], abs=1e-6)


def test_a_mirrored_face_turns_and_tilts_the_other_way():
    rng = np.random.default_rng(0)
    points = seen(30, -10, 20) + rng.normal(0, 2, (50, 5, 2))  # no exact view of the mean face any more
    mirrored = (points * [-1, 1])[:, [1, 0, 2, 4, 3]]
    assert np.allclose(pose(mirrored)[0], pose(points)[0] * [-1, 1, -1])


def test_errors_of_landmarks_cost_few_degrees():
    rng = np.random.default_rng(1)
    points = seen(20, 5, -5) + rng.normal(0, 1, (500, 5, 2))  # 1 mm
    error = np.abs(pose(points)[0] - [20, 5, -5]).mean(axis=0)
    assert (error < [3, 3, 2]).all()


def test_points_in_one_place_have_no_pose():
    found, scale = pose(np.full((1, 5, 2), 0.5))
    assert found.tolist() == [[0, 0, 0]] and scale.tolist() == [0]
    assert pose(np.empty((0, 5, 2)))[0].shape == (0, 3)
