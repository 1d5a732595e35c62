"""What a visitor does on each page of the app: every step asks for something that nobody has asked for before."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.visitor import Answer, Visitor
from cache.manifest import Manifest

SORTS = 8  # orders tried on the Faces page, each in both directions
Steps = Iterator[tuple[str, Callable[[], Answer]]]


@dataclass(frozen=True)
class Step:
    """One interaction, done."""

    page: str
    name: str
    seconds: float


class Visits:
    """Steps are in the order in which a person might take them; a page that the app lacks is left out."""

    def __init__(self, visitor: Visitor, manifest: Manifest) -> None:
        self.visitor, self.models = visitor, manifest.ready_models
        self.others = [model for model in self.models if model != manifest.first_model]
        self.classes, self.faces = manifest.classes, manifest.faces

    def every_page(self, **query: object) -> None:
        """Follow the sidebar's links once."""
        for page in self.visitor.pages:
            _checked(page, "first visit", self.visitor.follow(page, **query))

    def interactions(self) -> Iterator[Step]:
        known: dict[str, Callable[[], Steps]] = {
            "": self._overview,
            "faces": self._faces,
            "embedding": self._embedding,
            "calibration": self._calibration,
            "disagreement": self._disagreement,
            "rejection": self._rejection,
        }
        for page in self.visitor.pages:
            self.visitor.follow(page)
            for name, step in known.get(page, lambda: iter(()))():
                yield _checked(page, name, step())
            if page not in ("", "score"):  # which have no filters
                yield from self._filtered(page)

    def _overview(self) -> Steps:
        yield "split train", self._set("of", ["train"])
        yield "all splits", self._set("of", ["all"])
        yield from self._models()

    def _faces(self) -> Steps:
        yield "Extremes of one predicted class", self._set("predicted", [self.classes[1]])
        yield "and of one class of the annotators'", self._set("annotators", [self.classes[3]])
        yield "Browse", lambda: self.visitor.visit("faces", view="Browse")
        for name in self.visitor.options("sort")[1 : SORTS + 1]:
            yield f"sort by {name}", self._set("sort", name)
            yield "the other way round", self._set("order", ["lowest first"])
            self.visitor.set("order", ["highest first"])
        yield "page 2", self._set("page", 2)
        yield "200 faces per page", self._set("size", "200")
        yield "the last page", self._set("page", -(-self.faces // 200))
        yield "wrong ones", self._set("verdict", ["wrong"])
        yield "a face", lambda: self.visitor.visit("faces", view="Browse", face=self.faces // 2)
        yield "the next face", self._set("next-face", True)

    def _embedding(self) -> Steps:
        for name in self.visitor.options("colour")[1:4]:
            yield f"coloured by {name}", self._set("colour", name)
        yield "a lasso", lambda: self.visitor.visit("embedding", lasso="-1,-1;1,-1;1.1,1.2;-1,1")
        yield "another one", lambda: self.visitor.visit("embedding", lasso="-.5,-1;.9,-1;.7,.6")

    def _calibration(self) -> Steps:
        yield "15 bins", self._set("bins", [15.0])
        yield "bins of equal mass", self._set("edges", ["mass"])
        yield "one class", self._set("class", self.classes[2])
        yield "against the majority", self._set("against", ["majority"])
        yield "temperature, both", self._set("temperature", ["both"])
        yield from self._models()

    def _disagreement(self) -> Steps:
        for name in self.visitor.options("group")[1:4]:
            yield f"groups by {name}", self._set("group", name)
        yield "Pearson's r of the groups", self._set("coefficient", ["Pearson r"])
        yield from self._models()

    def _rejection(self) -> Steps:
        yield "10 % handed over", self._set("handed", [10.0])
        yield "chosen by U_t", self._set("by", ["U_t"])
        yield "40 % handed over", self._set("handed", [40.0])
        yield from self._models()

    def _models(self) -> Steps:
        if self.others:
            yield "another model", self._set("model", self.others[0])

    def _filtered(self, page: str) -> Iterator[Step]:
        """The sidebar's filters, on any page that has them."""
        self.visitor.visit(page)
        if "split" in self.visitor.keys:
            yield _checked(page, "split train", self.visitor.set("split", ["train"]))
        for span in ("0.1..0.9", "0.2..1.1"):
            yield _checked(page, f"U_t {span}", self.visitor.visit(page, u_total=span))
        if "predicted" in self.visitor.keys:
            yield _checked(page, "one predicted class", self.visitor.set("predicted", [self.classes[0]]))

    def _set(self, key: str, value: Any) -> Callable[[], Answer]:
        return lambda: self.visitor.set(key, value)


def _checked(page: str, name: str, answer: Answer) -> Step:
    page = page or "overview"
    if answer.problem:
        raise RuntimeError(f"The page {page} failed at '{name}': {answer.problem}")
    return Step(page, name, answer.seconds)
