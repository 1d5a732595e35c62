"""The synthetic cache must be a real cache: what the benchmarks measure on it holds for others of its size."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import make_synthetic
from benchmarks.synthetic_faces import DIMENSIONS, MODELS, Drawn
from benchmarks.synthetic_space import nearest, pca
from cache import manifest as manifests
from cache.reader import Cache
from engine.metrics.annotators import disagreement, majority, vote_distribution
from engine.sources.rows import FER_CLASSES

FACES, CLASSES = 3_000, len(FER_CLASSES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four parts, the last one shorter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make_synthetic, "PART", 800)
        return make_synthetic.write(tmp_path_factory.mktemp("synthetic") / "cache", FACES)


@pytest.fixture(scope="module")
def faces(folder: Path) -> pa.Table:
    return read(folder, "faces")


def read(folder: Path, table: str) -> pa.Table:
    """All parts of a table, in the manifest's order."""
    parts = manifests.load(folder).parts[table].values()
    return pa.concat_tables([pq.read_table(folder / part.file) for part in parts]).combine_chunks()


def matrix(table: pa.Table, column: str) -> np.ndarray:
    lists = table[column].combine_chunks()
    return lists.flatten().to_numpy().reshape(-1, lists.type.list_size).astype(np.float64)


def test_pca_of_points_on_a_line() -> None:
    """Three points 5 apart along (3, 4): all of the variance lies on one axis."""
    places, shares = pca(np.array([[0, 0], [3, 4], [6, 8]], np.float16))
    assert np.allclose(np.abs(places[:, 0]), [5, 0, 5])
    assert np.allclose(places[:, 1], 0, atol=1e-6)
    assert shares == pytest.approx([1.0, 0.0], abs=1e-9)


def test_nearest_leaves_itself_out() -> None:
    """Of (1, 0), (0, 1), (1, 1) and (-1, 0), the third is nearest to the first: cosine .7071."""
    vectors = np.array([[1, 0], [0, 1], [1, 1], [-1, 0]], np.float16)
    ids, distances = nearest(vectors, np.array([0, 3]), np.array([0, 1, 2]))
    assert ids[:, :3].tolist() == [[2, 1, -1], [1, 2, 0]]
    assert (ids[:, 3:] == -1).all()
    assert np.allclose(distances[:, :2], [[1 - 0.5**0.5, 1], [1, 1 + 0.5**0.5]], atol=1e-6)


def test_nearest_agrees_with_all_distances_sorted() -> None:
    """More columns than one group holds: the way by groups must find what a full sort finds."""
    vectors = np.random.default_rng(0).standard_normal((2_000, 8)).astype(np.float16)
    ids, distances = nearest(vectors, np.arange(50), np.arange(2_000))
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    every = 1 - unit[:50] @ unit.T
    np.fill_diagonal(every, np.inf)
    assert np.allclose(np.sort(every, axis=1)[:, :10], distances, atol=1e-6)
    assert np.allclose(np.take_along_axis(every, ids, axis=1), distances, atol=1e-6)


def test_every_page_finds_what_it_needs(folder: Path) -> None:
    cache = Cache(folder)
    assert cache.manifest.complete
    assert cache.manifest.faces == FACES
    assert cache.models == ("ensemble", "single")
    assert cache.manifest.ready_features == ("synthetic",)
    assert cache.manifest.ready_layouts == ("pca-synthetic",)
    assert cache.manifest.ready_neighbours == ("synthetic",)
    assert {column.kind for column in cache.attributes.values()} == {"number", "text"}
    assert len(cache.thumbnails([0, 1_700, FACES - 1])) == 3
    assert set(cache.summary().split) == {"all", "train", "validation", "test"}


def test_ids_are_contiguous_in_every_table(folder: Path) -> None:
    for table in set(manifests.load(folder).parts) - {"summary"}:
        assert read(folder, table)["face_id"].to_pylist() == list(range(FACES)), table


def test_votes_agree_with_what_is_said_of_them(faces: pa.Table) -> None:
    voted = pa.compute.is_valid(faces["votes"]).to_numpy()
    votes = matrix(faces.filter(pa.array(voted)), "votes")
    assert 0.9 < voted.mean() < 1
    assert (votes.sum(1) == 10).all()
    assert faces["n_votes"].to_pylist() == np.where(voted, 10, 0).tolist()
    said = faces["disagreement"].to_numpy()
    assert np.isnan(said[~voted]).all()
    assert np.allclose(said[voted], disagreement(vote_distribution(votes)), atol=1e-6)
    chosen = majority(votes)
    assert (chosen < 0).any(), "some votes tie"
    assert faces["majority"].fill_null(-1).to_numpy()[voted].tolist() == chosen.tolist()
    assert faces["majority"].filter(pa.array(~voted)).null_count == (~voted).sum()


@pytest.mark.parametrize("model", MODELS)
def test_predictions_are_consistent_and_distinct(folder: Path, model: str) -> None:
    table = read(folder, f"predictions/model={model}")
    probs = matrix(table, "probs")
    assert np.allclose(probs.sum(1), 1, atol=1e-5)
    assert (table["predicted"].to_numpy() == probs.argmax(1)).all()
    total, aleatoric, epistemic = (table[f"u_{part}"].to_numpy() for part in ("total", "aleatoric", "epistemic"))
    assert np.allclose(total, aleatoric + epistemic, atol=1e-6)
    assert epistemic.min() >= 0
    assert (epistemic.max() > 0) == (MODELS[model].samples > 1)
    assert len(np.unique(probs, axis=0)) > 0.99 * FACES


def test_kept_samples_give_the_triple(folder: Path, faces: pa.Table) -> None:
    table = read(folder, "predictions/model=ensemble")
    kept = pa.compute.is_valid(table["samples"]).to_numpy()
    assert kept.tolist() == [split == "test" for split in faces["split"].to_pylist()]
    samples = matrix(table.filter(pa.array(kept)), "samples").reshape(-1, 10, CLASSES)  # (n, S, C)
    assert np.allclose(samples.mean(1), matrix(table, "probs")[kept], atol=2e-3)  # float16
    assert read(folder, "predictions/model=single")["samples"].null_count == FACES


def test_doubt_and_errors_grow_with_yaw(folder: Path, faces: pa.Table) -> None:
    turned = np.abs(faces["attr_yaw"].to_numpy())
    wrong = faces["majority"].fill_null(-1).to_numpy()
    wrong = wrong != read(folder, "predictions/model=ensemble")["predicted"].to_numpy()
    epistemic = read(folder, "predictions/model=ensemble")["u_epistemic"].to_numpy()
    low, high = turned < 20, turned > 50
    assert epistemic[high].mean() > 1.5 * epistemic[low].mean()
    assert wrong[high].mean() > wrong[low].mean()


def test_neighbours_are_of_the_right_split(folder: Path, faces: pa.Table) -> None:
    split = np.array(faces["split"].to_pylist())
    for row in read(folder, "neighbours/backbone=synthetic").slice(0, 300).to_pylist():
        assert len(row["train"]) == len(row["own"]) == 10
        assert row["face_id"] not in (*row["train"], *row["own"])
        assert set(split[row["train"]]) == {"train"}
        assert set(split[row["own"]]) == {split[row["face_id"]]}
        assert row["own_distance"] == sorted(row["own_distance"])


def test_the_same_seed_gives_the_same_cache(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_synthetic, "PART", 800)
    again = manifests.load(make_synthetic.write(tmp_path / "again", FACES))
    other = manifests.load(make_synthetic.write(tmp_path / "other", FACES, seed=1))
    first = manifests.load(folder)
    assert again.parts == first.parts
    assert other.parts["faces"] != first.parts["faces"]


def test_one_face_is_a_cache_too(tmp_path: Path) -> None:
    cache = Cache(make_synthetic.write(tmp_path / "one", 1))
    assert cache.manifest.complete
    assert cache.manifest.faces == 1


@pytest.mark.parametrize("faces", ["0", "-3"])
def test_no_faces_are_refused(faces: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["make_synthetic", "--faces", faces, "--out", str(tmp_path / "new")])
    with pytest.raises(SystemExit, match="at least 1"):
        make_synthetic.main()
    assert not (tmp_path / "new").exists()


def test_a_folder_that_exists_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["make_synthetic", "--faces", "10", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match="is there already"):
        make_synthetic.main()
    assert not list(tmp_path.iterdir())


def test_drawn_features_tell_the_classes_apart() -> None:
    """The nearest class centre is the face's own class far more often than chance, 1 in 8."""
    from benchmarks.synthetic_faces import Space

    rng = np.random.default_rng(0)
    drawn, space = Drawn.of(2_000, rng), Space.of(0)
    vectors = space.vectors(drawn, rng).astype(np.float64)
    assert vectors.shape == (2_000, DIMENSIONS)
    nearest_centre = ((vectors[:, None] - space.centres) ** 2).sum(2).argmin(1)
    assert (nearest_centre == drawn.first).mean() > 0.5
