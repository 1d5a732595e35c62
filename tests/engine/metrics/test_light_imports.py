"""Pages import the metrics on every rerun: they must bring NumPy and nothing else, and be quick about it."""

import subprocess
import sys
from pathlib import Path

import engine.metrics.checks

MODULES = sorted(path.stem for path in Path(engine.metrics.checks.__file__).parent.glob("*.py") if path.stem[0] != "_")

PROGRAM = f"""
import sys, time, numpy, numpy.random
before, start = set(sys.modules), time.process_time()
import {", ".join(f"engine.metrics.{name}" for name in MODULES)}
seconds = time.process_time() - start
new = {{name.split(".")[0] for name in set(sys.modules) - before}}
print(sorted(new - set(sys.stdlib_module_names) - {{"engine", "numpy"}}), seconds)
"""


def test_metrics_import_numpy_only():
    assert {"bootstrap", "calibration", "ceiling", "correlation", "paired", "rejection", "temperature"} < set(MODULES)
    out = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    others, seconds = out.rsplit(maxsplit=1)
    assert others == "[]"
    assert float(seconds) < 0.5  # about .02 s; scipy.special alone would take longer than all of them
