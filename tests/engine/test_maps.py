"""Maps of the faces: principal axes by hand and against scikit-learn, UMAP by what must hold of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from engine.config import EmbedConfig
from engine.maps import TooFew, pca, principal_axes, umap
from tests.engine.vectors import clusters, nothing, space

CONFIG = EmbedConfig(Path("unused"), fit_least=50)


def test_axes_by_hand():
    axes = principal_axes([np.array([[0.0, 0.0], [2.0, 0.0]]), np.array([[1.0, 0.5], [1.0, -0.5]])], 2)
    np.testing.assert_allclose(axes.centre, [1, 0])
    np.testing.assert_allclose(axes.directions, np.eye(2), atol=1e-12)  # positive, though eigh may say otherwise
    assert axes.explained == (0.8, 0.2)
    np.testing.assert_allclose(axes.project(np.array([[4.0, 3.0]])), [[3, 3]])


def test_the_largest_loading_of_an_axis_is_positive():
    along = np.outer([-1.0, 0.0, 1.0], [1.0, -2.0])
    for vectors in (along, -along):
        axes = principal_axes([vectors], 2)
        np.testing.assert_allclose(axes.directions[:, 0], np.array([-1, 2]) / np.sqrt(5))
        assert axes.explained == (1.0, 0.0)
        assert (axes.project(vectors)[:, 1] == 0).all()


def test_axes_against_sklearn_however_the_rows_are_cut():
    rng = np.random.default_rng(0)
    vectors = rng.normal(5, 1, (400, 30)) @ rng.normal(0, 1, (30, 30)) + 1000.0
    known = PCA(3, svd_solver="full").fit(vectors)
    for parts in (1, 7):
        axes = principal_axes(np.array_split(vectors, parts), 3)
        np.testing.assert_allclose(axes.explained, known.explained_variance_ratio_, atol=1e-5)
        found = axes.project(vectors)
        signs = np.sign((found * known.transform(vectors)).sum(0))
        np.testing.assert_allclose(found * signs, known.transform(vectors), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("vectors", [
    np.full((1, 4), 3.0), np.full((5, 4), 0.1), np.zeros((2, 4)), np.full((4, 4), np.inf), np.full((3, 4), np.nan),
])  # fmt: skip
def test_without_variance_every_face_is_at_the_origin(vectors, tmp_path):
    made = pca(space(tmp_path / "c", vectors, parts=1), nothing)
    assert (made.points == 0).all() and made.explained == (0.0, 0.0) and made.fitted == len(vectors)


def test_two_and_three_faces(tmp_path):
    two = pca(space(tmp_path / "two", np.array([[0.0, 0.0], [6.0, 8.0]]), parts=2), nothing)
    np.testing.assert_allclose(two.points, [[-5, 0], [5, 0]], atol=1e-6)
    three = pca(space(tmp_path / "three", np.array([[0.0, 0.0], [8.0, 0.0], [4.0, 3.0]]), parts=2), nothing)
    np.testing.assert_allclose(three.points, [[-4, -1], [4, -1], [0, 2]], atol=1e-6)


def test_a_single_dimension_has_no_second_axis(tmp_path):
    made = pca(space(tmp_path / "c", np.array([[1.0], [3.0], [5.0]]), parts=1), nothing)
    np.testing.assert_allclose(made.points, [[-2, 0], [0, 0], [2, 0]], atol=1e-6)


def test_a_broken_vector_counts_as_zero(tmp_path):
    vectors = np.array([[np.inf, 1.0], [0.0, 0.0], [4.0, 0.0], [-4.0, 0.0]])
    made = pca(space(tmp_path / "c", vectors, parts=1), nothing)
    np.testing.assert_allclose(made.points[:, 0], [0, 0, 4, -4], atol=1e-6)


# ---- UMAP


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    vectors, which = clusters(150)
    vectors[3] = 0.0
    vectors[4, 2] = np.inf
    vectors[5] = vectors[6]
    clustered = space(tmp_path_factory.mktemp("umap") / "c", vectors)
    return clustered, which, umap(clustered, CONFIG, nothing)


def test_umap_keeps_clusters_apart(mapped):
    _, which, made = mapped
    assert made.points.shape == (150, 2) and made.points.dtype == np.float32 and np.isfinite(made.points).all()
    assert made.fitted == 150
    whole = np.delete(np.arange(150), [3, 4])  # without the vectors that say nothing
    assert KNeighborsClassifier(5).fit(made.points[whole], which[whole]).score(made.points[whole], which[whole]) > 0.98


def test_umap_is_the_same_twice_and_another_with_another_seed(mapped):
    clustered, _, made = mapped
    np.testing.assert_array_equal(umap(clustered, CONFIG, nothing).points, made.points)
    assert (umap(clustered, replace(CONFIG, seed=21), nothing).points != made.points).any()


def test_faces_outside_the_sample_are_placed_among_their_like(mapped):
    clustered, which, _ = mapped
    stages = []
    config = replace(CONFIG, fit_most=100)
    made = umap(clustered, config, lambda stage, done, total: stages.append((stage, done, total)))
    assert made.fitted == 100 and np.isfinite(made.points).all()
    fitted = np.zeros(150, dtype=bool)
    fitted[np.random.default_rng(config.seed).permutation(150)[:100]] = True
    placed = np.delete(np.arange(150), [3, 4])
    placed = placed[~fitted[placed]]
    near = KNeighborsClassifier(5).fit(made.points[fitted], which[fitted])
    assert near.score(made.points[placed], which[placed]) > 0.95
    np.testing.assert_array_equal(umap(clustered, config, nothing).points, made.points)
    assert ("placing the others", 150, 150) in stages
    drawn = [(done, total) for stage, done, total in stages if stage == "drawing the map"]
    assert drawn and all(done < total for done, total in drawn)


def test_umap_needs_faces_that_differ(tmp_path):
    with pytest.raises(TooFew, match="50 different"):
        umap(space(tmp_path / "few", clusters(49)[0]), CONFIG, nothing)
    with pytest.raises(TooFew, match="50 different"):
        umap(space(tmp_path / "alike", np.repeat(clusters(10)[0], 10, axis=0)), CONFIG, nothing)


def test_umap_of_many_copies(tmp_path):
    vectors = np.concatenate([clusters(60)[0], np.repeat(clusters(1, seed=1)[0], 100, axis=0)])
    assert np.isfinite(umap(space(tmp_path / "c", vectors), CONFIG, nothing).points).all()
