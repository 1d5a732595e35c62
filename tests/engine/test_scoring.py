"""Scoring photos: the numbers of a cache, whatever form a photo has, and one sentence for what is no photo."""

import doctest
import json
from io import BytesIO

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from cache.manifest import load
from engine import score, scores, scoring
from engine.cli import app
from engine.config import BuildConfig
from engine.pipeline import build
from engine.samples import GROUP, TITLES, sample
from engine.scores import clean_name, records
from engine.scoring import scorer_of
from engine.sources.probe import open_probe
from engine.sources.rows import ImageProblem, Item


def png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def group():
    (photo,) = score(sample(GROUP))
    return photo


def test_examples_in_docstrings():
    found = doctest.testmod(scores)
    assert found.attempted and not found.failed


@pytest.mark.parametrize("model", ["compact", "compact-ensemble"])
def test_a_face_of_a_cache_gets_the_numbers_of_the_cache(tmp_path, model):
    """Alone or among others, from the same crop."""
    build(BuildConfig("probe:", tmp_path / "c", (model,), limit=40, chunk=16), lambda entries, faces: None)
    manifest = load(tmp_path / "c")
    table = pq.read_table(tmp_path / "c" / f"predictions/model={model}").to_pandas().sort_values("face_id")
    items = [item for _, item in zip(range(40), open_probe().entries(), strict=False) if isinstance(item, Item)]
    images = [item.load() for item in items]
    scorer = scorer_of(model, precision=manifest.models[model].precision)
    together = scorer.crops(images)
    alone = [scorer.photo(image, whole=True).faces[0] for image in images[:5]]
    for faces in (together, alone):
        for face, row in zip(faces, table.to_dict("records"), strict=False):
            assert face.predicted == row["predicted"] and np.allclose(face.probs, row["probs"], atol=2e-5)
            for part in scores.UNCERTAINTIES:
                assert getattr(face, part) == pytest.approx(row[part], abs=5e-5)


def test_every_face_of_a_group(group):
    assert len(group.faces) == 6 and group.image.size == (800, 540) and len(group.classes) == 8
    lefts = [face.box[0] for face in group.faces]
    assert lefts == sorted(lefts)
    for face in group.faces:
        assert face.probs.sum() == pytest.approx(1) and face.samples.shape == (50, 8)
        assert face.u_total == pytest.approx(face.u_aleatoric + face.u_epistemic) and face.u_epistemic > 0
        assert face.detection > 0.9 and face.crop.width == face.crop.height
        assert np.allclose(face.samples.mean(0), face.probs, atol=1e-6)
    happy = group.faces[4]
    assert group.classes[happy.predicted] == "happiness"  # as it was rendered


def test_every_form_of_photo_gives_the_same(tmp_path, group):
    data = sample(GROUP)
    (tmp_path / "g.png").write_bytes(data)
    forms = [tmp_path / "g.png", str(tmp_path / "g.png"), data, Image.open(BytesIO(data))]
    found = score(forms)
    assert [photo.name for photo in found] == ["g.png", "g.png", "photo 3", "photo 4"]
    for photo in found:
        assert [face.u_total for face in photo.faces] == [face.u_total for face in group.faces]


@pytest.mark.parametrize("title", TITLES)
def test_samples_hold_faces(title):
    (photo,) = score(sample(title), model="compact")
    assert len(photo.faces) == (6 if title == GROUP else 1)
    assert all(face.u_epistemic == 0 for face in photo.faces)  # one sample


def test_a_photo_turned_by_exif_is_the_upright_one(group):
    upright = Image.open(BytesIO(sample(GROUP)))
    buffer = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(buffer, "PNG", exif=exif)
    (photo,) = score(buffer.getvalue())
    assert photo.image.size == upright.size and not photo.image.info and not photo.image.getexif()
    assert [face.box for face in photo.faces] == [face.box for face in group.faces]


@pytest.mark.parametrize("mode", ["RGBA", "P", "I;16", "CMYK"])
def test_an_opened_image_is_read_as_its_file_is(mode, tmp_path):
    plain = Image.open(BytesIO(sample(TITLES[1])))
    other = (
        plain.convert(mode)
        if mode != "I;16"
        else Image.fromarray(np.asarray(plain.convert("L")).astype(np.uint16) << 8)
    )
    other.save(tmp_path / "x.tif")
    file, opened = score([tmp_path / "x.tif", Image.open(tmp_path / "x.tif")], "compact")
    assert len(file.faces) == 1 and np.array_equal(np.asarray(file.image), np.asarray(opened.image))
    assert not opened.image.info


@pytest.mark.parametrize(
    ("photo", "said"),
    [
        (None, "photo 1 is a NoneType; give a path"),
        (3.5, "photo 1 is a float"),
        (Image.new("L", (1, 1)), "1 x 1 pixels"),
        (Image.new("L", (0, 0)), "0 x 0 pixels"),
        (b"", "empty"),
    ],
)
def test_what_is_no_photo_is_refused_in_a_sentence(photo, said):
    with pytest.raises(ImageProblem, match=said):
        score(photo, "compact", whole=True)


def test_a_crowd_is_cut_to_its_largest_faces(monkeypatch):
    monkeypatch.setattr(scoring, "MOST_FACES", 4)
    (photo,) = score(sample(GROUP), "compact")
    assert len(photo.faces) == 4 and photo.left_out == 2
    lefts = [face.box[0] for face in photo.faces]
    assert lefts == sorted(lefts)


def test_no_face_and_the_whole_image():
    wall = png(Image.new("RGB", (300, 200), (90, 120, 90)))
    assert score(wall)[0].faces == ()
    (face,) = score(wall, whole=True)[0].faces
    assert face.box is None and face.detection is None and face.crop.size == (300, 200)


def test_records_are_json(group):
    rows = json.loads(json.dumps(records([group])))
    assert [row["face"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert sum(rows[0][f"p_{name}"] for name in group.classes) == pytest.approx(1, abs=1e-5)
    whole = records(score(sample(TITLES[1]), whole=True))[0]
    assert whole["box_left"] is None and whole["detection"] is None


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..", ".."),
        ("a/b\\c.png", "c.png"),
        ("\x1b[2J\x00evil\n.png", "[2Jevil.png"),
        ("me\u202egnp.exe", "megnp.exe"),
        ("<img src=x>.jpg", "<img src=x>.jpg"),  # shown as text by the page
        ("   ", "photo"),
        ("x" * 300 + ".jpg", "x" * 70 + "…xxxxx.jpg"),
    ],
)
def test_hostile_names(name, clean):
    assert clean_name(name) == clean and len(clean_name(name)) <= 80


def test_the_command(tmp_path):
    good, bad, empty = tmp_path / "g.png", tmp_path / "b.jpg", tmp_path / "wall.png"
    good.write_bytes(sample(TITLES[1]))
    bad.write_bytes(b"<html>")
    empty.write_bytes(png(Image.new("L", (200, 200), 90)))
    run = CliRunner()
    done = run.invoke(app, ["score", str(good)])
    assert done.exit_code == 0
    head, row = done.stdout.strip().splitlines()
    assert head.split()[:4] == ["photo", "face", "predicted", "confidence"]
    assert row.split()[:3] == [str(good), "1", "happiness"]
    done = run.invoke(app, ["score", str(bad), str(good), str(empty), str(tmp_path / "none.png"), "--json"])
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert [face["photo"] for face in answer["faces"]] == [str(good)] and answer["model"] == "compact-ensemble"
    assert set(answer["problems"]) == {str(bad), str(empty), str(tmp_path / "none.png")}
    for said in ("b.jpg is not an image", "wall.png. Add --whole", "none.png cannot be read"):
        assert said in done.stderr
    assert not run.invoke(app, ["score", str(bad)]).stdout  # no table without a face
    assert "Traceback" not in done.output
    assert run.invoke(app, ["score", str(good), "--model", "best"]).exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.jpg", "g.png", "wall.png"]  # nothing is written
