"""What a report is about: one model on one split of a cache."""

from dataclasses import dataclass
from functools import cached_property

from cache.errors import CacheError
from cache.filters import Filter
from cache.numbers import Numbers, numbers
from cache.reader import Cache
from pages.findings.overview import EVERY_FACE, split_filter
from pages.report.blocks import Text
from pages.report.paths import without_folders
from pages.widgets.wording import count

MIN_FACES = 30  # with fewer, a 95 % interval is itself a guess


class NothingToReport(CacheError):
    """The cache has no such model or split, or is not finished."""


@dataclass(frozen=True)
class Subject:
    """A finished model of a finished cache, and the faces that the report is about."""

    cache: Cache
    model: str
    split: str

    @property
    def samples(self) -> int:
        return self.cache.manifest.models[self.model].samples

    @property
    def where(self) -> Filter:
        return split_filter(self.split)

    @cached_property
    def n(self) -> int:
        """Faces of the split that the model has scored."""
        return self.cache.count(self.model, self.where)

    @cached_property
    def voted(self) -> bool:
        """Whether annotators have said anything about any face of the cache."""
        return self.cache.extent(self.model, "n_votes")[1] > 0

    @property
    def title(self) -> str:
        return without_folders(self.cache.manifest.source.title) or self.cache.folder.resolve().name

    @property
    def of(self) -> str:
        """'compact on split test'"""
        return f"{self.model} on {self.named_split}"

    @property
    def named_split(self) -> str:
        return "all faces" if self.split == EVERY_FACE else f"split {self.split}"

    def described(self, n: int) -> str:
        """'60 faces of split test'"""
        return count(n, "face") + ("" if self.split == EVERY_FACE else f" of split {self.split}")

    def numbers(
        self,
        columns: tuple[str, ...] = (),
        *,
        where: Filter | None = None,
        model: str | None = None,
        probs: bool = False,
        votes: bool = False,
    ) -> Numbers:
        """Columns of the report's faces, or of `where`; of its model, or of another one on the same faces."""
        wanted = self.where if where is None else where
        of = model or self.model
        return numbers(self.cache, of, wanted, columns, probs=probs, votes=votes, filtered_by=self.model)


def subject_of(cache: Cache, model: str | None = None, split: str | None = None) -> Subject:
    """The model and split asked for; else the model that the pages begin with, and its test faces where it has some.

    Raises NothingToReport, with the command that helps.
    """
    manifest = cache.manifest
    if manifest.faces == 0 or not manifest.complete:
        again = f": {manifest.command}" if manifest.command else "."
        raise NothingToReport(f"The build of the cache at {cache.folder} is not finished. Run it again first{again}")
    if not cache.models:
        raise NothingToReport(
            f"The cache at {cache.folder} has {count(manifest.faces, 'face')} and no model's predictions. Add a model: "
            f"python -m engine build {manifest.source.spec or 'SOURCE'} --out {cache.folder} --model compact-ensemble"
        )
    if model is not None and model not in cache.models:
        raise NothingToReport(f"This cache has no model '{model}'. It has: {', '.join(cache.models)}.")
    model = model or str(manifest.first_model)
    splits = cache.values(model, "split").dropna(subset="value")["value"].tolist()
    if split not in (None, EVERY_FACE, *splits):
        raise NothingToReport(f"{model} has no faces of a split '{split}'. It has: {', '.join([*splits, EVERY_FACE])}.")
    return Subject(cache, model, split or ("test" if "test" in splits else EVERY_FACE))


def few(n: int) -> list[Text]:
    """Say so when statistics stand on too few faces."""
    return [Text(f"Only {count(n, 'face')}: too few to trust these figures.", "warning")] if n < MIN_FACES else []


def sampled(faces: Numbers) -> list[Text]:
    """Say so when statistics stand on a part of the faces."""
    if not faces.sampled:
        return []
    return [Text(f"From a random sample of {len(faces):,} of {count(faces.matching, 'face')}.", "warning")]
