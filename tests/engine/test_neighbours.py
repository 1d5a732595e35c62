"""The nearest faces: by hand on a circle, against scikit-learn, and whatever ties, gaps and splits can do."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from engine import neighbours as module
from engine.neighbours import neighbours
from tests.engine.vectors import clusters, nothing, space


def circle(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.arange(1, len(degrees) + 1)[:, None]  # any length


def find(folder, vectors, splits, k=10, most=100_000) -> dict[str, list]:
    """The lists by name, of faces whose splits are given one by one."""
    made = space(folder / "c", vectors, splits=splits, parts=min(2, len(vectors)))
    return neighbours(made, np.array(splits, dtype=object), k, most, nothing).to_pydict()


def test_by_hand(tmp_path):
    found = find(tmp_path, circle(0, 10, 40, 90, 95), ["train", "test", "train", "test", "train"], k=2)
    assert found["face_id"] == [0, 1, 2, 3, 4]
    assert found["train"] == [[2, 4], [0, 2], [0, 4], [4, 2], [2, 0]]
    assert found["own"] == [[2, 4], [3], [0, 4], [1], [2, 0]]
    degrees = np.array([[40, 95], [10, 30], [40, 55], [5, 50], [55, 95]])
    np.testing.assert_allclose(np.array(found["train_distance"]), 1 - np.cos(np.radians(degrees)), atol=2e-3)
    assert found["own_distance"][0] == found["train_distance"][0]


def test_ties_go_by_face_id_and_copies_are_kept(tmp_path):
    found = find(tmp_path, np.repeat([[1.0, 2.0, 3.0]], 30, axis=0), ["train"] * 30, k=4)
    assert (
        found["train"][0] == [1, 2, 3, 4] and found["train"][2] == [0, 1, 3, 4] and found["train"][29] == [0, 1, 2, 3]
    )
    assert all(row == [0.0] * 4 for row in found["train_distance"])


def test_nothing_is_near_to_a_vector_of_zeros(tmp_path):
    vectors = np.array([[0.0, 0.0], [1.0, 0.0], [np.nan, 1.0], [2.0, 0.1]])
    found = find(tmp_path, vectors, ["train"] * 4, k=3)
    assert found["train"][0] == [1, 2, 3] and found["train_distance"][0] == [1.0, 1.0, 1.0]
    assert found["train"][1] == [3, 0, 2]


def test_without_training_faces(tmp_path):
    found = find(tmp_path, circle(0, 5, 90, 100), ["test", None, "test", None], k=3)
    assert found["train"] == [[]] * 4 and found["train_distance"] == [[]] * 4
    assert found["own"] == [[2], [3], [0], [1]]


@pytest.mark.parametrize("faces", [1, 2])
def test_hardly_any_face(faces, tmp_path):
    found = find(tmp_path, circle(0, 30)[:faces], ["train"] * faces)
    assert found["train"] == found["own"] == [[[]], [[1], [0]]][faces - 1]


@pytest.mark.parametrize("tiles", [(512, 1024), (16, 11)])
def test_against_sklearn_whatever_is_compared_at_once(tiles, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "QUERIES", tiles[0])
    monkeypatch.setattr(module, "REFERENCES", tiles[1])
    vectors = clusters(200)[0].astype(np.float16).astype(np.float64)
    splits = np.array(["train", "test", None, "train"] * 50, dtype=object)
    found = find(tmp_path, vectors, splits.tolist(), k=5)
    train = np.flatnonzero(splits == "train")
    distances, nearest = NearestNeighbors(n_neighbors=6, metric="cosine").fit(vectors[train]).kneighbors(vectors)
    for face in range(200):
        expected = [(i, d) for i, d in zip(train[nearest[face]], distances[face], strict=True) if i != face][:5]
        assert found["train"][face] == [i for i, _ in expected]
        np.testing.assert_allclose(found["train_distance"][face], [d for _, d in expected], atol=3e-6)
    for split in ("test", None):
        rows = np.flatnonzero(splits == split)
        own = NearestNeighbors(n_neighbors=6, metric="cosine").fit(vectors[rows]).kneighbors(vectors[rows])[1]
        assert [found["own"][i] for i in rows] == [rows[near[1:]].tolist() for near in own]


def test_a_sample_is_searched_where_there_are_too_many(tmp_path):
    vectors = clusters(90)[0]
    splits = ["train"] * 60 + ["test"] * 30
    found = find(tmp_path, vectors, splits, k=10, most=20)
    searched = {face for row in found["train"] for face in row}
    assert len(searched) <= 20 and searched <= set(range(60))
    assert all(len(row) == 10 for row in found["train"])
    assert {face for row in found["own"][60:] for face in row} <= set(range(60, 90))
    again = find(tmp_path / "again", vectors, splits, k=10, most=20)
    assert again == found
