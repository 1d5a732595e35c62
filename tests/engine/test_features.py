"""Features are computed once and reused by every head."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cache import manifest as manifests
from cache.errors import CacheError
from cache.reader import Cache
from engine.config import BuildConfig
from engine.features import load_split
from engine.pipeline import BuildProblem, build
from tests.engine.facenet import BACKBONE
from tests.engine.test_pipeline import assert_same, rows

UNCNET = ("baseline", "uncnet", "uncnet-ensemble")
pytestmark = pytest.mark.usefixtures("use_random_facenet", "use_untrained")


def config(photo_folder: Path, out: Path, models: tuple[str, ...], **changes) -> BuildConfig:
    base = BuildConfig(f"folder:{photo_folder}", out, models, photo_folder / "labels.csv", precision="fp32", chunk=10)
    return replace(base, **changes)


def run(settings: BuildConfig) -> manifests.Manifest:
    return build(settings, lambda entries, faces: None, command="test")


@pytest.fixture(scope="module")
def at_once(photo_folder, facenet_files, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("caches") / "c"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.weights.facenet.stored", lambda name: facenet_files / f"facenet-{name}.safetensors")
        patch.setattr("engine.weights.heads.shipped", lambda name: facenet_files / f"{name}.safetensors")
        run(config(photo_folder, out, UNCNET))
    return out


def test_the_models_of_the_first_paper(at_once):
    manifest = manifests.load(at_once)
    assert [manifest.models[name].samples for name in UNCNET] == [1, 100, 40]  # untrained: two heads x 20 masks
    assert manifest.ready_features == (BACKBONE,)
    tables = rows(at_once)
    assert (tables["predictions/model=baseline"]["u_epistemic"].to_numpy() == 0).all()
    assert tables["predictions/model=uncnet"]["u_epistemic"].to_numpy().min() > 0


def test_heads_added_later_read_the_features_and_look_at_no_image(at_once, photo_folder, tmp_path, monkeypatch):
    out = tmp_path / "c"
    run(config(photo_folder, out, (), features=(BACKBONE,)))
    assert Cache(out).models == () and manifests.load(out).ready_features == (BACKBONE,)

    def refuse(*arguments):
        raise AssertionError("an image was decoded")

    monkeypatch.setattr("engine.pipeline._decode", refuse)
    run(config(photo_folder, out, ("baseline",)))
    run(config(photo_folder, out, ("uncnet", "uncnet-ensemble")))
    first, second = rows(at_once), rows(out)
    for name in UNCNET:
        left, right = (tables[f"predictions/model={name}"].to_pandas() for tables in (first, second))
        pd.testing.assert_frame_equal(left, right, rtol=1e-4, atol=1e-5)


def test_features_added_to_finished_models_are_those_of_one_build(at_once, photo_folder, tmp_path):
    both = tmp_path / "both"
    run(config(photo_folder, both, ("compact",)))
    run(config(photo_folder, both, UNCNET))
    whole = tmp_path / "whole"
    run(config(photo_folder, whole, ("compact", *UNCNET)))
    assert set(Cache(both).models) == {"compact", *UNCNET}
    left, right = rows(both), rows(whole)
    assert left.keys() == right.keys()
    for table in left:
        a, b = (t[table].to_pandas() for t in (left, right))
        if table == "summary":  # models stand in the order in which they came
            a, b = (t.set_index(["model", "split", "metric"]).sort_index() for t in (a, b))
        pd.testing.assert_frame_equal(a, b, rtol=1e-3, atol=1e-3)


def test_doing_it_twice_computes_nothing(at_once, photo_folder, monkeypatch):
    before = manifests.load(at_once)
    monkeypatch.setattr("engine.pipeline._compute", lambda *a: pytest.fail("computed again"))
    assert run(config(photo_folder, at_once, UNCNET)).parts == before.parts


def test_other_trunk_weights_are_refused(photo_folder, tmp_path, facenet_files, monkeypatch):
    from tests.engine.facenet import store_random_trunk

    out = tmp_path / "c"
    run(config(photo_folder, out, (), features=(BACKBONE,), limit=4))
    other = tmp_path / "facenet-casia-webface.safetensors"
    store_random_trunk(other)
    content = bytearray(other.read_bytes())
    content[-3] ^= 64
    other.write_bytes(content)
    from engine.weights.files import sha256_of

    other.with_suffix(".sha256").write_text(sha256_of(other))
    monkeypatch.setattr("engine.weights.facenet.stored", lambda name: other)
    with pytest.raises(BuildProblem, match="other weights"):
        run(config(photo_folder, out, ("baseline",), limit=4))


def test_an_unknown_backbone(photo_folder, tmp_path):
    with pytest.raises(ValueError, match="Choose from: facenet-casia-webface-mixed-5a"):
        run(config(photo_folder, tmp_path / "c", (), features=("facenet-imagenet-mixed-5a",)))


def test_a_split_as_heads_read_it(at_once):
    split = load_split(at_once, BACKBONE, "train")
    faces = rows(at_once)["faces"].to_pandas()
    wanted = faces[(faces.split == "train") & (faces.n_votes > 0)]
    vectors = rows(at_once)[f"features/backbone={BACKBONE}"].to_pandas().loc[wanted.index]
    np.testing.assert_array_equal(split.features, np.stack(vectors.vector))
    np.testing.assert_array_equal(split.votes, np.stack(wanted.votes))
    np.testing.assert_allclose(split.targets.sum(1), 1)


def test_what_is_missing_is_named_with_its_command(at_once):
    with pytest.raises(CacheError, match="--features facenet-vggface2-mixed-7a"):
        load_split(at_once, "facenet-vggface2-mixed-7a", "train")
    with pytest.raises(CacheError, match="'validation'"):
        load_split(at_once, BACKBONE, "validation")


def test_resumes_with_the_same_rows(at_once, photo_folder, tmp_path):
    out = tmp_path / "c"

    def stop(entries: int, faces: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(config(photo_folder, out, UNCNET), stop, command="test")
    run(config(photo_folder, out, UNCNET))
    assert_same(at_once, out)
