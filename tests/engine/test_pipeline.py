"""A build, end to end: the same rows however it was reached, and nothing lost."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from cache import manifest as manifests
from cache.errors import CacheBusy, CacheNotFound, SchemaMismatch
from cache.reader import Cache
from cache.writer import CacheWriter
from engine.config import BuildConfig
from engine.metrics.uncertainty import decompose
from engine.pipeline import BuildProblem, build
from engine.sources.rows import FER_CLASSES, SourceProblem

MODELS = ("compact", "compact-dropout", "compact-ensemble")
pytestmark = pytest.mark.usefixtures("use_untrained")


def config(photo_folder: Path, out: Path, **changes) -> BuildConfig:
    base = BuildConfig(f"folder:{photo_folder}", out, MODELS, photo_folder / "labels.csv", precision="fp32", chunk=8)
    return replace(base, **changes)


def run(settings: BuildConfig) -> manifests.Manifest:
    return build(settings, lambda entries, faces: None, command="test")


def rows(folder: Path) -> dict[str, pa.Table]:
    """Every table of a cache, as the manifest names its parts."""
    manifest = manifests.load(folder)
    return {
        table: pa.concat_tables([pq.read_table(folder / part.file) for part in parts.values()])
        for table, parts in manifest.parts.items()
    }


def assert_same(left: Path, right: Path) -> None:
    first, second = rows(left), rows(right)
    assert first.keys() == second.keys()
    for table in first:
        pd.testing.assert_frame_equal(first[table].to_pandas(), second[table].to_pandas(), check_exact=True, obj=table)


@pytest.fixture(scope="module")
def unbroken(photo_folder, untrained_weights, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.weights.compact.shipped_compact", lambda: untrained_weights)
        out = tmp_path_factory.mktemp("caches") / "unbroken"
        run(config(photo_folder, out))
    return out


def test_every_input_is_a_face_or_a_reject(unbroken):
    tables = rows(unbroken)
    assert tables["faces"].num_rows == 28
    assert tables["faces"]["face_id"].to_pylist() == list(range(28))
    assert [Path(s).name for s in tables["rejects"]["source"].to_pylist()] == ["face07.png", "face19.png"]
    assert all(reason for reason in tables["rejects"]["reason"].to_pylist())
    for model in MODELS:
        assert tables[f"predictions/model={model}"]["face_id"].to_pylist() == list(range(28))


def test_stored_scores_follow_from_stored_samples(unbroken):
    table = rows(unbroken)["predictions/model=compact-ensemble"].to_pandas()
    samples = np.stack(table["samples"]).reshape(28, 20, 8).astype(float)  # untrained: 2 members x 10 masks
    samples /= samples.sum(-1, keepdims=True)
    triple = decompose(samples)
    np.testing.assert_allclose(table.u_total, triple.total, atol=2e-3)  # samples are stored in half precision
    np.testing.assert_allclose(table.u_aleatoric, triple.aleatoric, atol=2e-3)
    np.testing.assert_allclose(table.u_total, table.u_aleatoric + table.u_epistemic, atol=1e-6)
    np.testing.assert_allclose(np.stack(table.probs).sum(1), 1, atol=1e-6)
    assert (rows(unbroken)["predictions/model=compact"]["u_epistemic"].to_numpy() == 0).all()


def test_faces_without_votes_have_null_scores(unbroken):
    tables = rows(unbroken)
    unknown = np.array([v is None for v in tables["faces"]["votes"].to_pylist()])
    assert unknown.sum() == 3
    for name in ("jsd", "nll", "brier"):
        scores = tables["predictions/model=compact"][name].to_pylist()
        assert [score is None for score in scores] == unknown.tolist()


def test_manifest_tells_the_story(unbroken):
    manifest = manifests.load(unbroken)
    assert manifest.complete and manifest.seconds > 0 and manifest.hardware["device"] == "cpu"
    assert manifest.models["compact-dropout"].samples == 50 and manifest.models["compact-dropout"].seed is not None
    assert manifest.models["compact"].precision == "fp32"
    for parts in manifest.parts.values():
        for part in parts.values():
            assert hashlib.sha256((unbroken / part.file).read_bytes()).hexdigest() == part.sha256


def test_summary_has_every_split_and_interval(unbroken):
    summary = Cache(unbroken).summary()
    assert set(summary["split"]) == {"all", "train", "test"} and set(summary["model"]) == set(MODELS)
    rows = summary[(summary.model == "compact-ensemble") & (summary.split == "all")].set_index("metric")
    assert rows.loc["u_total", "n"] == 28 and rows.loc["nll", "n"] == 25
    assert (rows.low <= rows.value).all() and (rows.value <= rows.high).all()


def test_batch_size_changes_nothing(unbroken, photo_folder, tmp_path):
    run(config(photo_folder, tmp_path / "c", batch=3))
    left = rows(unbroken)["predictions/model=compact-ensemble"].to_pandas()
    right = rows(tmp_path / "c")["predictions/model=compact-ensemble"].to_pandas()
    for column in ("u_total", "u_aleatoric", "u_epistemic", "confidence"):
        np.testing.assert_allclose(left[column], right[column], atol=2e-5)


def test_bf16_stays_within_its_tolerance(unbroken, photo_folder, tmp_path):
    run(config(photo_folder, tmp_path / "c", precision="bf16"))
    left = np.stack(rows(unbroken)["predictions/model=compact-ensemble"].to_pandas().probs)
    right = np.stack(rows(tmp_path / "c")["predictions/model=compact-ensemble"].to_pandas().probs)
    assert 0 < np.abs(left - right).max() < 0.05


def test_adding_models_later_gives_the_same_rows(unbroken, photo_folder, tmp_path):
    out = tmp_path / "c"
    run(config(photo_folder, out, models=()))
    assert Cache(out).models == ()
    run(config(photo_folder, out, models=("compact",)))
    run(config(photo_folder, out, models=("compact-dropout", "compact-ensemble")))
    assert set(Cache(out).models) == set(MODELS)
    assert_same(unbroken, out)


def test_doing_it_twice_changes_nothing(photo_folder, tmp_path):
    first = run(config(photo_folder, tmp_path / "c"))
    second = run(config(photo_folder, tmp_path / "c"))
    assert first.parts == second.parts and first.chunks == second.chunks


@pytest.mark.parametrize("commits", [0, 1, 2, 3])
def test_interrupted_anywhere_it_resumes(unbroken, photo_folder, tmp_path, commits, monkeypatch):
    out, real, count = tmp_path / "c", CacheWriter._replace_manifest, 0

    def fail_later(self, manifest):
        nonlocal count
        count += 1
        if count > commits + 1:  # parts are on disk, the manifest does not name them yet: the worst moment
            raise KeyboardInterrupt
        real(self, manifest)

    monkeypatch.setattr(CacheWriter, "_replace_manifest", fail_later)
    with pytest.raises(KeyboardInterrupt):
        run(config(photo_folder, out))
    monkeypatch.setattr(CacheWriter, "_replace_manifest", real)
    run(config(photo_folder, out))
    assert_same(unbroken, out)
    on_disk = {str(p.relative_to(out)) for p in out.rglob("*.parquet")}
    named = {part.file for parts in manifests.load(out).parts.values() for part in parts.values()}
    assert on_disk == named


def test_disk_full_says_so_and_resumes(unbroken, photo_folder, tmp_path, monkeypatch):
    out, real, count = tmp_path / "c", pq.write_table, 0

    def full(table, path, **options):
        nonlocal count
        count += 1
        if count == 9:
            Path(path).write_bytes(b"half a file")
            raise OSError(errno.ENOSPC, "No space left on device")
        real(table, path, **options)

    monkeypatch.setattr("cache.writer.pq.write_table", full)
    with pytest.raises(OSError, match="Free some space and run the same command"):
        run(config(photo_folder, out))
    assert Cache(out).count(None) < 28  # part of it, and readable
    run(config(photo_folder, out))
    assert_same(unbroken, out)


def test_kill_minus_nine_and_resume(photo_folder, untrained_weights, tmp_path, unbroken):
    out = tmp_path / "c"
    settings = config(photo_folder, out)
    script = (
        "import time; from pathlib import Path, PosixPath; import engine.weights.compact, engine.pipeline as p\n"
        "from engine.config import BuildConfig\n"
        f"engine.weights.compact.shipped_compact = lambda: Path({str(untrained_weights)!r})\n"
        f"p.build({settings!r}, lambda e, f: time.sleep(.5), command='test')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if (out / "manifest.json").exists() and manifests.load(out).chunks:
                break
            time.sleep(0.02)
        assert process.poll() is None, "the build ended before it could be killed"
        with pytest.raises(CacheBusy, match="Another build"):
            run(config(photo_folder, out))
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not manifests.load(out).complete
    run(config(photo_folder, out))  # the lock died with its owner
    assert_same(unbroken, out)


def test_a_changed_source_is_noticed(photo_folder, tmp_path):
    copy = tmp_path / "photos"
    copy.mkdir()
    for path in photo_folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    out = tmp_path / "c"
    run(config(copy, out, models=()))
    Image.new("RGB", (64, 56)).save(copy / "face00.png")
    with pytest.raises(BuildProblem, match="new folder"):
        run(config(copy, out, models=("compact",)))
    Image.new("RGB", (64, 56)).save(copy / "aaa.png")
    with pytest.raises(BuildProblem, match="new folder"):
        run(config(copy, out, models=("compact",)))


def test_other_settings_are_refused(photo_folder, tmp_path):
    run(config(photo_folder, tmp_path / "c", models=("compact",), limit=9))
    with pytest.raises(BuildProblem, match="limit"):
        run(config(photo_folder, tmp_path / "c", models=("compact",), limit=10))
    with pytest.raises(BuildProblem, match="precision"):
        run(config(photo_folder, tmp_path / "c", models=("compact",), limit=9, precision="bf16"))


def test_labels_with_other_classes_are_refused(photo_folder, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("file,label\nface00.png,cat\nface01.png,dog\n")
    with pytest.raises(BuildProblem, match="cat, dog"):
        run(config(photo_folder, tmp_path / "c", labels=labels))


def test_nothing_but_broken_images(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"no")
    with pytest.raises(BuildProblem, match="None of the 1 inputs"):
        run(BuildConfig(f"folder:{tmp_path / 'photos'}", tmp_path / "c", ("compact",)))


def test_a_part_without_any_face(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(9):
        if i < 4:
            (photos / f"{i}.png").write_bytes(b"broken")
        else:
            Image.effect_noise((48, 48), 60).save(photos / f"{i}.png")
    settings = BuildConfig(f"folder:{photos}", tmp_path / "c", ("compact",), chunk=4)
    assert run(settings).faces == 5
    run(replace(settings, models=("compact", "compact-ensemble")))
    assert Cache(tmp_path / "c").models == ("compact", "compact-ensemble")
    assert len(Cache(tmp_path / "c").page("compact-ensemble")) == 5


def test_faces_alone_have_the_classes_asked_for(photo_folder, tmp_path):
    bare = config(photo_folder, tmp_path / "fer", models=(), labels=None)
    assert run(bare).classes == FER_CLASSES
    named = replace(bare, out=tmp_path / "c", classes=("happy", "sad"))
    assert run(named).classes == ("happy", "sad") and Cache(tmp_path / "c").count(None) == 28
    assert rows(tmp_path / "c")["faces"].schema.field("votes").type == pa.list_(pa.uint16(), 2)
    assert run(replace(named, classes=None)).classes == ("happy", "sad")  # as it was begun
    for other in ({"classes": ("sad", "happy")}, {"models": ("compact",), "classes": None}):
        with pytest.raises(BuildProblem, match=r"begun with another classes \(\['happy', 'sad'\]"):
            run(replace(named, **other))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": ("compact",), "classes": ("happy", "sad")}, "the model knows neutral"),
        ({"models": (), "classes": ("happy", "sad")}, "has neutral"),  # the labels
        ({"models": (), "classes": ("sad", "sad")}, "twice or not at all"),
        ({"models": (), "classes": ("",)}, "twice or not at all"),
        ({"models": (), "classes": ()}, "twice or not at all"),
    ],
)
def test_classes_that_contradict_are_refused(changes, message, photo_folder, tmp_path):
    with pytest.raises(BuildProblem, match=message):
        run(config(photo_folder, tmp_path / "c", **changes))


def test_classes_may_repeat_what_is_known(photo_folder, tmp_path):
    assert run(config(photo_folder, tmp_path / "c", models=("compact",), classes=FER_CLASSES)).classes == FER_CLASSES


def test_out_must_be_a_cache_or_empty(photo_folder, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(CacheNotFound, match=r"thesis\.txt"):
        run(config(photo_folder, tmp_path))
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_other_schema_version_is_not_overwritten(photo_folder, tmp_path):
    out = tmp_path / "c"
    run(config(photo_folder, out, models=(), limit=3))
    raw = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps({**raw, "schema_version": 7}))
    with pytest.raises(SchemaMismatch, match="version 7"):
        run(config(photo_folder, out, models=(), limit=3))


def test_missing_path(tmp_path):
    with pytest.raises(SourceProblem):
        run(BuildConfig(f"folder:{tmp_path / 'nowhere'}", tmp_path / "c", ("compact",)))
    assert not (tmp_path / "c").exists()
