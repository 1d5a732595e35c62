"""The probe faces: factors become attributes, the rendered shares the true ambiguity."""

from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from engine.sources.probe import ASSET, open_probe
from engine.sources.rows import FER_CLASSES, Attribute, Item, SourceProblem


@pytest.fixture
def asset(tmp_path):
    buffer = BytesIO()
    Image.new("RGB", (112, 112), (120, 90, 70)).save(buffer, "JPEG")
    schema = pa.schema(
        [
            ("name", pa.string()), ("image", pa.binary()), ("split", pa.string()),
            ("votes", pa.list_(pa.uint16(), 8)), ("truth", pa.list_(pa.float32(), 8)),
            ("identity", pa.int16()), ("expression", pa.string()),
            pa.field("tone", pa.int8(), metadata={"unit": "Monk scale"}), ("centre", pa.bool_()),
        ]
    )  # fmt: skip
    columns = [
        ["0/neutral", "1/neutral+anger"], [buffer.getvalue()] * 2, ["train", "test"],
        [[10, 0, 0, 0, 0, 0, 0, 0], [6, 0, 0, 0, 4, 0, 0, 0]],
        [[1.0, 0, 0, 0, 0, 0, 0, 0], [0.5, 0, 0, 0, 0.5, 0, 0, 0]],
        [0, 1], ["neutral", "neutral+anger"], [1, 10], [True, False],
    ]  # fmt: skip
    path = tmp_path / "probe.parquet"
    pq.write_table(pa.table(columns, schema=schema), path)
    return path


def test_rows_of_the_probe(asset):
    source = open_probe(asset=asset)
    assert (source.title, source.note) == ("Probe faces", "rendered faces, simulated annotators")
    assert source.classes == FER_CLASSES and source.count == 2
    assert Attribute("tone", "number", "Monk") in source.attributes
    pure, blend = source.entries()
    assert pure.source == "0/neutral" and pure.split == "train" and pure.load().size == (112, 112)
    assert blend.votes == (6, 0, 0, 0, 4, 0, 0, 0)
    assert blend.attributes["tone"] == 10.0 and blend.attributes["centre"] == 0.0
    assert pure.attributes["truth_disagreement"] == 0 and blend.attributes["truth_disagreement"] == 0.5
    assert blend.attributes["truth_entropy"] == pytest.approx(np.log(2))
    assert set(blend.attributes) == {attribute.name for attribute in source.attributes}


def test_a_missing_or_foreign_asset_names_the_command(tmp_path):
    with pytest.raises(SourceProblem, match=r"python -m engine\.probe"):
        open_probe(asset=tmp_path / "probe.parquet")
    pq.write_table(pa.table({"name": ["x"]}), tmp_path / "probe.parquet")
    with pytest.raises(SourceProblem, match="lacks image, split, truth, votes"):
        open_probe(asset=tmp_path / "probe.parquet")


@pytest.mark.skipif(not ASSET.is_file(), reason="engine/assets/probe.parquet is not rendered yet")
def test_the_shipped_probe_faces():
    source = open_probe()
    entries = list(source.entries())
    assert len(entries) == source.count and len({e.source for e in entries}) == len(entries)
    assert all(isinstance(e, Item) and sum(e.votes) == 10 for e in entries)
    assert entries[0].load().mode == "RGB"
