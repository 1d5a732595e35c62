"""Every figure in one run: python -m benchmarks --ferplus PATH. Ratios compare things measured side by side."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in engine/__main__.py
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `make app` sets it

import argparse
import itertools
from pathlib import Path

CACHE, MILLION = Path("data/ferplus"), Path("data/million")
PARTS = ("mc_dropout", "pipeline", "precision", "attributes", "statistics", "audit", "app", "grid", "sessions", "score")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--ferplus", type=Path, help="FER+; without it the pipeline is measured on the rendered faces")
    parser.add_argument("--cache", type=Path, default=CACHE, help="cache for the app (default: %(default)s)")
    parser.add_argument(
        "--million", type=Path, default=MILLION, help="large cache for the app, beside it (default: %(default)s)"
    )
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    arguments = parser.parse_args()
    from benchmarks import app, attributes, audit, grid, mc_dropout, pipeline, precision, score, sessions, statistics
    from engine import device as devices

    here = devices.hardware(devices.choose_device())
    print(f"{here.get('accelerator', here['processor'])}, {here['cores']} cores, device {here['device']}\n")
    there = arguments.ferplus is not None and arguments.ferplus.exists()
    source = f"ferplus:{arguments.ferplus}" if there else "probe:"
    small = present(arguments.cache, "make ferplus FERPLUS=PATH")
    large = present(
        arguments.million, f"python -m benchmarks.make_synthetic --faces 1000000 --out {arguments.million} (2 GB)"
    )
    measured = {
        "mc_dropout": mc_dropout.figures(),
        "pipeline": pipeline.figures(source),
        "precision": precision.figures(source),
        "attributes": attributes.figures(source),
        "statistics": itertools.chain.from_iterable(map(statistics.figures, small)),
        "audit": itertools.chain.from_iterable(map(audit.figures, small)),
        "app": itertools.chain.from_iterable(map(app.figures, small + large)),
        "grid": itertools.chain.from_iterable(map(grid.figures, small)),
        "sessions": sessions.figures(small + large),
        "score": score.figures(small),
    }
    for figure in itertools.chain(*(part for name, part in measured.items() if arguments.only in (None, name))):
        print(figure.line(), flush=True)


def present(cache: Path, command: str) -> list[Path]:
    """The cache, if it is there; else nothing, and how to make it."""
    if (cache / "manifest.json").exists():
        return [cache]
    print(f"No cache at {cache}: the app is not measured on it. Make it: {command}")
    return []


if __name__ == "__main__":
    main()
