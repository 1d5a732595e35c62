"""The probe faces that ship with the project: rendered heads whose factors and true ambiguity are known."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from engine.images import decode
from engine.sources.rows import FER_CLASSES, Attribute, Item, Reject, Source, SourceProblem
from engine.sources.table import attribute_value, attributes_of
from engine.sources.table_rows import ParquetRows

ASSET = Path(__file__).parent.parent / "assets" / "probe.parquet"
TRUTH = (
    Attribute("truth_disagreement", "number", "probability"),
    Attribute("truth_entropy", "number", "nats"),
)
UNITS = {"tone": "Monk", "yaw": "degrees"}  # the asset's own metadata describes each column in a sentence


def open_probe(spec: str = "probe:", asset: Path = ASSET) -> Source:
    """Open the probe faces. Every column that describes the face becomes an attribute.

    truth, the share of each expression that was rendered, becomes truth_disagreement and truth_entropy: what
    the disagreement and the aleatoric uncertainty would be with infinitely many annotators.
    """
    if not asset.is_file():
        raise SourceProblem(
            f"The probe faces are missing at {asset}. Restore the file from the repository, or render it: "
            f"pip install '.[render]' && python -m engine.probe --out {asset}"
        )
    table = ParquetRows(asset)
    missing = sorted({"name", "image", "split", "votes", "truth"} - set(table.kinds))
    if missing:
        command = f"python -m engine.probe --out {asset}"
        raise SourceProblem(f"{asset} lacks {', '.join(missing)}. Render it again: {command}")
    described = [replace(a, unit=UNITS.get(a.name, "")) for a in attributes_of(table, {"name", "split"})]

    def entries() -> Iterator[Item | Reject]:
        for row in table.rows():
            factors = {attribute.name: attribute_value(row[attribute.name]) for attribute in described}
            yield Item(
                source=row["name"],
                load=partial(decode, row["image"], row["name"]),
                split=row["split"],
                votes=tuple(row["votes"]),
                attributes={**factors, **_truth(row["truth"])},
            )

    return Source(
        spec=spec,
        title="Probe faces",
        classes=FER_CLASSES,
        entries=entries,
        count=table.count,
        attributes=(*described, *TRUTH),
        note="rendered faces, simulated annotators",
    )


def _truth(shares: Sequence[float]) -> dict[str, float]:
    return {
        "truth_disagreement": 1.0 - math.fsum(share**2 for share in shares),
        "truth_entropy": -math.fsum(share * math.log(share) for share in shares if share > 0),
    }
