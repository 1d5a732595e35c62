"""The Score page: faces found and ranked, files refused with a sentence, and what was taken away forgotten."""

import asyncio
import doctest
import json
from collections.abc import AsyncIterator
from io import BytesIO

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from cache.reader import Cache
from engine.config import BuildConfig
from engine.pipeline import build
from engine.samples import GROUP, TITLES, sample
from pages.widgets import score_what_if, scored, scorer
from pages.widgets.score_export import as_csv, as_json
from pages.widgets.score_face import Standing
from pages.widgets.score_what_if import Change, apply
from tests.pages.test_faces import grids
from tests.pages.test_overview import words

MODEL = "compact-ensemble"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A cache of 60 rendered faces, of two splits."""
    root = tmp_path_factory.mktemp("score")
    build(BuildConfig("probe:", root / "probe", (MODEL, "compact"), limit=60), lambda entries, faces: None)
    return root


@pytest.fixture(autouse=True)
def long_enough(monkeypatch):
    """The first photo loads torch and the model."""
    monkeypatch.setattr("streamlit.testing.v1.app_test.AppTest.DEFAULT_TIMEOUT", 120, raising=False)


def with_files(open_page, data, *files: tuple[str, bytes], **query):
    page = open_page("score", data=data, **query)
    page.default_timeout = 120
    for name, content in files:
        page.file_uploader[0].upload(name, content, "image/png")
    return page.run(timeout=120)


def png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


WALL = png(Image.new("RGB", (300, 200), (90, 120, 90)))


@pytest.mark.parametrize("module", [score_what_if])
def test_examples_in_docstrings(module):
    found = doctest.testmod(module)
    assert found.attempted and not found.failed


def test_before_any_photo(open_page, data):
    page = open_page("score", data=data)
    assert not page.exception and page.file_uploader and "Nothing is written to disk" in words(page)
    assert not grids(page)


def test_a_sample_in_full(open_page, data):
    page = open_page("score", data=data, **{"from": "Sample", "shown": "5"})
    assert not page.exception and not page.warning and not page.error
    tiles = grids(page)[0]["items"]
    assert [tile["id"] for tile in tiles] == [1, 2, 3, 4, 5, 6]
    assert all(tile["image"].startswith("data:image/jpeg") and "U_e" in tile["alt"] for tile in tiles)
    text = words(page)
    assert "**6 faces** in 1 photo" in text and ":green[Model] **happiness**" in text
    triple = next(table.value for table in page.table if "aleatoric" in str(table.value.iloc[1, 0]))
    n = Cache(data / "probe").count(None)
    assert f"{n} " in triple.iloc[0, 2] and triple.iloc[0, 1].endswith("nats")
    assert len(grids(page)[1]["items"]) == 10  # the most similar
    assert [button.label for button in page.get("download_button")][-2:] == ["CSV", "JSON"]


def test_a_face_of_the_cache_finds_itself_and_its_own_numbers(open_page, data):
    """Through the page: the file that the cache was built from, taken whole."""
    from engine.sources.probe import open_probe

    item = next(open_probe().entries())
    image = item.load()
    page = with_files(open_page, data, ("tight.png", png(image)))
    for button in [b for b in page.button if b.label.startswith("Score the whole")]:
        button.click()
        page.run(timeout=120)
    cache = Cache(data / "probe")
    (photo,) = page.session_state[scored.SCORED].values()
    if photo.faces[0].box is None:
        face, known = photo.faces[0], cache.face(0, MODEL)
    else:
        view = type("V", (), {"cache": cache})
        face, known = scorer.score_photo(view, MODEL, png(image), "x", True).faces[0], cache.face(0, MODEL)
    assert np.allclose(face.probs, known.probs, atol=2e-5)
    assert face.u_epistemic == pytest.approx(known.row["u_epistemic"], abs=5e-5)


def test_no_face_is_said_and_the_whole_can_be_scored(open_page, data):
    page = with_files(open_page, data, ("wall.png", WALL))
    assert not page.exception and "No face found in **wall.png**" in words(page) and not grids(page)
    next(b for b in page.button if b.label == "Score the whole image as a face").click()
    page.run(timeout=120)
    assert not page.exception and "taken whole as a face" in words(page) and "No face found" not in words(page)
    next(b for b in page.button if b.label == "Look for faces instead").click()
    page.run(timeout=120)
    assert "No face found" in words(page) and not grids(page)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("page.jpg", b"<html><script>alert(1)</script></html>", "is not an image"),
        ("cut.png", sample(TITLES[1])[:4000], "damaged or cut short"),
        ("empty.png", b"", "empty"),
        ("dot.png", png(Image.new("L", (1, 1))), "1 x 1 pixels"),
        ("<img src=x onerror=alert(1)>.jpg", b"x", "is not an image"),
        ("../../../etc/passwd.png", b"root", "passwd.png is not an image"),
        ("me\u202egnp.jpg", b"x", "megnp.jpg is not an image"),
    ],
)
def test_what_is_no_photo_is_refused_in_a_sentence_and_the_others_go_on(open_page, data, name, content, said):
    page = with_files(open_page, data, (name, content), ("good.png", sample(TITLES[1])))
    assert not page.exception and not page.error
    (warning,) = page.warning
    assert said in warning.value.replace("\\", "") and "<img" not in warning.value.replace("\\<", "")
    assert "**happiness**" in words(page)


def test_another_model_scores_the_same_photo_anew(open_page, data):
    page = open_page("score", data=data, model="compact", **{"from": "Sample", "sample": TITLES[1]})
    assert not page.exception
    assert "One sample cannot tell" in words(page) and "always 0" in str([table.value for table in page.table])


def test_an_imported_model_says_that_it_is_not_here(open_page, data, tmp_path, monkeypatch):
    monkeypatch.setattr(scorer, "runnable", lambda view: [])
    page = open_page("score", data=data)
    assert not page.exception and "was imported" in " ".join(box.value for box in page.info)


@pytest.mark.parametrize(
    "query", [{"shown": "99"}, {"shown": "-1"}, {"shown": "x"}, {"among": "nowhere"}, {"high": "1e9"}]
)
def test_hostile_urls(open_page, data, query):
    page = open_page("score", data=data, **{"from": "Sample", "sample": TITLES[1], **query})
    assert not page.exception and not page.error and "**happiness**" in words(page)


def test_files_outlive_a_look_at_a_sample_until_they_are_forgotten(open_page, data):
    page = with_files(open_page, data, ("wall.png", WALL))
    assert "No face found in **wall.png**" in words(page) and "from before" not in words(page)
    page.segmented_control(key="from").set_value("Sample").run(timeout=120)
    assert "**6 faces**" in words(page)
    page.segmented_control(key="from").set_value("Files").run(timeout=120)
    assert "1 photo from before" in words(page) and "No face found in **wall.png**" in words(page)
    page.button(key="forget").click().run()
    assert "wall.png" not in words(page) and not page.session_state[scored.SCORED]


def test_other_photos_begin_at_their_first_face(open_page, data):
    page = open_page("score", data=data, **{"from": "Sample", "shown": "6"})
    page.selectbox(key="sample").select(TITLES[1]).run(timeout=120)
    assert not page.exception and "shown" not in page.query_params and "Ignored" not in words(page)


def test_a_photo_taken_away_is_forgotten(open_page, data):
    page = open_page("score", data=data, **{"from": "Sample", "sample": TITLES[1]})
    assert len(page.session_state[scored.SCORED]) == 1
    page.segmented_control(key="from").set_value("Files").run()
    assert not page.session_state[scored.SCORED]


def test_the_files(open_page, data):
    page = with_files(open_page, data, ("=cmd|x.png", sample(GROUP)))
    (photo,) = page.session_state[scored.SCORED].values()
    view = type("V", (), {"cache": Cache(data / "probe")})
    answer = json.loads(as_json(view, MODEL, [photo], Standing(None, 75)))
    assert len(answer["faces"]) == 6 and answer["weights_sha256"] and answer["percentiles_among"]["split"] is None
    row = answer["faces"][4]
    assert row["predicted"] == "happiness" and 0 <= row["percentile_u_epistemic"] <= 100 and row["percentile_n"] == 60
    text = as_csv(view, MODEL, [photo], Standing(None, 75)).decode()
    assert text.count("\n") == 7 and "\n'=cmd|x.png,1," in text


def test_changes_of_a_crop():
    grey = Image.fromarray(np.arange(400, dtype=np.uint8).reshape(20, 20))
    assert apply(grey, Change()) is grey
    for change in (Change(blur=5.0), Change(light=30), Change(turn=45), Change(cover="eyes")):
        for crop in (grey, grey.convert("RGB")):
            changed = apply(crop, change)
            assert changed.size == crop.size and changed.mode == crop.mode
            assert (np.asarray(changed) != np.asarray(crop)).any()
    covered = np.asarray(apply(grey, Change(cover="left half")))
    assert (covered[:, :10] == 128).all() and (covered[:, 10:] == np.asarray(grey)[:, 10:]).all()


def test_what_if_moves_the_triple(open_page, data):
    page = open_page("score", data=data, **{"from": "Sample", "sample": TITLES[1]})
    page.session_state["what-if"] = True
    page.run(timeout=120)
    cover = next(box for box in page.selectbox if str(box.key).startswith("cover "))
    cover.set_value("mouth").run(timeout=120)
    assert not page.exception
    moved = next(table.value for table in page.table if "difference" in table.value.columns)
    assert moved.difference.iloc[1] not in ("", "±0")


def test_a_full_queue_says_so(open_page, data, monkeypatch):
    from engine.turns import Busy

    class Full:
        def take(self, patience):
            raise Busy("40 photos are waiting already. Try again in a minute.")

    turns = scorer._turns
    monkeypatch.setattr(scorer, "_turns", Full)
    page = open_page("score", data=data, **{"from": "Sample", "sample": TITLES[1]})
    assert not page.exception and "Try again in a minute" in page.warning[0].value
    monkeypatch.setattr(scorer, "_turns", turns)
    page.button(key="score-again").click().run(timeout=120)
    assert not page.warning and "**happiness**" in words(page)


def test_other_weights_are_said(open_page, data, monkeypatch):
    monkeypatch.setattr("pages.widgets.score_found.weights", lambda view, model: "0" * 64)
    page = open_page("score", data=data, **{"from": "Sample", "sample": TITLES[1]})
    assert not page.exception and "built with other weights" in page.warning[0].value


def test_an_upload_never_passes_through_a_file(open_page, data):
    """As the server reads it: a form with a file as large as it accepts."""
    assert not open_page("overview", data=data).exception  # app.py has run
    size = st.get_option("server.maxUploadSize") * 2**20
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\n\r\n'

    async def body() -> AsyncIterator[bytes]:
        yield head
        for _ in range(size // 2**20):
            yield bytes(2**20)
        yield b"\r\n--b--\r\n"

    headers = Headers({"content-type": "multipart/form-data; boundary=b"})
    form = asyncio.run(MultiPartParser(headers, body()).parse())
    assert form["file"].size == size and not form["file"].file._rolled
