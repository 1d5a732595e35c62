"""Attributes in a build: measured while the faces are decoded, or from a file; resumed and added like models."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from cache import manifest as manifests
from cache.errors import AttributeClash
from cache.reader import Cache
from cache.writer import CacheWriter
from engine import measuring
from engine.cli import app
from engine.config import BuildConfig
from engine.images import content_id
from engine.imports.rows import ImportProblem
from engine.measuring import Measuring
from engine.pipeline import BuildProblem, build
from engine.records import FaceRow
from engine.sources.rows import Attribute, Item, Reject
from tests.engine import test_pipeline
from tests.engine.test_pipeline import assert_same, rows, run

pytestmark = pytest.mark.usefixtures("use_untrained")

GREY = (Attribute("grey", "number", "L"), Attribute("grey_unknown", "text"))
ROOT = Path(__file__).parents[2]


def config(photo_folder: Path, out: Path, **changes) -> BuildConfig:
    return test_pipeline.config(photo_folder, out, **{"models": ("compact",), **changes})


class Meter:
    """Means of the pixels; each call must agree with what the whole batch would give."""

    def measure(self, images: Sequence[Image.Image]) -> dict[str, list]:
        means = [float(np.asarray(image.convert("L")).mean()) for image in images]
        return {"grey": means, "grey_unknown": [None] * len(images)}


class Fussy(Meter):
    """Fails on a batch that holds one certain image."""

    def __init__(self, hated: str) -> None:
        self.hated = hated

    def measure(self, images: Sequence[Image.Image]) -> dict[str, list]:
        if any(content_id(image) == self.hated for image in images):
            raise ZeroDivisionError
        return super().measure(images)


@pytest.fixture
def metered(monkeypatch) -> None:
    monkeypatch.setattr(measuring, "load", lambda: Measuring(Meter(), GREY))


@pytest.fixture(scope="module")
def measured(photo_folder, untrained_weights, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.weights.compact.shipped_compact", lambda: untrained_weights)
        patch.setattr(measuring, "load", lambda: Measuring(Meter(), GREY))
        out = tmp_path_factory.mktemp("caches") / "measured"
        run(config(photo_folder, out, measure=True))
    return out


def greys(photo_folder: Path) -> list[float]:
    names = sorted(path for path in photo_folder.glob("*.png") if path.stem not in ("face07", "face19"))
    return [float(np.asarray(Image.open(path).convert("L")).mean()) for path in names]


def test_every_face_is_measured_in_order(measured, photo_folder):
    table = rows(measured)["attributes/of=measured"]
    assert table["face_id"].to_pylist() == list(range(28))
    np.testing.assert_allclose(table["attr_grey"].to_numpy(), greys(photo_folder))
    assert table.schema.field("attr_grey").metadata == {b"unit": b"L"}
    assert table["attr_grey_unknown"].null_count == 28
    parts = manifests.load(measured).parts
    assert list(parts["attributes/of=measured"]) == list(parts["faces"])  # part k covers chunk k
    cache = Cache(measured)
    assert cache.columns("compact")["attr_grey"].unit == "L"
    assert cache.face(5, "compact").row["attr_grey"] == pytest.approx(greys(photo_folder)[5])
    assert cache.manifest.attributes["measured"].columns == ("attr_grey", "attr_grey_unknown")


def test_without_it_nothing_is_loaded_or_written(photo_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "load", lambda: pytest.fail("loaded"))
    manifest = run(config(photo_folder, tmp_path / "c", models=()))
    assert manifest.attributes == {} and not any(table.startswith("attributes") for table in manifest.parts)


@pytest.mark.usefixtures("metered")
def test_added_to_a_finished_cache_it_is_the_same(measured, photo_folder, tmp_path):
    out = tmp_path / "c"
    first = run(config(photo_folder, out))
    second = run(config(photo_folder, out, measure=True))
    assert second.complete and second.chunks == first.chunks and second.parts["faces"] == first.parts["faces"]
    assert_same(measured, out)
    third = run(config(photo_folder, out, measure=True))
    assert third.parts == second.parts
    assert run(config(photo_folder, out)).parts == second.parts  # left alone by a build that does not ask for it


@pytest.mark.usefixtures("metered")
@pytest.mark.parametrize("models", [(), ("compact",)])
def test_added_together_with_a_model(measured, photo_folder, tmp_path, models):
    out = tmp_path / "c"
    run(config(photo_folder, out, models=models))
    both = ("compact", "compact-dropout")
    assert set(run(config(photo_folder, out, models=both, measure=True)).ready_models) == set(both)
    left, right = rows(measured), rows(out)
    for table in ("faces", "attributes/of=measured", "predictions/model=compact", "features/backbone=compact-0"):
        assert left[table].equals(right[table])


@pytest.mark.usefixtures("metered")
@pytest.mark.parametrize("commits", [1, 2, 3])
@pytest.mark.parametrize("finished", [False, True])
def test_interrupted_anywhere_it_resumes(measured, photo_folder, tmp_path, commits, finished, monkeypatch):
    out, real, count = tmp_path / "c", CacheWriter._replace_manifest, 0
    if finished:
        run(config(photo_folder, out))

    def fail_later(self, manifest):
        nonlocal count
        count += 1
        if count > commits + 1:
            raise KeyboardInterrupt
        real(self, manifest)

    monkeypatch.setattr(CacheWriter, "_replace_manifest", fail_later)
    with pytest.raises(KeyboardInterrupt):
        run(config(photo_folder, out, measure=True))
    monkeypatch.setattr(CacheWriter, "_replace_manifest", real)
    assert not manifests.load(out).complete
    if finished:
        assert "attr_grey" not in Cache(out).attributes and Cache(out).count("compact") == 28
    run(config(photo_folder, out, measure=True))
    assert_same(measured, out)


@pytest.mark.usefixtures("metered")
def test_begun_with_it_and_ended_without(measured, photo_folder, tmp_path):
    out = tmp_path / "c"

    def stop(entries: int, faces: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(config(photo_folder, out, measure=True), stop, command="test")
    manifest = run(config(photo_folder, out))
    assert manifest.complete and manifest.ready_attributes == () and len(Cache(out).page("compact")) == 28
    run(config(photo_folder, out, measure=True))
    assert_same(measured, out)


def test_kill_minus_nine_and_resume(measured, metered, photo_folder, untrained_weights, tmp_path):
    out = tmp_path / "c"
    settings = config(photo_folder, out)
    run(settings)
    settings = replace(settings, measure=True)
    script = (
        "import time; from pathlib import Path, PosixPath; import engine.weights.compact, engine.pipeline as p\n"
        "from engine import measuring; from engine.config import BuildConfig\n"
        "from tests.engine.test_attributes_build import GREY, Meter\n"
        f"engine.weights.compact.shipped_compact = lambda: Path({str(untrained_weights)!r})\n"
        "measuring.load = lambda: measuring.Measuring(Meter(), GREY)\n"
        f"p.build({settings!r}, lambda e, f: time.sleep(.5), command='test')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if manifests.load(out).rows("attributes/of=measured"):
                break
            time.sleep(0.02)
        assert process.poll() is None, "the build ended before it could be killed"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    killed = manifests.load(out)
    assert 0 < killed.rows("attributes/of=measured") < 28 and killed.ready_attributes == ()
    run(settings)
    assert_same(measured, out)


@pytest.mark.usefixtures("metered")
def test_a_source_that_changed_is_noticed(photo_folder, tmp_path):
    copy = tmp_path / "photos"
    copy.mkdir()
    for path in photo_folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    run(config(copy, tmp_path / "c", models=()))
    Image.new("RGB", (64, 56)).save(copy / "face00.png")
    with pytest.raises(BuildProblem, match="new folder"):
        run(config(copy, tmp_path / "c", models=(), measure=True))


def test_measured_in_another_way_it_is_measured_anew(metered, photo_folder, tmp_path, monkeypatch):
    out = tmp_path / "c"
    run(config(photo_folder, out, models=(), measure=True))
    other = (Attribute("grey", "number", "L"),)
    monkeypatch.setattr(measuring, "load", lambda: Measuring(Meter(), other))
    manifest = run(config(photo_folder, out, models=(), measure=True))
    assert manifest.ready_attributes == ("measured",) and manifest.attributes["measured"].columns == ("attr_grey",)
    assert list(Cache(out).attributes) == ["attr_grey"]
    monkeypatch.setattr(Meter, "measure", lambda self, images: {"grey": [7.0] * len(images)})
    monkeypatch.setattr(measuring, "load", lambda: Measuring(Meter(), other, version=2))  # the same by name alone
    again = run(config(photo_folder, out, models=(), measure=True))
    assert again.attributes["measured"].settings == {"version": 2}
    assert set(Cache(out).page(None, columns=["attr_grey"]).attr_grey) == {7.0}


def test_one_strange_image_does_not_end_it(photo_folder, tmp_path, monkeypatch):
    hated = content_id(Image.open(photo_folder / "face03.png"))
    monkeypatch.setattr(measuring, "load", lambda: Measuring(Fussy(hated), GREY))
    run(config(photo_folder, tmp_path / "c", models=(), measure=True))
    table = rows(tmp_path / "c")["attributes/of=measured"].to_pylist()
    wrong = [row for row in table if row["attr_grey"] is None]
    assert len(wrong) == 1 and wrong[0]["attr_grey_unknown"] == "unexpected ZeroDivisionError"


def test_images_are_not_kept():
    seen = []

    class Counting(Meter):
        def measure(self, images):
            seen.append(sum(image.width * image.height for image in images))
            return super().measure(images)

    def found():
        for i in range(100):
            if i % 10 == 0:
                yield Reject(str(i), "decode", "broken"), None
            else:
                image = Image.new("L", (2000, 1000) if i % 9 == 0 else (48, 48), i)
                yield FaceRow(Item(str(i), Image.Image), 1, 1, "", b"", {}, {}), image

    done = list(Measuring(Counting(), GREY).rows(found()))
    assert [getattr(row, "source", None) or row.item.source for row in done] == [str(i) for i in range(100)]
    assert all(row.measured["grey"] == int(row.item.source) for row in done if isinstance(row, FaceRow))
    assert max(seen) < measuring.MOST_PIXELS + 2_000_000 and len(seen) < 15


def test_a_part_without_any_face(metered, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(9):
        if i < 4:
            (photos / f"{i}.png").write_bytes(b"broken")
        else:
            Image.effect_noise((48, 48), 60).save(photos / f"{i}.png")
    settings = BuildConfig(f"folder:{photos}", tmp_path / "c", chunk=4)
    run(settings)
    assert run(replace(settings, measure=True)).ready_attributes == ("measured",)
    assert Cache(tmp_path / "c").page(None).attr_grey.notna().sum() == 5


def test_crops_of_detected_faces_are_measured(metered, photo_folder, tmp_path, monkeypatch):
    class Detector:
        def find(self, image):
            class Found:
                probability = 0.9

            found = []
            for shade in (10, 200):
                one = Found()
                one.box, one.crop = (0, 0, 30, 30), Image.new("RGB", (30, 30), (shade,) * 3)
                found.append(one)
            return found

    monkeypatch.setattr("engine.pipeline.FaceDetector", Detector)
    run(config(photo_folder, tmp_path / "c", models=(), measure=True, faces="detect", labels=None, limit=3))
    page = Cache(tmp_path / "c").page(None)
    assert page.attr_grey.tolist() == [10, 200] * 3 and set(page.attr_box_side) == {30}


# ---- files


def labels(path: Path, text: str = "source,age [years]\nface00.png,31\nnobody.png,2\n") -> Path:
    path.write_text(text)
    return path


@pytest.mark.usefixtures("metered")
def test_a_build_takes_a_file_too(photo_folder, tmp_path):
    out, file = tmp_path / "c", labels(tmp_path / "people.csv")
    settings = config(photo_folder, out, models=(), measure=True, attributes=file)
    manifest = run(settings)
    assert manifest.complete and set(manifest.ready_attributes) == {"measured", "people"}
    assert Cache(out).page(None).attr_age.dropna().tolist() == [31]
    assert run(settings).parts == manifest.parts
    labels(file, "source,age\nface01.png,7\n")
    with pytest.raises(ImportProblem, match=r"attributes .*people\.csv --cache .* --replace"):
        run(settings)


def test_a_file_is_checked_before_the_work_begins(metered, photo_folder, tmp_path):
    out = tmp_path / "c"
    for text, problem in (
        ("source,age\nface00.png,inf\n", ImportProblem),
        ("source,grey\nface00.png,1\n", AttributeClash),  # what is measured
        ("file,age\nface00.png,1\n", ImportProblem),
    ):
        with pytest.raises(problem):
            run(config(photo_folder, out, measure=True, attributes=labels(tmp_path / "people.csv", text)))
        assert not (out / "manifest.json").exists()


def test_a_file_that_matches_nothing_leaves_a_finished_cache(photo_folder, tmp_path):
    file = labels(tmp_path / "people.csv", "source,age\nnobody.png,1\n")
    with pytest.raises(ImportProblem, match="None of the 1 rows"):
        run(config(photo_folder, tmp_path / "c", attributes=file))
    assert manifests.load(tmp_path / "c").complete and len(Cache(tmp_path / "c").page("compact")) == 28


def test_measuring_refuses_names_that_the_dataset_has(metered, tmp_path):
    pixels = pa.array([b"x", b"y"])
    pq.write_table(pa.table({"image": pixels, "Grey": [1.0, 2.0]}), tmp_path / "t.parquet")
    with pytest.raises(AttributeClash, match="'measured' would have an attribute 'grey', and the dataset has one"):
        run(BuildConfig(f"table:{tmp_path / 't.parquet'}", tmp_path / "c", measure=True))
    assert not (tmp_path / "c" / "manifest.json").exists()


@pytest.mark.usefixtures("metered")
def test_the_command(photo_folder, tmp_path):
    file, out = labels(tmp_path / "people.csv"), tmp_path / "c"
    command = ["build", f"folder:{photo_folder}", "--out", str(out), "--measure", "--attributes", str(file)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "Measured in every face: grey, grey_unknown." in result.output
    assert "'people' describes 1 of 28 faces: age (number, years)." in result.output
    assert "Rows of people.csv that are about no face: 1 ('nobody.png')." in result.output
    bad = CliRunner().invoke(app, [*command[:-1], str(tmp_path / "none.csv")])
    assert bad.exit_code == 1 and bad.output.startswith("Error: ") and "Traceback" not in bad.output


def test_the_real_measurer_fits(photo_folder, tmp_path):
    from engine.attributes.measure import ATTRIBUTES

    run(config(photo_folder, tmp_path / "c", models=(), measure=True, limit=6))
    found = Cache(tmp_path / "c").attributes
    assert list(found) == [f"attr_{attribute.name}" for attribute in ATTRIBUTES]
    assert [column.unit for column in found.values()] == [attribute.unit for attribute in ATTRIBUTES]
    page = Cache(tmp_path / "c").page(None)
    assert page.attr_brightness.notna().all() or page.attr_pose_unknown.notna().any()
