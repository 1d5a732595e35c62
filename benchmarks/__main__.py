"""Every figure in one run: python -m benchmarks --ferplus PATH. Ratios compare things measured side by side."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in engine/__main__.py
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `make app` sets it

import argparse
import itertools
from pathlib import Path

CACHE = Path("data/ferplus")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--ferplus", type=Path, help="FER+; without it the pipeline is measured on the rendered faces")
    parser.add_argument("--cache", type=Path, default=CACHE, help="cache for the app (default: %(default)s)")
    parser.add_argument(
        "--only", choices=("mc_dropout", "pipeline", "precision", "statistics", "app"), help="one part alone"
    )
    arguments = parser.parse_args()
    from benchmarks import app, mc_dropout, pipeline, precision, statistics
    from engine import device as devices

    here = devices.hardware(devices.choose_device())
    print(f"{here.get('accelerator', here['processor'])}, {here['cores']} cores, device {here['device']}\n")
    there = arguments.ferplus is not None and arguments.ferplus.exists()
    source = f"ferplus:{arguments.ferplus}" if there else "probe:"
    measured = {
        "mc_dropout": mc_dropout.figures(),
        "pipeline": pipeline.figures(source),
        "precision": precision.figures(source),
        "statistics": statistics.figures(arguments.cache),
        "app": app.figures(arguments.cache),
    }
    if not (arguments.cache / "manifest.json").exists():
        print(f"No cache at {arguments.cache}: the app is not measured. Build it: make ferplus FERPLUS=PATH")
        measured["statistics"] = measured["app"] = iter(())
    for figure in itertools.chain(*(part for name, part in measured.items() if arguments.only in (None, name))):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
