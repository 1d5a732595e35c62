"""What is wrong with a file of predictions is said in one line, names the rows, and leaves the cache as it was."""

import doctest
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.config import ImportConfig
from engine.imports import given
from engine.imports.given import quoted
from engine.imports.importing import import_predictions
from engine.imports.rows import ImportProblem
from engine.sources.rows import SourceProblem
from tests import synthetic

CLASSES = synthetic.CLASSES
FACES = 12
GOOD = np.full((FACES, 2, 8), 0.125)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return synthetic.write(tmp_path_factory.mktemp("files") / "c", FACES, models=())


def refusal(file: Path, folder: Path, **options) -> str:
    """The message; the cache must be untouched."""
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises((ImportProblem, SourceProblem)) as caught:
        import_predictions(ImportConfig(file, folder, "mine", **options), lambda passed, scored: None)
    assert (folder / "manifest.json").read_bytes() == before
    message = str(caught.value)
    assert "\n" not in message and file.name in message
    return message


def changed(row: int, value: float, sample: int = 0, column: int = 0) -> np.ndarray:
    values = GOOD.copy()
    values[row, sample, column] = value
    return values


def npz(tmp_path: Path, **arrays) -> Path:
    np.savez(tmp_path / "p.npz", **arrays)
    return tmp_path / "p.npz"


def parquet(tmp_path: Path, **columns) -> Path:
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    return tmp_path / "p.parquet"


# ---- rows


@pytest.mark.parametrize(
    ("values", "logits", "reason"),
    [
        (changed(3, 0.025, 1), False, "row 3: sample 1 sums to 0.9"),
        (changed(3, np.nan), False, "row 3: sample 0 holds nan"),
        (changed(3, np.inf), False, "row 3: sample 0 holds inf"),
        (changed(3, -0.125), False, "row 3: sample 0 holds -0.125, and a probability is at least 0"),
        (changed(3, np.nan), True, "row 3: sample 0 holds nan"),
        (changed(3, np.inf), True, "row 3: sample 0 holds inf"),
        (changed(3, -np.inf, column=slice(None)), True, "row 3: sample 0 holds -inf for every class"),
        (changed(3, 0.025)[:, :1], False, "row 3: sums to 0.9"),
    ],
)
def test_a_row_that_is_no_distribution(values, logits, reason, folder, tmp_path):
    message = refusal(npz(tmp_path, **{"logits" if logits else "probs": values}), folder)
    assert f"1 of 12 rows cannot be used, so nothing was imported. Counting from 0: {reason}." in message


def test_what_rounding_does_is_accepted(tmp_path):
    values = GOOD.copy()
    values[0, 0, 0] += 0.9e-3
    values[1, 0, 0], values[1, 0, 1] = -0.9e-6, 0.25
    for i, array in enumerate((values, GOOD.astype(np.float16))):
        cache = synthetic.write(tmp_path / f"c{i}", FACES, models=())
        import_predictions(ImportConfig(npz(tmp_path, probs=array), cache, "mine"), lambda passed, scored: None)


@pytest.mark.parametrize("excess", [1.1e-3, -1.1e-3])
def test_and_no_more_than_that(excess, folder, tmp_path):
    assert "row 0: sample 0 sums to" in refusal(npz(tmp_path, probs=changed(0, 0.125 + excess)), folder)


def test_the_first_ten_are_named(folder, tmp_path):
    message = refusal(npz(tmp_path, probs=GOOD * 0.5, face_id=np.arange(FACES)[::-1]), folder)
    assert "12 of 12 rows" in message and "row 9 (face 2): " in message and "; and 2 more. " in message
    assert "row 10" not in message
    assert "If these are logits" in message


def test_logits_that_are_probabilities(folder, tmp_path):
    np.save(tmp_path / "p.npy", GOOD)
    assert "these are probabilities, not logits" in refusal(tmp_path / "p.npy", folder, logits=True)


# ---- ids


IDS = np.arange(FACES)
NAMES = np.array([f"face{face:06d}.png" for face in IDS])


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"face_id": np.where(IDS == 3, 99, IDS)}, "row 3 (face 99): no face of the cache has this face_id"),
        ({"face_id": np.where(IDS == 3, -1, IDS)}, "row 3 (face -1): no face of the cache has this face_id"),
        ({"face_id": np.where(IDS == 3, 1, IDS)}, "row 3 (face 1): face 1 stands on row 1 already"),
        (
            {"source": np.where(IDS == 3, "x\x1b[2J", NAMES)},
            r"row 3 ('x\x1b[2J'): no face of the cache has this source",
        ),
        ({"source": np.where(IDS == 3, NAMES[1], NAMES)}, "row 3 ('face000001.png'): face 1 stands on row 1 already"),
        (
            {"source": np.where(IDS == 3, NAMES[1], NAMES), "face_id": IDS},
            "row 3 (face 3): its source is 'face000001.png', and that face's is 'face000003.png'",
        ),
    ],
)
def test_rows_whose_face_is_not_clear(arrays, reason, folder, tmp_path):
    message = refusal(npz(tmp_path, probs=GOOD, **arrays), folder)
    assert f"1 of 12 rows cannot be used, so nothing was imported. Counting from 0: {reason}." in message
    columns = {"probs": GOOD.reshape(FACES, -1).tolist(), **arrays}
    assert reason in refusal(parquet(tmp_path, **columns), folder)


def test_a_source_that_several_faces_have(folder, tmp_path):
    copy = Path(shutil.copytree(folder, tmp_path / "c"))
    part = copy / "faces" / "part-00000.parquet"
    faces = pq.read_table(part)
    names = [NAMES[0] if i == 1 else name for i, name in enumerate(faces["source"].to_pylist())]
    at = faces.schema.get_field_index("source")
    pq.write_table(faces.set_column(at, faces.schema.field(at), pa.array(names)), part)
    message = refusal(npz(tmp_path, probs=GOOD[:2], source=NAMES[[0, 5]]), copy)
    assert (
        "1 of 2 rows" in message and "row 0 ('face000000.png'): several faces of the cache have this source" in message
    )
    arrays = {"probs": GOOD[:2], "source": [NAMES[0], NAMES[0]], "face_id": [0, 1]}
    import_predictions(ImportConfig(npz(tmp_path, **arrays), copy, "mine"), lambda passed, scored: None)


def test_missing_ids_in_a_table(folder, tmp_path):
    lists = GOOD.reshape(FACES, -1).tolist()
    ids = [None if i in (2, 5) else i for i in range(FACES)]
    message = refusal(parquet(tmp_path, face_id=ids, probs=lists), folder)
    assert "2 of 12 rows" in message and "row 2: has no face_id; row 5: has no face_id." in message
    assert "no column 'face_id' or 'source'" in refusal(parquet(tmp_path, probs=lists), folder)


def test_rows_without_ids_must_be_all(folder, tmp_path):
    assert "has 11 rows without ids and the cache has 12 faces" in refusal(npz(tmp_path, probs=GOOD[1:]), folder)


def test_ids_under_another_name_are_not_overlooked(folder, tmp_path):
    message = refusal(npz(tmp_path, probs=GOOD, ids=IDS[::-1]), folder)
    assert "others ('ids')" in message


# ---- shapes, kinds and names


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"probs": GOOD, "logits": GOOD}, "both 'probs' and 'logits'"),
        ({"arr_0": GOOD}, "no array 'probs' or 'logits' (it has: 'arr_0')"),
        ({}, "it has: none"),
        ({"probs": GOOD[:, 0, 0]}, "has the shape (12,). Expected (N, S, C) or (N, C)"),
        ({"probs": GOOD[:, :0]}, "has the shape (12, 0, 8)"),
        ({"probs": GOOD[:0]}, "holds no rows"),
        ({"probs": GOOD[..., :7]}, "has 7 classes and the cache has 8 (neutral"),
        ({"probs": GOOD.astype(complex)}, "holds complex128 values"),
        ({"probs": GOOD > 0}, "holds bool values"),
        ({"probs": GOOD.astype(str)}, "Save numbers"),
        ({"probs": GOOD.astype(object)}, "Python objects"),
        ({"probs": GOOD, "source": NAMES.astype(object)}, "np.array(names, dtype=str)"),
        ({"probs": GOOD, "face_id": IDS.astype(float)}, "'face_id' in"),
        ({"probs": GOOD, "face_id": IDS[1:]}, "must hold 12 whole numbers, and holds int64 values of shape (11,)"),
        ({"probs": GOOD, "source": IDS}, "must hold 12 strings"),
        ({"probs": GOOD, "classes": [*CLASSES[:7], "joy"]}, "'joy', and the cache's are neutral"),
        ({"probs": GOOD, "classes": [*CLASSES[:7], "fear"]}, "their order does not matter"),
        ({"probs": GOOD, "classes": CLASSES[:7]}, "must hold 8 strings"),
    ],
)
def test_arrays_that_do_not_fit(arrays, message, folder, tmp_path):
    assert message in refusal(npz(tmp_path, **arrays), folder)


LISTS = GOOD.reshape(FACES, -1).tolist()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"probs": LISTS, "logits": LISTS}, "both 'probs' and 'logits'"),
        (
            {"probs": [*LISTS[:5], LISTS[5][:8], *LISTS[6:]]},
            "row 5 (face 5): has 8 numbers where the first list has 16",
        ),
        (
            {"probs": [*LISTS[:5], None, [], *LISTS[7:]]},
            "row 5 (face 5): has no numbers; row 6 (face 6): has no numbers",
        ),
        ({"probs": [*LISTS[:5], [None, *LISTS[5][1:]], *LISTS[6:]]}, "row 5 (face 5): sample 0 holds nan"),
        ({"probs": [row[:12] for row in LISTS]}, "hold 12 numbers and the cache has 8 classes"),
        ({"probs": pa.array([[]] * FACES, pa.list_(pa.float32()))}, "12 of 12 rows"),
        (
            {"probs": pa.array([[[0.125] * 8], *[[[0.125] * 7]] * 11], pa.list_(pa.list_(pa.float64())))},
            "row 1 (face 1): has a sample that does not hold 8 numbers",
        ),
        (
            {"probs": pa.array([[[0.125] * 8], *[[[0.125] * 8] * 2] * 11], pa.list_(pa.list_(pa.float64())))},
            "row 1 (face 1): has 16 numbers where the first list has 8",
        ),
        ({"probs": pa.array([None, *LISTS[1:]], pa.list_(pa.float16(), 16))}, "row 0 (face 0): has no numbers"),
        ({"probs": [["a"]] * FACES}, "must hold lists of numbers"),
        ({"probs": [0.5] * FACES}, "must hold lists of numbers, and holds double"),
        ({"face_id": [0.0] * FACES, "probs": LISTS}, "'face_id' in"),
        ({name: [0.125] * FACES for name in CLASSES[1:]}, "it lacks neutral (it has: 'face_id', 'happiness'"),
        ({name: ["a"] * FACES for name in CLASSES}, "'neutral' in"),
        ({name: [None, *[0.125] * 11] for name in CLASSES}, "row 0 (face 0): holds nan"),
        ({"source": [b"a"] * FACES, "probs": LISTS}, "must hold text, and holds binary"),
    ],
)
def test_tables_that_do_not_fit(columns, message, folder, tmp_path):
    assert message in refusal(parquet(tmp_path, **{"face_id": IDS, **columns}), folder)


def test_an_empty_table_and_a_doubled_column(folder, tmp_path):
    empty = pa.table({"face_id": pa.array([], pa.int64()), "probs": pa.array([], pa.list_(pa.float32()))})
    pq.write_table(empty, tmp_path / "e.parquet")
    assert "holds no rows" in refusal(tmp_path / "e.parquet", folder)
    doubled = pa.Table.from_arrays([pa.array(IDS), pa.array(IDS), pa.array(LISTS)], ["face_id", "face_id", "probs"])
    pq.write_table(doubled, tmp_path / "d.parquet")
    assert "more than one column 'face_id'" in refusal(tmp_path / "d.parquet", folder)


def test_names_and_options_that_contradict(folder, tmp_path):
    assert "--logits contradicts" in refusal(npz(tmp_path, probs=GOOD), folder, logits=True)
    assert "--logits contradicts" in refusal(parquet(tmp_path, face_id=IDS, probs=LISTS), folder, logits=True)


# ---- files


def test_no_such_file_a_folder_another_ending_and_nothing(folder, tmp_path):
    assert "no file at" in refusal(tmp_path / "p.npz", folder)
    (tmp_path / "d.npz").mkdir()
    assert "not a file" in refusal(tmp_path / "d.npz", folder)
    for name in ("p.csv", "p.pt", "p"):
        (tmp_path / name).write_text("0.1,0.9")
        assert "none of .npz, .npy, .parquet, .pq" in refusal(tmp_path / name, folder)
    for name in ("e.npz", "e.npy", "e.parquet"):
        (tmp_path / name).touch()
        assert "is empty (0 bytes)" in refusal(tmp_path / name, folder)


@pytest.mark.parametrize("ending", [".npz", ".npy", ".parquet"])
def test_damage(ending, folder, tmp_path):
    path = tmp_path / f"p{ending}"
    if ending == ".npz":
        np.savez_compressed(path, probs=np.random.default_rng(0).dirichlet([1] * 8, (FACES, 500)))
    elif ending == ".npy":
        np.save(path, GOOD)
    else:
        parquet(tmp_path, face_id=IDS, probs=LISTS)
    whole = path.read_bytes()
    for length in (1, 7, len(whole) // 3, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "again" in refusal(path, folder)
    path.write_bytes(b"thesis, chapter one. " * 400)
    assert "does not begin like" in refusal(path, folder)
    middle = bytearray(whole)
    middle[len(whole) // 2 : len(whole) // 2 + 40] = b"\xff" * 40
    path.write_bytes(bytes(middle))
    assert refusal(path, folder)  # a flipped number or a damaged page: refused either way


def test_pickles_are_never_opened(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    for name in ("p.npy", "p.npz"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
        assert "pickles are never opened" in refusal(tmp_path / name, folder)
    np.save(tmp_path / "q.npy", np.array([Trap()] * FACES, dtype=object), allow_pickle=True)
    assert "never loaded" in refusal(tmp_path / "q.npy", folder)
    np.savez(tmp_path / "q.npz", probs=np.array([Trap()] * FACES, dtype=object))
    assert "never loaded" in refusal(tmp_path / "q.npz", folder)
    assert not (tmp_path / "sprung").exists()


def test_an_ending_that_is_not_the_content(folder, tmp_path):
    np.save(tmp_path / "a.npy", GOOD)
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    assert "Correct its ending" in refusal(tmp_path / "a.npz", folder)
    npz(tmp_path, probs=GOOD).rename(tmp_path / "b.npy")
    assert "Correct its ending" in refusal(tmp_path / "b.npy", folder)
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as file:
        file.writestr("readme.txt", "no arrays here")
    assert "no array 'probs'" in refusal(tmp_path / "c.npz", folder)


def test_an_array_that_claims_to_be_endless(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "p.npz", "w") as file, file.open("probs.npy", "w") as member:
        header = {"descr": "<f8", "fortran_order": False, "shape": (FACES, 10**12, 8)}
        np.lib.format.write_array_header_1_0(member, header)
    message = refusal(tmp_path / "p.npz", folder)
    assert "does not fit into memory" in message or "damaged" in message


def test_names_from_files_are_fit_to_print():
    assert quoted("a\x1b[31m\nb") == r"'a\x1b[31m\nb'"
    assert len(quoted("x" * 1000)) == 82


def test_examples_in_docstrings():
    found = doctest.testmod(given)
    assert found.attempted and not found.failed
