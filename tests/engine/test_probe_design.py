"""The probe set: its design on paper, and the Parquet that ships."""

from __future__ import annotations

import io
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from engine.probe import design, recipes

ASSET = Path(design.__file__).parents[1] / "assets" / "probe.parquet"
SCENES = design.scenes()
SHOTS = [(scene, shot) for scene in SCENES for shot in design.shots(scene)]


def test_counts() -> None:
    assert len(design.identities()) == 24
    assert len(SCENES) == 240
    assert len(SHOTS) == 3840
    assert len({design.image_name(scene, shot) for scene, shot in SHOTS}) == 3840


def test_every_person_shows_8_pure_expressions_and_2_blends() -> None:
    for i in range(24):
        names = [scene.expression for scene in SCENES if scene.identity == i]
        assert names[:8] == list(design.EXPRESSIONS)
        assert len(set(names)) == 10


def test_all_28_blends_occur() -> None:
    shown = {scene.expression for scene in SCENES if "+" in scene.expression}
    assert shown == {f"{a}+{b}" for a, b in combinations(design.EXPRESSIONS, 2)}


def test_truth_is_the_blend() -> None:
    for scene in SCENES:
        truth = dict(zip(design.EXPRESSIONS, scene.truth, strict=True))
        assert sum(scene.truth) == pytest.approx(1)
        assert {name for name, weight in truth.items() if weight} == set(scene.expression.split("+"))


def test_a_star_changes_one_factor_at_a_time() -> None:
    for scene in SCENES:
        star = design.shots(scene)
        centre = (scene.tone, scene.yaw, scene.light)
        changed = Counter(
            tuple(a != b for a, b in zip((shot.tone, shot.yaw, shot.light), centre, strict=True)) for shot in star
        )
        assert changed == {
            (False, False, False): 1, (True, False, False): 9, (False, True, False): 4, (False, False, True): 2,
        }  # fmt: skip
        assert [shot.centre for shot in star].count(True) == 1


def test_centres_are_balanced() -> None:
    for i in range(24):
        assert sorted(scene.tone for scene in SCENES if scene.identity == i) == list(range(1, 11))
    cells = Counter((scene.tone, scene.yaw, scene.light) for scene in SCENES)
    assert len(cells) == 10 * 5 * 3
    assert set(cells.values()) <= {1, 2}
    for name in design.EXPRESSIONS:
        own = [scene for scene in SCENES if scene.expression == name]
        assert set(Counter((scene.yaw, scene.light) for scene in own).values()) <= {1, 2}
        assert set(Counter(scene.tone for scene in own).values()) <= {2, 3}


def test_splits_have_like_people() -> None:
    people = design.identities()
    assert Counter(p.split for p in people) == design.SPLITS
    for split in design.SPLITS:
        own = [p.phenotype for p in people if p.split == split]
        assert np.mean([p["gender"] > 0.5 for p in own]) == 0.5
        assert np.mean([p["age"] for p in own]) == pytest.approx(0.795, abs=0.03)
        leads = Counter(max(("african", "asian", "caucasian"), key=lambda k: p[k]) for p in own)
        assert max(leads.values()) - min(leads.values()) <= 1
        assert len(leads) == 3


def test_design_is_deterministic() -> None:
    assert design.scenes() == SCENES
    assert design.identities() == design.identities()


def test_votes_follow_truth() -> None:
    total = np.zeros(8)
    expected = np.zeros(8)
    for scene, shot in SHOTS:
        votes = design.draw_votes(scene, shot)
        assert votes.sum() == 10
        assert not votes[np.array(scene.truth) == 0].any()
        total += votes
        expected += 10 * np.array(scene.truth)
    # About 1,800 draws per pair of a blend: 5 standard deviations are below 3 % of a class total.
    np.testing.assert_allclose(total, expected, rtol=0.03)
    scene, shot = next(pair for pair in SHOTS if "+" in pair[0].expression)
    np.testing.assert_array_equal(design.draw_votes(scene, shot), design.draw_votes(scene, shot))


def test_recipes() -> None:
    pure = [recipes.facial_actions(tuple(np.eye(8)[k]), 1.0) for k in range(8)]
    assert pure[0] == {}
    assert len({tuple(sorted(actions.items())) for actions in pure}) == 8
    weak = recipes.facial_actions((0.5, 0.5, 0, 0, 0, 0, 0, 0), 1.0)
    assert weak.keys() == pure[1].keys()
    assert all(weak[action] < pure[1][action] for action in weak)
    one_sided = recipes.recipe("contempt")
    assert "mouthSmileLeft" in one_sided and "mouthSmileRight" not in one_sided


# --- the file that ships ---


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    pq = pytest.importorskip("pyarrow.parquet")
    return pq.read_table(ASSET).to_pylist()


def test_asset_size_and_columns() -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    assert ASSET.stat().st_size <= 16 * 2**20
    file = pq.ParquetFile(ASSET)
    assert file.metadata.num_rows >= 2400
    schema = file.schema_arrow
    assert schema.names[:12] == [
        "name", "image", "split", "votes", "truth", "identity", "expression", "scene", "tone", "yaw", "light", "centre",
    ]  # fmt: skip
    assert all(b"unit" in schema.field(name).metadata for name in schema.names)
    assert {b"generator", b"anny", b"licence", b"seed"} <= schema.metadata.keys()
    assert schema.field("votes").type.list_size == schema.field("truth").type.list_size == 8


def test_asset_is_the_design(rows: list[dict]) -> None:
    people = design.identities()
    assert [row["name"] for row in rows] == [design.image_name(scene, shot) for scene, shot in SHOTS]
    for row, (scene, shot) in zip(rows, SHOTS, strict=True):
        assert row["votes"] == design.draw_votes(scene, shot).tolist()
        np.testing.assert_allclose(row["truth"], scene.truth, atol=1e-6)
        assert (row["scene"], row["tone"], row["yaw"], row["light"]) == (shot.scene, shot.tone, shot.yaw, shot.light)
        assert row["split"] == people[row["identity"]].split


def test_asset_splits_share_no_identity(rows: list[dict]) -> None:
    owners: dict[int, set[str]] = {}
    for row in rows:
        owners.setdefault(row["identity"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in owners.values())


def test_asset_images(rows: list[dict]) -> None:
    image = pytest.importorskip("PIL.Image")
    for row in rows[::60]:
        face = image.open(io.BytesIO(row["image"]))
        assert face.format == "JPEG" and face.mode == "RGB"
        assert min(face.size) >= 112
        assert np.asarray(face).std() > 8  # not blank
    assert len({row["image"] for row in rows}) == len(rows)


def test_darker_tone_is_a_darker_image(rows: list[dict]) -> None:
    image = pytest.importorskip("PIL.Image")

    def brightness(row: dict) -> float:
        return float(np.asarray(image.open(io.BytesIO(row["image"])).convert("L")).mean())

    for scene in SCENES[::40]:
        own = [row for row in rows if row["scene"] == scene.index]
        sweep = [row for row in own if (row["yaw"], row["light"]) == (scene.yaw, scene.light)]
        sweep.sort(key=lambda row: row["tone"])
        assert [row["tone"] for row in sweep] == list(range(1, 11))
        assert brightness(sweep[0]) > brightness(sweep[4]) > brightness(sweep[9])
