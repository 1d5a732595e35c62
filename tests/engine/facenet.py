"""A FaceNet trunk and heads with random weights: the real architecture, none of the real files."""

from pathlib import Path

import pytest
import torch
from facenet_pytorch import InceptionResnetV1
from torch import Tensor

from engine.backbones.facenet import LAYERS, FaceNetTrunk, backbone, convolutions
from engine.estimators.head import Head
from engine.sources.rows import FER_CLASSES
from engine.weights.files import sha256_of, write_tensors
from engine.weights.heads import export_layers, export_uncnet

BACKBONE = backbone("casia-webface", "mixed-5a")  # the shallowest: tests stay quick


def random_network(seed: int = 0) -> InceptionResnetV1:
    """facenet-pytorch's network with kernels that keep the signal's size and batch norms away from their start."""
    torch.manual_seed(seed)
    network = InceptionResnetV1(pretrained=None, classify=False).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
    return network


@torch.inference_mode()
def by_facenet_pytorch(network: InceptionResnetV1, pixels: Tensor) -> dict[str, Tensor]:
    """The pooled layers by that network's own modules, batch norms and all."""
    x = (pixels.permute(0, 3, 1, 2).float() - 127.5) / 128.0
    found = {}
    for layer, (modules, _) in LAYERS.items():
        for name in modules:
            x = getattr(network, name)(x)
        found[layer] = x.mean((2, 3))
    return found


def store_random_trunk(path: Path) -> None:
    """Write a trunk where `load_trunk` will look for it."""
    torch.manual_seed(1)
    trunk = FaceNetTrunk("casia-webface")
    for convolution in convolutions(trunk):
        torch.nn.init.kaiming_normal_(convolution.weight)
    write_tensors(path, trunk.state_dict(), {})
    path.with_suffix(".sha256").write_text(sha256_of(path) + "\n")


def random_head(seed: int, dropout: float) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    head = Head(LAYERS["mixed-5a"][1], len(FER_CLASSES), dropout)
    with torch.no_grad():  # spread the answers, so that tests can see differences
        for layer in (head.first, head.second, head.last):
            layer.weight.mul_(3.0)
    return head.state_dict()


@pytest.fixture(scope="session")
def facenet_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trunk, heads of both kinds on its first layer, and heads for the table of layers."""
    folder = tmp_path_factory.mktemp("facenet")
    store_random_trunk(folder / "facenet-casia-webface.safetensors")
    baseline, uncnet = ([random_head(seed + 10 * (p > 0), p) for seed in range(2)] for p in (0.0, 0.3))
    scores = {"epoch": 1, "nll": 1.0, "accuracy": 0.5, "spearman": 0.1}
    run = {"backbone": BACKBONE, "learning_rate": 1e-3, "seed": 0, **scores}
    sweep = [{**run, "dropout": dropout} for dropout in (0.0, 0.3)]
    record = {"dropout": 0.3, "learning_rate": 1e-3, "baseline_learning_rate": 1e-3, "sweep": sweep, "final": sweep}
    export_uncnet(folder / "uncnet.safetensors", BACKBONE, baseline, uncnet, record)
    export_layers(folder / "layers.safetensors", {BACKBONE: random_head(7, 0.0)}, {"sweep": sweep})
    return folder


@pytest.fixture
def use_random_facenet(facenet_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command of this process find the random files."""
    monkeypatch.setattr("engine.weights.facenet.stored", lambda name: facenet_files / f"facenet-{name}.safetensors")
    monkeypatch.setattr("engine.weights.heads.shipped", lambda name: facenet_files / f"{name}.safetensors")
