"""Predictions made elsewhere become a model like any other: the same rows whatever the file's form and order."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cache import manifest as manifests
from cache import schema
from cache.errors import CacheBusy, CacheError, CacheNotFound
from cache.manifest import BackboneInfo, LayoutInfo
from cache.reader import Cache
from cache.writer import CacheWriter
from engine.cli import app
from engine.config import BuildConfig, ImportConfig
from engine.evaluate import evaluate
from engine.imports.importing import Imported, import_predictions
from engine.imports.rows import ImportProblem, probabilities
from engine.metrics.uncertainty import decompose
from engine.pipeline import BuildProblem, build
from engine.scored import load_scored
from tests import synthetic

FACES = 30
CLASSES = synthetic.CLASSES


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    return synthetic.write(tmp_path_factory.mktemp("imports") / "c", FACES, models=("compact",), parts=3)


@pytest.fixture
def folder(original, tmp_path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "c"))


def draw(n: int = FACES, samples: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(len(CLASSES), 0.7), (n, samples))


def npz(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


def run(file: Path, folder: Path, name: str = "mine", **options) -> Imported:
    return import_predictions(ImportConfig(file, folder, name, **options), lambda passed, scored: None)


def predictions(folder: Path, name: str = "mine") -> pd.DataFrame:
    parts = manifests.load(folder).parts[f"predictions/model={name}"].values()
    return pd.concat([pq.read_table(folder / part.file).to_pandas() for part in parts], ignore_index=True)


def test_every_face_in_order(folder, tmp_path):
    probs = draw()
    done = run(npz(tmp_path / "p.npz", probs=probs), folder, title="My  own\nmodel")
    assert (done.covered, done.faces, done.info.faces, done.ordered) == (FACES, FACES, None, False)
    rows = predictions(folder)
    triple = decompose(probs)
    assert rows.face_id.tolist() == list(range(FACES))
    np.testing.assert_allclose(np.stack(rows.probs), probs.mean(1), atol=1e-6)
    np.testing.assert_allclose(rows.u_aleatoric, triple.aleatoric, atol=1e-6)
    np.testing.assert_allclose(rows.u_epistemic, triple.epistemic, atol=1e-6)
    np.testing.assert_allclose(np.stack(rows.samples), probs.reshape(FACES, -1), atol=1e-3)
    assert Cache(folder).models == ("compact", "mine")
    info = manifests.load(folder).models["mine"]
    assert (info.title, info.samples, info.seed, info.backbones) == ("My own model", 4, None, ())
    assert (info.precision, info.device) == ("", "")
    assert info.weights_sha256 == hashlib.sha256((tmp_path / "p.npz").read_bytes()).hexdigest()


def test_parts_are_those_of_the_faces(folder, tmp_path):
    run(npz(tmp_path / "p.npz", probs=draw(2), face_id=[29, 12]), folder)
    parts = manifests.load(folder).parts
    assert parts["predictions/model=mine"].keys() == parts["faces"].keys()
    assert [part.rows for part in parts["predictions/model=mine"].values()] == [0, 1, 1]
    assert predictions(folder).face_id.tolist() == [12, 29]


def test_scores_against_the_votes_are_those_of_the_right_faces(folder, tmp_path):
    """The compact model's own probabilities, imported for some faces in any order, score as they did."""
    built = predictions(folder, "compact")
    some = built.sample(11, random_state=0)
    run(npz(tmp_path / "p.npz", probs=np.stack(some.probs), face_id=some.face_id.to_numpy()), folder)
    rows = predictions(folder).set_index("face_id")
    for column in ("jsd", "nll", "brier", "u_total", "confidence"):
        np.testing.assert_allclose(rows[column], built.set_index("face_id")[column][rows.index], atol=1e-5)


def test_some_faces_only(folder, tmp_path):
    test = [face for face in range(FACES) if face % 3 == 2]  # synthetic splits go round
    done = run(npz(tmp_path / "p.npz", probs=draw(10), face_id=test), folder)
    assert (done.covered, done.info.faces) == (10, 10)
    cache = Cache(folder)
    assert cache.models == ("compact", "mine") and cache.count("mine") == 10 and cache.count(None) == FACES
    summary = cache.summary()
    own = summary[summary.model == "mine"]
    assert set(own.split) == {"all", "test"} and set(own[own.metric == "u_total"].n) == {10}
    assert done.accuracy == own[(own.split == "all") & (own.metric == "accuracy")].value.item()


def test_reports_on_some_faces_say_so(folder, tmp_path):
    probs = draw(10)
    test = np.array([face for face in range(FACES) if face % 3 == 2])
    run(npz(tmp_path / "p.npz", probs=probs[::-1], face_id=test[::-1]), folder)
    text = evaluate(folder, "all").text
    assert "30 / 10" in text and "'mine' has scored 10 of 30 faces" in text
    scored = load_scored(folder, "mine", "test")
    np.testing.assert_allclose(scored.probs, probs.mean(1), atol=1e-6)
    np.testing.assert_array_equal(scored.votes, load_scored(folder, "compact", "test").votes)
    with pytest.raises(CacheError, match="'train' that 'mine' has scored"):
        load_scored(folder, "mine", "train")


def test_without_votes(tmp_path):
    folder = synthetic.write(tmp_path / "c", 6, votes=False, models=())
    done = run(npz(tmp_path / "p.npz", probs=draw(6)), folder)
    assert np.isnan(done.accuracy) and done.voted == 0
    assert predictions(folder)[["jsd", "nll", "brier"]].isna().all(axis=None)


def test_without_samples(folder, tmp_path):
    run(npz(tmp_path / "p.npz", probs=draw()), folder, samples=False)
    assert predictions(folder).samples.isna().all()
    assert Cache(folder).face(3, "mine").samples is None


def test_a_single_sample_knows_no_epistemic_uncertainty(folder, tmp_path):
    done = run(npz(tmp_path / "p.npz", probs=draw()[:, 0]), folder)
    assert done.info.samples == 1 and (predictions(folder).u_epistemic == 0).all()


# ---- the same predictions in another form


def forms(probs: np.ndarray, tmp_path: Path) -> dict[str, tuple[Path, dict]]:
    """Every way to save the same numbers, by name: the file and its options."""
    n, s, c = probs.shape
    order = np.random.default_rng(5).permutation(n)
    turned = np.random.default_rng(6).permutation(c)
    names = np.array([f"face{face:06d}.png" for face in range(n)])
    lists, flat = pa.list_(pa.list_(pa.float64())), probs.reshape(n, -1)

    def parquet(name: str, **columns) -> Path:
        pq.write_table(pa.table(columns), tmp_path / name, row_group_size=7)
        return tmp_path / name

    np.save(tmp_path / "probs.npy", probs)
    np.save(tmp_path / "logits.npy", np.asfortranarray(np.log(probs) - 2))
    np.savez_compressed(tmp_path / "small.npz", probs=probs)
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(flat[order].reshape(-1)), s * c)
    table = pa.table({"probs": flat[:, np.add.outer(np.arange(s) * c, turned).ravel()].tolist(), "face_id": range(n)})
    described = table.replace_schema_metadata({"classes": json.dumps([CLASSES[i] for i in turned])})
    pq.write_table(described, tmp_path / "turned.parquet")
    return {
        "npy": (tmp_path / "probs.npy", {}),
        "npy of logits": (tmp_path / "logits.npy", {"logits": True}),
        "npz, compressed": (tmp_path / "small.npz", {}),
        "npz of logits": (npz(tmp_path / "l.npz", logits=np.log(probs) + 7), {}),
        "npz, by id": (npz(tmp_path / "i.npz", probs=probs[order], face_id=order.astype(np.uint16)), {}),
        "npz, by source": (npz(tmp_path / "s.npz", probs=probs[order], source=names[order]), {}),
        "npz, by source in bytes": (npz(tmp_path / "b.npz", probs=probs[order], source=names[order].astype("S")), {}),
        "npz, by both": (npz(tmp_path / "u.npz", probs=probs[order], source=names[order], face_id=order), {}),
        "npz, turned": (npz(tmp_path / "t.npz", probs=probs[..., turned], classes=np.array(CLASSES)[turned]), {}),
        "parquet, flat lists": (parquet("f.parquet", face_id=order, probs=flat[order].tolist()), {}),
        "parquet, lists of lists": (parquet("n.pq", source=names, probs=pa.array(probs.tolist(), lists)), {}),
        "parquet, fixed lists": (parquet("x.parquet", face_id=order, probs=fixed, other=["a"] * n), {}),
        "parquet, logits": (parquet("g.parquet", face_id=order, logits=np.log(flat[order]).tolist()), {"logits": True}),
        "parquet, described": (tmp_path / "turned.parquet", {}),
        "parquet, categories": (
            parquet("d.parquet", source=pa.array(names[order]).dictionary_encode(), probs=flat[order].tolist()), {}
        ),
    }  # fmt: skip


def test_every_form_gives_the_same_rows(original, tmp_path):
    probs = draw()
    for name, (file, options) in forms(probs, tmp_path).items():
        folder = Path(shutil.copytree(original, tmp_path / name))
        run(file, folder, **options)
        rows = predictions(folder)
        assert rows.face_id.tolist() == list(range(FACES)), name
        np.testing.assert_allclose(np.stack(rows.probs), probs.mean(1), atol=1e-6, err_msg=name)
        np.testing.assert_allclose(rows.u_epistemic, decompose(probs).epistemic, atol=1e-6, err_msg=name)
        shutil.rmtree(folder)


def test_a_column_per_class(folder, tmp_path):
    probs = draw(samples=1)[:, 0]
    columns = {name: probs[:, i].astype(np.float32) for i, name in reversed(list(enumerate(CLASSES)))}
    pd.DataFrame({"note": "x", "face_id": range(FACES), **columns}).to_parquet(tmp_path / "p.parquet")
    assert run(tmp_path / "p.parquet", folder).ordered
    np.testing.assert_allclose(np.stack(predictions(folder).probs), probs, atol=1e-6)
    logits = pd.DataFrame({"face_id": range(FACES), **{name: np.log(columns[name]) for name in CLASSES}})
    logits.to_parquet(tmp_path / "l.parquet")
    run(tmp_path / "l.parquet", folder, "logits", logits=True)
    np.testing.assert_allclose(np.stack(predictions(folder, "logits").probs), probs, atol=1e-6)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", ">f4", "int64", "uint8"])
def test_kinds_of_numbers(kind, folder, tmp_path):
    probs = np.eye(8)[np.arange(FACES) % 8] if "int" in kind else draw(samples=1)[:, 0]
    run(npz(tmp_path / "p.npz", probs=probs.astype(kind)), folder)
    np.testing.assert_allclose(np.stack(predictions(folder).probs), probs, atol=1e-3)


def test_classes_ruled_out_by_a_logit_of_minus_infinity(folder, tmp_path):
    logits = np.full((FACES, 8), -np.inf)
    logits[:, 2:4] = [0.0, np.log(3)]
    run(npz(tmp_path / "p.npz", logits=logits), folder)
    np.testing.assert_allclose(np.stack(predictions(folder).probs), [[0, 0, 0.25, 0.75, 0, 0, 0, 0]] * FACES)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.floats(-30, 30), min_size=3, max_size=3), min_size=1, max_size=5),
    st.floats(-1e4, 1e4),
)
def test_adding_to_all_logits_changes_nothing(logits, constant):
    values = np.array(logits)[:, None, :]
    first = probabilities(values, logits=True)
    np.testing.assert_allclose(first.sum(-1), 1)
    np.testing.assert_allclose(probabilities(values + constant, logits=True), first, atol=1e-9)
    np.testing.assert_allclose(probabilities(np.log(first) + constant, logits=True), first, atol=1e-9)


@settings(max_examples=6, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, FACES))
def test_the_order_of_the_rows_changes_nothing(original, tmp_path_factory, random, n):
    faces = random.sample(range(FACES), n)
    probs, tables = draw(), []
    for order in (sorted(faces), faces):
        folder = tmp_path_factory.mktemp("order")
        shutil.copytree(original, folder / "c")
        run(npz(folder / "p.npz", probs=probs[order].astype("f2"), face_id=order), folder / "c")
        tables.append(predictions(folder / "c"))
        assert Cache(folder / "c").count("mine") == n
    pd.testing.assert_frame_equal(*tables, check_exact=True)


@pytest.mark.usefixtures("use_untrained")
def test_importing_what_a_model_wrote_gives_its_numbers_again(photo_folder, tmp_path):
    folder, model = tmp_path / "c", "compact-dropout"
    settings = BuildConfig(
        f"folder:{photo_folder}", folder, (model,), photo_folder / "labels.csv", precision="fp32", chunk=8
    )
    build(settings, lambda entries, faces: None)
    built = predictions(folder, model)
    table = pa.table({"face_id": built.face_id, "probs": built.samples.tolist()})
    pq.write_table(table, tmp_path / "p.parquet")
    run(tmp_path / "p.parquet", folder, "again")
    again = predictions(folder, "again")
    for column in ("u_total", "u_aleatoric", "u_epistemic", "confidence", "jsd", "nll", "brier"):
        np.testing.assert_allclose(again[column], built[column], atol=2e-3)
    assert again.predicted.tolist() == built.predicted.tolist()
    # and the cache is still one that can be built on: '' is no precision to keep to
    manifest = build(replace(settings, models=("compact",), precision="auto"), lambda entries, faces: None)
    assert set(manifest.ready_models) == {model, "again", "compact"}
    assert manifest.models["compact"].precision == "fp32"
    assert set(Cache(folder).summary().model) == {model, "again", "compact"}


def test_an_import_does_not_decide_the_precision(photo_folder, untrained_weights, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.weights.compact.shipped_compact", lambda: untrained_weights)
    monkeypatch.setattr(
        "engine.device.choose_precision", lambda device, wanted="auto": {"auto": "bf16"}.get(wanted, wanted)
    )
    folder = tmp_path / "c"
    settings = BuildConfig(f"folder:{photo_folder}", folder, (), photo_folder / "labels.csv")
    build(settings, lambda entries, faces: None)
    run(npz(tmp_path / "p.npz", probs=draw(28)), folder)
    manifest = build(replace(settings, models=("compact",)), lambda entries, faces: None)
    assert manifest.models["compact"].precision == "bf16"


# ---- when it does not go to the end, and what is there already


@pytest.mark.parametrize("writes", range(6))
def test_interrupted_anywhere_nothing_shows_and_the_same_command_repairs(folder, tmp_path, writes, monkeypatch):
    file = npz(tmp_path / "p.npz", probs=draw())
    real, count = CacheWriter._replace_manifest, 0

    def fail_later(self, manifest):
        nonlocal count
        count += 1
        if count > writes:
            raise KeyboardInterrupt
        real(self, manifest)

    monkeypatch.setattr(CacheWriter, "_replace_manifest", fail_later)
    with pytest.raises(KeyboardInterrupt):
        run(file, folder)
    monkeypatch.setattr(CacheWriter, "_replace_manifest", real)
    assert Cache(folder).models == ("compact",)
    assert "mine" not in evaluate(folder).text
    run(file, folder)
    assert Cache(folder).models == ("compact", "mine") and Cache(folder).count("mine") == FACES
    on_disk = {str(path.relative_to(folder)) for path in folder.rglob("*.parquet")}
    assert on_disk == {part.file for parts in manifests.load(folder).parts.values() for part in parts.values()}


def test_replacing_needs_to_be_said(folder, tmp_path):
    first, second = (npz(tmp_path / f"{i}.npz", probs=draw(5 + i, 2 + i, i), face_id=range(5 + i)) for i in (0, 1))
    run(first, folder)
    before = predictions(folder)
    with pytest.raises(ImportProblem, match="--replace"):
        run(second, folder)
    pd.testing.assert_frame_equal(predictions(folder), before)
    run(second, folder, replace=True)
    np.testing.assert_allclose(np.stack(predictions(folder).probs), draw(6, 3, 1).mean(1), atol=1e-6)
    assert manifests.load(folder).models["mine"].samples == 3 and Cache(folder).models == ("compact", "mine")
    summary = Cache(folder).summary()
    assert set(summary[(summary.model == "mine") & (summary.metric == "u_total") & (summary.split == "all")].n) == {6}


def test_maps_of_what_is_replaced_go_with_it(folder, tmp_path):
    run(npz(tmp_path / "p.npz", probs=draw()), folder)
    with CacheWriter(folder) as writer:
        layouts = {space: LayoutInfo("pca", space, 0, FACES) for space in ("mine", "compact-0")}
        writer.start(replace(writer.manifest, layouts=layouts))
        zeros = np.zeros(FACES, np.float32)
        points = pa.table({"face_id": range(FACES), "x": zeros, "y": zeros}, schema=schema.embedding())
        writer.commit({f"embeddings/layout={name}": points for name in layouts}, "part-00000")
    assert Cache(folder).layouts == ("mine", "compact-0")
    run(tmp_path / "p.npz", folder, replace=True)
    assert Cache(folder).layouts == ("compact-0",)


def test_a_bad_file_replaces_nothing(folder, tmp_path):
    run(npz(tmp_path / "p.npz", probs=draw()), folder)
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(ImportProblem):
        run(npz(tmp_path / "bad.npz", probs=draw() * 0.9), folder, replace=True)
    assert (folder / "manifest.json").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("compact", "Choose another --name"),
        ("Uncnet", "Choose another --name"),
        ("", "cannot be a model's name"),
        ("..", "cannot be a model's name"),
        ("a/b", "cannot be a model's name"),
        ("-x", "cannot be a model's name"),
        ("a b", "cannot be a model's name"),
        ("ä", "cannot be a model's name"),
        ("x\n", "cannot be a model's name"),
        ("x" * 65, "cannot be a model's name"),
    ],
)
def test_names(name, message, folder, tmp_path):
    with pytest.raises(ImportProblem, match=message):
        run(npz(tmp_path / "p.npz", probs=draw()), folder, name, replace=True)
    assert Cache(folder).models == ("compact",)


def test_names_that_are_one_on_some_disks(folder, tmp_path):
    run(npz(tmp_path / "p.npz", probs=draw()), folder)
    with pytest.raises(ImportProblem, match="has a model or features 'mine' already"):
        run(tmp_path / "p.npz", folder, "Mine", replace=True)


def test_a_name_of_features_is_taken(folder, tmp_path):
    with CacheWriter(folder) as writer:
        writer.start(replace(writer.manifest, backbones={"compact-0": BackboneInfo("0" * 64, "fp32", "cpu")}))
    with pytest.raises(ImportProblem, match="features 'compact-0' already"):
        run(npz(tmp_path / "p.npz", probs=draw()), folder, "compact-0")


def test_a_model_of_another_build_is_not_replaced(tmp_path):
    folder = synthetic.write(tmp_path / "c", 6, models=("theirs",))
    with pytest.raises(ImportProblem, match="has a model or features 'theirs' already"):
        run(npz(tmp_path / "p.npz", probs=draw(6)), folder, "theirs", replace=True)


def test_caches_that_cannot_take_it(folder, tmp_path):
    file = npz(tmp_path / "p.npz", probs=draw())
    with pytest.raises(CacheNotFound, match="python -m engine build"):
        run(file, tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    with CacheWriter(folder), pytest.raises(CacheBusy):
        run(file, folder)
    with CacheWriter(folder) as writer:
        writer.start(replace(writer.manifest, complete=False))
    with pytest.raises(ImportProblem, match=r"not built to its end.*python -m tests\.synthetic"):
        run(file, folder)


def test_a_model_that_is_built_later_under_the_name_is_refused(folder, tmp_path, untrained_weights, monkeypatch):
    """An import from before the engine had a model of that name."""
    monkeypatch.setattr("engine.weights.compact.shipped_compact", lambda: untrained_weights)
    monkeypatch.setattr("engine.imports.importing.NAMES", ())
    run(npz(tmp_path / "p.npz", probs=draw()), folder, "compact-dropout")
    with pytest.raises(BuildProblem, match="holds 'compact-dropout' made"):
        build(BuildConfig("probe:", folder, ("compact-dropout",), limit=FACES), lambda entries, faces: None)


# ---- the command


def invoke(*arguments: object):
    return CliRunner().invoke(app, ["import-predictions", *map(str, arguments)])


def test_the_command_says_what_it_did(folder, tmp_path):
    file = npz(tmp_path / "p.npz", probs=draw(4), face_id=[3, 1, 2, 20])
    result = invoke(file, "--cache", folder, "--name", "mine")
    assert result.exit_code == 0, result.output
    assert "covers 4 of 30 faces, S = 4" in result.output
    assert "order of the cache's classes: neutral, happiness" in result.output
    assert "Accuracy: " in result.output and f"make app CACHE={folder}" in result.output
    assert manifests.load(folder).models["mine"].title == "Predictions imported from p.npz"


def test_the_command_fails_in_one_line(folder, tmp_path):
    probs = draw(samples=1)
    probs[[17, 4]] *= 0.9
    result = invoke(
        npz(tmp_path / "p.npz", probs=probs, face_id=np.arange(FACES)[::-1]), "--cache", folder, "--name", "m"
    )
    assert result.exit_code == 1 and result.output.count("\n") == 1 and result.output.startswith("Error: ")
    assert (
        "2 of 30 rows" in result.output
        and "row 4 (face 25): sums to 0.9; row 17 (face 12): sums to 0.9." in result.output
    )
