"""Measures faces while they are decoded, a few at a time, so that no image has to be kept."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from PIL import Image

from cache.attributes import MEASURED
from cache.manifest import AttributeInfo
from cache.schema import ATTRIBUTE_PREFIX
from engine.records import FaceRow
from engine.sources.rows import Attribute, Reject

MOST_IMAGES = 32  # measured together
MOST_PIXELS = 4_000_000  # of them all: photos that are taken for faces may be large

Value = float | str | None
Found = tuple[FaceRow | Reject, Image.Image | None]  # a face has its image with it


class Measurer(Protocol):
    """What `engine.attributes.measure.Measurer` does; called from several threads."""

    def measure(self, images: Sequence[Image.Image]) -> dict[str, list[Value]]: ...


class Measuring:
    """The measurer, the attributes that it finds, and the version of its methods."""

    def __init__(self, measurer: Measurer, attributes: Sequence[Attribute], version: int = 1) -> None:
        self.measurer, self.attributes, self.version = measurer, tuple(attributes), version

    @property
    def info(self) -> AttributeInfo:
        columns = tuple(ATTRIBUTE_PREFIX + attribute.name for attribute in self.attributes)
        return AttributeInfo("Measured in the images", MEASURED, columns, {"version": self.version})

    def rows(self, found: Iterable[Found]) -> Iterator[FaceRow | Reject]:
        """The faces with what was measured in them, and the rejects, in order."""
        waiting: list[Found] = []
        pixels = 0
        for row, image in found:
            waiting.append((row, image))
            pixels += image.width * image.height if image is not None else 0
            if len(waiting) == MOST_IMAGES or pixels >= MOST_PIXELS:
                yield from self._measured(waiting)
                waiting, pixels = [], 0
        yield from self._measured(waiting)

    def _measured(self, waiting: Sequence[Found]) -> Iterator[FaceRow | Reject]:
        values = iter(self._values([image for _, image in waiting if image is not None]))
        for row, _ in waiting:
            yield row.with_measured(next(values)) if isinstance(row, FaceRow) else row

    def _values(self, images: Sequence[Image.Image]) -> list[dict[str, Value]]:
        """One dictionary per image. Whatever one image does, the others are measured."""
        if not images:
            return []
        try:
            found = self.measurer.measure(images)
        except Exception as problem:
            if len(images) > 1:
                return [values for image in images for values in self._values([image])]
            return [self._failed(problem)]
        return [{a.name: found[a.name][i] for a in self.attributes} for i in range(len(images))]

    def _failed(self, problem: Exception) -> dict[str, Value]:
        """Numbers are unknown, and the texts, which are there to say why a number is unknown, tell the reason."""
        reason = f"unexpected {type(problem).__name__}"
        return {a.name: reason if a.kind == "text" else None for a in self.attributes}


def load() -> Measuring:
    """The real measurer, which nothing needs but a build with --measure."""
    from engine.attributes.measure import ATTRIBUTES, VERSION, Measurer

    return Measuring(Measurer(), ATTRIBUTES, VERSION)
