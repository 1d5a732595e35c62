"""`python -m engine`."""

import os

# Threads that wait for each other sleep instead of spinning: on a busy machine spinning costs minutes, on an idle one
# it gains nothing. Must be set before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from engine.cli import main

main()
