"""The tables of a cache: column names, types, units. Writer and reader agree on this file and nothing else."""

from collections.abc import Sequence

import pyarrow as pa

SCHEMA_VERSION = 1
ATTRIBUTE_PREFIX = "attr_"
THUMBNAIL_SIDE = 96  # px, longest side
ROW_GROUP = 65_536
ROW_GROUPS = {"thumbnails": 512, "neighbours": 1024}  # small: a page of faces reads only the groups that hold them

SCORES = {  # per face and model; name -> (unit, what it is)
    "confidence": ("probability", "largest mean class probability"),
    "u_total": ("nats", "total uncertainty, entropy of the mean prediction"),
    "u_aleatoric": ("nats", "aleatoric uncertainty, mean entropy of the samples"),
    "u_epistemic": ("nats", "epistemic uncertainty, total minus aleatoric"),
    "jsd": ("nats", "Jensen-Shannon divergence between annotators and model"),
    "nll": ("nats", "cross-entropy of the annotators' distribution under the model"),
    "brier": ("", "Brier score against the annotators' distribution"),
}
NEEDS_VOTES = ("jsd", "nll", "brier")  # null for a face without votes


def faces(classes: int, attributes: Sequence[pa.Field] = ()) -> pa.Schema:
    """One row per face. `attributes` are fields whose names start with attr_."""
    wrong = [f.name for f in attributes if not f.name.startswith(ATTRIBUTE_PREFIX)]
    if wrong:
        raise ValueError(f"Attribute columns must start with '{ATTRIBUTE_PREFIX}': {', '.join(wrong)}.")
    return pa.schema(
        [
            _field("face_id", pa.int64(), nullable=False),
            _field("source", pa.string(), nullable=False),
            _field("content_id", pa.string(), nullable=False),  # hash of the decoded pixels
            _field("split", pa.string()),
            _field("width", pa.int32(), "px", nullable=False),
            _field("height", pa.int32(), "px", nullable=False),
            _field("votes", pa.list_(pa.uint16(), classes), "votes"),  # null when unknown
            _field("n_votes", pa.int32(), "votes", nullable=False),
            _field("disagreement", pa.float32(), "probability"),  # that two annotators differ
            _field("majority", pa.int16(), "class index"),  # null on a tie or without votes
            *attributes,
        ]
    )


def attribute_field(name: str, *, text: bool = False, unit: str = "", description: str = "") -> pa.Field:
    """The column of an attribute; `name` is the dataset's, without the prefix."""
    metadata = {key: value for key, value in (("unit", unit), ("description", description)) if value}
    return pa.field(ATTRIBUTE_PREFIX + name, pa.string() if text else pa.float64(), metadata=metadata or None)


def attributes(fields: Sequence[pa.Field]) -> pa.Schema:
    """One row per face, in the order of the faces: attributes that the dataset itself does not have."""
    return pa.schema([_field("face_id", pa.int64(), nullable=False), *fields])


def thumbnails() -> pa.Schema:
    """JPEG or PNG bytes of each face, sorted by face_id."""
    return pa.schema([_field("face_id", pa.int64(), nullable=False), _field("thumbnail", pa.binary(), nullable=False)])


def predictions(classes: int, samples: int) -> pa.Schema:
    """One row per face and model; `samples` is S, the length of the sample axis."""
    return pa.schema(
        [
            _field("face_id", pa.int64(), nullable=False),
            _field("probs", pa.list_(pa.float32(), classes), "probability", nullable=False),
            _field("predicted", pa.int16(), "class index", nullable=False),
            *(_field(name, pa.float32(), unit, nullable=name in NEEDS_VOTES) for name, (unit, _) in SCORES.items()),
            _field("samples", pa.list_(pa.float16(), samples * classes), "probability"),  # S blocks of C
        ]
    )


def features(dimensions: int) -> pa.Schema:
    """One feature vector per face and backbone."""
    return pa.schema(
        [
            _field("face_id", pa.int64(), nullable=False),
            _field("vector", pa.list_(pa.float16(), dimensions), nullable=False),
        ]
    )


def embedding() -> pa.Schema:
    """One point per face and layout; the axes of a map of features have no unit."""
    return pa.schema(
        [
            _field("face_id", pa.int64(), nullable=False),
            _field("x", pa.float32(), nullable=False),
            _field("y", pa.float32(), nullable=False),
        ]
    )


def neighbours() -> pa.Schema:
    """The nearest faces of each face by cosine distance of one backbone's features, nearest first, without itself.

    Twice: among the training faces, and among the faces of its own split. Lists are shorter where there are fewer.
    """
    ids, distances = pa.list_(pa.int64()), pa.list_(pa.float32())
    return pa.schema(
        [
            _field("face_id", pa.int64(), nullable=False),
            _field("train", ids, nullable=False),
            _field("train_distance", distances, "1 - cosine", nullable=False),
            _field("own", ids, nullable=False),
            _field("own_distance", distances, "1 - cosine", nullable=False),
        ]
    )


def rejects() -> pa.Schema:
    """Every input that did not become a face."""
    return pa.schema(
        [
            _field("source", pa.string(), nullable=False),
            _field("stage", pa.string(), nullable=False),
            _field("reason", pa.string(), nullable=False),
        ]
    )


def summary() -> pa.Schema:
    """Statistics of each model on each split, computed once at the end of a build."""
    return pa.schema(
        [
            _field("model", pa.string(), nullable=False),
            _field("split", pa.string(), nullable=False),  # 'all' for every face
            _field("metric", pa.string(), nullable=False),
            _field("value", pa.float64()),
            _field("low", pa.float64()),  # 95 % bootstrap interval
            _field("high", pa.float64()),
            _field("n", pa.int64(), "faces", nullable=False),
        ]
    )


def _field(name: str, kind: pa.DataType, unit: str = "", *, nullable: bool = True) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"unit": unit} if unit else None)
