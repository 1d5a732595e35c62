"""Pages import the metrics on every rerun: they must bring NumPy and nothing else."""

import subprocess
import sys

PROGRAM = """
import sys, numpy, numpy.random
before = set(sys.modules)
import engine.metrics.annotators, engine.metrics.bootstrap, engine.metrics.checks, engine.metrics.correlation
import engine.metrics.scores, engine.metrics.uncertainty
standard = sys.stdlib_module_names
new = {name.split(".")[0] for name in set(sys.modules) - before}
print(sorted(new - set(standard) - {"engine", "numpy"}))
"""


def test_metrics_import_numpy_only():
    out = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
