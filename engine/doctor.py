"""What works on this machine, and what to do about the rest."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path


@dataclass(frozen=True)
class Check:
    """One finding."""

    name: str
    ok: bool
    finding: str


def checks(data: Path = Path("data")) -> Iterator[Check]:
    """Device, packages, weights, probe faces, then every cache in `data`."""
    from cache.errors import CacheError
    from cache.reader import Cache
    from engine import device as devices
    from engine.provenance import package_versions
    from engine.weights.compact import load_compact, load_skew
    from engine.weights.files import WeightsProblem

    device = devices.choose_device()
    facts = devices.hardware(device)
    name = facts.get("accelerator", facts["processor"])
    yield Check("device", True, f"{device.type} ({name}), {facts['cores']} cores, {devices.choose_precision(device)}")
    yield Check("packages", True, ", ".join(f"{k} {v}" for k, v in package_versions().items()))
    try:
        weights = load_compact()
        yield Check("weights", True, f"compact: {len(weights.members)} members, sha256 {weights.sha256[:12]}")
    except WeightsProblem as problem:
        yield Check("weights", False, str(problem))
    try:
        for name, weights in load_skew().items():
            members = f"{len(weights.members)} members"
            yield Check("weights", True, f"compact-{name}: {members}, sha256 {weights.sha256[:12]}")
    except WeightsProblem as problem:
        yield Check("weights", False, str(problem))
    yield from _facenet()
    probe = resources.files("engine") / "assets" / "probe.parquet"
    yield Check(
        "probe",
        probe.is_file(),
        "rendered faces are here"
        if probe.is_file()
        else "engine/assets/probe.parquet is missing. Install the package again.",
    )
    folders = sorted(path.parent for path in data.glob("*/manifest.json"))
    if not folders:
        yield Check("caches", True, f"none in {data}. Build one: make demo")
    for folder in folders:
        try:
            cache = Cache(folder)
            state = "complete" if cache.manifest.complete else f"unfinished; go on: {cache.manifest.command}"
            yield Check("cache", True, f"{folder}: {cache.manifest.faces:,} faces, {', '.join(cache.models)}, {state}")
        except CacheError as problem:
            yield Check("cache", False, str(problem))


def _facenet() -> Iterator[Check]:
    """The heads that ship, and the trunks that do not: without them everything but the first paper's models works."""
    from engine.backbones.facenet import PRETRAININGS
    from engine.weights.facenet import load_trunk
    from engine.weights.files import WeightsProblem
    from engine.weights.heads import load_uncnet

    try:
        heads = load_uncnet()
        yield Check(
            "weights", True, f"uncnet: {len(heads.uncnet)} heads on {heads.backbone}, sha256 {heads.sha256[:12]}"
        )
    except WeightsProblem as problem:
        yield Check("weights", False, str(problem))
    for name in PRETRAININGS:
        try:
            _, digest = load_trunk(name, ("mixed-5a",))
            yield Check("weights", True, f"FaceNet trunk {name}, sha256 {digest[:12]}")
        except WeightsProblem as problem:
            yield Check("weights", True, f"{problem} (only needed for baseline, uncnet and uncnet-ensemble)")
