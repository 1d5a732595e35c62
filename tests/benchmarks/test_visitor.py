"""The benchmarks' visitor on a real server: what it asks for is what it gets, and it notices when it does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.server import Server, serving
from benchmarks.sessions import Record, Shelf, _note
from benchmarks.visitor import Answer, Visitor
from cache.filters import Filter
from cache.reader import Cache
from tests import synthetic


@pytest.fixture(scope="module")
def caches(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("caches")
    return [synthetic.write(root / "large", 180), synthetic.write(root / "small", 45, seed=1)]


@pytest.fixture(scope="module")
def server(caches: list[Path]) -> Iterator[Server]:
    with serving(caches) as running:
        yield running


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    with Visitor(server) as first:
        yield first


def says(answer: Answer, text: str) -> bool:
    return any(text in said for said in answer.texts)


def test_an_address_is_obeyed(visitor: Visitor, caches: list[Path]) -> None:
    wanted = Cache(caches[0]).count("compact-ensemble", Filter(ranges=(("u_total", 1.6, 1.8),)))
    answer = visitor.visit("faces", view="Browse", u_total="1.6..1.8")
    assert 0 < wanted < 180
    assert says(answer, f"**{wanted} of 180 faces**")
    assert answer.values["u_total"] == "1.6..1.8"
    assert answer.seconds > 0
    assert not answer.problem


def test_the_shelf_counts_as_the_cache_does(server: Server, caches: list[Path]) -> None:
    for name, folder in zip(server.caches, caches, strict=True):
        wanted = Cache(folder).count("compact-ensemble", Filter(ranges=(("u_total", 1.6, 1.8),)))
        total = Cache(folder).manifest.faces
        assert Shelf.of(name, folder).count(1.6, 1.8) == f"**{wanted} of {total} faces**"


def test_a_widget_is_used(visitor: Visitor) -> None:
    visitor.visit("faces", view="Browse")
    answer = visitor.set("split", ["test"])
    assert says(answer, "**60 of 180 faces**")
    assert says(visitor.set("size", "48"), "**60 of 180 faces**")
    assert "page" in visitor.keys  # 60 faces, 48 on a page


def test_links_lead_to_every_page(visitor: Visitor) -> None:
    assert {"", "faces", "calibration", "disagreement", "rejection"} <= set(visitor.pages)
    for page in visitor.pages:
        answer = visitor.follow(page)
        assert not answer.problem
        assert answer.texts


def test_links_carry_the_cache_and_the_model_from_page_to_page(visitor: Visitor, server: Server) -> None:
    for page in (*visitor.pages, *visitor.pages):
        answer = visitor.follow(page, cache=server.caches[1], model="compact-ensemble")
        assert says(answer, "compact-ensemble, 6 samples per face"), page
    assert says(visitor.follow("faces", cache=server.caches[1], view="Browse"), "**45 faces**")


def test_what_a_page_cannot_use_is_a_problem(visitor: Visitor) -> None:
    assert "Ignored" in visitor.visit("faces", view="Browse", u_total="nonsense").problem


def test_two_visitors_see_their_own_caches(server: Server) -> None:
    with Visitor(server) as one, Visitor(server) as two:
        for visitor, cache, faces in ((one, server.caches[0], 180), (two, server.caches[1], 45)):
            assert says(visitor.visit("faces", cache=cache, view="Browse"), f"**{faces} faces**")
        assert says(one.set("split", ["test"]), "**60 of 180 faces**")
        assert says(two.set("split", ["train"]), "**15 of 45 faces**")


def test_an_answer_to_another_request_is_noticed(server: Server, caches: list[Path]) -> None:
    shelf = Shelf.of(server.caches[0], caches[0])
    for low, mixed in ((1.6, 0), (1.7, 2)):  # the field and the count
        record = Record(f"{low:.2f}..")
        answer = Answer(1.0, ["Synthetic", shelf.count(1.6, 1.8)], {"u_total": "1.60..1.80"})
        _note(answer, shelf, (low, 1.8), "faces", record)
        assert len(record.mixed) == mixed
        assert not record.failures
    broken = Record("1.60..")
    _note(Answer(1.0, ["Synthetic"], problem="The cache was moved."), shelf, None, "faces", broken)
    assert len(broken.failures) == 1
