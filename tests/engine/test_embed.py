"""Maps and neighbours in a cache: what is made, what is left alone, and what is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner, Result

from cache import manifest as manifests
from cache.errors import CacheError, CacheNotFound
from cache.manifest import Manifest, NeighbourInfo
from cache.reader import Cache
from cache.writer import CacheWriter
from engine import maps
from engine.cli import app
from engine.config import BuildConfig, EmbedConfig
from engine.embed import embed
from engine.pipeline import build
from tests import synthetic
from tests.engine import vectors
from tests.engine.vectors import BACKBONE, clusters, nothing, table

PCA, UMAP = f"pca-{BACKBONE}", f"umap-{BACKBONE}"


def run(folder: Path, **changes) -> list[str]:
    return list(embed(replace(EmbedConfig(folder), **changes), nothing))


def command(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["embed", *map(str, arguments)])


def change(folder: Path, **changes) -> Manifest:
    with CacheWriter(folder) as writer:
        writer.start(replace(writer.manifest, **changes))
    return manifests.load(folder)


@pytest.fixture
def plain(tmp_path) -> Path:
    """80 faces with features, and nothing made of them yet."""
    return vectors.write(tmp_path / "plain", clusters(80)[0])


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, list[str]]:
    folder = vectors.write(tmp_path_factory.mktemp("caches") / "made", clusters(80)[0])
    return folder, run(folder)


def test_everything_is_made_and_told(made):
    folder, lines = made
    manifest = manifests.load(folder)
    assert manifest.ready_layouts == (PCA, UMAP) and manifest.ready_neighbours == (BACKBONE,) and manifest.complete
    for name in (PCA, UMAP):
        points = table(folder, f"embeddings/layout={name}")
        assert points["face_id"].to_pylist() == list(range(80))
        assert np.isfinite(points["x"]).all() and len(set(points["y"].to_pylist())) > 50
    info = manifest.layouts[UMAP]
    assert (info.method, info.space, info.seed, info.fitted) == ("umap", BACKBONE, 20, 80)
    assert info.settings["neighbours"] == 15 and info.settings["distance"] == "cosine"
    explained = manifest.layouts[PCA].settings["explained"]
    assert explained[0] >= explained[1] > 0 and sum(explained) <= 1
    assert manifest.neighbours == {BACKBONE: NeighbourInfo(10, 27)}
    assert lines[0].startswith(f"{PCA}: 80 faces, fitted on 80, ") and "peak memory" in lines[1]
    assert "10 of each, among 27 training faces" in lines[2]
    assert Cache(folder).count("compact") == 80


def test_what_is_there_stays_and_another_seed_replaces_it(made, tmp_path, monkeypatch):
    folder = shutil.copytree(made[0], tmp_path / "c")
    before = manifests.load(folder)
    monkeypatch.setattr(maps, "pca", lambda *_: pytest.fail("computed again"))
    assert all("nothing to do" in line for line in run(folder))
    assert manifests.load(folder) == before
    lines = run(folder, seed=21, nearest=4)
    assert [("nothing to do" in line, "is gone" in line) for line in lines] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    after = manifests.load(folder)
    assert after.layouts[UMAP].seed == 21 and after.neighbours[BACKBONE].nearest == 4
    assert after.parts.keys() == before.parts.keys() and after.ready_layouts == (PCA, UMAP)
    assert max(pc.list_value_length(table(folder, f"neighbours/backbone={BACKBONE}")["own"]).to_pylist()) == 4


def test_the_same_command_gives_the_same_rows(made, plain):
    run(plain)
    for name in (f"embeddings/layout={PCA}", f"embeddings/layout={UMAP}", f"neighbours/backbone={BACKBONE}"):
        assert table(plain, name).equals(table(made[0], name))


def test_other_features_are_mapped_anew(plain):
    run(plain, method="pca", nearest=0)
    before = table(plain, f"embeddings/layout={PCA}")
    other = vectors.write(plain.with_name("other"), clusters(80, seed=1)[0])
    parts = manifests.load(other).parts[f"features/backbone={BACKBONE}"]
    for part in parts.values():
        shutil.copy(other / part.file, plain / part.file)
    change(plain, parts={**manifests.load(plain).parts, f"features/backbone={BACKBONE}": parts})
    assert "is gone" in run(plain, method="pca", nearest=0)[0]
    assert not table(plain, f"embeddings/layout={PCA}").equals(before)


@pytest.mark.parametrize("when", ["computing", "writing"])
def test_stopped_it_leaves_the_cache_readable_and_goes_on(made, tmp_path, when, monkeypatch):
    folder = shutil.copytree(made[0], tmp_path / "c")
    before = manifests.load(folder)

    def stop(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*((maps, "umap", stop) if when == "computing" else (CacheWriter, "commit", stop)))
        with pytest.raises(KeyboardInterrupt):
            run(folder, method="umap", seed=21)
    after = manifests.load(folder)
    if when == "computing":
        assert after == before
    assert after.complete and PCA in after.ready_layouts
    assert UMAP not in after.ready_layouts or after.layouts[UMAP] == before.layouts[UMAP]
    assert Cache(folder).count("compact") == 80
    run(folder, method="umap", seed=21)
    assert manifests.load(folder).layouts[UMAP].seed == 21 and UMAP in manifests.load(folder).ready_layouts


def test_few_faces_get_a_pca_and_one_line(tmp_path):
    folder = vectors.write(tmp_path / "c", clusters(12)[0])
    lines = run(folder)
    assert manifests.load(folder).ready_layouts == (PCA,)
    assert f"No {UMAP}: fewer than 50 different faces, too few for UMAP; a PCA shows them all." in lines


@pytest.mark.parametrize("faces", [1, 2, 3])
def test_tiny_caches(faces, tmp_path):
    folder = vectors.write(tmp_path / "c", clusters(faces)[0], parts=1)
    run(folder)
    assert manifests.load(folder).ready_layouts == (PCA,) and manifests.load(folder).ready_neighbours == (BACKBONE,)


# ---- which spaces


def test_a_model_without_features_is_mapped_by_its_probabilities(tmp_path):
    folder = vectors.write(tmp_path / "c", clusters(60)[0], imported=("theirs",))
    run(folder)
    manifest = manifests.load(folder)
    assert manifest.ready_layouts == (PCA, UMAP, "pca-theirs", "umap-theirs")
    assert manifest.ready_neighbours == (BACKBONE,)
    probs = np.array(table(folder, "predictions/model=theirs")["probs"].to_pylist())
    points = table(folder, "embeddings/layout=pca-theirs")
    expected = maps.principal_axes([np.sqrt(probs)], 2).project(np.sqrt(probs))
    np.testing.assert_allclose(np.stack([points["x"], points["y"]], axis=1), expected, atol=1e-5)


def test_a_model_of_some_faces_only_has_no_map(tmp_path):
    folder = vectors.write(tmp_path / "c", clusters(12)[0], imported=("theirs",))
    models = manifests.load(folder).models
    parts = manifests.load(folder).parts
    some = {"part-00000": parts["predictions/model=theirs"]["part-00000"]}
    change(
        folder, models={**models, "theirs": replace(models["theirs"], faces=4)},
        parts={**parts, "predictions/model=theirs": some},
    )  # fmt: skip
    assert manifests.load(folder).ready_models == ("compact", "theirs")
    lines = run(folder, method="pca", nearest=0)
    assert "4 of the 12 faces" in lines[0] and lines[0].startswith("No map of theirs")
    assert manifests.load(folder).ready_layouts == (PCA,)
    with pytest.raises(CacheError, match="4 of the 12 faces"):
        run(folder, spaces=("theirs",))


def test_one_name_for_two_things_is_refused(tmp_path):
    folder = vectors.write(tmp_path / "c", clusters(12)[0], models=(), imported=(BACKBONE,))
    with pytest.raises(CacheError, match="could be of either"):
        run(folder, spaces=(BACKBONE,))
    with pytest.raises(CacheError, match="could be of either"):
        run(folder)


@pytest.mark.parametrize(("space", "message"), [
    ("compact", "--space compact-0"), ("compact-7", "It has: compact-0"), ("", "It has: compact-0"),
])  # fmt: skip
def test_unknown_spaces(space, message, plain):
    result = command(plain, "--space", space)
    assert result.exit_code == 1 and message in result.output and result.output.count("\n") == 1


def test_a_cache_without_features_says_which_command_adds_them(tmp_path):
    folder = synthetic.write(tmp_path / "c", 12)
    for arguments in ([folder], [folder, "--space", BACKBONE]):
        result = command(*arguments)
        assert result.exit_code == 1 and f"--out {folder} --model compact" in result.output
    empty = synthetic.write(tmp_path / "none", 12, models=())
    assert "nothing to map" in command(empty).output


# ---- the command


def test_what_cannot_be_embedded_is_refused(plain, tmp_path):
    with pytest.raises(CacheNotFound, match="python -m engine build"):
        run(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    change(plain, complete=False, command="python -m engine build photos --out plain")
    before = manifests.load(plain)
    result = command(plain)
    assert result.exit_code == 1 and "python -m engine build photos --out plain" in result.output
    assert manifests.load(plain) == before
    assert "umap, pca or both" in command(plain, "--method", "tsne").output


def test_the_command_reports_what_it_made(plain):
    result = command(plain, "--method", "pca", "--neighbours", 3)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[0].startswith(f"{PCA}: 80 faces, fitted on 80")
    assert "3 of each" in result.output and result.output.splitlines()[-1] == f"Browse it: make app CACHE={plain}"


def test_ctrl_c_reports_what_is_done(plain, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(maps, "umap", stop)
    result = command(plain)
    assert result.exit_code == 130 and f"{PCA}: 80 faces" in result.output and "Nothing is lost" in result.output


# ---- in a build


@pytest.fixture
def settings(photo_folder, tmp_path) -> BuildConfig:
    return BuildConfig(f"folder:{photo_folder}", tmp_path / "c", ("compact",), photo_folder / "labels.csv", chunk=8)


@pytest.mark.usefixtures("use_untrained")
def test_a_build_ends_with_a_pca_that_more_models_leave_alone(settings, monkeypatch):
    manifest = build(settings, lambda entries, faces: None)
    assert manifest.ready_layouts == (PCA,) and manifest.complete and not manifest.neighbours
    monkeypatch.setattr(maps, "pca", lambda *_: pytest.fail("computed again"))
    later = build(replace(settings, models=("compact-dropout",)), lambda entries, faces: None)
    assert later.layouts == manifest.layouts and later.ready_layouts == (PCA,)


@pytest.mark.usefixtures("use_untrained")
def test_a_cache_from_before_there_were_maps_gets_its_pca(settings):
    manifest = build(settings, lambda entries, faces: None)
    parts = {name: parts for name, parts in manifest.parts.items() if not name.startswith("embeddings")}
    change(settings.out, layouts={}, parts=parts)
    assert build(settings, lambda entries, faces: None).ready_layouts == (PCA,)


@pytest.mark.usefixtures("use_untrained")
def test_build_and_embed_in_one_command(settings):
    arguments = ["build", settings.source, "--out", settings.out, "--model", "compact", "--embed"]
    result = CliRunner().invoke(app, [*map(str, arguments), "--labels", str(settings.labels)])
    assert result.exit_code == 0, result.output
    manifest = manifests.load(settings.out)
    assert manifest.ready_neighbours == (BACKBONE,) and manifest.ready_layouts == (PCA,)
    assert f"No {UMAP}: fewer than 50" in result.output
    assert json.loads((settings.out / "manifest.json").read_text())["complete"]
