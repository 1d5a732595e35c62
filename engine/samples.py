"""Photos to try scoring on, put together from the rendered heads that ship: no living person is in them."""

from functools import cache
from io import BytesIO

import pyarrow.parquet as pq
from PIL import Image

from engine.sources.probe import ASSET

SIDE, GAP, GREY = 240, 20, (120, 125, 130)  # px, px, sRGB of the wall behind the heads
SINGLE = {  # title -> name of a test face, which no shipped model has learned from
    "A happy face": "id20/happiness/tone01_yaw+00_overhead",
    "Between surprise and anger": "id23/surprise+anger/tone08_yaw+00_front",
}
GROUP = "Six faces"
TOGETHER = (
    "id18/sadness/tone01_yaw+00_side",
    "id17/neutral/tone02_yaw+00_side",
    "id20/happiness/tone01_yaw+00_overhead",
    "id17/anger+fear/tone09_yaw+00_front",
    "id23/surprise+anger/tone08_yaw+00_front",
    "id23/sadness/tone04_yaw+00_side",
)
TITLES = (GROUP, *SINGLE)


@cache
def sample(title: str) -> bytes:
    """A PNG file: one head, or six on a wall. Raises KeyError for a title that is not in TITLES."""
    names = TOGETHER if title == GROUP else (SINGLE[title],)
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    step = SIDE + GAP
    wall = Image.new("RGB", (columns * step + GAP, rows * step + GAP), GREY)
    for place, head in enumerate(_heads(names)):
        column, row = place % columns, place // columns
        wall.paste(head.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (GAP + column * step, GAP + row * step))
    buffer = BytesIO()
    wall.save(buffer, "PNG")
    return buffer.getvalue()


def _heads(names: tuple[str, ...]) -> list[Image.Image]:
    table = pq.read_table(ASSET, columns=["name", "image"], filters=[("name", "in", names)])
    found = dict(zip(table["name"].to_pylist(), table["image"].to_pylist(), strict=True))
    return [Image.open(BytesIO(found[name]), formats=("JPEG",)).convert("RGB") for name in names]
