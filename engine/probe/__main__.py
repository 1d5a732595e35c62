"""Render the probe faces: python -m engine.probe --out engine/assets/probe.parquet

Needs the extra [render] (anny); no GPU, no display. The result depends on the seed in design.py alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path

from engine.probe.design import scenes
from engine.probe.worker import head_model, render_rows


def main(argv: list[str] | None = None) -> int:
    """Render every scene and write one Parquet file. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m engine.probe", description="Render the probe faces.")
    parser.add_argument("--out", type=Path, default=Path("engine/assets/probe.parquet"), help="Parquet to write")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="default: %(default)s")
    parser.add_argument("--limit", type=int, default=None, help="only the first LIMIT scenes")
    args = parser.parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes, not threads, share the cores
    try:
        head_model()  # in this process first, so that the workers find anny's cache filled
    except ImportError as missing:
        print(f"Rendering needs {missing.name}. Install it: pip install '.[render]'", file=sys.stderr)
        return 1
    from engine.probe.table import write

    todo, rows, start = scenes()[: args.limit], [], time.monotonic()
    with get_context("spawn").Pool(args.processes) as pool:
        for done, part in enumerate(pool.imap(render_rows, todo), 1):
            rows += part
            spent = time.monotonic() - start
            left = spent / done * (len(todo) - done)
            bar = "#" * (30 * done // len(todo))
            text = f"[{bar:<30}] {done}/{len(todo)} scenes, {len(rows) / spent:.1f} images/s, {left:.0f} s left"
            print(f"\r{text:<90}", end="", file=sys.stderr, flush=True)
    write(rows, args.out)
    size = args.out.stat().st_size / 2**20
    print(f"\n{len(rows)} images, {size:.1f} MiB, {time.monotonic() - start:.0f} s: {args.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
