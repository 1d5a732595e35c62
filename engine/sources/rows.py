"""What every dataset reader yields: items that may become faces, and rejects that did not.

A source is a deterministic, ordered, lazy stream. Listing an item is cheap; `Item.load` does the decoding,
later and in a worker thread, so memory does not grow with the dataset and a resumed build can skip what is
already done. How each reader fills these rows in: docs/sources.md.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image

FER_CLASSES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")


class ImageProblem(Exception):
    """One image cannot become a face; the message is the reason written to rejects."""


class SourceProblem(Exception):
    """The source as a whole cannot be read; the message says what, where and what to do next."""


@dataclass(frozen=True)
class Item:
    """One image that may hold faces."""

    source: str  # unique and stable within the dataset: a path relative to its root
    load: Callable[[], Image.Image]  # mode L or RGB, upright; raises ImageProblem
    split: str | None = None  # train, validation, test, or whatever the dataset says
    votes: tuple[int, ...] | None = None  # (C,) counts in the order of Source.classes
    attributes: Mapping[str, float | str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Reject:
    """One input that did not become a face, and why."""

    source: str
    stage: Literal["list", "labels", "decode", "detect"]
    reason: str


@dataclass(frozen=True)
class Attribute:
    """A column of per-face metadata; written to the cache as attr_<name>."""

    name: str
    kind: Literal["number", "text"]
    unit: str = ""


@dataclass(frozen=True)
class Source:
    """A dataset opened for reading."""

    spec: str  # as typed, e.g. 'ferplus:/data/ferplus.zip'
    title: str  # for people: 'FER+'
    classes: tuple[str, ...] | None  # None when the dataset carries no votes
    entries: Callable[[], Iterator[Item | Reject]]  # the same order at every call
    count: int | None = None  # number of entries when it is known without reading everything
    attributes: tuple[Attribute, ...] = ()
    note: str = ""  # shown on every page, e.g. 'rendered faces, simulated annotators'
