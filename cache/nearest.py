"""The faces nearest to one face in a model's feature space, as the engine found them."""

from dataclasses import dataclass

from cache.filters import quote
from cache.manifest import NeighbourInfo
from cache.reader import Cache


@dataclass(frozen=True)
class Near:
    """Faces and their cosine distances, nearest first."""

    face_ids: tuple[int, ...]
    distances: tuple[float, ...]


@dataclass(frozen=True)
class Nearest:
    """The nearest training faces and the nearest faces of the same split; equal for a training face."""

    backbone: str
    info: NeighbourInfo
    train: Near
    own: Near


def nearest(cache: Cache, model: str | None, face_id: int) -> Nearest | None:
    """By the features that the model reads, or else by any that have neighbours; None where nothing is known."""
    backbone = _backbone(cache, model)
    if backbone is None:
        return None
    rows = cache.rows(
        f"SELECT train, train_distance, own, own_distance FROM {quote(f'neighbours/backbone={backbone}')} "
        "WHERE face_id = ?",
        [int(face_id)],
    )
    if not rows:
        return None
    train, train_distance, own, own_distance = map(tuple, rows[0])
    return Nearest(backbone, cache.manifest.neighbours[backbone], Near(train, train_distance), Near(own, own_distance))


def _backbone(cache: Cache, model: str | None) -> str | None:
    ready = cache.manifest.ready_neighbours
    own = cache.manifest.models[model].backbones[:1] if model else ()
    return next((b for b in (*own, *ready) if b in ready), None)
