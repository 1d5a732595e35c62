"""Pictures and a small FER+ with every quirk of the real one, made of noise."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
FOLDER = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}

# line 2 onwards of fer2013new.csv: usage, name, ten counts
ROWS = [
    ("Training", "fer0000000.png", (4, 0, 0, 1, 3, 2, 0, 0, 0, 0)),
    ("Training", "", (0, 0, 0, 0, 0, 0, 0, 0, 0, 10)),  # no name: not a face
    ("Training", "fer0000005.png", (9, 0, 0, 0, 0, 0, 1, 0, 0, 0)),  # its name stands again on line 6
    ("Training", "fer0000001.png", (4, 0, 0, 0, 0, 3, 1, 0, 1, 0)),  # nine votes
    ("Training", "fer0000005.png", (9, 0, 0, 0, 0, 0, 1, 0, 0, 0)),
    ("Training", "fer0000006.png", (0, 0, 0, 0, 0, 0, 0, 0, 0, 10)),  # named, and not a face
    ("Training", "fer0000007.png", (0, 0, 0, 0, 0, 0, 0, 0, 8, 2)),  # nobody could tell, but a face
    ("PublicTest", "fer0000008.png", (0, 10, 0, 0, 0, 0, 0, 0, 0, 0)),
    ("PublicTest", "", (0, 0, 0, 0, 0, 0, 0, 0, 0, 10)),
    ("PrivateTest", "fer0000009.png", (5, 0, 0, 1, 1, 0, 0, 0, 3, 0)),  # stands again, with other votes
    ("PrivateTest", "fer0000010.png", (0, 0, 6, 0, 0, 0, 3, 0, 0, 1)),
    ("PrivateTest", "fer0000009.png", (0, 0, 0, 0, 0, 0, 0, 0, 0, 10)),
]


def pixels(row: int) -> np.ndarray:
    return np.random.default_rng(row).integers(0, 256, (48, 48), dtype=np.uint8)


@pytest.fixture
def image_file() -> Callable[[Path], Path]:
    """Write a small picture to a path, its folders too."""

    def write(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(len(path.name))[:16, :16]).save(path)
        return path

    return write


@pytest.fixture
def new_csv() -> str:
    return "\n".join([HEADER, *(",".join([usage, name, *map(str, votes)]) for usage, name, votes in ROWS)]) + "\n"


@pytest.fixture
def ferplus_folder(tmp_path: Path, new_csv: str) -> Path:
    """As Microsoft's script writes it: the later of two rows with one name leaves its picture."""
    root = tmp_path / "folders"
    labels: dict[str, dict[str, tuple[int, ...]]] = {folder: {} for folder in FOLDER.values()}
    for i, (usage, name, votes) in enumerate(ROWS):
        folder = root / FOLDER[usage]
        folder.mkdir(parents=True, exist_ok=True)
        if name:
            Image.fromarray(pixels(i)).save(folder / name)
            labels[folder.name].setdefault(name, votes)
    for folder_name, votes_of in labels.items():
        lines = [f'{name},"(0, 0, 48, 48)",{",".join(map(str, v))}' for name, v in sorted(votes_of.items())]
        (root / folder_name / "label.csv").write_text("\n".join(lines) + "\n")
    (root / "fer2013new.csv").write_text(new_csv)
    return root


@pytest.fixture
def ferplus_zip(ferplus_folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "ferplus.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(ferplus_folder.rglob("*")):
            archive.write(file, "FERPlus/" + file.relative_to(ferplus_folder).as_posix())
    return path


@pytest.fixture
def ferplus_kaggle(tmp_path: Path, new_csv: str) -> Path:
    root = tmp_path / "kaggle"
    root.mkdir()
    lines = ["emotion,pixels,Usage"]
    lines += [f"0,{' '.join(map(str, pixels(i).ravel()))},{usage}" for i, (usage, _, _) in enumerate(ROWS)]
    (root / "fer2013.csv").write_text("\n".join(lines) + "\n")
    (root / "fer2013new.csv").write_text(new_csv)
    return root
